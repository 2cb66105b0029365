import {
  createdTokenFromJson,
  exposureToJson,
  grantFromJson,
  registrationFromJson,
  sessionFromJson,
  tenantFromJson,
  tokenFromJson,
  userFromJson,
} from "../../administration-json.ts";
import { GatewayError } from "../../errors.ts";
import { asObject } from "../../json-object.ts";
import type { Administration, NewToken, UserChanges } from "../../model/administration.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import type { TenantExposure } from "../../model/tenant.ts";
import type { Ask } from "./http.ts";

/** Users, tokens, sessions and tenants of a gateway that runs elsewhere, over its HTTP API. */
export function createRemoteAdministration(ask: Ask): Administration {
  const read = async (...request: Parameters<Ask>): Promise<JsonValue> => {
    const { body } = await ask(...request);
    if (body === undefined) throw new GatewayError("internal", "The server's answer is empty.");
    return body;
  };
  const list = async <Entry>(
    route: readonly string[],
    member: string,
    readEntry: (value: JsonValue) => Entry,
  ): Promise<readonly Entry[]> => {
    const entries = asObject(await read("GET", route))?.[member];
    if (Array.isArray(entries)) return entries.map(readEntry);
    throw new GatewayError("internal", `The server's answer has no list \`${member}\`.`);
  };
  return {
    listUsers: () => list(["users"], "users", userFromJson),
    createUser: async ({ name, displayName, password, roles, actsFor }) =>
      userFromJson(
        await read("POST", ["users"], {
          name,
          password: password.reveal(),
          ...(displayName !== undefined && { display_name: displayName }),
          ...(roles !== undefined && { roles }),
          ...(actsFor !== undefined && { acts_for: actsFor }),
        }),
      ),
    updateUser: async (name, changes) =>
      userFromJson(await read("PATCH", ["users", name], userChangesToJson(changes))),
    removeUser: async (name) => void (await ask("DELETE", ["users", name])),

    listTokens: () => list(["tokens"], "tokens", tokenFromJson),
    createToken: async (token) => createdTokenFromJson(await read("POST", ["tokens"], newTokenToJson(token))),
    rotateToken: async (id) => createdTokenFromJson(await read("POST", ["tokens", id, "rotate"])),
    revokeToken: async (id) => void (await ask("DELETE", ["tokens", id])),

    listSessions: () => list(["auth", "sessions"], "sessions", sessionFromJson),
    revokeSession: async (id) => void (await ask("DELETE", ["auth", "sessions", id])),

    listGrants: () => list(["auth", "grants"], "grants", grantFromJson),
    revokeGrant: async (id) => void (await ask("DELETE", ["auth", "grants", id])),
    listRegistrations: () => list(["auth", "clients"], "clients", registrationFromJson),
    revokeClient: async (clientId) => void (await ask("DELETE", ["auth", "clients", clientId])),

    listTenants: () => list(["tenants"], "tenants", tenantFromJson),
    getTenant: async (id) => tenantFromJson(await read("GET", ["tenants", id])),
    createTenant: async ({ id, ...rest }) =>
      tenantFromJson(await read("POST", ["tenants"], { id, ...tenantChangesToJson(rest) })),
    updateTenant: async (id, changes) =>
      tenantFromJson(await read("PATCH", ["tenants", id], tenantChangesToJson(changes))),
    removeTenant: async (id) => void (await ask("DELETE", ["tenants", id])),
  };
}

function userChangesToJson(changes: UserChanges): JsonObject {
  const { displayName, password, currentPassword, roles, actsFor, disabled } = changes;
  return {
    ...(displayName !== undefined && { display_name: displayName }),
    ...(password !== undefined && { password: password.reveal() }),
    ...(currentPassword !== undefined && { current_password: currentPassword.reveal() }),
    ...(roles !== undefined && { roles }),
    ...(actsFor !== undefined && { acts_for: actsFor }),
    ...(disabled !== undefined && { disabled }),
  };
}

function newTokenToJson({ name, service, user, scopes, roles, actsFor, expiresIn }: NewToken): JsonObject {
  return {
    name,
    ...(service !== undefined && { service }),
    ...(user !== undefined && { user }),
    ...(scopes !== undefined && { scopes }),
    ...(roles !== undefined && { roles }),
    ...(actsFor !== undefined && { acts_for: actsFor }),
    ...(expiresIn !== undefined && { expires_in: expiresIn === "never" ? expiresIn : expiresIn / 1_000 }),
  };
}

function tenantChangesToJson(changes: {
  readonly displayName?: string | undefined;
  readonly exposure?: TenantExposure | undefined;
}): JsonObject {
  return {
    ...(changes.displayName !== undefined && { display_name: changes.displayName }),
    ...(changes.exposure !== undefined && exposureToJson(changes.exposure)),
  };
}
