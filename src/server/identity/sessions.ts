import { callerToJson, sessionToJson } from "../../administration-json.ts";
import type { Identity } from "../../identity/identity.ts";
import type { RequestAuthenticator } from "../authenticate-request.ts";
import { allow, type Exchange, sendEmpty, sendJson } from "../exchange.ts";
import { signedOutHeaders, writeSessionCookie } from "../session-cookie.ts";
import { type IdentityContext, noSuchRoute } from "./context.ts";
import { readMembers, required } from "./members.ts";
import { signIn } from "./sign-in.ts";

/** Serves `POST auth/login`, the one route here that needs no credential. */
export async function handleLogin(
  identity: Identity,
  requests: RequestAuthenticator,
  exchange: Exchange,
): Promise<void> {
  allow(exchange, ["POST"]);
  // Who could sign a browser in from another page would read what its user does next.
  requests.origin.check(exchange.request);
  const members = await readMembers(exchange, ["name", "password"]);
  const name = required(members.text("name"), "name");
  const password = required(members.secret("password"), "password");
  const { principal, session, milliseconds } = await signIn(identity, exchange, name, password);
  const cookie = writeSessionCookie(session, milliseconds);
  return sendJson(exchange, 200, callerToJson(principal), { "set-cookie": cookie });
}

/** Serves `auth/logout`, `auth/session` and `auth/sessions`; `segments` is what follows `auth`. */
export async function handleSessions(
  context: IdentityContext,
  identity: Identity,
  segments: readonly string[],
): Promise<void> {
  const { exchange, caller, administration } = context;
  const [what, id, ...more] = segments;
  if (more.length > 0 || (id !== undefined && what !== "sessions")) throw noSuchRoute();
  switch (what) {
    case "logout":
      allow(exchange, ["POST"]);
      await readMembers(exchange, []);
      await identity.signOut(caller.presented);
      return sendEmpty(exchange, 204, caller.presented.kind === "session" ? signedOutHeaders : {});
    case "session":
      allow(exchange, ["GET"]);
      return sendJson(exchange, 200, callerToJson(caller.principal));
    case "sessions": {
      if (id !== undefined) {
        allow(exchange, ["DELETE"]);
        await (await administration()).revokeSession(id);
        return sendEmpty(exchange, 204);
      }
      allow(exchange, ["GET"]);
      const sessions = await (await administration()).listSessions();
      return sendJson(exchange, 200, { sessions: sessions.map(sessionToJson) });
    }
    default:
      throw noSuchRoute();
  }
}
