import type { Secret } from "../secret.ts";
import type { JsonObject, JsonSchema, JsonValue } from "./json.ts";
import type { Place } from "./place.ts";

/**
 * The configuration after every check: references resolved, defaults filled in, short forms expanded, paths absolute.
 * Whatever takes a `GatewayConfig` may rely on it and checks nothing again.
 */
export interface GatewayConfig {
  /** Absolute path of the file it was read from. */
  readonly file: string;
  readonly server: ServerConfig;
  readonly auth: AuthConfig;
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
}

/** How callers prove who they are. */
export interface AuthConfig {
  readonly provider: "none";
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
  readonly mcp: { readonly enabled: boolean; readonly toolPrefix: string };
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
  readonly place: Place;
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
}

/** Root fields of a GraphQL endpoint. */
export interface GraphqlSurface extends SurfaceBase {
  readonly kind: "graphql";
  readonly url: string;
  /** SDL or an introspection result; absent: introspection of `url`. */
  readonly schema: DocumentLocation | undefined;
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
  readonly description: string | undefined;
  readonly method: string;
  /** A path template such as `/v1/forecast/{place}`. */
  readonly path: string;
  readonly parameters: readonly RestParameterConfig[];
  /** Overrides the surface's connection. */
  readonly connection: string | undefined;
  readonly place: Place;
}

/** One parameter of an inline operation. `in: body` is a member of the JSON request body. */
export interface RestParameterConfig {
  readonly name: string;
  readonly in: "path" | "query" | "header" | "cookie" | "body";
  readonly required: boolean;
  readonly description: string | undefined;
  readonly default: JsonValue | undefined;
  /** The parameter's JSON Schema, made of `type`, `enum`, `items`, `properties`, `format`. */
  readonly schema: JsonSchema;
  readonly place: Place;
}

/** An upstream MCP server: over HTTP (Streamable HTTP, or the older HTTP+SSE), or a local command over stdio. */
export interface McpSurface extends SurfaceBase {
  readonly kind: "mcp";
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

/** A named credential slot. */
export interface ConnectionConfig {
  readonly name: string;
  readonly mode: "none" | "user" | "tenant" | "identity" | "either";
  readonly auth: ConnectionAuth;
  readonly place: Place;
}

/** How a connection authenticates, as far as this version acts on it. */
export type ConnectionAuth =
  | { readonly type: "none" }
  | { readonly type: "bearer"; readonly token: Secret | undefined }
  | { readonly type: "manual"; readonly fields: readonly CredentialField[] }
  | {
      readonly type: "oauth2" | "mcp_oauth" | "passthrough";
      /** As in the file, without what is secret. */
      readonly settings: JsonObject;
      readonly clientSecret?: Secret;
    };

/** One field of a `manual` credential and where its value goes. */
export interface CredentialField {
  readonly name: string;
  readonly label: string;
  readonly value: Secret | undefined;
  readonly target:
    | { readonly in: "header"; readonly header: string; readonly prefix: string }
    | { readonly in: "query"; readonly parameter: string }
    | { readonly in: "basic"; readonly part: "username" | "password" };
}
