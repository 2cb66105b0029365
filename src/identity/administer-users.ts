import { GatewayError } from "../errors.ts";
import type { Administration, NewUser, User, UserChanges } from "../model/administration.ts";
import type { Principal } from "../model/principal.ts";
import { userIn } from "../store/owner-prefix.ts";
import type { Change } from "../store/store.ts";
import { reachesBeyond } from "./acts-for.ts";
import {
  type AdministrationParts,
  isActiveOperator,
  isoTime,
  keepingAnOperator,
  lastUses,
  limitKey,
  ownTenant,
} from "./administration-parts.ts";
import { actsForOf, displayName, rolesOf, userName } from "./check-input.ts";
import { newId, sessionsOf } from "./credential-form.ts";
import { grantEnds } from "./end-grants.ts";
import { isUserName } from "./forms.ts";
import { type GuardedTenantStore, readAll } from "./guard-store.ts";
import {
  isAdministrator,
  isSelf,
  requireAdministrator,
  requireGrantable,
  requireNoLongerReach,
  requireOperator,
  requireWhole,
} from "./permissions.ts";
import { credentialEnds, removeElsewhere } from "./remove-owned.ts";
import { readSession } from "./session-record.ts";
import { endSession, findUser } from "./sign-in.ts";
import { refuse } from "./sign-in-limits.ts";
import { readToken } from "./token-record.ts";
import { useId } from "./track-uses.ts";
import { putUser, readUser, type UserRecord } from "./user-record.ts";

/** Whoever makes users keeps this. */
export const usersPerTenant = 10_000;

/** What a principal may do to the users of the tenant it acts in. */
export function administerUsers(
  parts: AdministrationParts,
  as: Principal,
): Pick<Administration, "listUsers" | "createUser" | "updateUser" | "removeUser"> {
  const { store, now, passwords } = parts;

  async function find(text: string): Promise<UserRecord> {
    const name = text.slice(0, 256).toLowerCase();
    const found = await findUser(store, name);
    if (found === undefined || found.tenant !== as.tenant) {
      throw noUser(as, name);
    }
    return found.user;
  }

  async function shown(tenant: GuardedTenantStore, users: readonly UserRecord[]): Promise<readonly User[]> {
    const lastUse = await lastUses(parts, tenant, as.tenant);
    return users.map(({ id, name, displayName, roles, actsFor, disabled, createdAt }) => ({
      ...{ id, name, displayName, tenant: as.tenant, roles, actsFor, disabled },
      createdAt: isoTime(createdAt),
      lastUsedAt: lastUse(useId("user", id)),
    }));
  }

  async function showOne(tenant: GuardedTenantStore, user: UserRecord): Promise<User> {
    const [one] = await shown(tenant, [user]);
    if (one === undefined) throw new GatewayError("internal", "A user was lost while it was shown.");
    return one;
  }

  /** What the principal may change of this user, checked; throws `forbidden` for all else. */
  async function permitted(user: UserRecord, changes: UserChanges): Promise<void> {
    const self = isSelf(as, user.id);
    if (!self) {
      // Names are given anew: this may be somebody else who has it by now.
      requireAdministrator(as);
      requireNoLongerReach(as, user);
    }
    requireGrantable(as, changes);
    if (changes.actsFor !== undefined) requireOperator(as, "change which tenants somebody acts for");
    if (changes.roles !== undefined || changes.disabled !== undefined) requireAdministrator(as);
    if (changes.password === undefined) return;
    if (user.passwordHash === undefined) throw passwordless(user);
    if (!self) return;
    if (changes.currentPassword === undefined) {
      throw new GatewayError("bad_request", "Changing your own password needs the one you have now.");
    }
    refuse(parts.ownPasswords.take(limitKey(as)), "wrong passwords");
    if (!(await passwords.verify(changes.currentPassword, user.passwordHash))) {
      throw new GatewayError("forbidden", "The password that you have now is another one.");
    }
    parts.ownPasswords.giveBack(limitKey(as));
  }

  async function update(text: string, changes: UserChanges): Promise<User> {
    const user = await find(text);
    const tenant = await ownTenant(parts, as);
    await permitted(user, changes);
    const roles = changes.roles === undefined ? user.roles : rolesOf(changes.roles);
    const actsFor = changes.actsFor === undefined ? user.actsFor : actsForOf(changes.actsFor);
    const disabled = changes.disabled ?? user.disabled;
    const ends =
      changes.password !== undefined ||
      isOther(roles, user.roles) ||
      isOther(actsFor, user.actsFor) ||
      (disabled && !user.disabled);
    const next: UserRecord = {
      ...user,
      ...{ roles, actsFor, disabled },
      // Whoever says something of that means it, wherever the person is.
      movedTo: changes.disabled === undefined ? user.movedTo : undefined,
      displayName: changes.displayName === undefined ? user.displayName : displayName(changes.displayName),
      passwordHash:
        changes.password === undefined
          ? user.passwordHash
          : await passwords.hash(changes.password, user.name),
      generation: user.generation + (ends ? 1 : 0),
    };
    const write = async () =>
      tenant.write([
        putUser(next, user.version),
        ...(ends ? [...(await sessionEnds(tenant, user.id)), ...(await grantEnds(tenant, user.id))] : []),
        // The tenant's administrators could make tokens for the user until now, and may have kept one.
        ...(!reachesBeyond(user) && reachesBeyond(next) ? await tokenEnds(tenant, user.id) : []),
      ]);
    const isLowered = isActiveOperator(user) && !isActiveOperator(next);
    await (isLowered ? keepingAnOperator(parts, ({ id }) => id === user.id, write) : write());
    return showOne(tenant, next);
  }

  return {
    async listUsers() {
      requireAdministrator(as);
      const tenant = await ownTenant(parts, as);
      const users = await readAll(tenant, "user", readUser);
      return shown(
        tenant,
        users.sort((one, other) => (one.name < other.name ? -1 : 1)),
      );
    },

    async createUser(asked: NewUser) {
      requireAdministrator(as);
      requireGrantable(as, asked);
      const name = userName(asked.name);
      const facts = {
        ...{ id: newId("usr"), name, displayName: displayName(asked.displayName) },
        roles: rolesOf(asked.roles ?? ["member"]),
        actsFor: actsForOf(asked.actsFor ?? []),
        ...{ disabled: false, movedTo: undefined, generation: 1 },
      };
      if (as.kind !== "operator") refuse(parts.creations.take(limitKey(as)), "users and tokens");
      const tenant = await ownTenant(parts, as);
      if ((await readAll(tenant, "user", readUser)).length >= usersPerTenant) {
        throw new GatewayError(
          "conflict",
          `A tenant has at most ${usersPerTenant} users. Remove one before.`,
        );
      }
      const user = { ...facts, passwordHash: await passwords.hash(asked.password, name), createdAt: now() };
      await tenant.write([putUser(user, "absent")]).catch((error: unknown) => {
        if (!isConflict(error)) throw error;
        throw new GatewayError("conflict", `There is a user \`${name}\` already. Choose another name.`, {
          cause: error,
        });
      });
      return showOne(tenant, { ...user, version: 0 });
    },

    async updateUser(name, changes) {
      requireWhole(as);
      if (!isAdministrator(as) && !(isSelf(as, as.id) && name.toLowerCase() === as.name))
        requireAdministrator(as);
      try {
        return await update(name, changes);
      } catch (error) {
        // Somebody else changed something of the user: what was asked for still makes sense. A password may not.
        if (!isConflict(error) || !error.retryable || changes.password !== undefined) throw error;
        return update(name, changes);
      }
    },

    async removeUser(name) {
      requireAdministrator(as);
      const user = await find(name);
      requireNoLongerReach(as, user);
      const tenant = store.tenant(as.tenant);
      const owner = { id: user.id, home: as.tenant };
      const remove = async () => {
        await removeElsewhere(store, owner);
        await tenant.write([
          { action: "delete", kind: "user", id: user.id, expected: user.version },
          { action: "delete", kind: "use", id: useId("user", user.id), expected: "any" },
          ...(await tokenEnds(tenant, user.id)),
          ...(await sessionEnds(tenant, user.id)),
          ...(await grantEnds(tenant, user.id)),
          ...(await credentialEnds(tenant, userIn(as.tenant, owner))),
        ]);
      };
      await (isActiveOperator(user)
        ? keepingAnOperator(parts, ({ id }) => id === user.id, remove)
        : remove());
    },
  };
}

/** The changes that end all sessions of a user. */
export async function sessionEnds(tenant: GuardedTenantStore, user: string): Promise<readonly Change[]> {
  const sessions = await readAll(tenant, "session", readSession, sessionsOf(user));
  return sessions.flatMap(({ id }) => endSession(id));
}

/** The changes that end all API tokens of a user. */
export async function tokenEnds(tenant: GuardedTenantStore, user: string): Promise<readonly Change[]> {
  const tokens = await readAll(tenant, "token", readToken);
  return tokens.filter((token) => token.user === user).flatMap(({ id }) => endToken(id));
}

/** The changes that end a token. */
export function endToken(id: string): readonly Change[] {
  return [
    { action: "delete", kind: "token", id, expected: "any" },
    { action: "delete", kind: "use", id: useId("token", id), expected: "any" },
  ];
}

/** True when something was there already, or changed meanwhile. */
export function isConflict(error: unknown): error is GatewayError {
  return error instanceof GatewayError && error.code === "conflict";
}

/** True for a list or word that is not the same. */
export function isOther(one: string | readonly string[], other: string | readonly string[]): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}

function passwordless({ name }: UserRecord): GatewayError {
  return new GatewayError(
    "bad_request",
    `The user \`${name}\` signs in at the identity provider and has no password here. It is changed there.`,
  );
}

/** One answer for users that there are not and for those of other tenants. */
export function noUser({ tenant }: Principal, name: string): GatewayError {
  const who = isUserName(name) ? `user \`${name}\`` : "such user";
  return new GatewayError(
    "not_found",
    `There is no ${who} in tenant \`${tenant}\`. \`gateway users list\` shows those that there are.`,
  );
}
