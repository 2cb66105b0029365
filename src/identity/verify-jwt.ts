import { hash } from "node:crypto";
import { GatewayError } from "../errors.ts";
import type { TrustedIssuerConfig } from "../model/auth-config.ts";
import type { Secret } from "../secret.ts";
import { isObject } from "./check-record.ts";
import { federatedUserId } from "./federated-user.ts";
import type { VerifiedToken, VerifyToken } from "./identity.ts";
import { rolesOf, tenantOf } from "./read-claims.ts";
import type { UseMark } from "./track-uses.ts";
import { readUser, type UserRecord } from "./user-record.ts";
import { unauthenticated, type Verification, type VerificationParts } from "./verification.ts";

/** What verifying tokens of other issuers needs besides. */
export interface JwtParts extends VerificationParts {
  /** `undefined`: no token of another issuer is good. */
  readonly verifyToken: VerifyToken | undefined;
  /** The issuers of the configuration, as of now. */
  readonly issuers: () => readonly TrustedIssuerConfig[];
}

/** Keys may be withdrawn, so that a token is looked at anew after this time; nor is one believed that is over for so long. */
const longestMilliseconds = 60_000;

/**
 * Verifies a token of a trusted issuer and finds whom it stands for: the user who signs in at that issuer with the same subject, whether
 * there is a record of them or not. Throws `unauthenticated`, `insufficient_scope`, `store_unavailable`.
 */
export async function verifyJwt(parts: JwtParts, token: Secret, time: number): Promise<Verification> {
  const { store, uses, verifyToken, issuers } = parts;
  if (verifyToken === undefined || issuers().length === 0) throw unauthenticated();
  const verified: unknown = await verifyToken(token);
  if (!isVerified(verified) || time > verified.expiresAt + longestMilliseconds) throw unauthenticated();
  const { settings, issuer, subject, claims, clientId, scopes } = verified;
  // By issuers of before, if a reload came in between.
  if (!issuers().includes(settings) || settings.issuer !== issuer) throw unauthenticated();
  requireScopes(settings, scopes);
  const home = tenantOf(claims, settings.claims);
  if (home === undefined) throw unauthenticated();
  const id = federatedUserId(issuer, subject, home);
  const found = await store.tenant(home).get("user", id);
  const stored = found === undefined ? undefined : readUser(found, id);
  if (stored?.disabled === true) throw unauthenticated();
  const roles = rolesOf(claims, settings.claims) ?? stored?.roles ?? ["member"];
  const credentialId = hash("sha256", JSON.stringify([issuer, clientId ?? null, subject]), "base64url");
  return {
    who: {
      kind: "user",
      // Whatever an issuer lets people call themselves, it is no name by which anybody is known here.
      user: { id, name: stored?.name ?? id, roles, actsFor: [] },
      home,
      credential: { kind: "jwt", id: credentialId },
      scopes: undefined,
    },
    // The word of an issuer counts in the tenant that it was given for.
    rights: undefined,
    endsAt: Math.min(time + longestMilliseconds, verified.expiresAt),
    idle: Number.POSITIVE_INFINITY,
    mark: stored === undefined ? unwritten() : uses.mark(useOf(stored, home)),
    audience: undefined,
  };
}

function useOf({ id }: UserRecord, tenant: string) {
  return { tenant, kind: "user", id, user: undefined } as const;
}

/** Of whom the store has no record it keeps none of their uses: an issuer may have any number of subjects. */
function unwritten(): UseMark {
  return { seen: 0 };
}

function requireScopes({ requiredScopes }: TrustedIssuerConfig, scopes: readonly string[]): void {
  const missing = requiredScopes.filter((scope) => !scopes.includes(scope));
  if (missing.length === 0) return;
  throw new GatewayError(
    "insufficient_scope",
    `The token lacks ${missing.length === 1 ? "the scope" : "the scopes"} ${missing.map((scope) => `\`${scope}\``).join(", ")}. Ask its issuer for one that has ${requiredScopes.length === 1 ? "it" : "all that are needed"}.`,
    { details: { scope: requiredScopes.join(" ") } },
  );
}

/** Types promise this; a door that trusts promises opens on the first mistake behind it. */
function isVerified(found: unknown): found is VerifiedToken {
  if (!isObject(found)) return false;
  const { issuer, subject, claims, clientId, scopes, expiresAt, settings } = found;
  return (
    isText(issuer) &&
    isText(subject) &&
    isObject(claims) &&
    isObject(settings) &&
    (clientId === undefined || isText(clientId)) &&
    Array.isArray(scopes) &&
    scopes.every(isText) &&
    typeof expiresAt === "number" &&
    Number.isFinite(expiresAt)
  );
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
