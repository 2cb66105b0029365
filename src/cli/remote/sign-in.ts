import { type Caller, callerFromJson } from "../../administration-json.ts";
import { GatewayError } from "../../errors.ts";
import { Secret } from "../../secret.ts";
import { type Ask, sessionCookie } from "./http.ts";

/** A session that has begun at a gateway elsewhere. */
export interface RemoteSession {
  readonly caller: Caller;
  readonly session: Secret;
  /** Milliseconds since 1970; `undefined`: the gateway does not say. */
  readonly endsAt: number | undefined;
}

/** Signs in by name and password. Throws what the gateway says, such as `unauthenticated`. */
export async function signIn(ask: Ask, name: string, password: Secret): Promise<RemoteSession> {
  const { body, headers } = await ask("POST", ["auth", "login"], { name, password: password.reveal() });
  const found = headers
    .getSetCookie()
    .map(readCookie)
    .find((cookie) => cookie !== undefined);
  if (found === undefined || body === undefined)
    throw new GatewayError("internal", "The server accepted the password, but its answer holds no session.");
  return { caller: callerFromJson(body), ...found };
}

/** Who the gateway takes its caller for. */
export async function whoIsCalling(ask: Ask): Promise<Caller> {
  const { body = null } = await ask("GET", ["auth", "session"]);
  return callerFromJson(body);
}

/** Ends the session that the requests are made with. */
export async function signOut(ask: Ask): Promise<void> {
  await ask("POST", ["auth", "logout"]);
}

/** The session in a `Set-Cookie` header (RFC 6265 section 4.1); `undefined` for other cookies, and for one that is taken away. */
function readCookie(header: string): Pick<RemoteSession, "session" | "endsAt"> | undefined {
  const [pair = "", ...attributes] = header.split(";").map((part) => part.trim());
  const [name, value = ""] = pair.split("=", 2);
  if (name !== sessionCookie || !/^[\w-]{20,200}$/.test(value)) return undefined;
  const age = attributes.map((attribute) => /^max-age=(\d{1,12})$/i.exec(attribute)?.[1]).find(Boolean);
  return {
    session: new Secret(value),
    endsAt: age === undefined ? undefined : Date.now() + Number(age) * 1_000,
  };
}
