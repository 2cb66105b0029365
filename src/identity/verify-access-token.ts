import { GatewayError } from "../errors.ts";
import type { AuthConfig } from "../model/auth-config.ts";
import type { Principal } from "../model/principal.ts";
import { checkFound, demand } from "./check-record.ts";
import { isSameHash } from "./credential-form.ts";
import { isTenantId } from "./forms.ts";
import {
  type AccessRecord,
  accessOf,
  accessTokenMembers,
  type GrantRecord,
  readGrant,
} from "./grant-record.ts";
import { enabledUser, unauthenticated, type Verification, type VerificationParts } from "./verification.ts";

/**
 * Verifies an access token of the gateway's own authorization server by its hash: it is there, and so are the grant and the user behind it,
 * both as they were when it was issued. Throws `unauthenticated`, and `insufficient_scope` for a token that allows nothing here.
 */
export async function verifyAccessToken(
  { store, uses }: VerificationParts,
  hash: string,
  { authorizationServer }: AuthConfig,
  time: number,
): Promise<Verification> {
  if (authorizationServer === undefined) throw unauthenticated();
  const found = await store.find("access", hash);
  if (found === undefined) throw unauthenticated();
  const { tenant, record } = checkFound(found, "access", accessTokenMembers);
  const access = accessOf(record);
  demand(isTenantId(tenant), record, "tenant");
  const home = String(tenant);
  if (!isSameHash(access.hash, hash) || time >= access.expiresAt) throw unauthenticated();
  const kept = await store.tenant(home).get("grant", access.grant);
  if (kept === undefined) throw unauthenticated();
  const grant = readGrant(kept, access.grant);
  demand(grant.user === access.user, record, "user");
  if (time >= grant.expiresAt) throw unauthenticated();
  const user = await enabledUser(store, home, access.user);
  // What ends a person's sessions ends what clients were allowed before.
  if (user.generation !== access.generation || user.generation !== grant.generation) throw unauthenticated();
  const credential = { kind: "grant", id: grant.id } as const;
  const scopes = scopesOf(access, grant);
  return {
    who: { kind: "user", user, home, credential, scopes },
    // A person allows a client to act for them where they are at home, and has been asked about nothing else.
    rights: undefined,
    endsAt: Math.min(access.expiresAt, grant.expiresAt),
    idle: Number.POSITIVE_INFINITY,
    mark: uses.mark({ tenant: home, kind: "grant", id: grant.id, user: user.id }),
    audience: access.audience,
  };
}

/** What a token narrows its user to: no more than the grant allows today. */
function scopesOf(access: AccessRecord, grant: GrantRecord): Principal["scopes"] {
  const both = [access, grant];
  if (both.every(({ scopes }) => scopes.includes("mcp"))) return undefined;
  if (both.every(({ scopes }) => scopes.includes("mcp") || scopes.includes("mcp:read"))) return ["read:*"];
  throw new GatewayError(
    "insufficient_scope",
    "The access token has none of the scopes that anything here needs. Ask for a token with the scope `mcp`, or `mcp:read` for what only reads.",
    { details: { scope: "mcp" } },
  );
}
