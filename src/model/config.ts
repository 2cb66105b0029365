import type { Secret } from "../secret.ts";
import type { AuthConfig } from "./auth-config.ts";
import type { ConnectionConfig } from "./connection-config.ts";
import type { JsonSchema, JsonValue } from "./json.ts";
import type { DocumentLimits, LimitsConfig, ProviderLimits } from "./limits.ts";
import type { Place } from "./place.ts";
import type { TenantExposure } from "./tenant.ts";

/**
 * The configuration after every check: references resolved, defaults filled in, short forms expanded, paths absolute.
 * Whatever takes a `GatewayConfig` may rely on it and checks nothing again.
 */
export interface GatewayConfig {
  /** Absolute path of the file it was read from. */
  readonly file: string;
  readonly server: ServerConfig;
  readonly auth: AuthConfig;
  readonly authorization: AuthorizationConfig;
  /** Those that the file declares, by id; `default` is there whether it is declared or not. */
  readonly tenants: Readonly<Record<string, TenantConfig>>;
  readonly egress: EgressConfig;
  readonly limits: LimitsConfig;
  /** Absolute path of the datastore's file; `undefined` when the file names none and nothing needs one. */
  readonly datastore: string | undefined;
  /** In the order of the file. */
  readonly providers: readonly ProviderConfig[];
}

/** Where the gateway listens and how it is reached. */
export interface ServerConfig {
  readonly host: string;
  /** 0 asks the system for a free port. */
  readonly port: number;
  /** The URL that clients use; derived from host and port when the file names none. */
  readonly baseUrl: string | undefined;
  /** Host names (without port) that requests may carry in `Host` and `Origin`, besides loopback names when bound to loopback. */
  readonly allowedHosts: readonly string[];
  /** Keys that seal stored credentials: the first one seals, all of them open. Empty: nothing can be sealed. */
  readonly encryptionKeys: readonly EncryptionKey[];
  /** Addresses and networks (CIDR) of proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** The second listener, for health (and metrics); `undefined`: there is none. */
  readonly management: { readonly host: string; readonly port: number } | undefined;
  /** Whether other processes may listen on the same port. */
  readonly reusePort: boolean;
  readonly shutdown: {
    /** How long everything is still served while `/readyz` already says 503. */
    readonly delayMilliseconds: number;
    /** How long calls that run may take after that. */
    readonly graceMilliseconds: number;
  };
}

/** One key of the ring, as written: nobody has looked at it yet. */
export interface EncryptionKey {
  /** What people call it; `undefined` for `server.encryption_key`. */
  readonly id: string | undefined;
  readonly key: Secret;
  readonly place: Place;
}

/** Where the gateway may go when something else than its configuration says so. */
export interface EgressConfig {
  /** Host names that documents and upstreams may lead to, private ones included. */
  readonly allowedHosts: readonly string[];
}

/** Who may use which tools. */
export interface AuthorizationConfig {
  /** What holds where no policy says anything. */
  readonly default: "allow" | "deny";
  /** Takes tools that may destroy something from what `default` allows; it gives none back. */
  readonly destructive: "allow" | "deny";
  /** What each role may use; `undefined`: the file declares none, and roles limit nobody. */
  readonly roles: Readonly<Record<string, RoleConfig>> | undefined;
  readonly policies: readonly PolicyConfig[];
}

/** What the principals of one role may use. */
export interface RoleConfig {
  readonly description: string | undefined;
  /** As in `Principal.scopes`. */
  readonly scopes: readonly string[];
  /** Where each of the scopes comes from. */
  readonly scopeOrigins: readonly GrantOrigin[];
}

/** Where the file grants something: one scope of a role, or one of the tools of a tenant. */
export interface GrantOrigin {
  readonly place: Place;
  /** True where a reference supplied the text, which messages then don't show. */
  readonly isReference: boolean;
}

/** One rule over principal, tool and arguments. A `deny` that matches beats every `allow`. */
export interface PolicyConfig {
  readonly name: string;
  readonly description: string | undefined;
  readonly effect: "allow" | "deny";
  /** A CEL expression that compiles. */
  readonly when: string;
  /** What callers are told when it refuses their arguments. */
  readonly message: string | undefined;
  readonly place: Place;
}

/** A tenant that the file declares. */
export interface TenantConfig {
  readonly id: string;
  readonly displayName: string;
  readonly exposure: TenantExposure;
  /** Where each of the tools of `exposure` comes from. */
  readonly toolOrigins: readonly GrantOrigin[];
  readonly place: Place;
}

/** One upstream system, complete. */
export interface ProviderConfig {
  readonly name: string;
  readonly displayName: string;
  readonly description: string | undefined;
  /**
   * Headers sent with every request to this provider, those of `managed_parameters` among them. A value that came from a
   * reference is a secret.
   */
  readonly headers: Readonly<Record<string, string | Secret>>;
  readonly managedParameters: readonly ManagedParameter[];
  /** What is taken out of answers to HTTP operations, unless the operation's own entry says otherwise. */
  readonly responseMapping: ResponseMapping | undefined;
  /** How answers to HTTP operations come in pages, unless the operation's own entry says otherwise. */
  readonly pagination?: Pagination | undefined;
  readonly retries: Retries;
  readonly limits: ProviderLimits;
  readonly mcp: { readonly enabled: boolean; readonly toolPrefix: string };
  /** The only tenants that get it; `undefined`: every tenant may. */
  readonly tenants: readonly string[] | undefined;
  readonly surfaces: readonly SurfaceConfig[];
  readonly connections: Readonly<Record<string, ConnectionConfig>>;
  readonly select: {
    readonly include: readonly SelectionEntry[];
    readonly exclude: readonly SelectionEntry[];
  };
  /** When present: exactly these operations, by id or by pattern, in the order of the file. */
  readonly allowedOperations: Readonly<Record<string, AllowedOperation>> | undefined;
  /** Where the provider's key stands. */
  readonly place: Place;
}

/** A parameter outside of the headers that the gateway fills itself, whatever the arguments of a call. */
export interface ManagedParameter {
  readonly name: string;
  /** `query`: part of every request to the provider; the others of the operations that have such a parameter. */
  readonly in: "path" | "query" | "cookie";
  /** A secret when it came from a reference. */
  readonly value: string | Secret;
  /** Where its name stands. */
  readonly place: Place;
}

/** The part of a successful JSON answer that is the result of a call. */
export interface ResponseMapping {
  /** Names of members, from the answer's root. */
  readonly data: readonly string[];
}

/** How the answers of an HTTP operation come in pages, and how the next one is asked for. */
export interface Pagination {
  /** A parameter carries on, or the address of the next page is followed. */
  readonly next:
    | {
        readonly style: "cursor";
        readonly parameter: PaginationParameter;
        /** Where the answer has the next cursor. */
        readonly cursor: readonly string[];
      }
    | { readonly style: "offset"; readonly parameter: PaginationParameter }
    | { readonly style: "page"; readonly parameter: PaginationParameter; readonly firstPage: number }
    | {
        readonly style: "link";
        /** Where the answer has the URL of the next page; `undefined`: in its `Link` header (RFC 8288). */
        readonly url: readonly string[] | undefined;
      };
  /** Where the answer says by a boolean whether there is more. */
  readonly more: readonly string[] | undefined;
  /** Where the answer has its items; `undefined`: the part that the response mapping names, else the whole answer. */
  readonly items: readonly string[] | undefined;
  readonly limitParameter: PaginationParameter | undefined;
  /** Items of a full page, if that is known. */
  readonly pageSize: number | undefined;
  /** The most pages of one call; 1: callers can't ask for more. */
  readonly maxPages: number;
  /** Where the key stands. */
  readonly place: Place;
}

/** A parameter of a paginated operation by its name on the wire. */
export interface PaginationParameter {
  readonly name: string;
  readonly in: "query" | "body";
}

/** How often calls of HTTP operations are repeated. */
export interface Retries {
  /** The most times that a call is tried again after the first. */
  readonly attempts: number;
  /** Repetitions as a part of the provider's calls, 0 to 1; ten in ten seconds are allowed beside it. */
  readonly budget: number;
}

/** One pattern of `select`: operation ids, globs over them, `METHOD /path` globs, or `tag:NAME`. */
export interface SelectionEntry {
  readonly pattern: string;
  readonly place: Place;
}

/** What the file says of the operations that one key of `allowed_operations` allows. */
export interface AllowedOperation {
  /** Only of a key that stands for one operation. */
  readonly alias: string | undefined;
  readonly description: string | undefined;
  /** Replaces the provider's. */
  readonly responseMapping: ResponseMapping | undefined;
  /** Replaces the provider's. */
  readonly pagination?: Pagination | undefined;
  /** Replaces, one by one, the hints that the operation gives of its effects. */
  readonly annotations?: AnnotationChoices;
  readonly place: Place;
}

/** What the file says of an operation's effects: hints by their names in MCP; those that are absent stay as they are. */
export interface AnnotationChoices {
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
}

/** One way into a provider. */
export type SurfaceConfig = OpenApiSurface | GraphqlSurface | RestSurface | McpSurface;

interface SurfaceBase {
  /**
   * The connection of operations that name none themselves: the surface's own, else the provider's default by the
   * rules of "Connections" in the configuration reference. `undefined`: the provider declares no connection.
   */
  readonly connection: string | undefined;
  /** Where the surface's key stands. */
  readonly place: Place;
}

/** A place that a document is read from. Relative paths are already absolute. */
export type DocumentLocation =
  | { readonly kind: "file"; readonly path: string; readonly place: Place }
  | { readonly kind: "url"; readonly url: string; readonly place: Place };

/** Operations described by an OpenAPI document. */
export interface OpenApiSurface extends SurfaceBase {
  readonly kind: "openapi";
  readonly document: DocumentLocation;
  /**
   * True when the file names this surface's connection itself. Then every operation uses it; a connection that is only the
   * provider's default is not used by operations that the document declares free of security (`security: []`). Documents
   * that declare so by mistake are common.
   */
  readonly connectionNamed: boolean;
  /** Replaces the document's servers. No trailing slash. */
  readonly baseUrl: string | undefined;
  /** The operator's choice among the document's servers; `undefined`: the first one that counts for an operation. */
  readonly server: ServerChoice | undefined;
  /** Values of the variables in the URLs of servers, by the variable's name. */
  readonly serverVariables: Readonly<Record<string, ServerVariable>>;
  /** Whether operations that the document calls deprecated become tools. */
  readonly deprecated: "include" | "exclude";
  /**
   * What the surface's connection puts on requests, without values: `bearer`, `basic`, `header:x-key`, `query:key`, `cookie:session`,
   * names in lower case. `undefined`: there is no connection.
   */
  readonly sends: readonly string[] | undefined;
  /** Most bytes of the input schema of one tool, 1,000 to 32,000. */
  readonly schemaBudget: number;
  readonly documentLimits: DocumentLimits;
}

/** Which of a document's servers is called: its index, or its URL, name or description. */
export interface ServerChoice {
  readonly value: number | string;
  /** Where the choice stands. */
  readonly place: Place;
}

/** What stands in a server's URL in place of a variable. */
export interface ServerVariable {
  readonly value: string;
  /** Where the variable's name stands. */
  readonly place: Place;
}

/** Root fields of a GraphQL endpoint. */
export interface GraphqlSurface extends SurfaceBase {
  readonly kind: "graphql";
  readonly url: string;
  /** SDL or an introspection result; absent: introspection of `url`. */
  readonly schema: DocumentLocation | undefined;
  readonly documentLimits: DocumentLimits;
  /** Whose credential reads the schema from the network. */
  readonly schemaConnection: string | undefined;
  /** Milliseconds after which a schema from the network is read again; `undefined`: never. */
  readonly refresh: number | undefined;
  readonly queries: GraphqlExposure;
  readonly mutations: GraphqlExposure;
  /** How much a generated selection may hold. */
  readonly selection: { readonly depth: number; readonly fields: number; readonly bytes: number };
  /** Whether callers of generated operations may choose the fields that come back. */
  readonly selectArgument: boolean;
  /** Selections in place of generated ones, by root field. */
  readonly fields: Readonly<Record<string, { readonly text: string; readonly place: Place }>>;
  /** JSON Schemas of custom scalars, by name. */
  readonly scalars: Readonly<Record<string, JsonSchema>>;
  readonly operations: readonly GraphqlOperationConfig[];
}

/** Which fields of a root type become operations; `declared`: those that `operations` or `fields` name. */
export type GraphqlExposure = "all" | "declared" | "none";

/** A GraphQL document whose operations become operations as they are written. */
export interface GraphqlOperationConfig {
  readonly source:
    | Extract<DocumentLocation, { kind: "file" }>
    | { readonly kind: "text"; readonly text: string; readonly place: Place };
  /** The only operation of the document that is meant; `undefined`: all. */
  readonly operation: string | undefined;
  readonly name: string | undefined;
  readonly description: string | undefined;
  /** Values that are always sent, by variable. */
  readonly fixed: Readonly<Record<string, JsonValue>>;
  /** Variables that are never sent. */
  readonly hidden: readonly string[];
  /** A reference that is sent in place of the document: its hash (`sha256`: computed), or an id. */
  readonly persisted:
    | { readonly kind: "hash"; readonly hash: string }
    | { readonly kind: "id"; readonly id: string }
    | undefined;
  readonly place: Place;
}

/** Operations written in the configuration file itself. */
export interface RestSurface extends SurfaceBase {
  readonly kind: "rest";
  /** No trailing slash. */
  readonly baseUrl: string;
  readonly operations: readonly RestOperationConfig[];
}

/** One inline operation. */
export interface RestOperationConfig {
  readonly name: string;
  readonly title: string | undefined;
  readonly description: string | undefined;
  readonly tags: readonly string[];
  readonly deprecated: boolean;
  /** In place of what its method promises. */
  readonly annotations: AnnotationChoices;
  /** A token of RFC 9110 section 9.1; methods are case-sensitive. */
  readonly method: string;
  /** A path template such as `/v1/forecast/{place}`; a fixed query may follow. */
  readonly path: string;
  readonly parameters: readonly RestParameterConfig[];
  /** There as soon as a parameter is a member of it. */
  readonly body: RestBodyConfig | undefined;
  /** Value of the `Accept` header; `undefined`: by what is known of the answer. */
  readonly accept: string | undefined;
  readonly outputSchema: JsonSchema | undefined;
  /** Replaces the provider's, like the pagination. */
  readonly responseMapping: ResponseMapping | undefined;
  readonly pagination: Pagination | undefined;
  /** Overrides the surface's connection. */
  readonly connection: string | undefined;
  readonly place: Place;
}

/** One parameter of an inline operation. `in: body` is a member of the request body. */
export interface RestParameterConfig {
  readonly name: string;
  readonly in: "path" | "query" | "querystring" | "header" | "cookie" | "body";
  readonly required: boolean;
  readonly description: string | undefined;
  readonly default: JsonValue | undefined;
  /** The parameter's JSON Schema, made of `type`, `enum`, `items`, `properties`, `format`. */
  readonly schema: JsonSchema;
  readonly style: RestParameterStyle;
  readonly explode: boolean;
  readonly allowReserved: boolean;
  /** Media type that the value is written in, in place of a style. */
  readonly content: string | undefined;
  readonly deprecated: boolean;
  readonly place: Place;
}

/** How arrays and objects are written, OpenAPI 3.2 section 4.12.2.3. */
export type RestParameterStyle =
  | "simple"
  | "label"
  | "matrix"
  | "form"
  | "spaceDelimited"
  | "pipeDelimited"
  | "deepObject"
  | "cookie";

/** The request body of an inline operation. */
export interface RestBodyConfig {
  readonly contentType: string;
  /** `undefined`: the parameters `in: body` are its members. */
  readonly schema: JsonSchema | undefined;
  readonly required: boolean;
  readonly description: string | undefined;
  /** Members of a form or of multipart that are not sent in the usual way. */
  readonly encoding: Readonly<Record<string, RestEncodingConfig>>;
  readonly place: Place;
}

/** How one member of a form or of multipart is sent; `undefined`: in the usual way. */
export interface RestEncodingConfig {
  readonly contentType: string | undefined;
  readonly style: RestParameterStyle | undefined;
  readonly explode: boolean | undefined;
  readonly allowReserved: boolean;
  readonly file: boolean;
}

/** An upstream MCP server: over HTTP (Streamable HTTP, or the older HTTP+SSE), or a local command over stdio. */
export interface McpSurface extends SurfaceBase {
  readonly kind: "mcp";
  /** Whether authorization believes what the server says of its tools' effects. */
  readonly trustAnnotations: boolean;
  /** Whether its prompts are offered. */
  readonly prompts: boolean;
  /** Whether its resources and resource templates are offered. */
  readonly resources: boolean;
  readonly transport:
    | { readonly kind: "http"; readonly url: string }
    | {
        readonly kind: "command";
        /** Program and arguments; never passed through a shell. */
        readonly command: readonly [string, ...string[]];
        /** Added to the few variables that a local server inherits. */
        readonly environment: Readonly<Record<string, string | Secret>>;
        readonly workingDirectory: string;
      };
}
