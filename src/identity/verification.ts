import { GatewayError } from "../errors.ts";
import type { ActsFor } from "../model/administration.ts";
import type { GuardedStore } from "./guard-store.ts";
import type { Who } from "./make-principal.ts";
import type { UseMark, UseTracker } from "./track-uses.ts";
import { readUser, type UserRecord } from "./user-record.ts";

/** What verifying a credential needs. */
export interface VerificationParts {
  readonly store: GuardedStore;
  readonly uses: UseTracker;
}

/** A credential that was found good, and whom it stands for. */
export interface Verification {
  readonly who: Extract<Who, { readonly kind: "user" | "service" }>;
  /** What says for which other tenants it may act; `undefined`: for none, whatever its roles. */
  readonly rights: { readonly roles: readonly string[]; readonly actsFor: ActsFor } | undefined;
  /** Milliseconds since 1970 until which that may be believed without another look. */
  readonly endsAt: number;
  /** Milliseconds without use after which it is to be looked at again. */
  readonly idle: number;
  readonly mark: UseMark;
  /** The resource that it was issued for, and counts at alone; `undefined`: it counts everywhere. */
  readonly audience: string | undefined;
}

/** A user by id who may come in. Throws `unauthenticated` for all others. */
export async function enabledUser(store: GuardedStore, home: string, id: string): Promise<UserRecord> {
  const found = await store.tenant(home).get("user", id);
  if (found === undefined) throw unauthenticated();
  const user = readUser(found, id);
  if (user.disabled) throw unauthenticated();
  return user;
}

/** One message, whatever is wrong: nothing tells apart what is unknown, has expired or was revoked. */
export function unauthenticated(): GatewayError {
  return new GatewayError(
    "unauthenticated",
    "Authentication is required: send a valid API token as `Authorization: Bearer gst_api_…`, an access token that was issued for this gateway, or sign in. If you did, the token or session is unknown, has expired or was revoked.",
  );
}
