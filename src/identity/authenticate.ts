import { GatewayError } from "../errors.ts";
import type { AuthConfig } from "../model/config.ts";
import type { Principal } from "../model/principal.ts";
import type { RecordKind } from "../store/store.ts";
import { mayActFor } from "./acts-for.ts";
import { checkFound, demand } from "./check-record.ts";
import { type Credential, isSameHash, recognize } from "./credential-form.ts";
import { type FileTenants, findTenant } from "./find-tenant.ts";
import { isTenantId } from "./forms.ts";
import { believingNothing, type GuardedStore, within } from "./guard-store.ts";
import type { Presented } from "./identity.ts";
import { isSamePrincipal, makePrincipal, type Who } from "./make-principal.ts";
import { sessionMembers, sessionOf } from "./session-record.ts";
import { tokenMembers, tokenOf } from "./token-record.ts";
import { readUse, type UseMark, type UseTracker, useId } from "./track-uses.ts";
import { readUser, type UserRecord } from "./user-record.ts";

/** What the configuration says about callers; the same objects until it changes. */
export interface IdentitySettings {
  readonly auth: AuthConfig;
  readonly tenants: FileTenants;
}

/** What authentication needs. */
export interface AuthenticatorParts {
  readonly store: GuardedStore;
  readonly settings: () => IdentitySettings;
  readonly uses: UseTracker;
  readonly now: () => number;
  readonly log: (message: string, cause: unknown) => void;
  /** The longest wait for the store. */
  readonly milliseconds: number;
}

/** A credential that was found good, until something changes. */
interface Verified {
  readonly principal: Principal;
  readonly mark: UseMark;
  /** Milliseconds since 1970. */
  readonly endsAt: number;
  /** Milliseconds without use after which it is to be looked at again. */
  readonly idle: number;
}

interface CacheEntry extends Verified {
  readonly epoch: number;
  readonly settings: IdentitySettings;
}

const watched: readonly RecordKind[] = ["user", "token", "session", "tenant"];
const cacheSize = 10_000;

/** The way from what a request presents to a principal, `Identity.authenticate`. There is no other for callers. */
export function createAuthenticator(
  parts: AuthenticatorParts,
): (presented: Presented, actFor: string | undefined) => Promise<Principal> {
  const { store, uses, now } = parts;
  const cache = new Map<string, CacheEntry>();

  function remember(key: string, entry: CacheEntry): Principal {
    // Whoever keeps something by principal goes on with the same object while it says the same.
    const before = cache.get(key)?.principal;
    const principal =
      before !== undefined && isSamePrincipal(before, entry.principal) ? before : entry.principal;
    cache.delete(key);
    cache.set(key, { ...entry, principal });
    if (cache.size > cacheSize) {
      const [oldest] = cache.keys();
      if (oldest !== undefined) cache.delete(oldest);
    }
    return principal;
  }

  return async (presented, actFor) => {
    const credential = recognize(presented);
    if (credential === undefined) throw unauthenticated();
    // Asked for before anything is read: what changes during the reading makes the result old at once.
    const epoch = store.epoch(watched);
    const settings = parts.settings();
    const time = now();
    // Tokens and sessions are of different lengths, so no hash is that of both.
    const key = actFor === undefined ? credential.hash : `${credential.hash} ${actFor}`;
    const known = cache.get(key);
    if (known !== undefined && isCurrent(known, epoch, settings, time)) {
      uses.touch(known.mark, time);
      if (cache.size > cacheSize / 2) {
        // The map's order is that of the last use, as soon as it matters.
        cache.delete(key);
        cache.set(key, known);
      }
      return known.principal;
    }
    const verified = await believingNothing(parts.log, () =>
      within(parts.milliseconds, () => verify(credential, actFor, settings, time)),
    ).catch((error: unknown) => {
      // What is refused is forgotten; what could not be asked for goes on as the same object once it can.
      if (!(error instanceof GatewayError) || error.code !== "store_unavailable") cache.delete(key);
      throw error;
    });
    uses.touch(verified.mark, time);
    return remember(key, { ...verified, epoch, settings });
  };

  async function verify(
    credential: Credential,
    actFor: string | undefined,
    settings: IdentitySettings,
    time: number,
  ): Promise<Verified> {
    const found =
      credential.kind === "token"
        ? await verifyToken(credential.hash, time)
        : await verifySession(credential.hash, settings, time);
    const { home } = found.who;
    const own = await findTenant(store, settings.tenants, home);
    if (own === undefined) throw unauthenticated();
    if (actFor === undefined || actFor === home)
      return { ...found, principal: makePrincipal(found.who, own) };
    const [rights, scopes] =
      found.who.kind === "user"
        ? [found.who.user, found.who.scopes]
        : [found.who.token, found.who.token.scopes];
    const other =
      isTenantId(actFor) && mayActFor(rights, scopes, actFor)
        ? await findTenant(store, settings.tenants, actFor)
        : undefined;
    if (other === undefined) {
      throw new GatewayError(
        "forbidden",
        "You may not act for this tenant, or there is none of this name. Leave it out to act in your own.",
      );
    }
    return { ...found, principal: makePrincipal(found.who, other) };
  }

  async function verifyToken(hash: string, time: number) {
    const found = await store.find("token", hash);
    if (found === undefined) throw unauthenticated();
    const { tenant, record } = checkFound(found, "token", tokenMembers);
    const token = tokenOf(record);
    demand(isTenantId(tenant), record, "tenant");
    const home = String(tenant);
    if (!isSameHash(token.hash, hash)) throw unauthenticated();
    const endsAt = token.expiresAt ?? Number.POSITIVE_INFINITY;
    if (time >= endsAt) throw unauthenticated();
    const mark = uses.mark({ tenant: home, kind: "token", id: token.id, user: token.user });
    const ends = { endsAt, idle: Number.POSITIVE_INFINITY, mark };
    if (token.user === undefined) {
      return { ...ends, who: { kind: "service", token, home } satisfies Extract<Who, { kind: "service" }> };
    }
    const user = await enabledUser(home, token.user);
    const presented = { kind: "token", id: token.id } as const;
    return { ...ends, who: userBy(user, home, presented, token.scopes) };
  }

  async function verifySession(hash: string, settings: IdentitySettings, time: number) {
    const found = await store.find("session", hash);
    if (found === undefined) throw unauthenticated();
    const { tenant, record } = checkFound(found, "session", sessionMembers);
    const session = sessionOf(record);
    demand(isTenantId(tenant), record, "tenant");
    const home = String(tenant);
    if (!isSameHash(session.hash, hash)) throw unauthenticated();
    const { sessionMilliseconds, sessionIdleMilliseconds: idle } = settings.auth;
    const endsAt = Math.min(session.expiresAt, session.createdAt + sessionMilliseconds);
    if (time >= endsAt) throw unauthenticated();
    const user = await enabledUser(home, session.user);
    if (user.generation !== session.generation) throw unauthenticated();
    const mark = uses.mark({ tenant: home, kind: "session", id: session.id, user: user.id });
    const use = await store.tenant(home).get("use", useId("session", session.id));
    const lastUse = Math.max(
      mark.seen,
      session.createdAt,
      use === undefined ? 0 : readUse(use, useId("session", session.id)).at,
    );
    if (time - lastUse > idle) throw unauthenticated();
    const presented = { kind: "session", id: session.id } as const;
    return { endsAt, idle, mark, who: userBy(user, home, presented, undefined) };
  }

  async function enabledUser(home: string, id: string): Promise<UserRecord> {
    const found = await store.tenant(home).get("user", id);
    if (found === undefined) throw unauthenticated();
    const user = readUser(found, id);
    if (user.disabled) throw unauthenticated();
    return user;
  }
}

function isCurrent(entry: CacheEntry, epoch: number, settings: IdentitySettings, time: number): boolean {
  return (
    entry.epoch === epoch &&
    entry.settings.auth === settings.auth &&
    entry.settings.tenants === settings.tenants &&
    time < entry.endsAt &&
    time - entry.mark.seen <= entry.idle
  );
}

function userBy(
  user: UserRecord,
  home: string,
  credential: Principal["credential"],
  scopes: Principal["scopes"],
): Extract<Who, { kind: "user" }> {
  return { kind: "user", user, home, credential, scopes };
}

/** One message, whatever is wrong: nothing tells apart what is unknown, has expired or was revoked. */
function unauthenticated(): GatewayError {
  return new GatewayError(
    "unauthenticated",
    "Authentication is required: send a valid API token as `Authorization: Bearer gst_api_…`, or sign in. If you did, the token or session is unknown, has expired or was revoked.",
  );
}
