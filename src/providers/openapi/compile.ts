import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { LoadedDocument } from "../../documents/load-document.ts";
import type { Operation } from "../../model/catalog.ts";
import type { OpenApiSurface } from "../../model/config.ts";
import type { Place } from "../../model/place.ts";
import { annotationsOf } from "../http/annotations.ts";
import { compileArguments } from "./arguments.ts";
import { type BaseUrl, resolveBaseUrl } from "./base-url.ts";
import { createSchemaConverter, type SchemaConverter } from "./convert-schema.ts";
import { createSchemaFitter, type SchemaFitter } from "./fit-schema.ts";
import { isObject } from "./json-view.ts";
import type { ApiOperation, DocumentPath, Problem } from "./model.ts";
import { normalizePath } from "./normalize-path.ts";
import { acceptHeader, compileOutputSchema } from "./output-schema.ts";
import { detectVersion, readDocument } from "./read-document.ts";
import { createReferenceResolver } from "./resolve-reference.ts";
import { createSchemaMeasure } from "./schema-size.ts";
import { shorten } from "./shorten.ts";

/** Longest text in which problems are located, and in which operations are: finding places costs a second parse. */
const longestLocated = 1024 * 1024;
const longestWithPlaces = 256 * 1024;

const descriptionLimit = 1024;
const titleLimit = 120;

/** What a document came to. */
export interface CompiledDocument {
  readonly operations: readonly Operation[];
  readonly diagnostics: readonly Diagnostic[];
}

/** What every operation of a document is compiled with. */
interface Workshop {
  /** Lower case. */
  readonly fixedHeaders: readonly string[];
  readonly converter: SchemaConverter;
  readonly fitter: SchemaFitter;
  readonly output: SchemaConverter;
  readonly outputFitter: SchemaFitter;
}

/**
 * Compiles an OpenAPI document of any version to operations. One bad operation is reported and does no harm to the
 * others; only a document that is no OpenAPI, or that has no usable address, gives none.
 *
 * @param providerHeaders names of the headers that the provider sends with every request: they are no arguments.
 */
export function compileOpenApi(
  document: LoadedDocument,
  surface: OpenApiSurface,
  providerHeaders: readonly string[],
): CompiledDocument {
  const diagnostics: Diagnostic[] = [];
  const root = document.value;
  const version = detectVersion(root);
  if (!isObject(root) || version === undefined) {
    return { operations: [], diagnostics: [unsupported(document, surface)] };
  }
  const locate = (path: DocumentPath): Place | undefined =>
    document.text.length <= longestLocated ? document.locate(path, "value") : undefined;
  const report = (problem: Problem): void => {
    diagnostics.push(toDiagnostic(problem, locate(problem.at), surface));
  };

  const self = [document.location, root["$self"]].filter((name) => typeof name === "string");
  const resolver = createReferenceResolver(root, self, report);
  const measure = createSchemaMeasure();
  const input = createSchemaConverter(resolver, version, "input", measure);
  const output = createSchemaConverter(resolver, version, "output", measure);
  const workshop: Workshop = {
    fixedHeaders: providerHeaders.map((name) => name.toLowerCase()),
    converter: input,
    fitter: createSchemaFitter(input.definition, measure),
    output,
    outputFitter: createSchemaFitter(output.definition, measure),
  };

  const documentUrl = surface.document.kind === "url" ? document.location : undefined;
  const unusable = new Set<string>();
  const reduced: string[] = [];
  const firstById = new Map<string, ApiOperation>();
  const operations = readDocument(root, version, resolver, report).operations.flatMap((operation) => {
    const base: BaseUrl =
      surface.baseUrl === undefined
        ? resolveBaseUrl(operation.server, documentUrl)
        : { ok: true, url: surface.baseUrl };
    if (!base.ok) {
      if (!unusable.has(base.problem)) diagnostics.push(noBaseUrl(document, surface, base.problem));
      unusable.add(base.problem);
      return [];
    }
    const id = operation.operationId ?? deriveId(operation);
    const first = firstById.get(id.toLowerCase());
    if (first) report(duplicateId(id, operation, first));
    else firstById.set(id.toLowerCase(), operation);
    const place =
      document.text.length <= longestWithPlaces ? document.locate(operation.at, "key") : undefined;
    const compiled = compileOperation(operation, { id, baseUrl: base.url, place, surface }, workshop);
    if (compiled.isReduced) reduced.push(id);
    return [compiled.operation];
  });
  if (reduced.length > 0) diagnostics.push(reducedSchemas(document, surface, reduced));
  return { operations, diagnostics };
}

function compileOperation(
  operation: ApiOperation,
  facts: {
    readonly id: string;
    readonly baseUrl: string;
    readonly place: Place | undefined;
    readonly surface: OpenApiSurface;
  },
  workshop: Workshop,
): { readonly operation: Operation; readonly isReduced: boolean } {
  const template = normalizePath(operation.path);
  const { inputSchema, parameters, body, reduced } = compileArguments(operation, template, workshop);
  const compiled: Operation = {
    id: facts.id,
    method: operation.method,
    path: operation.path,
    tags: operation.tags,
    deprecated: operation.deprecated,
    title: operation.summary === undefined ? undefined : shorten(operation.summary, titleLimit),
    description: describe(operation),
    inputSchema,
    outputSchema: compileOutputSchema(operation, workshop.output, workshop.outputFitter),
    annotations: annotationsOf(operation.method),
    binding: {
      kind: "http",
      method: operation.method,
      baseUrl: facts.baseUrl,
      path: template.path,
      parameters,
      body,
      accept: acceptHeader(operation),
    },
    connection: operation.anonymous && !facts.surface.connectionNamed ? undefined : facts.surface.connection,
    place: facts.place,
  };
  return { operation: compiled, isReduced: reduced.length > 0 };
}

/** `get_pets_petId` for `GET /pets/{petId}`. */
function deriveId({ method, path }: ApiOperation): string {
  const segments = path.split("/").filter((segment) => segment !== "");
  return [method.toLowerCase(), ...segments.map((segment) => segment.replace(/\{\+?([^{}]*)\}/g, "$1"))].join(
    "_",
  );
}

function describe({ summary, description, method, path }: ApiOperation): string {
  const repeated = summary !== undefined && description?.trim().startsWith(summary.trim());
  const texts = [repeated ? undefined : summary, description].filter((text) => text !== undefined);
  return texts.length === 0 ? `${method} ${path}` : shorten(texts.join("\n\n"), descriptionLimit);
}

function toDiagnostic(problem: Problem, place: Place | undefined, surface: OpenApiSurface): Diagnostic {
  const { severity, code, message, at } = problem;
  if (place) return { severity, code, message, place };
  const pointer = at.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  return { severity, code, message: `${message} (at \`#${pointer}\`)`, place: surface.place };
}

function duplicateId(id: string, operation: ApiOperation, first: ApiOperation): Problem {
  return {
    severity: "warning",
    code: "name-collision",
    message: `The operation id \`${id}\` of \`${operation.method} ${operation.path}\` is also that of \`${first.method} ${first.path}\`. Both are offered; give each an id of its own so that the names tell them apart.`,
    at: operation.at,
  };
}

function reducedSchemas(
  document: LoadedDocument,
  surface: OpenApiSurface,
  ids: readonly string[],
): Diagnostic {
  const examples = ids
    .slice(0, 5)
    .map((id) => `\`${id}\``)
    .join(", ");
  const subject =
    ids.length === 1
      ? `The schema of ${examples} is`
      : `The schemas of ${ids.length} operations (such as ${examples}) are`;
  return {
    severity: "information",
    code: "operation-degraded",
    message: `${subject} too large for a tool, so the deepest levels are not shown; any value is accepted there. They come from \`${document.name}\`.`,
    place: surface.place,
  };
}

function noBaseUrl(document: LoadedDocument, surface: OpenApiSurface, problem: string): Diagnostic {
  return {
    severity: "error",
    code: "missing-key",
    message: `There is no address to send calls to: \`${document.name}\` ${problem}. Set \`base_url\` of the surface.`,
    place: surface.place,
  };
}

function unsupported(document: LoadedDocument, surface: OpenApiSurface): Diagnostic {
  return {
    severity: "error",
    code: "document-unsupported",
    message: `\`${document.name}\` is not an OpenAPI document: it has neither \`openapi: 3.x\` nor \`swagger: "2.0"\` at the top. Name a document of OpenAPI 2.0, 3.0, 3.1 or 3.2.`,
    place: surface.document.place,
  };
}
