import type { Secret } from "../secret.ts";
import type { Tenant, TenantExposure } from "./tenant.ts";

/**
 * What can be done to users, tokens, sessions and tenants, on behalf of one principal and in the tenant it acts in. Done
 * through the store, or over HTTP by a gateway that runs elsewhere; the same for the HTTP API and the command line.
 *
 * Every method throws `GatewayError`: `forbidden` for what the principal may not do, `not_found` for what is not there or
 * belongs to another tenant, `conflict` for what is there already or changed meanwhile, `bad_request` for what can't be
 * stored, `store_unavailable`. Times are ISO 8601, UTC.
 */
export interface Administration {
  /** By name. */
  listUsers(): Promise<readonly User[]>;
  createUser(user: NewUser): Promise<User>;
  /**
   * Changing the password, the roles, or disabling ends all sessions of the user, and what MCP clients were allowed. Letting the user reach beyond the own tenant (the
   * role `operator`, other tenants to act for) also revokes all tokens, which the tenant's administrators may have made.
   */
  updateUser(name: string, changes: UserChanges): Promise<User>;
  /** Also removes the user's tokens, sessions and grants. */
  removeUser(name: string): Promise<void>;

  /** Those of the tenant for administrators, one's own for everybody else; newest first. */
  listTokens(): Promise<readonly ApiToken[]>;
  createToken(token: NewToken): Promise<CreatedToken>;
  /** A new secret for the same token; the old one is refused from now on. The lifetime begins again. */
  rotateToken(id: string): Promise<CreatedToken>;
  revokeToken(id: string): Promise<void>;

  /** Those of the tenant for administrators, one's own for everybody else; newest first. */
  listSessions(): Promise<readonly Session[]>;
  revokeSession(id: string): Promise<void>;

  /**
   * MCP clients that people let act for them, one entry for each client and person: those of the tenant for administrators, one's own for
   * everybody else; newest first.
   */
  listGrants(): Promise<readonly ClientGrant[]>;
  /** Ends a grant, its tokens with it. Refused from the next request on. */
  revokeGrant(id: string): Promise<void>;
  /** Clients that registered themselves, used or not; newest first. For operators only: they belong to no tenant. */
  listRegistrations(): Promise<readonly ClientRegistration[]>;
  /** Removes a registration, and ends all grants to the client, of whatever kind it is, in all tenants. For operators only. */
  revokeClient(clientId: string): Promise<void>;

  /** By id, those of the file among them. */
  listTenants(): Promise<readonly Tenant[]>;
  getTenant(id: string): Promise<Tenant>;
  createTenant(tenant: NewTenant): Promise<Tenant>;
  updateTenant(id: string, changes: TenantChanges): Promise<Tenant>;
  /** Also removes its users, tokens, sessions and everything else that is stored for it. */
  removeTenant(id: string): Promise<void>;
}

/** A person who signs in. */
export interface User {
  readonly id: string;
  /** What they sign in by: unique in the gateway, lower case. */
  readonly name: string;
  readonly displayName: string | undefined;
  readonly tenant: string;
  readonly roles: readonly string[];
  /** Tenants besides the own one that they may act for. */
  readonly actsFor: ActsFor;
  readonly disabled: boolean;
  readonly createdAt: string;
  readonly lastUsedAt: string | undefined;
}

/** Other tenants that somebody may act for. */
export type ActsFor = "any" | readonly string[];

export interface NewUser {
  readonly name: string;
  readonly displayName?: string | undefined;
  readonly password: Secret;
  /** `["member"]` by default. */
  readonly roles?: readonly string[] | undefined;
  readonly actsFor?: ActsFor | undefined;
}

export interface UserChanges {
  readonly displayName?: string | undefined;
  readonly password?: Secret | undefined;
  /** Needed for changing one's own password. */
  readonly currentPassword?: Secret | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly actsFor?: ActsFor | undefined;
  readonly disabled?: boolean | undefined;
}

/** An API token without its secret, of which only a hash is stored. */
export interface ApiToken {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  /** Name of the user that it acts as; `undefined`: a service token, a principal of its own. */
  readonly user: string | undefined;
  /** See `Principal.scopes`. */
  readonly scopes: readonly string[] | undefined;
  /** Only of service tokens; a user's token has the roles of its user. */
  readonly roles: readonly string[];
  /** Only of service tokens. */
  readonly actsFor: ActsFor;
  readonly createdAt: string;
  /** Of the secret it has now. */
  readonly rotatedAt: string | undefined;
  /** `undefined`: never. */
  readonly expiresAt: string | undefined;
  /** To the minute; `undefined`: not yet. */
  readonly lastUsedAt: string | undefined;
  /** The first characters of the secret, to find it by in a configuration. */
  readonly hint: string;
}

export interface NewToken {
  readonly name: string;
  /** A service token in place of one of the principal's own; only administrators make those. */
  readonly service?: boolean | undefined;
  /** For another user of the tenant; only administrators do that. */
  readonly user?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly actsFor?: ActsFor | undefined;
  /**
   * Lifetime in milliseconds; `auth.api_token_ttl` by default, which is also the longest for who is no administrator. `never`: no
   * end.
   */
  readonly expiresIn?: number | "never" | undefined;
}

/** A token with its secret, which is told once. */
export interface CreatedToken extends ApiToken {
  readonly secret: Secret;
}

/** A browser's sign-in. */
export interface Session {
  readonly id: string;
  readonly user: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly lastUsedAt: string | undefined;
  /** The browser, as it called itself; at most 200 characters. */
  readonly client: string | undefined;
  /** True for the one that asks. */
  readonly current: boolean;
}

/** What a person allows an MCP client. */
export interface ClientGrant {
  readonly id: string;
  readonly clientId: string;
  /** What the client calls itself, as far as it can be shown; nobody has checked it. */
  readonly clientName: string;
  /** How the client is known: `static`, by the file; `metadata`, by the document at its id; `registered`, by itself. */
  readonly clientKind: "static" | "metadata" | "registered";
  /** Name of the user. */
  readonly user: string;
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly lastUsedAt: string | undefined;
  /** When it ends unless the client comes back before. */
  readonly expiresAt: string;
}

/** A client that registered itself (RFC 7591). */
export interface ClientRegistration {
  readonly clientId: string;
  readonly clientName: string;
  readonly redirectUris: readonly string[];
  readonly createdAt: string;
  /** When it is removed unless somebody uses it before. */
  readonly expiresAt: string;
  /** Grants to it, in all tenants. */
  readonly grants: number;
}

export interface NewTenant {
  readonly id: string;
  readonly displayName?: string | undefined;
  /** Default: all. */
  readonly exposure?: TenantExposure | undefined;
}

export interface TenantChanges {
  readonly displayName?: string | undefined;
  readonly exposure?: TenantExposure | undefined;
}
