import { GatewayError } from "../../errors.ts";
import type { Identity } from "../../identity/identity.ts";
import type { Caller } from "../authenticate-request.ts";
import type { Exchange } from "../exchange.ts";
import { handleClients, isClientRoute } from "./clients.ts";
import type { IdentityContext } from "./context.ts";
import { handleSessions } from "./sessions.ts";
import { handleTenants } from "./tenants.ts";
import { handleTokens } from "./tokens.ts";
import { handleUsers } from "./users.ts";

/** First segments of the routes below; no provider may have such a name. */
const rooms = ["auth", "users", "tokens", "tenants"];

/** Whether a route of the HTTP API is about who calls, by its first segment. */
export function isIdentityRoute(segments: readonly string[]): boolean {
  return rooms.includes(segments[0] ?? "");
}

/** Serves `auth/…`, `users`, `tokens` and `tenants` for a caller that is known; what it may do there is for `identity` to say. */
export async function handleIdentity(
  identity: Identity,
  exchange: Exchange,
  caller: Caller,
  segments: readonly string[],
): Promise<void> {
  if (caller.query !== "") throw new GatewayError("bad_request", "This route takes nothing from the query.");
  const [room, ...rest] = segments;
  const context: IdentityContext = {
    exchange,
    caller,
    administration: async () => identity.administration(await caller.confirm()),
  };
  switch (room) {
    case "users":
      return handleUsers(context, rest);
    case "tokens":
      return handleTokens(context, rest);
    case "tenants":
      return handleTenants(context, rest);
    default:
      if (isClientRoute(rest)) return handleClients(context, rest);
      return handleSessions(context, identity, rest);
  }
}
