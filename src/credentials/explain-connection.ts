import { GatewayError } from "../errors.ts";
import type { Tool } from "../model/catalog.ts";
import type { ProviderConfig } from "../model/config.ts";
import type { ConnectionConfig } from "../model/connection-config.ts";
import type { Principal } from "../model/principal.ts";
import { declaredCredential } from "./apply-auth.ts";
import type { Owner, StoredCredential } from "./credential-store.ts";
import { ownersFor } from "./owner.ts";
import { type Choice, selectCredential } from "./select-credential.ts";

/** One step on the way from a tool to its credential. */
export interface ConnectionStep {
  readonly what: "connection" | "mode" | "credential";
  /** For people: one or a few sentences. */
  readonly detail: string;
}

/** Where an explanation looks up what a call would. */
export interface ExplanationSources {
  storedOf(owner: Owner, connection: ConnectionConfig): Promise<readonly StoredCredential[]>;
  choice(connection: ConnectionConfig): Choice;
  /** Throws `reconnect_required` for a credential that does not fit its connection. */
  checkFit(choice: Choice, connection: ConnectionConfig, chosen: StoredCredential): void;
}

/** How the credential of a call is found, in words; the same rules as for the call itself. Holds nothing secret. */
export async function explainConnection(
  provider: ProviderConfig,
  tool: Tool,
  principal: Principal,
  sources: ExplanationSources,
): Promise<readonly ConnectionStep[]> {
  if (tool.connection === undefined)
    return [{ what: "connection", detail: "No connection: the operation is called without a credential." }];
  const connection = provider.connections[tool.connection];
  if (connection === undefined)
    return [{ what: "connection", detail: `\`${tool.connection}\` is not declared by the provider.` }];
  return [
    {
      what: "connection",
      detail: `\`${connection.name}\` of ${provider.name} (${describeChoice(provider, tool)}).`,
    },
    { what: "mode", detail: describeMode(connection, principal) },
    ...(await describeCredential(provider, connection, principal, sources)).map((detail) => ({
      what: "credential" as const,
      detail,
    })),
  ];
}

function describeChoice(provider: ProviderConfig, tool: Tool): string {
  const surface = provider.surfaces.find(({ kind }) => kind === tool.surface);
  if (surface?.connection !== tool.connection) return "named by the operation";
  const count = Object.keys(provider.connections).length;
  return count === 1 ? "the only one that is declared" : "that of its surface";
}

function describeMode({ mode }: ConnectionConfig, principal: Principal): string {
  switch (mode) {
    case "none":
      return "`none`: nothing is sent, whoever calls.";
    case "identity":
      return "`identity`: the gateway's own credential, the same for every caller.";
    case "tenant":
      return `\`tenant\`: the credential that tenant \`${principal.tenant}\` shares.`;
    case "user":
      return `\`user\`: the credential of ${principal.kind} \`${principal.name}\` and of nobody else.`;
    case "either":
      return `\`either\`: the credential of ${principal.kind} \`${principal.name}\`, else the one that tenant \`${principal.tenant}\` shares.`;
  }
}

async function describeCredential(
  provider: ProviderConfig,
  connection: ConnectionConfig,
  principal: Principal,
  sources: ExplanationSources,
): Promise<readonly string[]> {
  const { auth } = connection;
  if (connection.mode === "none") return ["None is needed."];
  if (declaredCredential(provider, connection) !== undefined)
    return ["The one that the configuration file holds."];
  if (auth.type === "passthrough")
    return [
      `The header \`${auth.header}\` of the caller's own request; without it a call is refused with \`not_connected\`.`,
    ];
  if (auth.type === "oauth2" && auth.grant === "client_credentials")
    return ["A token that the gateway gets for itself when it is needed, by `client_credentials`."];
  try {
    return await describeStored(connection, principal, sources);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return [`It could not be looked up; a call would be refused with \`${error.code}\`: ${error.message}`];
  }
}

async function describeStored(
  connection: ConnectionConfig,
  principal: Principal,
  sources: ExplanationSources,
): Promise<readonly string[]> {
  const details: string[] = [];
  let counting: readonly StoredCredential[] = [];
  for (const owner of ownersFor(connection.mode, principal)) {
    const found = await sources.storedOf(owner, connection);
    const whose = nameOfOwner(owner, principal);
    if (found.length === 0) details.push(`${whose} has none.`);
    else if (counting.length > 0)
      details.push(`${whose} has ${describeList(found)}, which do not count beside those.`);
    else details.push(`${whose} has ${describeList(found)}.`);
    if (counting.length === 0) counting = found;
  }
  return [...details, describeOutcome(connection, sources, counting)];
}

function nameOfOwner({ owner }: Owner, principal: Principal): string {
  switch (owner.kind) {
    case "gateway":
      return "The gateway";
    case "tenant":
      return `Tenant \`${owner.id}\``;
    case "user":
      return `${principal.kind.replace(/^./, (letter) => letter.toUpperCase())} \`${principal.name}\``;
  }
}

function describeList(stored: readonly StoredCredential[]): string {
  const shown = stored.slice(0, 20).map(describeInstance);
  return stored.length > shown.length
    ? `${shown.join(", ")} and ${stored.length - shown.length} more`
    : shown.join(", ");
}

function describeInstance({ reference, state, expiresAt, secrets }: StoredCredential): string {
  const facts =
    state.kind === "reconnect_required"
      ? `has to be connected anew: ${state.reason.replace(/\.$/, "")}`
      : expiresAt === undefined
        ? "ready"
        : `ready, until ${new Date(expiresAt).toISOString()}${Object.hasOwn(secrets, "refresh_token") ? ", then refreshed" : ""}`;
  return `\`${reference.instance}\` (${facts})`;
}

function describeOutcome(
  connection: ConnectionConfig,
  sources: ExplanationSources,
  counting: readonly StoredCredential[],
): string {
  try {
    const choice = sources.choice(connection);
    const chosen = selectCredential(choice, counting);
    sources.checkFit(choice, connection, chosen);
    return `A call uses \`${chosen.reference.instance}\`.`;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return `A call would be refused with \`${error.code}\`: ${error.message}`;
  }
}
