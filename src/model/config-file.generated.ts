/* Generated from schemas/gateway.schema.json by scripts/generate-config-types.ts. Do not edit. */

/**
 * The JSON type of a value; `string` by default.
 */
export type ValueType = "string" | "integer" | "number" | "boolean" | "array" | "object";
/**
 * How the connection authenticates. `type` says which way.
 */
export type ConnectionAuth = NoneAuth | BearerAuth | ManualAuth | Oauth2Auth | McpOauthAuth | PassthroughAuth;
/**
 * How one operation is shown; empty for as it is.
 */
export type AllowedOperation = {
  /**
   * The operation's name as a tool, without the prefix.
   */
  alias?: string;
  /**
   * The tool's description, in place of the upstream's.
   */
  description?: string;
  response_mapping?: ResponseMapping;
} | null;

/**
 * The configuration file of Gestalt Gateway.
 */
export interface GatewayFile {
  server?: ServerSettings;
  auth?: AuthSettings;
  datastore?: DatastoreSettings;
  /**
   * The upstream systems, each under its name. A name is lower-case letters, digits, `-` and `_`, at most 32 of them, and becomes the prefix of the provider's tools.
   */
  providers: {
    [k: string]: Provider;
  };
}
/**
 * Where the gateway listens and how it is reached.
 */
export interface ServerSettings {
  /**
   * The address to listen on. The default is loopback, which only this machine can reach.
   */
  host?: string;
  /**
   * The port to listen on, 8080 by default; 0 takes a free one.
   */
  port?: number;
  /**
   * The public URL of the gateway, used in OAuth callbacks and in the metadata that clients read.
   */
  base_url?: string;
  /**
   * Host names that requests may carry in their Host and Origin headers, besides that of `base_url`.
   */
  allowed_hosts?: string[];
  /**
   * The key that seals stored credentials. Give it as a reference.
   */
  encryption_key?: string;
  /**
   * A ring of keys in place of `encryption_key`; the first one seals, all of them open.
   *
   * @minItems 1
   */
  encryption_keys?: EncryptionKey[];
  management?: ManagementSettings;
}
/**
 * One key of the ring.
 */
export interface EncryptionKey {
  /**
   * A name for the key, kept beside everything that it seals.
   */
  id: string;
  /**
   * The key itself. Give it as a reference.
   */
  key: string;
}
/**
 * A second listener for metrics and health.
 */
export interface ManagementSettings {
  /**
   * The address that the second listener binds to.
   */
  host?: string;
  /**
   * The port of the second listener.
   */
  port?: number;
}
/**
 * How callers prove who they are.
 */
export interface AuthSettings {
  /**
   * Who vouches for callers. `none` lets everyone in and therefore listens on loopback only.
   */
  provider?: "none" | "local" | "oidc";
  config?: SignInSettings;
  /**
   * How long an API token lives: a number and `m`, `h` or `d`.
   */
  api_token_ttl?: string;
  /**
   * Issuers of JSON Web Tokens that the gateway accepts.
   */
  trusted_issuers?: TrustedIssuer[];
}
/**
 * The OpenID Connect client of the gateway.
 */
export interface SignInSettings {
  /**
   * The issuer, as in its discovery document.
   */
  issuer_url?: string;
  /**
   * The client id that the issuer gave the gateway.
   */
  client_id?: string;
  /**
   * The client secret. Give it as a reference.
   */
  client_secret?: string;
  /**
   * Domains of e-mail addresses that may sign in.
   */
  allowed_domains?: string[];
}
/**
 * An issuer of JSON Web Tokens and where its tokens hold tenant and roles.
 */
export interface TrustedIssuer {
  /**
   * The `iss` claim of its tokens.
   */
  issuer: string;
  /**
   * The `aud` claim that names this gateway.
   */
  audience: string;
  /**
   * The claim that holds the caller's tenant.
   */
  tenant_claim?: string;
  /**
   * The claim that holds the caller's roles.
   */
  roles_claim?: string;
}
/**
 * Where credentials, tokens and runs are kept.
 */
export interface DatastoreSettings {
  /**
   * The kind of store.
   */
  provider: "sqlite";
  config?: SqliteSettings;
}
/**
 * Settings of the store.
 */
export interface SqliteSettings {
  /**
   * The database file.
   */
  path?: string;
}
/**
 * One upstream system: its surfaces, and how to authenticate to it.
 */
export interface Provider {
  /**
   * The name that people see; the provider's key by default.
   */
  display_name?: string;
  /**
   * What the system is good for, in a sentence.
   */
  description?: string;
  /**
   * Headers sent with every request to this provider.
   */
  headers?: {
    [k: string]: string;
  };
  /**
   * Parameters whose values the gateway sends itself, so that callers neither see nor choose them. Headers and query parameters go with every request to this provider; path and cookie parameters with the HTTP operations that have them.
   */
  managed_parameters?: ManagedParameter[];
  response_mapping?: ResponseMapping;
  mcp?: MCPSettings;
  surfaces?: SurfaceSettings;
  /**
   * Named credential slots: how to authenticate to this provider.
   */
  connections?: {
    [k: string]: Connection;
  };
  /**
   * The connection of surfaces and operations that name none.
   */
  default_connection?: string;
  select?: Selection;
  /**
   * When present, exactly these operations become tools; each may be renamed and described anew. A key is an operation's id, or a pattern as in `select`; an id goes before patterns, and the first pattern that fits counts.
   */
  allowed_operations?: {
    [k: string]: AllowedOperation;
  };
  /**
   * Short for `surfaces.mcp.url`.
   */
  mcp_url?: string;
  /**
   * A folder with a `provider.yaml` of this same shape; keys beside `package` override it.
   */
  package?: string;
}
/**
 * A parameter with a value that callers can't change.
 */
export interface ManagedParameter {
  /**
   * The name on the wire.
   */
  name: string;
  /**
   * Where it goes.
   */
  in: "path" | "query" | "header" | "cookie";
  /**
   * What is sent. A value from a reference is kept secret.
   */
  value: string;
}
/**
 * Which part of a successful JSON answer is the result of a call. For operations of `openapi` and `rest` surfaces.
 */
export interface ResponseMapping {
  /**
   * The path to the part: names of members, with dots between them. An answer without it is passed on whole.
   */
  data: string;
}
/**
 * How the provider shows itself to MCP clients.
 */
export interface MCPSettings {
  /**
   * Whether MCP clients see the provider, true by default. The HTTP API serves it either way.
   */
  enabled?: boolean;
  /**
   * What the names of its tools begin with; the provider's name and `_` by default, `""` for none.
   */
  tool_prefix?: string;
}
/**
 * The ways into the provider, in any mix.
 */
export interface SurfaceSettings {
  openapi?: OpenAPISurface;
  graphql?: GraphQLSurface;
  rest?: RESTSurface;
  mcp?: MCPSurface;
}
/**
 * Operations described by an OpenAPI document.
 */
export interface OpenAPISurface {
  /**
   * The path or the URL of the OpenAPI document.
   */
  document: string;
  /**
   * Where the API is, in place of the document's servers.
   */
  base_url?: string;
  /**
   * The connection of all of this surface's operations. Without it the provider's default is used, but not by operations that the document declares free of security (`security: []`).
   */
  connection?: string;
}
/**
 * The root fields of a GraphQL endpoint.
 */
export interface GraphQLSurface {
  /**
   * The GraphQL endpoint.
   */
  url: string;
  /**
   * The path or the URL of the schema (SDL or an introspection result); introspection of `url` by default.
   */
  schema?: string;
  /**
   * The connection of this surface's operations.
   */
  connection?: string;
}
/**
 * HTTP operations written here.
 */
export interface RESTSurface {
  /**
   * What the paths of the operations are appended to.
   */
  base_url: string;
  /**
   * The connection of operations that name none.
   */
  connection?: string;
  /**
   * The operations, one list item each.
   */
  operations: Operation[];
}
/**
 * One HTTP operation.
 */
export interface Operation {
  /**
   * The operation's id, which the tool's name is made of.
   */
  name: string;
  /**
   * What it does, for the model that chooses among tools.
   */
  description?: string;
  /**
   * The HTTP method.
   */
  method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";
  /**
   * The path after `base_url`, with parameters in braces.
   */
  path: string;
  /**
   * The connection of this one operation.
   */
  connection?: string;
  /**
   * What a caller may give.
   */
  parameters?: Parameter[];
}
/**
 * One parameter of an operation, or one member of its JSON body.
 */
export interface Parameter {
  /**
   * The name on the wire.
   */
  name: string;
  /**
   * Where it goes; `body` is a member of the JSON request body.
   */
  in: "path" | "query" | "header" | "cookie" | "body";
  type?: ValueType;
  /**
   * Whether it must be given. Path parameters always are; others are not by default.
   */
  required?: boolean;
  /**
   * What it means, for the model that fills it.
   */
  description?: string;
  /**
   * Sent when the caller gives none.
   */
  default?: unknown;
  /**
   * The values that it may have.
   *
   * @minItems 1
   */
  enum?: unknown[];
  items?: ValueSchema;
  /**
   * The members of an object, by name.
   */
  properties?: {
    [k: string]: ValueSchema;
  };
  /**
   * A JSON Schema format, as a hint.
   */
  format?: string;
  /**
   * A whole JSON Schema, in place of `type`, `enum`, `items`, `properties` and `format`.
   */
  schema?: {
    [k: string]: unknown;
  };
}
/**
 * What items of a list or members of an object look like.
 */
export interface ValueSchema {
  type?: ValueType;
  /**
   * What it means.
   */
  description?: string;
  /**
   * The values that it may have.
   *
   * @minItems 1
   */
  enum?: unknown[];
  items?: ValueSchema;
  /**
   * The members of an object, by name.
   */
  properties?: {
    [k: string]: ValueSchema;
  };
  /**
   * The names of members that must be given.
   */
  required?: string[];
  /**
   * A JSON Schema format, as a hint.
   */
  format?: string;
}
/**
 * An upstream MCP server: over HTTP by `url`, or a local program by `command`.
 */
export interface MCPSurface {
  /**
   * The server's endpoint (Streamable HTTP, or the older HTTP+SSE).
   */
  url?: string;
  /**
   * A program and its arguments, started without a shell and spoken to over stdio.
   *
   * @minItems 1
   */
  command?: string[];
  /**
   * Environment variables for the program, besides the few that it inherits.
   */
  env?: {
    [k: string]: string;
  };
  /**
   * The program's working directory; the folder of this file by default.
   */
  cwd?: string;
  /**
   * The connection of this server's tools.
   */
  connection?: string;
}
/**
 * A named credential slot: whose credential is used, and how it authenticates.
 */
export interface Connection {
  /**
   * Whose credential is used: nobody's, the caller's own, the tenant's, the gateway's own, or the caller's own and else the tenant's.
   */
  mode: "none" | "user" | "tenant" | "identity" | "either";
  auth?: ConnectionAuth;
}
/**
 * No authentication.
 */
export interface NoneAuth {
  /**
   * No authentication.
   */
  type: "none";
}
/**
 * A token in the Authorization header.
 */
export interface BearerAuth {
  /**
   * A token in the Authorization header.
   */
  type: "bearer";
  /**
   * The token: how it is asked for, or its value.
   *
   * @minItems 1
   * @maxItems 1
   */
  credentials?: BearerCredential[];
}
/**
 * The token of a `bearer` connection.
 */
export interface BearerCredential {
  /**
   * The field's name.
   */
  name: string;
  /**
   * What people see beside the field.
   */
  label?: string;
  /**
   * Where people find it.
   */
  description?: string;
  /**
   * The gateway's own token, as a reference; only with `mode: identity`.
   */
  value?: string;
}
/**
 * One or more fields, each put into a header, the query or basic authentication.
 */
export interface ManualAuth {
  /**
   * Fields put into headers, the query or basic authentication.
   */
  type: "manual";
  /**
   * The fields.
   *
   * @minItems 1
   */
  credentials: ManualCredential[];
}
/**
 * One field of a `manual` connection and where it goes: exactly one of `header`, `query` and `basic`.
 */
export interface ManualCredential {
  /**
   * The field's name.
   */
  name: string;
  /**
   * What people see beside the field.
   */
  label?: string;
  /**
   * Where people find it.
   */
  description?: string;
  /**
   * The gateway's own value, as a reference; only with `mode: identity`.
   */
  value?: string;
  /**
   * The header that carries it.
   */
  header?: string;
  /**
   * What stands before it in the header.
   */
  prefix?: string;
  /**
   * The query parameter that carries it.
   */
  query?: string;
  /**
   * The part of HTTP basic authentication that it is.
   */
  basic?: "username" | "password";
}
/**
 * OAuth 2.0: authorization code with PKCE, or client credentials.
 */
export interface Oauth2Auth {
  /**
   * OAuth 2.0: authorization code with PKCE, or client credentials.
   */
  type: "oauth2";
  /**
   * The authorization endpoint; not used with `grant: client_credentials`.
   */
  authorization_url?: string;
  /**
   * The token endpoint.
   */
  token_url: string;
  /**
   * The client id that the upstream gave the gateway.
   */
  client_id: string;
  /**
   * The client secret. Give it as a reference.
   */
  client_secret?: string;
  /**
   * The scopes to ask for.
   */
  scopes?: string[];
  /**
   * The grant, `authorization_code` by default.
   */
  grant?: "authorization_code" | "client_credentials";
}
/**
 * OAuth as MCP servers announce it: discovery and registration happen by themselves.
 */
export interface McpOauthAuth {
  /**
   * OAuth as MCP servers announce it.
   */
  type: "mcp_oauth";
  /**
   * The client id of a client that was registered beforehand.
   */
  client_id?: string;
  /**
   * The secret of that client. Give it as a reference.
   */
  client_secret?: string;
  /**
   * The scopes to ask for; those that the server announces by default.
   */
  scopes?: string[];
}
/**
 * A header of the caller's request, passed on.
 */
export interface PassthroughAuth {
  /**
   * A header of the caller's request, passed on.
   */
  type: "passthrough";
  /**
   * The header to pass on; never the one that signs the caller in to the gateway.
   */
  header: string;
}
/**
 * Which operations become tools: ids, globs, `METHOD /path` globs and `tag:NAME`. All of them by default.
 */
export interface Selection {
  /**
   * What is taken; everything by default.
   */
  include?: string[];
  /**
   * What is left out of that.
   */
  exclude?: string[];
}
