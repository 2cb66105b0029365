import { GatewayError } from "../errors.ts";
import type { AuthConfig } from "../model/auth-config.ts";
import type { Principal } from "../model/principal.ts";
import type { OwnAddress } from "../own-address.ts";
import type { RecordKind } from "../store/store.ts";
import { mayActFor } from "./acts-for.ts";
import { type Credential, recognize } from "./credential-form.ts";
import { type FileTenants, findTenant } from "./find-tenant.ts";
import { isTenantId } from "./forms.ts";
import { believingNothing, type GuardedStore, within } from "./guard-store.ts";
import type { Identity, ProtectedSurface, VerifyToken } from "./identity.ts";
import { isSamePrincipal, makePrincipal } from "./make-principal.ts";
import { isResourceUrl, resourceUrl } from "./resource-urls.ts";
import type { UseTracker } from "./track-uses.ts";
import { unauthenticated, type Verification } from "./verification.ts";
import { verifyAccessToken } from "./verify-access-token.ts";
import { verifyApiToken } from "./verify-api-token.ts";
import { verifyJwt } from "./verify-jwt.ts";
import { verifySession } from "./verify-session.ts";

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
  /** Where access tokens have to be issued for; `undefined`: none of them counts. */
  readonly address: OwnAddress | undefined;
  /** Verifies tokens of other issuers; `undefined`: none is good. */
  readonly verifyToken: VerifyToken | undefined;
  readonly now: () => number;
  readonly log: (message: string, cause: unknown) => void;
  /** The longest wait for the store, and for an issuer's keys. */
  readonly milliseconds: number;
}

/** The way from what a request presents to a principal; `Identity.authenticate`. */
export type Authenticate = Identity["authenticate"];

/** A credential that was found good, until something changes. */
interface CacheEntry extends Pick<Verification, "mark" | "endsAt" | "idle" | "audience"> {
  readonly principal: Principal;
  readonly epoch: number;
  readonly settings: IdentitySettings;
}

/** What a credential of each kind hangs on. */
const watched: Readonly<Record<Credential["kind"], readonly RecordKind[]>> = {
  token: ["user", "token", "tenant"],
  session: ["user", "session", "tenant"],
  access: ["user", "access", "grant", "tenant"],
  jwt: ["user", "tenant"],
};
const cacheSize = 10_000;

/** The way from what a request presents to a principal, `Identity.authenticate`. There is no other for callers. */
export function createAuthenticator(parts: AuthenticatorParts): Authenticate {
  const { store, uses, now } = parts;
  const cache = new Map<string, CacheEntry>();
  const issuers = () => parts.settings().auth.trustedIssuers;

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

  /** Throws `unauthenticated` unless what was presented counts where it was. */
  function requireAudience({ audience }: Pick<Verification, "audience">, surface: ProtectedSurface): void {
    const { address } = parts;
    if (audience === undefined) return;
    if (address === undefined) throw unauthenticated();
    if (!isResourceUrl(address, surface, audience)) throw issuedForAnother(address, surface);
  }

  return async (presented, actFor, surface = "other") => {
    const credential = recognize(presented);
    if (credential === undefined) throw unauthenticated();
    // Asked for before anything is read: what changes during the reading makes the result old at once.
    const epoch = store.epoch(watched[credential.kind]);
    const settings = parts.settings();
    const time = now();
    // Credentials of each kind have a form of their own, so no hash is that of two kinds.
    const key = actFor === undefined ? credential.hash : `${credential.hash} ${actFor}`;
    const known = cache.get(key);
    if (known !== undefined && isCurrent(known, epoch, settings, time)) {
      requireAudience(known, surface);
      uses.touch(known.mark, time);
      if (cache.size > cacheSize / 2) {
        // The map's order is that of the last use, as soon as it matters.
        cache.delete(key);
        cache.set(key, known);
      }
      return known.principal;
    }
    const { principal, mark, endsAt, idle, audience } = await believingNothing(parts.log, () =>
      within(parts.milliseconds, async () => {
        const verification = await verify(credential, settings, time);
        requireAudience(verification, surface);
        return { ...verification, principal: await act(verification, actFor, settings) };
      }),
    ).catch((error: unknown) => {
      // What is refused is forgotten; what could not be asked for goes on as the same object once it can.
      if (!(error instanceof GatewayError) || error.code !== "store_unavailable") cache.delete(key);
      throw error;
    });
    uses.touch(mark, time);
    return remember(key, { principal, mark, endsAt, idle, audience, epoch, settings });
  };

  function verify(credential: Credential, { auth }: IdentitySettings, time: number): Promise<Verification> {
    switch (credential.kind) {
      case "token":
        return verifyApiToken(parts, credential.hash, time);
      case "session":
        return verifySession(parts, credential.hash, auth, time);
      case "access":
        return verifyAccessToken(parts, credential.hash, auth, time);
      case "jwt":
        return verifyJwt({ ...parts, issuers }, credential.token, time);
    }
  }

  async function act(
    { who, rights }: Verification,
    actFor: string | undefined,
    { tenants }: IdentitySettings,
  ): Promise<Principal> {
    const own = await findTenant(store, tenants, who.home);
    if (own === undefined) throw unauthenticated();
    if (actFor === undefined || actFor === who.home) return makePrincipal(who, own);
    const scopes = who.kind === "user" ? who.scopes : who.token.scopes;
    const other =
      isTenantId(actFor) && rights !== undefined && mayActFor(rights, scopes, actFor)
        ? await findTenant(store, tenants, actFor)
        : undefined;
    if (other === undefined) {
      throw new GatewayError(
        "forbidden",
        "You may not act for this tenant, or there is none of this name. Leave it out to act in your own.",
      );
    }
    return makePrincipal(who, other);
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

/** Whoever holds a token knows for what it was asked for, and has no other way to learn what is wrong with it. */
function issuedForAnother(address: OwnAddress, surface: ProtectedSurface): GatewayError {
  const here =
    surface === "other"
      ? "Access tokens count for MCP and for the HTTP API only, each for one of them."
      : `Ask for one with \`resource=${resourceUrl(address.baseUrl(), surface)}\`.`;
  return new GatewayError(
    "unauthenticated",
    `This access token was issued for another resource than the one that it is sent to. ${here}`,
  );
}
