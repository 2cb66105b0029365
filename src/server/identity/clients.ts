import { grantToJson, registrationToJson } from "../../administration-json.ts";
import { allow, sendEmpty, sendJson } from "../exchange.ts";
import { type IdentityContext, noSuchRoute } from "./context.ts";

/** First segments behind `auth` of the routes below. */
const rooms = ["grants", "clients"];

/** Whether what follows `auth` is about MCP clients that act for people. */
export function isClientRoute(segments: readonly string[]): boolean {
  return rooms.includes(segments[0] ?? "");
}

/** Serves `auth/grants`, what people allow clients, and `auth/clients`, those that registered themselves; `segments` follows `auth`. */
export async function handleClients(
  { exchange, administration }: IdentityContext,
  segments: readonly string[],
): Promise<void> {
  const [what, id, ...more] = segments;
  if (more.length > 0) throw noSuchRoute();
  allow(exchange, [id === undefined ? "GET" : "DELETE"]);
  const as = await administration();
  if (id !== undefined) {
    await (what === "grants" ? as.revokeGrant(id) : as.revokeClient(id));
    return sendEmpty(exchange, 204);
  }
  return sendJson(
    exchange,
    200,
    what === "grants"
      ? { grants: (await as.listGrants()).map(grantToJson) }
      : { clients: (await as.listRegistrations()).map(registrationToJson) },
  );
}
