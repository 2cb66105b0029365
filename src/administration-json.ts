import { membersOf } from "./json-members.ts";
import { asObject } from "./json-object.ts";
import type {
  ApiToken,
  ClientGrant,
  ClientRegistration,
  CreatedToken,
  Session,
  User,
} from "./model/administration.ts";
import type { JsonObject, JsonValue } from "./model/json.ts";
import type { Principal } from "./model/principal.ts";
import type { Tenant, TenantExposure } from "./model/tenant.ts";
import { Secret } from "./secret.ts";

// How users, tokens, sessions, grants and tenants look as JSON, in the HTTP API and in what the command line prints by `--json`:
// members in snake_case, absent values left out. Each reader checks every member that it knows and skips the others, which a
// newer gateway may have; what is not as it should be is refused with `internal`, naming the member.

/** Who calls, as the HTTP API tells it; without what of the catalog the tenant gets. */
export type Caller = Omit<Principal, "exposure">;

/** A user as JSON. */
export function userToJson(user: User): JsonObject {
  return {
    id: user.id,
    name: user.name,
    ...(user.displayName !== undefined && { display_name: user.displayName }),
    tenant: user.tenant,
    roles: user.roles,
    acts_for: user.actsFor,
    disabled: user.disabled,
    created_at: user.createdAt,
    ...(user.lastUsedAt !== undefined && { last_used_at: user.lastUsedAt }),
  };
}

/** An API token as JSON, without its secret. */
export function tokenToJson(token: ApiToken): JsonObject {
  return {
    id: token.id,
    name: token.name,
    tenant: token.tenant,
    ...(token.user !== undefined && { user: token.user }),
    ...(token.scopes !== undefined && { scopes: token.scopes }),
    roles: token.roles,
    acts_for: token.actsFor,
    created_at: token.createdAt,
    ...(token.rotatedAt !== undefined && { rotated_at: token.rotatedAt }),
    ...(token.expiresAt !== undefined && { expires_at: token.expiresAt }),
    ...(token.lastUsedAt !== undefined && { last_used_at: token.lastUsedAt }),
    hint: token.hint,
  };
}

/** A token that was just made, with the secret itself as `token`: for the one answer that tells it. */
export function createdTokenToJson(token: CreatedToken): JsonObject {
  return { ...tokenToJson(token), token: token.secret.reveal() };
}

/** A session as JSON. */
export function sessionToJson(session: Session): JsonObject {
  return {
    id: session.id,
    user: session.user,
    created_at: session.createdAt,
    expires_at: session.expiresAt,
    ...(session.lastUsedAt !== undefined && { last_used_at: session.lastUsedAt }),
    ...(session.client !== undefined && { client: session.client }),
    current: session.current,
  };
}

/** What a person allows an MCP client, as JSON. */
export function grantToJson(grant: ClientGrant): JsonObject {
  return {
    id: grant.id,
    client_id: grant.clientId,
    client_name: grant.clientName,
    client_kind: grant.clientKind,
    user: grant.user,
    scopes: grant.scopes,
    created_at: grant.createdAt,
    ...(grant.lastUsedAt !== undefined && { last_used_at: grant.lastUsedAt }),
    expires_at: grant.expiresAt,
  };
}

/** A client that registered itself, as JSON. */
export function registrationToJson(registration: ClientRegistration): JsonObject {
  return {
    client_id: registration.clientId,
    client_name: registration.clientName,
    redirect_uris: registration.redirectUris,
    created_at: registration.createdAt,
    expires_at: registration.expiresAt,
    grants: registration.grants,
  };
}

/** A tenant as JSON; `providers` and `tools` only of one whose exposure is `selected`. */
export function tenantToJson(tenant: Tenant): JsonObject {
  return {
    id: tenant.id,
    display_name: tenant.displayName,
    ...exposureToJson(tenant.exposure),
    origin: tenant.origin,
  };
}

/** What a tenant gets, as members of a larger object. */
export function exposureToJson(exposure: TenantExposure): JsonObject {
  return exposure.kind === "all"
    ? { exposure: "all" }
    : { exposure: "selected", providers: exposure.providers, tools: exposure.tools };
}

/** A principal as JSON. What its tenant gets stays out: that names what the principal itself may not see. */
export function callerToJson({
  kind,
  id,
  name,
  tenant,
  home,
  roles,
  scopes,
  credential,
}: Caller): JsonObject {
  return {
    kind,
    id,
    name,
    tenant,
    home,
    roles,
    ...(scopes !== undefined && { scopes }),
    ...(credential !== undefined && { credential: { kind: credential.kind, id: credential.id } }),
  };
}

/** Reads {@link userToJson}. Throws `internal` for anything else. */
export function userFromJson(value: JsonValue): User {
  const read = membersOf(value, "user");
  return {
    id: read.text("id"),
    name: read.text("name"),
    displayName: read.optionalText("display_name"),
    tenant: read.text("tenant"),
    roles: read.texts("roles"),
    actsFor: read.actsFor("acts_for"),
    disabled: read.truth("disabled"),
    createdAt: read.time("created_at"),
    lastUsedAt: read.optionalTime("last_used_at"),
  };
}

/** Reads {@link tokenToJson}. Throws `internal` for anything else. */
export function tokenFromJson(value: JsonValue): ApiToken {
  const read = membersOf(value, "token");
  return {
    id: read.text("id"),
    name: read.text("name"),
    tenant: read.text("tenant"),
    user: read.optionalText("user"),
    scopes: read.optionalTexts("scopes"),
    roles: read.texts("roles"),
    actsFor: read.actsFor("acts_for"),
    createdAt: read.time("created_at"),
    rotatedAt: read.optionalTime("rotated_at"),
    expiresAt: read.optionalTime("expires_at"),
    lastUsedAt: read.optionalTime("last_used_at"),
    hint: read.text("hint"),
  };
}

/** Reads {@link createdTokenToJson}. Throws `internal` for anything else. */
export function createdTokenFromJson(value: JsonValue): CreatedToken {
  return { ...tokenFromJson(value), secret: new Secret(membersOf(value, "token").text("token")) };
}

/** Reads {@link sessionToJson}. Throws `internal` for anything else. */
export function sessionFromJson(value: JsonValue): Session {
  const read = membersOf(value, "session");
  return {
    id: read.text("id"),
    user: read.text("user"),
    createdAt: read.time("created_at"),
    expiresAt: read.time("expires_at"),
    lastUsedAt: read.optionalTime("last_used_at"),
    client: read.optionalText("client"),
    current: read.truth("current"),
  };
}

/** Reads {@link grantToJson}. Throws `internal` for anything else. */
export function grantFromJson(value: JsonValue): ClientGrant {
  const read = membersOf(value, "grant");
  return {
    id: read.text("id"),
    clientId: read.text("client_id"),
    clientName: read.text("client_name"),
    clientKind: read.choice("client_kind", ["static", "metadata", "registered"]),
    user: read.text("user"),
    scopes: read.texts("scopes"),
    createdAt: read.time("created_at"),
    lastUsedAt: read.optionalTime("last_used_at"),
    expiresAt: read.time("expires_at"),
  };
}

/** Reads {@link registrationToJson}. Throws `internal` for anything else. */
export function registrationFromJson(value: JsonValue): ClientRegistration {
  const read = membersOf(value, "client");
  return {
    clientId: read.text("client_id"),
    clientName: read.text("client_name"),
    redirectUris: read.texts("redirect_uris"),
    createdAt: read.time("created_at"),
    expiresAt: read.time("expires_at"),
    grants: read.count("grants"),
  };
}

/** Reads {@link tenantToJson}. Throws `internal` for anything else. */
export function tenantFromJson(value: JsonValue): Tenant {
  const read = membersOf(value, "tenant");
  const kind = read.choice("exposure", ["all", "selected"]);
  return {
    id: read.text("id"),
    displayName: read.text("display_name"),
    exposure:
      kind === "all" ? { kind } : { kind, providers: read.texts("providers"), tools: read.texts("tools") },
    origin: read.choice("origin", ["file", "store"]),
  };
}

/** Reads {@link callerToJson}. Throws `internal` for anything else. */
export function callerFromJson(value: JsonValue): Caller {
  const read = membersOf(value, "caller");
  const credential = asObject(value)?.["credential"];
  return {
    kind: read.choice("kind", ["anonymous", "user", "service", "operator"]),
    id: read.text("id"),
    name: read.text("name"),
    tenant: read.text("tenant"),
    home: read.text("home"),
    roles: read.texts("roles"),
    scopes: read.optionalTexts("scopes"),
    credential: credential === undefined || credential === null ? undefined : readCredential(credential),
  };
}

function readCredential(value: JsonValue): NonNullable<Caller["credential"]> {
  const read = membersOf(value, "credential");
  return { kind: read.choice("kind", ["session", "token", "grant", "jwt"]), id: read.text("id") };
}
