import { GatewayError } from "../errors.ts";
import type { AttemptLimiter } from "../limits/attempt-limiter.ts";
import type { Principal } from "../model/principal.ts";
import type { IdentitySettings } from "./authenticate.ts";
import { findTenant, listTenants } from "./find-tenant.ts";
import { operatorRole } from "./forms.ts";
import { eachRecord, type GuardedStore, type GuardedTenantStore, readAll } from "./guard-store.ts";
import type { Passwords } from "./passwords.ts";
import { readUse, type UseTracker } from "./track-uses.ts";
import { readUser, type UserRecord } from "./user-record.ts";

/** What administration needs. */
export interface AdministrationParts {
  readonly store: GuardedStore;
  readonly settings: () => IdentitySettings;
  readonly uses: UseTracker;
  readonly now: () => number;
  readonly passwords: Passwords;
  /** How often a principal may have tokens and users made. */
  readonly creations: AttemptLimiter;
  /** How often a user may try the own password. */
  readonly ownPasswords: AttemptLimiter;
  /** Names this process where only one may do something. */
  readonly holder: string;
}

/** The records of the tenant that a principal acts in. Throws `not_found` when it was removed meanwhile. */
export async function ownTenant(
  { store, settings }: AdministrationParts,
  as: Principal,
): Promise<GuardedTenantStore> {
  if ((await findTenant(store, settings().tenants, as.tenant)) === undefined) {
    throw new GatewayError(
      "not_found",
      `There is no tenant \`${as.tenant}\`. \`gateway tenants list\` shows those that there are.`,
    );
  }
  return store.tenant(as.tenant);
}

/** Key of a principal in limits. */
export function limitKey(as: Principal): string {
  return `${as.home} ${as.kind} ${as.id}`;
}

/** When everything of a tenant was last used, by id of the record; ISO 8601. */
export async function lastUses(
  { uses }: AdministrationParts,
  store: GuardedTenantStore,
  tenant: string,
): Promise<(use: string) => string | undefined> {
  const stored = new Map((await readAll(store, "use", readUse)).map(({ id, at }) => [id, at]));
  return (use) => {
    const at = Math.max(stored.get(use) ?? 0, uses.seen(tenant, use));
    return at === 0 ? undefined : isoTime(at);
  };
}

/** Milliseconds since 1970 as people and programs read them. */
export function isoTime(milliseconds: number): string {
  // Times beyond what a date can hold were written by nobody, but must not break a list.
  return new Date(Math.min(milliseconds, 8.64e15)).toISOString();
}

/** True for a user who is an operator and can sign in. */
export function isActiveOperator(user: UserRecord): boolean {
  return !user.disabled && user.roles.includes(operatorRole);
}

/**
 * Does what takes an operator away, while nobody else does, unless none would be left.
 *
 * @param isTaken whether a user would be gone by it. Throws `conflict`.
 */
export async function keepingAnOperator<Result>(
  { store, settings, holder }: AdministrationParts,
  isTaken: (user: UserRecord, tenant: string) => boolean,
  work: () => Promise<Result>,
): Promise<Result> {
  return store.gateway.alone("operators", `${holder}-${crypto.randomUUID()}`, async () => {
    for (const { id } of await listTenants(store, settings().tenants)) {
      for await (const found of eachRecord(store.tenant(id), "user")) {
        const user = readUser(found);
        if (isActiveOperator(user) && !isTaken(user, id)) return work();
      }
    }
    throw new GatewayError(
      "conflict",
      "This is the last operator. Make another user one before: there would be nobody left to do it.",
    );
  });
}
