import { GatewayError } from "../errors.ts";
import type { Administration, ApiToken, NewToken } from "../model/administration.ts";
import type { Principal } from "../model/principal.ts";
import { userIn } from "../store/owner-prefix.ts";
import { endToken, noUser } from "./administer-users.ts";
import { type AdministrationParts, isoTime, lastUses, limitKey, ownTenant } from "./administration-parts.ts";
import { actsForOf, lifetimeOf, rolesOf, scopesOf, tokenName, userName } from "./check-input.ts";
import { isId, newId, newToken } from "./credential-form.ts";
import { type GuardedTenantStore, readAll } from "./guard-store.ts";
import {
  isAdministrator,
  isSelf,
  requireAdministrator,
  requireGrantable,
  requireNoLongerReach,
  requireOwnCredential,
  requireWhole,
} from "./permissions.ts";
import { credentialEnds, removeElsewhere } from "./remove-owned.ts";
import { findUser } from "./sign-in.ts";
import { refuse } from "./sign-in-limits.ts";
import { endOf, putToken, readToken, type TokenRecord } from "./token-record.ts";
import { useId } from "./track-uses.ts";
import { readUser, type UserRecord } from "./user-record.ts";

const tokensPerUser = 100;
const tokensPerTenant = 10_000;

/** What a principal may do to the API tokens of the tenant it acts in. */
export function administerTokens(
  parts: AdministrationParts,
  as: Principal,
): Pick<Administration, "listTokens" | "createToken" | "rotateToken" | "revokeToken"> {
  const { store, settings, now } = parts;

  /** A token that the principal may know of, with the user that it acts as. */
  async function find(tenant: GuardedTenantStore, id: string) {
    const found = isId("tok", id) ? await tenant.get("token", id) : undefined;
    const token = found === undefined ? undefined : readToken(found, id);
    if (token === undefined || !(isAdministrator(as) || isOwn(token))) throw noToken(as);
    const user = token.user === undefined ? undefined : await userOf(tenant, token.user);
    if (!isOwn(token)) requireNoLongerReach(as, user ?? token);
    return { token, user };
  }

  async function userOf(tenant: GuardedTenantStore, id: string): Promise<UserRecord> {
    const found = await tenant.get("user", id);
    // What is left of a user who was removed is nothing any more.
    if (found === undefined) throw noToken(as);
    return readUser(found, id);
  }

  function isOwn(token: TokenRecord): boolean {
    return token.user === undefined ? isService(token) : isSelf(as, token.user);
  }

  function isService(token: TokenRecord): boolean {
    return as.kind === "service" && as.tenant === as.home && as.id === token.id;
  }

  async function show(
    tenant: GuardedTenantStore,
    token: TokenRecord,
    user: UserRecord | undefined,
  ): Promise<ApiToken> {
    return shownToken(token, as.tenant, user?.name, await lastUses(parts, tenant, as.tenant));
  }

  /** Whom a new token is for: a user, or nobody but itself. */
  async function ownerOf({ service = false, user }: NewToken): Promise<UserRecord | undefined> {
    if (service && user !== undefined) {
      throw new GatewayError(
        "bad_request",
        "A token is a service's or a user's, not both. Leave one of them out.",
      );
    }
    if (service) {
      requireAdministrator(as);
      return undefined;
    }
    if (user === undefined && as.kind !== "user") {
      throw new GatewayError(
        "bad_request",
        "You are no user: say which one the token is for, or make it a service's.",
      );
    }
    const name = userName(user ?? as.name);
    const own = as.kind === "user" && as.tenant === as.home && name === as.name;
    if (!own && user === undefined) {
      throw new GatewayError(
        "bad_request",
        "Tokens of your own are made in your own tenant, and you act in another.",
      );
    }
    if (!own) requireAdministrator(as);
    const found = await findUser(store, name);
    if (found === undefined || found.tenant !== as.tenant) {
      throw noUser(as, name);
    }
    if (!isSelf(as, found.user.id)) {
      // Names are given anew: this may be somebody else who has it by now.
      requireAdministrator(as);
      requireNoLongerReach(as, found.user);
    }
    return found.user;
  }

  function lifetime(asked: NewToken["expiresIn"]): number | "never" {
    const { apiTokenMilliseconds: longest } = settings().auth;
    const milliseconds = lifetimeOf(asked ?? longest);
    if (!isAdministrator(as) && (milliseconds === "never" || milliseconds > longest)) {
      throw new GatewayError("forbidden", `Your tokens live for at most ${Math.floor(longest / 1_000)} s.`);
    }
    return milliseconds;
  }

  function limit(): void {
    // Whoever runs the command line writes to the store itself.
    if (as.kind !== "operator") refuse(parts.creations.take(limitKey(as)), "users and tokens");
  }

  return {
    async listTokens() {
      requireWhole(as);
      const tenant = await ownTenant(parts, as);
      const tokens = await readAll(tenant, "token", readToken);
      const names = new Map((await readAll(tenant, "user", readUser)).map(({ id, name }) => [id, name]));
      const lastUse = await lastUses(parts, tenant, as.tenant);
      return tokens
        .filter((token) => isAdministrator(as) || isOwn(token))
        .filter(({ user }) => user === undefined || names.has(user))
        .sort((one, other) => other.createdAt - one.createdAt)
        .map((token) => shownToken(token, as.tenant, names.get(token.user ?? ""), lastUse));
    },

    async createToken(asked) {
      requireWhole(as);
      requireOwnCredential(as);
      const user = await ownerOf(asked);
      if (user !== undefined && (asked.roles !== undefined || asked.actsFor !== undefined)) {
        throw new GatewayError(
          "bad_request",
          "A user's token has the roles and tenants of its user. Give those to the user, or make a service's token.",
        );
      }
      requireGrantable(as, asked);
      const { secret, hash, hint } = newToken();
      const createdAt = now();
      const lives = lifetime(asked.expiresIn);
      const token: Omit<TokenRecord, "version"> = {
        ...{ id: newId("tok"), hash, hint, name: tokenName(asked.name), user: user?.id },
        scopes: asked.scopes === undefined ? undefined : scopesOf(asked.scopes),
        roles: user === undefined ? rolesOf(asked.roles ?? ["member"]) : [],
        actsFor: actsForOf(asked.actsFor ?? []),
        ...{ createdAt, rotatedAt: undefined, lifetime: lives, expiresAt: endOf(createdAt, lives) },
      };
      limit();
      const tenant = await ownTenant(parts, as);
      const others = await readAll(tenant, "token", readToken);
      refuseTooMany(others.length, tokensPerTenant, "A tenant");
      if (user !== undefined) {
        refuseTooMany(others.filter((other) => other.user === user.id).length, tokensPerUser, "A user");
      }
      await tenant.write([putToken(token, "absent")]);
      return { ...(await show(tenant, { ...token, version: 0 }, user)), secret };
    },

    async rotateToken(id) {
      requireWhole(as);
      requireOwnCredential(as);
      const tenant = await ownTenant(parts, as);
      const { token, user } = await find(tenant, id);
      // A service that could do that for itself would never end, whoever has got hold of its token.
      if (token.user === undefined) requireAdministrator(as);
      limit();
      const { secret, hash, hint } = newToken();
      const rotatedAt = now();
      const next = { ...token, hash, hint, rotatedAt, expiresAt: endOf(rotatedAt, token.lifetime) };
      await tenant.write([putToken(next, token.version)]);
      return { ...(await show(tenant, next, user)), secret };
    },

    async revokeToken(id) {
      requireWhole(as);
      const tenant = await ownTenant(parts, as);
      const { token } = await find(tenant, id);
      // What a user has connected is not the token's.
      if (token.user !== undefined) return tenant.write(endToken(id));
      const owner = { id, home: as.tenant };
      await removeElsewhere(store, owner);
      await tenant.write([...endToken(id), ...(await credentialEnds(tenant, userIn(as.tenant, owner)))]);
    },
  };
}

function shownToken(
  token: TokenRecord,
  tenant: string,
  user: string | undefined,
  lastUse: (use: string) => string | undefined,
): ApiToken {
  const { id, name, scopes, roles, actsFor, createdAt, rotatedAt, expiresAt, hint } = token;
  return {
    ...{ id, name, tenant, user, scopes, roles, actsFor, hint },
    createdAt: isoTime(createdAt),
    rotatedAt: rotatedAt === undefined ? undefined : isoTime(rotatedAt),
    expiresAt: expiresAt === undefined ? undefined : isoTime(expiresAt),
    lastUsedAt: lastUse(useId("token", id)),
  };
}

function refuseTooMany(count: number, most: number, who: string): void {
  if (count < most) return;
  throw new GatewayError("conflict", `${who} has at most ${most} tokens. Revoke one before.`);
}

function noToken({ tenant }: Principal): GatewayError {
  return new GatewayError(
    "not_found",
    `There is no token of this id in tenant \`${tenant}\`. \`gateway tokens list\` shows the ids.`,
  );
}
