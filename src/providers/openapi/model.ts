import type { DiagnosticCode } from "../../diagnostics/codes.ts";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { LoadedDocument } from "../../documents/load-document.ts";
import type { ParameterStyle } from "../../model/catalog.ts";
import type { JsonValue } from "../../model/json.ts";

/** The versions of OpenAPI that are read. A later 3.x is read as the last known one. */
export type ApiVersion = "2.0" | "3.0" | "3.1" | "3.2";

/** A file that belongs to the document which the configuration names, its entry document. */
export interface RelatedFile {
  /** The reference that leads to it from the entry document, such as `./schemas/Pet.yaml`: the same on every machine. */
  readonly name: string;
  /** Its `file:` URL, from which references inside of it count. */
  readonly url: string;
  readonly document: LoadedDocument;
}

/** Keys and indexes from a document's root to a value. What stands in another file than the entry document begins with that file. */
export type DocumentPath = readonly (string | number | RelatedFile)[];

/** The file in which the value at a path stands; `undefined` for the entry document. */
export function fileOf([first]: DocumentPath): RelatedFile | undefined {
  return typeof first === "object" ? first : undefined;
}

/** A path without its file. */
export function keysOf(path: DocumentPath): readonly (string | number)[] {
  return path.filter((key) => typeof key !== "object");
}

/**
 * One operation of a document of any version: references to parameters, bodies and responses followed, path-level values
 * merged in. Schemas stay as they are written; `convert-schema.ts` knows their dialects.
 */
export interface ApiOperation {
  readonly operationId: string | undefined;
  /** As it is sent: upper case, save for methods that the document makes up. */
  readonly method: string;
  /** The key of `paths`, as it is written. */
  readonly path: string;
  /** Where the operation stands. */
  readonly at: DocumentPath;
  readonly tags: readonly string[];
  readonly summary: string | undefined;
  readonly description: string | undefined;
  readonly deprecated: boolean;
  readonly parameters: readonly ApiParameter[];
  readonly body: ApiBody | undefined;
  readonly responses: readonly ApiResponse[];
  /** The servers of the operation, else those of its path; empty: it has those of the document. */
  readonly servers: readonly ApiServer[];
  /** True when the operation itself says that it needs no credential (`security: []`). */
  readonly anonymous: boolean;
  /** What it asks for: any one of these, and of it all security schemes. Empty: nothing, or nothing that it insists on. */
  readonly security: readonly (readonly string[])[];
  /** What could not be read of it, in short sentences. */
  readonly notes: readonly string[];
  /** Parameters that carry API keys, as `<in>:<name>` in lower case. */
  readonly keyParameters: readonly string[];
}

/** A server that operations may be sent to. */
export interface ApiServer {
  /** As it is written: may be relative, and hold variables in braces. */
  readonly url: string;
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly variables: ReadonlyMap<string, ApiServerVariable>;
}

/** A variable in the URL of a server. */
export interface ApiServerVariable {
  readonly default: string | undefined;
  /** The only values that it can have; empty: any. */
  readonly values: readonly string[];
}

/** A way to authenticate. */
export interface ApiSecurityScheme {
  /** What has to be sent, as in `OpenApiSurface.sends`; `undefined`: something that no connection can send. */
  readonly wants: string | undefined;
  /** The same for people. */
  readonly phrase: string;
}

/** A parameter that is no part of the body. */
export interface ApiParameter {
  readonly name: string;
  readonly in: "path" | "query" | "querystring" | "header" | "cookie";
  readonly required: boolean;
  readonly deprecated: boolean;
  readonly description: string | undefined;
  readonly schema: JsonValue;
  /** Where the schema stands. */
  readonly at: DocumentPath;
  readonly style: ParameterStyle;
  readonly explode: boolean;
  readonly allowReserved: boolean;
  /** Media type of a parameter described by `content`. */
  readonly content: string | undefined;
}

/** A request body and the media types it may have, in the order of the document. */
export interface ApiBody {
  readonly required: boolean;
  readonly description: string | undefined;
  readonly contents: readonly ApiContent[];
}

/** The body of a request or a response in one media type. */
export interface ApiContent {
  readonly mediaType: string;
  readonly schema: JsonValue;
  /** Where the schema stands. */
  readonly at: DocumentPath;
  /** By the member's name. */
  readonly encoding: Readonly<Record<string, ApiEncoding>>;
}

/** How a member of a form or multipart body is sent; `undefined`: not said. */
export interface ApiEncoding {
  readonly contentType: string | undefined;
  readonly style: ParameterStyle | undefined;
  readonly explode: boolean | undefined;
  readonly allowReserved: boolean;
}

/** One answer that an operation may give. */
export interface ApiResponse {
  /** `200`, `2XX` (upper case) or `default`. */
  readonly status: string;
  readonly description: string | undefined;
  readonly contents: readonly ApiContent[];
}

/** Something in the document that its author should know of, before it has a place. */
export interface Problem {
  readonly severity: "error" | "warning" | "information";
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly at: DocumentPath;
  readonly related?: NonNullable<Diagnostic["related"]>;
}

/** Takes the problems as they are found. */
export type Report = (problem: Problem) => void;
