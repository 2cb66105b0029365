import { GatewayError } from "../errors.ts";
import type { Administration } from "../model/administration.ts";
import type { Principal } from "../model/principal.ts";
import { type AdministrationParts, isoTime, lastUses, ownTenant } from "./administration-parts.ts";
import { readAll } from "./guard-store.ts";
import { isAdministrator, isSelf, requireNoLongerReach, requireWhole } from "./permissions.ts";
import { readSession } from "./session-record.ts";
import { endSession } from "./sign-in.ts";
import { useId } from "./track-uses.ts";
import { readUser } from "./user-record.ts";

/** What a principal may do to the browser sessions of the tenant it acts in. */
export function administerSessions(
  parts: AdministrationParts,
  as: Principal,
): Pick<Administration, "listSessions" | "revokeSession"> {
  const { settings, now } = parts;

  return {
    async listSessions() {
      requireWhole(as);
      const tenant = await ownTenant(parts, as);
      const users = new Map((await readAll(tenant, "user", readUser)).map((user) => [user.id, user]));
      const lastUse = await lastUses(parts, tenant, as.tenant);
      const sessions = await readAll(tenant, "session", readSession);
      return sessions
        .filter(({ user }) => isAdministrator(as) || isSelf(as, user))
        .sort((one, other) => other.createdAt - one.createdAt)
        .flatMap(({ id, user, generation, createdAt, expiresAt, client }) => {
          const { sessionMilliseconds, sessionIdleMilliseconds } = settings().auth;
          const owner = users.get(user);
          const lastUsedAt = lastUse(useId("session", id));
          const endsAt = Math.min(expiresAt, createdAt + sessionMilliseconds);
          const idle = now() - Math.max(createdAt, Date.parse(lastUsedAt ?? isoTime(0)));
          // What authentication refuses is no session any more.
          if (owner?.generation !== generation || now() >= endsAt || idle > sessionIdleMilliseconds)
            return [];
          const current = as.credential?.kind === "session" && as.credential.id === id;
          const times = { createdAt: isoTime(createdAt), expiresAt: isoTime(endsAt), lastUsedAt };
          return [{ ...{ id, user: owner.name, client, current }, ...times }];
        });
    },

    async revokeSession(id) {
      requireWhole(as);
      const tenant = await ownTenant(parts, as);
      const found = id.length > 100 ? undefined : await tenant.get("session", id);
      const session = found === undefined ? undefined : readSession(found, id);
      if (session === undefined || !(isAdministrator(as) || isSelf(as, session.user))) {
        throw new GatewayError(
          "not_found",
          `There is no session of this id in tenant \`${as.tenant}\`. \`gateway sessions list\` shows the ids.`,
        );
      }
      const owner = await tenant.get("user", session.user);
      if (owner !== undefined && !isSelf(as, session.user))
        requireNoLongerReach(as, readUser(owner, session.user));
      await tenant.write(endSession(id));
    },
  };
}
