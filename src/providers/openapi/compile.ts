import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { LoadedDocument } from "../../documents/load-document.ts";
import type { Operation } from "../../model/catalog.ts";
import type { OpenApiSurface } from "../../model/config.ts";
import type { Place } from "../../model/place.ts";
import { Secret } from "../../secret.ts";
import { annotationsOf } from "../http/annotations.ts";
import { createSourceFinder, type FindSource, type OwnParameters } from "../http/parameter-source.ts";
import { shareThread } from "../share-thread.ts";
import { compileArguments } from "./arguments.ts";
import { type ChosenAddress, createAddressChooser } from "./choose-address.ts";
import { createSchemaConverter, type SchemaConverter } from "./convert-schema.ts";
import { createDescriber } from "./describe-operation.ts";
import { createSchemaFitter, type SchemaFitter } from "./fit-schema.ts";
import { isObject } from "./json-view.ts";
import { type ApiOperation, type DocumentPath, fileOf, keysOf, type Problem } from "./model.ts";
import { normalizePath } from "./normalize-path.ts";
import { acceptHeader, compileOutputSchema } from "./output-schema.ts";
import { detectVersion, documentServer, readOperations } from "./read-document.ts";
import { createReferenceGraph } from "./reference-graph.ts";
import { noRelatedDocuments, type RelatedDocuments } from "./related-documents.ts";
import { createReferenceResolver } from "./resolve-reference.ts";
import { createSchemaMeasure } from "./schema-size.ts";

/** Longest text in which problems and operations are located: the first place that is asked for costs some 25 ms for each MiB. */
const longestLocated = 1024 * 1024;

/** What a document came to. */
export interface CompiledDocument {
  readonly operations: readonly Operation[];
  readonly diagnostics: readonly Diagnostic[];
}

/** What every operation of a document is compiled with. */
interface Workshop {
  readonly sourceOf: FindSource;
  readonly converter: SchemaConverter;
  readonly fitter: SchemaFitter;
  readonly output: SchemaConverter;
  readonly outputFitter: SchemaFitter;
}

/**
 * Compiles an OpenAPI document of any version to operations. One bad operation is reported and does no harm to the
 * others; only a document that is no OpenAPI, or that has no usable address, gives none. Other work of the thread gets its
 * turn in between: thousands of operations take seconds.
 *
 * @param provider what it sends itself is no argument.
 * @param related the files that the document refers to; default: none are known.
 */
export async function compileOpenApi(
  document: LoadedDocument,
  surface: OpenApiSurface,
  provider: OwnParameters,
  related: RelatedDocuments = noRelatedDocuments,
): Promise<CompiledDocument> {
  const diagnostics: Diagnostic[] = [];
  const root = document.value;
  const version = detectVersion(root);
  if (!isObject(root) || version === undefined) {
    return { operations: [], diagnostics: [unsupported(document, surface)] };
  }
  const locate = (at: DocumentPath, target: "key" | "value"): Place | undefined => {
    const holder = fileOf(at)?.document ?? document;
    return holder.text.length <= longestLocated ? holder.locate(keysOf(at), target) : undefined;
  };
  const report = (problem: Problem): void => {
    diagnostics.push(toDiagnostic(problem, locate(problem.at, "value"), surface));
  };

  const self = [document.location, root["$self"]].filter((name) => typeof name === "string");
  const resolver = createReferenceResolver(root, self, related, report);
  const measure = createSchemaMeasure();
  const graph = createReferenceGraph(resolver);
  const input = createSchemaConverter({ resolver, graph, measure, version, direction: "input" });
  const output = createSchemaConverter({ resolver, graph, measure, version, direction: "output" });
  const workshop: Workshop = {
    sourceOf: createSourceFinder(provider),
    converter: input,
    fitter: createSchemaFitter(input.definition, measure),
    output,
    outputFitter: createSchemaFitter(output.definition, measure),
  };

  const giveWay = shareThread();
  const found: ApiOperation[] = [];
  for (const operation of readOperations(root, version, resolver, report)) {
    found.push(operation);
    await giveWay();
  }
  const addresses = createAddressChooser({
    documentName: document.name,
    documentUrl: surface.document.kind === "url" ? document.location : undefined,
    baseUrl: surface.baseUrl,
    mainServer: documentServer(root, version) ?? found[0]?.server,
    place: surface.place,
  });
  const managed = provider.managedParameters.map(({ value }) => value);
  const sendsSecret = [...Object.values(provider.headers), ...managed].some(
    (value) => value instanceof Secret,
  );
  const describe = createDescriber(found);

  const reduced: string[] = [];
  const firstById = new Map<string, ApiOperation>();
  const operations: Operation[] = [];
  for (const operation of found) {
    await giveWay();
    const connection = operation.anonymous && !surface.connectionNamed ? undefined : surface.connection;
    const address = addresses.choose(operation, connection !== undefined || sendsSecret);
    if (address === undefined) continue;
    const id = operation.operationId ?? deriveId(operation);
    const first = firstById.get(id.toLowerCase());
    if (first) report(duplicateId(id, operation, first));
    else firstById.set(id.toLowerCase(), operation);
    const place = locate(operation.at, "key");
    const facts = { id, words: describe(operation), address, connection, place };
    const compiled = compileOperation(operation, facts, workshop);
    if (compiled.isReduced) reduced.push(id);
    operations.push(compiled.operation);
  }
  diagnostics.push(...addresses.diagnostics());
  if (reduced.length > 0) diagnostics.push(reducedSchemas(document, surface, reduced));
  return { operations, diagnostics };
}

function compileOperation(
  operation: ApiOperation,
  facts: Pick<Operation, "id" | "connection" | "place"> & {
    readonly words: Pick<Operation, "title" | "description">;
    readonly address: ChosenAddress;
  },
  workshop: Workshop,
): { readonly operation: Operation; readonly isReduced: boolean } {
  const template = normalizePath(operation.path);
  const { inputSchema, parameters, body, reduced } = compileArguments(operation, template, workshop);
  const { method, path, tags, deprecated } = operation;
  const compiled: Operation = {
    id: facts.id,
    method,
    path,
    tags,
    deprecated,
    ...facts.words,
    inputSchema,
    outputSchema: compileOutputSchema(operation, workshop.output, workshop.outputFitter),
    annotations: annotationsOf(method),
    binding: {
      kind: "http",
      method,
      ...facts.address,
      path: template.path,
      parameters,
      body,
      accept: acceptHeader(operation),
    },
    connection: facts.connection,
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

function toDiagnostic(problem: Problem, place: Place | undefined, surface: OpenApiSurface): Diagnostic {
  const { severity, code, message, at, related } = problem;
  const parts = { severity, code, ...(related && { related }) };
  if (place) return { ...parts, message, place };
  const pointer = keysOf(at)
    .map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`)
    .join("");
  const file = fileOf(at)?.document.name ?? "";
  return { ...parts, message: `${message} (at \`${file}#${pointer}\`)`, place: surface.place };
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

function unsupported(document: LoadedDocument, surface: OpenApiSurface): Diagnostic {
  return {
    severity: "error",
    code: "document-unsupported",
    message: `\`${document.name}\` is not an OpenAPI document: it has neither \`openapi: 3.x\` nor \`swagger: "2.0"\` at the top. Name a document of OpenAPI 2.0, 3.0, 3.1 or 3.2.`,
    place: surface.document.place,
  };
}
