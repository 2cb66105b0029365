import { grantToJson, registrationToJson } from "../administration-json.ts";
import { GatewayError } from "../errors.ts";
import type { Administration, ClientGrant, ClientRegistration } from "../model/administration.ts";
import { type AdministerOptions, administer } from "./administer.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { count, formatTable } from "./format-table.ts";
import { oneLine } from "./one-line.ts";
import { listed, shortTime } from "./print-list.ts";

/** How clients are known, in words for people. */
const kinds = { static: "configured", metadata: "by its document", registered: "registered itself" } as const;

/** `gateway clients list`: what people of a tenant allow MCP clients, and registrations that nobody uses. */
export function listClients(options: AdministerOptions, console: Console): Promise<ExitCode> {
  return administer(options, console, async ({ administration }) => {
    const grants = await administration.listGrants();
    const registrations = await registrationsFor(administration);
    if (options.json) {
      const told = {
        grants: grants.map(grantToJson),
        ...(registrations !== undefined && { registrations: registrations.map(registrationToJson) }),
      };
      console.data(JSON.stringify(told, undefined, 2));
      return exitCodes.ok;
    }
    const unused = (registrations ?? []).filter((registration) => registration.grants === 0);
    const rows = [...grants.map(grantRow), ...unused.map(registrationRow)];
    if (rows.length > 0) console.data(formatTable([header, ...rows.map((row) => row.map(oneLine))]));
    console.say(
      `${count(grants.length, "grant")}${unused.length === 0 ? "" : `, ${count(unused.length, "unused registration")}`}.`,
    );
    return exitCodes.ok;
  });
}

/** `gateway clients revoke`: ends what a client may do, for everybody or for one user. */
export function revokeClient(
  client: string,
  options: AdministerOptions & { readonly user: string | undefined },
  console: Console,
): Promise<ExitCode> {
  return administer(options, console, async ({ administration }) => {
    const grants = await administration.listGrants();
    const { user } = options;
    if (user !== undefined) return revokeForUser(administration, grants, client, user, console);
    const clientId = meantBy(client, [...grants, ...((await registrationsFor(administration)) ?? [])]);
    try {
      await administration.revokeClient(clientId);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== "forbidden") throw error;
      throw new GatewayError("forbidden", `${error.message} \`--user NAME\` ends what one user allows it.`, {
        cause: error,
      });
    }
    console.say(`Client \`${oneLine(clientId)}\` may not do anything for anybody any more.`);
    return exitCodes.ok;
  });
}

async function revokeForUser(
  administration: Administration,
  grants: readonly ClientGrant[],
  client: string,
  user: string,
  console: Console,
): Promise<ExitCode> {
  const own = grants.filter((grant) => grant.user === user.toLowerCase());
  const clientId = meantBy(client, own);
  const ended = own.filter((grant) => grant.clientId === clientId);
  if (ended.length === 0) {
    throw new GatewayError(
      "not_found",
      `User \`${oneLine(user)}\` allows no such client anything. \`gateway clients list\` shows what there is.`,
    );
  }
  for (const { id } of ended) await administration.revokeGrant(id);
  console.say(`Client \`${oneLine(clientId)}\` may not do anything for \`${oneLine(user)}\` any more.`);
  return exitCodes.ok;
}

/** Registrations are for operators; `undefined` for all others. */
async function registrationsFor(
  administration: Administration,
): Promise<readonly ClientRegistration[] | undefined> {
  try {
    return await administration.listRegistrations();
  } catch (error) {
    if (error instanceof GatewayError && error.code === "forbidden") return undefined;
    throw error;
  }
}

/** The id of the client that somebody means by its id, or by its name where only one is called so: nobody checks names. */
function meantBy(
  text: string,
  known: readonly { readonly clientId: string; readonly clientName: string }[],
): string {
  if (known.some(({ clientId }) => clientId === text)) return text;
  const named = new Set(
    known.filter(({ clientName }) => clientName === text).map(({ clientId }) => clientId),
  );
  const [only, ...others] = named;
  if (others.length > 0) {
    throw new GatewayError(
      "bad_request",
      `Several clients call themselves so. Name one of them by its id: ${[...named].map((id) => `\`${oneLine(id)}\``).join(", ")}.`,
    );
  }
  return only ?? text;
}

/** Characters of a name. */
const mostShown = 40;

const header = ["CLIENT", "NAME", "KNOWN", "USER", "SCOPES", "LAST USED", "ENDS"];

function grantRow(grant: ClientGrant): readonly string[] {
  const { clientId, clientName, clientKind, user, scopes, lastUsedAt, expiresAt } = grant;
  return [
    ...[clientId, shortened(clientName), kinds[clientKind], user],
    ...[listed(scopes), shortTime(lastUsedAt), shortTime(expiresAt)],
  ];
}

function registrationRow({ clientId, clientName, expiresAt }: ClientRegistration): readonly string[] {
  return [clientId, shortened(clientName), kinds.registered, "nobody", "-", "never", shortTime(expiresAt)];
}

/** Clients choose their names, and one that is long would push all other columns out of sight. */
function shortened(name: string): string {
  const characters = [...name];
  return characters.length > mostShown ? `${characters.slice(0, mostShown - 1).join("")}…` : name;
}
