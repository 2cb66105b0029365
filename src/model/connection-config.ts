import type { Secret } from "../secret.ts";
import type { Place } from "./place.ts";

/** A named credential slot. */
export interface ConnectionConfig {
  readonly name: string;
  /** What people see; the connection's name where the file says nothing. */
  readonly displayName: string;
  readonly description: string | undefined;
  readonly mode: "none" | "user" | "tenant" | "identity" | "either";
  readonly auth: ConnectionAuth;
  /** Values besides the credential that a connection holds, in the order of the file. */
  readonly params: readonly ConnectionParam[];
  /** What is asked of the upstream once a credential is there; `undefined`: nothing. */
  readonly discovery: ConnectionDiscovery | undefined;
  readonly place: Place;
}

/** How a connection authenticates. */
export type ConnectionAuth = NoAuth | FieldsAuth | OAuth2Auth | McpOAuthAuth | PassthroughAuth;

export interface NoAuth {
  readonly type: "none";
}

/** Values that somebody types in. `bearer` has exactly one field, in the header `Authorization`. */
export interface FieldsAuth {
  readonly type: "bearer" | "manual";
  readonly fields: readonly CredentialField[];
}

/** OAuth 2.0 with endpoints that the file names. */
export interface OAuth2Auth {
  readonly type: "oauth2";
  readonly grant: "authorization_code" | "client_credentials";
  /** `undefined` only with `client_credentials`. */
  readonly authorizationUrl: string | undefined;
  readonly tokenUrl: string;
  /** RFC 7009; `undefined`: tokens can't be revoked. */
  readonly revocationUrl: string | undefined;
  /** What RFC 9207 answers are compared with; `undefined`: such answers have no `iss`, or it is not looked at. */
  readonly issuer: string | undefined;
  readonly clientId: string;
  readonly clientSecret: Secret | undefined;
  /** How the client authenticates at the token endpoint; `none` without a secret. */
  readonly clientAuth: "header" | "body" | "none";
  /** How requests to the token endpoint are written. */
  readonly exchange: "form" | "json";
  readonly scopes: readonly string[];
  /** Name of the parameter that carries the scopes, and what stands between them. */
  readonly scopeParameter: string;
  readonly scopeSeparator: string;
  /** RFC 8707; `undefined`: not sent. */
  readonly resource: string | undefined;
  readonly pkce: boolean;
  /** Further parameters, by where they are sent. */
  readonly authorizationParameters: Readonly<Record<string, string>>;
  readonly tokenParameters: Readonly<Record<string, string>>;
  readonly refreshParameters: Readonly<Record<string, string>>;
  /** Where the token endpoint's answer has the access token; names of members. */
  readonly accessTokenPath: readonly string[];
  /** The header that carries the access token, and what stands before it. */
  readonly header: string;
  readonly prefix: string;
}

/** OAuth as MCP servers announce it. */
export interface McpOAuthAuth {
  readonly type: "mcp_oauth";
  /** A client that was registered beforehand; `undefined`: the gateway registers by itself. */
  readonly clientId: string | undefined;
  readonly clientSecret: Secret | undefined;
  /** `undefined`: those that the server announces. */
  readonly scopes: readonly string[] | undefined;
  /** The URL of a client metadata document in place of the gateway's own; `undefined`: its own, if that is public. */
  readonly clientMetadataUrl: string | undefined;
}

/** A header of the caller's request, passed on. */
export interface PassthroughAuth {
  readonly type: "passthrough";
  /** As written. */
  readonly header: string;
}

/** One field of a credential that somebody types in, and where its value goes. */
export interface CredentialField {
  readonly name: string;
  readonly label: string;
  /** Where people find it. */
  readonly description: string | undefined;
  /** The gateway's own value, only with `mode: identity`. */
  readonly value: Secret | undefined;
  readonly target:
    | { readonly in: "header"; readonly header: string; readonly prefix: string }
    | { readonly in: "query"; readonly parameter: string }
    | { readonly in: "cookie"; readonly cookie: string }
    | { readonly in: "basic"; readonly part: "username" | "password" };
}

/**
 * One value that a connection holds besides its credential, such as the name of a workspace. It stands for `{name}` in the URLs of the
 * provider's surfaces (there as one label of a host or one segment of a path), and may travel in a header or in the query.
 */
export interface ConnectionParam {
  readonly name: string;
  readonly label: string;
  readonly description: string | undefined;
  readonly required: boolean;
  readonly default: string | undefined;
  /** Names of members in the answer of the token endpoint; `undefined`: it does not come from there. */
  readonly fromToken: readonly string[] | undefined;
  /** Names of members in the chosen item of the discovery. */
  readonly fromDiscovery: readonly string[] | undefined;
  /** Where it is sent besides; `undefined`: nowhere. */
  readonly target:
    | { readonly in: "header"; readonly header: string }
    | { readonly in: "query"; readonly parameter: string }
    | undefined;
  readonly place: Place;
}

/** A request with the new credential, whose answer lists what it can be used for. */
export interface ConnectionDiscovery {
  readonly url: string;
  /** Where the answer has the list; empty: it is the list. */
  readonly items: readonly string[];
  /** Where an item has its id, and its name for people. */
  readonly id: readonly string[];
  readonly label: readonly string[];
  readonly place: Place;
}
