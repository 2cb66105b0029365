import { GatewayError } from "../errors.ts";
import type { OidcConfig } from "../model/auth-config.ts";
import type { Secret } from "../secret.ts";
import type { Change } from "../store/store.ts";
import type { Authenticate, IdentitySettings } from "./authenticate.ts";
import { checkFound, demand } from "./check-record.ts";
import { newSession, newSessionId, recognize, sessionsOf } from "./credential-form.ts";
import { isTenantId, isUserName, printablePart } from "./forms.ts";
import { type GuardedStore, readAll } from "./guard-store.ts";
import type { Presented, SignedIn, SignIn } from "./identity.ts";
import { isOutdated } from "./password-hash.ts";
import type { Passwords } from "./passwords.ts";
import { putSession, readSession, type SessionRecord, sessionMembers, sessionOf } from "./session-record.ts";
import type { SignInLimits } from "./sign-in-limits.ts";
import { useId } from "./track-uses.ts";
import { putUser, type UserRecord, userMembers, userOf } from "./user-record.ts";

/** What signing in and out needs. */
export interface SignInParts {
  readonly store: GuardedStore;
  readonly settings: () => IdentitySettings;
  readonly now: () => number;
  readonly limits: SignInLimits;
  readonly passwords: Passwords;
  readonly authenticate: Authenticate;
}

/** Sessions that a user has at most; the oldest goes. */
const sessionsPerUser = 20;
/** No user has this name. */
const nobody = "-";

/** Signs users in; `Identity.signIn`. The session is always a new one, whatever the browser had. */
export async function signIn(parts: SignInParts, attempt: SignIn): Promise<SignedIn> {
  const { store, settings } = parts;
  const { oidc } = settings().auth;
  if (oidc !== undefined) throw elsewhere(oidc);
  const asked = attempt.name.slice(0, 256).toLowerCase();
  const name = isUserName(asked) ? asked : nobody;
  const counted = parts.limits.take(name, attempt.address);
  const found = await checkPassword(parts, name, attempt.password).catch((error: unknown) => {
    // Nothing was found out about the password.
    counted.withdraw();
    throw error;
  });
  if (found === undefined) throw refused();
  counted.succeed();
  const { tenant, user } = found;
  const begun = beginSession(parts, user, attempt.client);
  await store
    .tenant(tenant)
    .write([...(await surplusSessions(store, tenant, user.id)), putSession(begun.record)]);
  await renewHash(parts, tenant, user, attempt);
  return signedInBy(parts, begun, refused);
}

/** A session that is about to begin. */
export interface BegunSession {
  /** To be written with `putSession`. */
  readonly record: SessionRecord;
  readonly secret: Secret;
  readonly milliseconds: number;
}

/** Makes a session of a user. @param client what the browser calls itself. */
export function beginSession(
  { settings, now }: Pick<SignInParts, "settings" | "now">,
  user: Pick<UserRecord, "id" | "generation">,
  client: string | undefined,
): BegunSession {
  const { sessionMilliseconds: milliseconds } = settings().auth;
  const { secret, hash } = newSession();
  const createdAt = now();
  const record: SessionRecord = {
    ...{ id: newSessionId(user.id), hash, user: user.id, generation: user.generation, createdAt },
    expiresAt: createdAt + milliseconds,
    client: client === undefined ? undefined : printablePart(client, 200),
  };
  return { record, secret, milliseconds };
}

/** Who is signed in by a session that was written. @param refused what is told when it does not count any more. */
export async function signedInBy(
  { authenticate }: Pick<SignInParts, "authenticate">,
  { secret, milliseconds }: BegunSession,
  refused: () => GatewayError,
): Promise<SignedIn> {
  const session = { kind: "session", token: secret } as const;
  const principal = await authenticate(session, undefined).catch((error: unknown) => {
    // The tenant is gone, or the user was changed meanwhile: nothing else is to be told of that.
    if (error instanceof GatewayError && error.code === "unauthenticated") throw refused();
    throw error;
  });
  return { principal, session: secret, milliseconds };
}

/** The user who has this name and password. The same reading and the same hashing whether there is such a user or not. */
async function checkPassword({ store, passwords }: SignInParts, name: string, password: Secret) {
  const found = await findUser(store, name);
  const isRight = await passwords.verify(password, found?.user.passwordHash);
  return isRight && found?.user.disabled === false ? found : undefined;
}

/** Ends a session; `Identity.signOut`. */
export async function signOut(store: GuardedStore, presented: Presented): Promise<void> {
  const credential = recognize(presented);
  if (credential?.kind !== "session") return;
  const found = await store.find("session", credential.hash);
  if (found === undefined) return;
  const { tenant, record } = checkFound(found, "session", sessionMembers);
  const { id } = sessionOf(record);
  demand(isTenantId(tenant), record, "tenant");
  await store.tenant(String(tenant)).write(endSession(id));
}

/** A user by name, and the tenant it belongs to. */
export async function findUser(
  store: GuardedStore,
  name: string,
): Promise<{ readonly tenant: string; readonly user: UserRecord } | undefined> {
  const found = await store.find("user", name);
  if (found === undefined) return undefined;
  const { tenant, record } = checkFound(found, "user", userMembers);
  const user = userOf(record);
  demand(isTenantId(tenant), record, "tenant");
  demand(user.name === name, record, "name");
  return { tenant: String(tenant), user };
}

/** The changes that end a session. */
export function endSession(id: string): readonly Change[] {
  return [
    { action: "delete", kind: "session", id, expected: "any" },
    { action: "delete", kind: "use", id: useId("session", id), expected: "any" },
  ];
}

/** The changes that end the oldest sessions of a user, so that there is room for one more. */
export async function surplusSessions(
  store: GuardedStore,
  tenant: string,
  user: string,
): Promise<readonly Change[]> {
  const sessions = await readAll(store.tenant(tenant), "session", readSession, sessionsOf(user));
  return sessions
    .sort((one, other) => other.createdAt - one.createdAt)
    .slice(sessionsPerUser - 1)
    .flatMap(({ id }) => endSession(id));
}

/** Hashes by the parameters of today. When that fails, it is done at the next sign-in. */
async function renewHash(
  { store, passwords }: SignInParts,
  tenant: string,
  user: UserRecord,
  { password }: SignIn,
): Promise<void> {
  if (user.passwordHash === undefined || !isOutdated(user.passwordHash)) return;
  try {
    const passwordHash = await passwords.hash(password, user.name);
    await store.tenant(tenant).write([putUser({ ...user, passwordHash }, user.version)]);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
  }
}

function elsewhere({ displayName }: OidcConfig): GatewayError {
  return new GatewayError(
    "not_found",
    `Nobody signs in by name and password here: people sign in at ${displayName}, in a browser, on the page \`/login\` of this gateway. Programs use an API token, the command line too (\`GATEWAY_TOKEN\`).`,
  );
}

function refused(): GatewayError {
  return new GatewayError("unauthenticated", "The name or the password is wrong. Check both and try again.");
}
