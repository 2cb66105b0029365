import type { Pagination, ResponseMapping } from "./config.ts";
import type { Feature, Freshness, Offerings } from "./features.ts";
import type { JsonObject, JsonSchema, JsonValue } from "./json.ts";
import type { Place } from "./place.ts";

/** The four ways into a provider. */
export type SurfaceKind = "openapi" | "graphql" | "rest" | "mcp";

/**
 * Everything that clients can see and call, compiled. Plain data: it prints as JSON, it is never changed,
 * a reload replaces it whole.
 */
export interface Catalog {
  /** Digest of the content: equal catalogs have equal versions. */
  readonly version: string;
  /** In the order of the configuration file. */
  readonly providers: readonly ProviderCatalog[];
  /** All tools by name in code-point order, whatever order providers arrived in. */
  readonly tools: readonly Tool[];
  /** What MCP servers have besides tools; absent: nothing. */
  readonly offerings?: Offerings;
}

/** What one provider contributes, and how it is doing. */
export interface ProviderCatalog {
  /** Digest of everything below. */
  readonly version: string;
  readonly name: string;
  readonly displayName: string;
  readonly description: string | undefined;
  readonly mcpEnabled: boolean;
  /** The only tenants that get it; `undefined`: every tenant may. */
  readonly tenants: readonly string[] | undefined;
  /** What the names of its tools begin with. */
  readonly toolPrefix: string;
  readonly state: ProviderState;
  /** Why the state is what it is, for people; absent when ready. */
  readonly reason: string | undefined;
  readonly surfaces: readonly SurfaceSummary[];
  readonly connections: readonly ConnectionSummary[];
  readonly tools: readonly Tool[];
  /** Of a provider with an MCP server that is there, or was: what it has besides tools. */
  readonly offerings?: Offerings;
  /**
   * How prompts, resources and methods of the provider's MCP server are called, by feature: decided about like tools, and never listed
   * among them. Absent: it offers none.
   */
  readonly entries?: Readonly<Partial<Record<Feature, Tool>>>;
  /** How long its lists keep; absent: until the configuration changes. */
  readonly freshness?: Freshness;
}

/** How one surface of a provider is doing. */
export interface SurfaceSummary {
  readonly kind: SurfaceKind;
  readonly state: ProviderState;
  readonly reason: string | undefined;
  readonly tools: number;
  /** The connection that somebody has to connect before the surface has any tools, where that is why it has none. */
  readonly awaits?: string;
}

/** `stale`: the upstream is away and its last known tools are shown. `disabled`: it will not come by itself. */
export type ProviderState = "starting" | "ready" | "stale" | "unavailable" | "disabled";

/** A declared connection without anything secret. */
export interface ConnectionSummary {
  readonly name: string;
  readonly mode: "none" | "user" | "tenant" | "identity" | "either";
  readonly type: string;
}

/** One callable thing as its upstream describes it, compiled, before the file's choices of exposure and name. */
export interface Operation {
  /** The upstream's own id; a derived one (`get_pets_petId`) where it gives none. */
  readonly id: string;
  /**
   * What the operation is on the wire, the input of the hash in altered names: HTTP method and path template,
   * `query`/`mutation` and field, `tool` and the upstream's tool name.
   */
  readonly method: string;
  readonly path: string;
  readonly tags: readonly string[];
  readonly deprecated: boolean;
  readonly title: string | undefined;
  readonly description: string;
  /**
   * Root `type: object` with `properties`; JSON Schema 2020-12. Schemas and binding of large documents are kept packed and made when
   * somebody asks, so who uses one more than once takes it once; copying an operation by its members would make them all.
   */
  readonly inputSchema: JsonSchema;
  readonly outputSchema: JsonSchema | undefined;
  /** Digests that stand for schemas and binding where they are compared, if these are packed. */
  readonly packed?: { readonly schemas: string; readonly binding: string };
  readonly annotations: ToolAnnotations;
  readonly binding: Binding;
  /** What else an MCP server tells clients of its tool: `icons` and `_meta`; absent: nothing. */
  readonly extras?: JsonObject;
  /** What of the upstream's description the operation lacks, and why: at most 10 short sentences for people; absent: nothing. */
  readonly notes?: readonly string[];
  /** Name of the connection whose credential it needs; `undefined`: none. */
  readonly connection: string | undefined;
  /** Where it is described, if that is a file. */
  readonly place: Place | undefined;
  /** Which part of an answer is the result, unless the file says otherwise where it allows the operation. */
  readonly responseMapping?: ResponseMapping | undefined;
}

/** An operation as exposed, under its final name. */
export interface Tool extends Operation {
  /** `^[a-zA-Z0-9_-]{1,64}$`, unique in the catalog. */
  readonly name: string;
  /** The name inside its provider, without the prefix: the last segment of its HTTP API route. */
  readonly operation: string;
  readonly provider: string;
  readonly surface: SurfaceKind;
  /** Which part of an answer is the result; `undefined`: all of it. */
  readonly responseMapping: ResponseMapping | undefined;
  /** `declared` by the operator's file or a document it names, or supplied by an upstream at run time. */
  readonly origin: "declared" | "upstream";
  /**
   * What authorization goes by: the annotations as far as the operator vouches for them. What an upstream MCP server says of its
   * own tools counts only where the file trusts it; else a tool counts as one that writes and destroys.
   */
  readonly effects: ToolEffects;
}

/** What a tool does, for authorization. */
export interface ToolEffects {
  readonly readOnly: boolean;
  readonly destructive: boolean;
  readonly idempotent: boolean;
  readonly openWorld: boolean;
}

/** Hints to clients (MCP `ToolAnnotations`, 2025-03-26 and later). */
export interface ToolAnnotations {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

/** How an operation is called on the wire. */
export type Binding = HttpBinding | GraphqlBinding | McpBinding | McpFeatureBinding;

/** An HTTP request built from arguments. Shared by the `openapi` and `rest` surfaces. */
export interface HttpBinding {
  readonly kind: "http";
  /** Upper case. */
  readonly method: string;
  /** Absolute, no trailing slash: scheme, host and path prefix that no argument can change. */
  readonly baseUrl: string;
  /**
   * Who named `baseUrl`: the operator (the configuration, a local document, or the origin that a document was fetched from), or
   * a fetched document, which may lead to public addresses only.
   */
  readonly addressFrom: "operator" | "document";
  /** A path template such as `/pets/{petId}`, starting with `/`; a fixed query may follow. */
  readonly path: string;
  readonly parameters: readonly HttpParameter[];
  readonly body: HttpBody | undefined;
  /** Value of the `Accept` header. */
  readonly accept: string;
  /** How its answers come in pages, where the file says so. */
  readonly pagination?: Pagination;
}

/** Where one argument goes, or what the provider's configuration fills itself. */
export interface HttpParameter {
  /** The argument's name in the tool's input schema; `undefined`: a managed parameter of the provider gives the value. */
  readonly argument: string | undefined;
  /** The name on the wire. */
  readonly name: string;
  readonly in: "path" | "query" | "querystring" | "header" | "cookie";
  /** Serialization, OpenAPI 3.2 section 4.12.2.3; `tabDelimited` is the `tsv` of OpenAPI 2.0. */
  readonly style: ParameterStyle;
  readonly explode: boolean;
  readonly allowReserved: boolean;
  readonly required: boolean;
  /** Media type when the parameter has `content` in place of a style. */
  readonly content: string | undefined;
  /** Sent when the caller gives no argument. Only for required parameters and defaults declared in the file. */
  readonly default: JsonValue | undefined;
}

/** How a structured value becomes a piece of a URL, a header or a form. */
export type ParameterStyle =
  | "simple"
  | "label"
  | "matrix"
  | "form"
  | "spaceDelimited"
  | "pipeDelimited"
  | "tabDelimited"
  | "deepObject"
  | "cookie";

/** How the request body is made. */
export interface HttpBody {
  /** Value of the `Content-Type` header; multipart bodies get their boundary added. */
  readonly mediaType: string;
  /** How the value becomes bytes. `lines`: an array, one JSON text per line; `binary`: the argument is base64 or a data URI. */
  readonly format: "json" | "lines" | "form" | "multipart" | "text" | "binary";
  /** Members of a form or multipart body that are not sent in the usual way, by their name on the wire. */
  readonly encoding: Readonly<Record<string, HttpPartEncoding>>;
  readonly required: boolean;
  readonly source:
    | { /** The whole body is this argument. */ readonly kind: "argument"; readonly argument: string }
    | {
        /** Each member of the body is an argument of its own. */ readonly kind: "members";
        readonly members: readonly HttpBodyMember[];
      };
  /** Other forms in which the upstream takes the body; absent: none that could carry anything else. */
  readonly alternatives?: HttpBodyAlternatives;
}

/** The forms of a body besides the first, and the argument by which a caller chooses one of all. */
export interface HttpBodyAlternatives {
  /** Its value is a `mediaType` of the body or of one of these; the first form that takes all given arguments by default. */
  readonly argument: string;
  readonly bodies: readonly HttpBody[];
}

/** How one member of a form or multipart body is sent, OpenAPI 3.2 section 4.15. */
export interface HttpPartEncoding {
  /** Media type of the part; `undefined`: JSON for objects, plain text for the rest. */
  readonly contentType: string | undefined;
  /** Form bodies: how arrays and objects are written; `undefined`: repeated names for arrays, JSON for objects. */
  readonly style: ParameterStyle | undefined;
  readonly explode: boolean;
  readonly allowReserved: boolean;
  /** Multipart: the argument is base64 or a data URI, and its bytes are sent as a file. */
  readonly file: boolean;
}

/** One member of an object body. */
export interface HttpBodyMember {
  readonly argument: string;
  readonly name: string;
  readonly required: boolean;
  readonly default: JsonValue | undefined;
}

/** A GraphQL request. */
export interface GraphqlBinding {
  readonly kind: "graphql";
  readonly url: string;
  readonly operationType: "query" | "mutation";
  /** A complete, validated document with one operation. */
  readonly document: string;
  /** The operation's name in the document. */
  readonly operationName: string;
  /** Those that arguments fill. */
  readonly variables: readonly GraphqlVariable[];
  /** Variables with a value from the configuration, which no argument can change. */
  readonly fixed: Readonly<Record<string, JsonValue>>;
  /** What to rename in `data` of the answer; `undefined`: nothing. */
  readonly aliases: GraphqlAliases | undefined;
  /** The argument that replaces the default selection; `undefined`: none does. */
  readonly select: GraphqlSelect | undefined;
  /** Where variables hold files; `undefined`: none does, and the request is JSON. */
  readonly files: GraphqlFiles | undefined;
  /** What is sent in place of the document; `undefined`: the document itself. */
  readonly persisted:
    | { /** SHA-256 of the document, 64 hexadecimal digits. */ readonly kind: "hash"; readonly hash: string }
    | { readonly kind: "id"; readonly id: string }
    | undefined;
}

/** How callers choose what the root field returns. */
export interface GraphqlSelect {
  /** The argument's name in the tool's input schema. */
  readonly argument: string;
  /** Offset of the default selection in the document; behind its end only the operation's closing brace is left. */
  readonly start: number;
}

/** The parts of variables that are sent as files (GraphQL multipart request specification). */
export interface GraphqlFiles {
  /** The named type of each variable that can hold a file. */
  readonly variables: Readonly<Record<string, string>>;
  /** By input type: the members that can hold a file, and the named type of each. */
  readonly members: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/**
 * The aliases of a selection, as a tree that follows it: the document had to rename fields of different types that would
 * have met under one key, and the answer gets the schema's names back. Only keys on the way to an alias are listed.
 */
export interface GraphqlAliases {
  readonly [responseKey: string]: {
    /** The field's name in the schema. */
    readonly name: string;
    /** Aliases below this field. */
    readonly selection: GraphqlAliases | undefined;
  };
}

/** One variable of the document and the argument that fills it. */
export interface GraphqlVariable {
  readonly argument: string;
  readonly name: string;
  /** The type as written in the document, such as `[ID!]!`. */
  readonly type: string;
}

/** A call of an upstream MCP server's tool. */
export interface McpBinding {
  readonly kind: "mcp";
  /** The name that the upstream gave it. */
  readonly tool: string;
}

/** A request to an upstream MCP server that calls no tool: its method and params are those of the invocation. */
export interface McpFeatureBinding {
  readonly kind: "mcp-feature";
  readonly feature: Feature;
}
