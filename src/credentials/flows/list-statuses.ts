import { GatewayError } from "../../errors.ts";
import type { ProviderConfig } from "../../model/config.ts";
import type { ConnectionConfig } from "../../model/connection-config.ts";
import type {
  ConnectionForm,
  ConnectionState,
  ConnectionStatus,
  InstanceStatus,
  NextAction,
} from "../../model/connections.ts";
import type { Principal } from "../../model/principal.ts";
import { createConnectUrl } from "../connect-url.ts";
import type { StoredCredential } from "../credential-store.ts";
import { mayConnectGateway, mayShare, ownersFor } from "../owner.ts";
import { findProvider, isStorable } from "./find-target.ts";
import type { FlowParts } from "./flow-parts.ts";
import { credentialFields, paramFields } from "./form-fields.ts";
import { missingConfiguration } from "./require-storage.ts";

/** Where each connection stands for a principal, in the order of the file. Throws `not_found` for a provider that it may not know of. */
export async function listStatuses(
  parts: FlowParts,
  as: Principal,
  name: string | undefined,
): Promise<readonly ConnectionStatus[]> {
  const providers =
    name === undefined
      ? parts.providers().filter((provider) => parts.mayKnow(as, provider.name))
      : [findProvider(parts, as, name)];
  const statuses: ConnectionStatus[] = [];
  for (const provider of providers) {
    for (const connection of Object.values(provider.connections)) {
      statuses.push({
        provider: provider.name,
        providerName: provider.displayName,
        connection: connection.name,
        displayName: connection.displayName,
        description: connection.description,
        mode: connection.mode,
        type: connection.auth.type,
        ...(await standingOf(parts, as, provider, connection)),
        form: formFor(parts, as, provider, connection),
      });
    }
  }
  return statuses;
}

/** What a status says beside names. */
interface Standing {
  readonly state: ConnectionState;
  readonly reason: string | undefined;
  readonly next: NextAction | undefined;
  readonly instances: readonly InstanceStatus[];
}

const ready: Standing = { state: "ready", reason: undefined, next: undefined, instances: [] };

async function standingOf(
  parts: FlowParts,
  as: Principal,
  provider: ProviderConfig,
  connection: ConnectionConfig,
): Promise<Standing> {
  if (!isStorable(connection)) return unstoredStanding(connection);
  const missing = missingConfiguration(parts, connection);
  if (missing !== undefined) return unconfigured(missing);
  const owners = ownersFor(connection.mode, as);
  const counting: (readonly StoredCredential[])[] = [];
  try {
    for (const owner of owners)
      counting.push(await parts.credentials.list(owner, provider.name, connection.name));
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    parts.log(`Where connection \`${connection.name}\` of ${provider.name} stands is not known.`, error);
    const reason = "What is stored can't be read at the moment. Try again later.";
    return { state: "unavailable", reason, next: undefined, instances: [] };
  }
  // What is the gateway's own is told to nobody.
  const instances = connection.mode === "identity" ? [] : counting.flat().map(instanceStatus);
  // The first owner that has any: never a later one because the choice is open, or because a credential is spent.
  const own = counting.find((list) => list.length > 0) ?? [];
  return { ...storedStanding(parts, as, provider, connection, own), instances };
}

/** Where nothing is stored: the file has the credential, the caller brings it, or there is none. */
function unstoredStanding({ mode, auth }: ConnectionConfig): Standing {
  if (mode === "none" || auth.type === "none") return ready;
  if (auth.type === "passthrough")
    return {
      ...ready,
      reason: `Each call brings the credential in the header \`${auth.header}\`.`,
      next: { kind: "send_header", header: auth.header },
    };
  if (auth.type === "oauth2")
    return auth.clientAuth === "none" || auth.clientSecret !== undefined
      ? ready
      : unconfigured("Set the connection's `client_secret`: its reference leads to nothing.");
  if (auth.type === "mcp_oauth") return ready;
  const empty = auth.fields.find(({ value }) => value === undefined);
  return empty === undefined
    ? ready
    : unconfigured(`Set the \`value\` of the connection's field \`${empty.name}\`: there is none.`);
}

function storedStanding(
  parts: FlowParts,
  as: Principal,
  provider: ProviderConfig,
  connection: ConnectionConfig,
  own: readonly StoredCredential[],
): Omit<Standing, "instances"> {
  const [only, second] = own;
  const who = whoConnects(as, connection);
  if (only === undefined) {
    if (who === "operator") return unconfigured("The gateway's operator has to connect it.");
    return {
      state: "needs_connection",
      reason:
        who === undefined
          ? "Nobody has connected it yet."
          : `Nobody has connected it yet: an operator or admin of tenant \`${as.tenant}\` has to.`,
      next: who === undefined ? connect(parts, as, provider, connection, undefined) : undefined,
    };
  }
  if (second !== undefined && connection.mode !== "identity") {
    const names = own.map(({ reference }) => reference.instance);
    return {
      state: "needs_instance_selection",
      reason: "There are several credentials: a call has to name one of them as `_instance`.",
      next: { kind: "choose_instance", instances: names },
    };
  }
  if (only.state.kind === "ready") {
    const { wanted = [] } = only.state;
    if (wanted.length === 0 || who !== undefined) return ready;
    return {
      state: "ready",
      reason: `Some calls need more than was authorized: ${wanted.join(" ")}. Connecting anew asks for it.`,
      next: connect(parts, as, provider, connection, only.reference.instance),
    };
  }
  if (who === "operator") return unconfigured("The gateway's operator has to connect it anew.");
  return {
    state: "reconnect_required",
    reason: only.state.reason,
    next: who === undefined ? connect(parts, as, provider, connection, only.reference.instance) : undefined,
  };
}

/** Who else has to connect it; `undefined`: the principal itself may. */
function whoConnects(as: Principal, { mode }: ConnectionConfig): "operator" | "sharer" | undefined {
  // What a token is narrowed to, or a client is let do, says nothing of the person behind it, who opens the page and signs in.
  const person = { ...as, scopes: undefined, credential: undefined };
  if (mode === "identity") return mayConnectGateway(person) ? undefined : "operator";
  return mode !== "tenant" || mayShare(person) ? undefined : "sharer";
}

function connect(
  parts: FlowParts,
  as: Principal,
  provider: ProviderConfig,
  connection: ConnectionConfig,
  instance: string | undefined,
): NextAction {
  const url = pageFor(parts, as, provider, connection, instance);
  const { type } = connection.auth;
  return type === "oauth2" || type === "mcp_oauth"
    ? { kind: "authorize", url, params: paramFields(connection) }
    : { kind: "enter", url, fields: [...credentialFields(connection), ...paramFields(connection)] };
}

function pageFor(
  parts: FlowParts,
  as: Principal,
  provider: ProviderConfig,
  connection: ConnectionConfig,
  instance: string | undefined,
): string {
  const isGateway = connection.mode === "identity";
  return createConnectUrl(parts.baseUrl)({
    provider: provider.name,
    connection: connection.name,
    instance: isGateway ? undefined : instance,
    tenant: isGateway || as.tenant === as.home ? undefined : as.tenant,
  });
}

/** What connecting asks for, of who may connect. */
function formFor(
  parts: FlowParts,
  as: Principal,
  provider: ProviderConfig,
  connection: ConnectionConfig,
): ConnectionForm | undefined {
  const isPossible = isStorable(connection) && missingConfiguration(parts, connection) === undefined;
  if (!isPossible || whoConnects(as, connection) !== undefined) return undefined;
  const { type } = connection.auth;
  return {
    kind: type === "oauth2" || type === "mcp_oauth" ? "authorize" : "enter",
    url: pageFor(parts, as, provider, connection, undefined),
    fields: credentialFields(connection),
    params: paramFields(connection),
  };
}

function unconfigured(what: string): Standing {
  return { state: "needs_configuration", reason: what, next: { kind: "configure", what }, instances: [] };
}

function instanceStatus(stored: StoredCredential): InstanceStatus {
  const { reference, state, connectedAt, expiresAt, scopes, params, secrets } = stored;
  return {
    instance: reference.instance,
    shared: reference.owner.kind === "tenant",
    state: state.kind,
    reason: state.kind === "ready" ? undefined : state.reason,
    connectedAt,
    expiresAt,
    refreshable: secrets["refresh_token"] !== undefined,
    scopes,
    params,
  };
}
