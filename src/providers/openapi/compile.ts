import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { LoadedDocument } from "../../documents/load-document.ts";
import type { Operation } from "../../model/catalog.ts";
import type { OpenApiSurface } from "../../model/config.ts";
import type { JsonValue } from "../../model/json.ts";
import type { Place } from "../../model/place.ts";
import { Secret } from "../../secret.ts";
import { annotationsOf } from "../http/annotations.ts";
import { createSourceFinder, type FindSource, type OwnParameters } from "../http/parameter-source.ts";
import { shareThread } from "../share-thread.ts";
import { createArgumentDescriber } from "./argument-candidate.ts";
import { compileArguments, schemaRoom } from "./arguments.ts";
import { createCredentialCheck } from "./check-credential.ts";
import { type ChosenAddress, createAddressChooser } from "./choose-address.ts";
import { createServerChooser } from "./choose-server.ts";
import { createSchemaConverter, type SchemaConverter } from "./convert-schema.ts";
import { createDescriber, createWordCount } from "./describe-operation.ts";
import { createSchemaFitter, type SchemaFitter } from "./fit-schema.ts";
import { isObject } from "./json-view.ts";
import {
  type ApiOperation,
  type ApiServer,
  type DocumentPath,
  fileOf,
  keysOf,
  type Problem,
} from "./model.ts";
import { normalizePath } from "./normalize-path.ts";
import { limitNotes } from "./notes.ts";
import { acceptHeader, compileOutputSchema } from "./output-schema.ts";
import { detectVersion, documentServers, readOperations } from "./read-document.ts";
import { createReferenceGraph } from "./reference-graph.ts";
import type { RelatedDocuments } from "./related-documents.ts";
import { createReferenceResolver } from "./resolve-reference.ts";
import { createSchemaMeasure, type SchemaMeasure } from "./schema-size.ts";
import { readSecuritySchemes } from "./security.ts";

/** Longest text in which problems and operations are located: the first place that is asked for costs some 25 ms for each MiB. */
const longestLocated = 1024 * 1024;

/** What a document came to. */
export interface CompiledDocument {
  readonly operations: readonly Operation[];
  readonly diagnostics: readonly Diagnostic[];
}

/** What every operation of a document is compiled with. */
interface Workshop {
  readonly measure: SchemaMeasure;
  readonly sourceOf: FindSource;
  readonly describe: ReturnType<typeof createArgumentDescriber>;
  readonly converter: SchemaConverter;
  readonly fitter: SchemaFitter;
  readonly budget: number;
  readonly output: SchemaConverter;
  readonly outputFitter: SchemaFitter;
}

/** What a document is compiled from. */
export interface CompileFacts {
  readonly document: LoadedDocument;
  readonly surface: OpenApiSurface;
  /** What it sends itself is no argument. */
  readonly provider: OwnParameters;
  /** The documents that this one refers to. */
  readonly related: RelatedDocuments;
  /** Hosts that a fetched document may lead to although they are not public. */
  readonly allowedHosts: readonly string[];
  /** True: nobody reads the document afterwards, so that its paths may be let go of one by one. Default false. */
  readonly isUsedUp?: boolean;
}

/** Compiles a document to operations that are all held at once. */
export async function compileOpenApi(facts: CompileFacts): Promise<CompiledDocument> {
  const operations: Operation[] = [];
  const diagnostics = await compileEach(facts, (operation) => operations.push(operation));
  return { operations, diagnostics };
}

/**
 * Compiles an OpenAPI document of any version to operations. One bad operation is reported and does no harm to the
 * others; only a document that is no OpenAPI, or that has no usable address, gives none. Other work of the thread gets its
 * turn in between: thousands of operations take seconds.
 *
 * @param take is given the operations as they come, in the order of the document, and may let go of them.
 */
export async function compileEach(
  { document, surface, provider, related, allowedHosts, isUsedUp = false }: CompileFacts,
  take: (operation: Operation) => void,
): Promise<readonly Diagnostic[]> {
  const diagnostics: Diagnostic[] = [];
  const root = document.value;
  const version = detectVersion(root);
  if (!isObject(root) || version === undefined) {
    return [unsupported(document, surface)];
  }
  const locate = (at: DocumentPath, target: "key" | "value"): Place | undefined => {
    const holder = fileOf(at)?.document ?? document;
    return holder.length <= longestLocated ? holder.locate(keysOf(at), target) : undefined;
  };
  const report = (problem: Problem): void => {
    diagnostics.push(toDiagnostic(problem, locate(problem.at, "value"), surface));
  };

  const self = [document.location, root["$self"]].filter((name) => typeof name === "string");
  const resolver = createReferenceResolver(root, self, related, report);
  const measure = createSchemaMeasure();
  const graph = createReferenceGraph(resolver);
  const parts = { resolver, graph, measure, version };
  const input = createSchemaConverter({ ...parts, direction: "input" });
  const output = createSchemaConverter({ ...parts, direction: "output" });
  const workshop: Workshop = {
    measure,
    sourceOf: createSourceFinder(provider),
    converter: input,
    describe: createArgumentDescriber(),
    fitter: createSchemaFitter(input.definition, measure),
    budget: surface.schemaBudget,
    output,
    outputFitter: createSchemaFitter(output.definition, measure),
  };

  const giveWay = shareThread();
  const isOffered = (operation: ApiOperation): boolean =>
    surface.deprecated === "include" || !operation.deprecated;
  // Read twice, because together the operations of a large document take more memory than the document.
  const words = createWordCount();
  const ownServers: (readonly ApiServer[])[] = [];
  const mostOperations = surface.documentLimits.operations;
  for (const operation of readOperations(root, version, resolver, report)) {
    if (isOffered(operation)) {
      words.add(operation);
      ownServers.push(operation.servers);
    }
    if (ownServers.length > mostOperations) break;
    await giveWay();
  }
  if (ownServers.length > mostOperations) return [tooManyOperations(document, surface)];
  if (ownServers.length === 0 && diagnostics.length === 0) return [noOperations(document, surface)];
  const servers = createServerChooser(surface, documentServers(root, version), ownServers);
  // A region or a sandbox that the operator asks for must not silently become another one.
  if (servers.diagnostics.length > 0) return [...diagnostics, ...servers.diagnostics];
  const addresses = createAddressChooser({
    documentName: document.name,
    documentUrl: surface.document.kind === "url" ? document.location : undefined,
    baseUrl: surface.baseUrl,
    allowedHosts,
    mainServer: servers.choose([]) ?? servers.choose(ownServers[0] ?? []),
    place: surface.place,
  });
  const managed = provider.managedParameters.map(({ value }) => value);
  const sendsSecret = [...Object.values(provider.headers), ...managed].some(
    (value) => value instanceof Secret,
  );
  const describe = createDescriber(words);
  const credentials = createCredentialCheck(readSecuritySchemes(root, resolver), surface, provider);

  const reduced: string[] = [];
  const firstById = new Map<string, Pick<ApiOperation, "method" | "path">>();
  const done = isUsedUp && related.leavesPathsAlone ? letGoOf(root["paths"]) : ignore;
  for (const operation of readOperations(root, version, resolver, ignore, done)) {
    await giveWay();
    if (!isOffered(operation)) continue;
    const connection = operation.anonymous && !surface.connectionNamed ? undefined : surface.connection;
    const carriesSecret = connection !== undefined || sendsSecret;
    const address = addresses.choose(operation, servers.choose(operation.servers), carriesSecret);
    if (address === undefined) continue;
    if (connection !== undefined) credentials.note(operation);
    const id = operation.operationId ?? deriveId(operation);
    const first = firstById.get(id.toLowerCase());
    if (first) report(duplicateId(id, operation, first));
    else firstById.set(id.toLowerCase(), { method: operation.method, path: operation.path });
    const place = locate(operation.at, "key");
    const facts = { id, words: describe(operation), address, connection, place };
    let compiled: ReturnType<typeof compileOperation>;
    try {
      compiled = compileOperation(operation, facts, workshop);
    } catch (error) {
      // A mistake of the compiler, which shall cost no more than the operation that shows it.
      report(uncompilable(operation, error));
      continue;
    }
    if (compiled.isReduced) reduced.push(id);
    take(compiled.operation);
  }
  const mismatch = credentials.diagnostic();
  diagnostics.push(...addresses.diagnostics(), ...(mismatch ? [mismatch] : []));
  if (reduced.length > 0) diagnostics.push(reducedSchemas(document, surface, reduced));
  return diagnostics;
}

/** What was said when the operations were read before. */
function ignore(): void {}

/** Together, the paths are most of a large document. */
function letGoOf(paths: JsonValue | undefined): (path: string) => void {
  return isObject(paths) ? (path) => Reflect.deleteProperty(paths, path) : ignore;
}

function compileOperation(
  operation: ApiOperation,
  facts: Pick<Operation, "id" | "connection" | "place"> & {
    readonly words: Pick<Operation, "title" | "description">;
    readonly address: ChosenAddress;
  },
  workshop: Workshop,
): { readonly operation: Operation; readonly isReduced: boolean } {
  const declared = operation.parameters.filter((parameter) => parameter.in === "path");
  const template = normalizePath(
    operation.path,
    declared.map(({ name }) => name),
  );
  const hasConnection = facts.connection !== undefined;
  const options = { ...workshop, hasConnection };
  const { inputSchema, parameters, body, reduced, notes } = compileArguments(operation, template, options);
  const { method, path, tags, deprecated } = operation;
  const room = schemaRoom - workshop.measure.sizeOf(inputSchema);
  const compiled: Operation = {
    id: facts.id,
    method,
    path,
    tags,
    deprecated,
    ...facts.words,
    inputSchema,
    outputSchema: compileOutputSchema(operation, workshop.output, workshop.outputFitter, room),
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
    ...(notes.length > 0 && { notes: limitNotes(notes) }),
    connection: facts.connection,
    place: facts.place,
  };
  return { operation: compiled, isReduced: reduced.length > 0 };
}

/** `get_pets_petId` for `GET /pets/{petId}`. */
function deriveId({ method, path }: ApiOperation): string {
  const segments = path.split("/").filter((segment) => segment !== "");
  return [
    method.toLowerCase(),
    ...segments.map((segment) => segment.replace(/\{\+?([^{}]*?)[+*]?\}/g, "$1")),
  ].join("_");
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

function duplicateId(
  id: string,
  operation: ApiOperation,
  first: Pick<ApiOperation, "method" | "path">,
): Problem {
  return {
    severity: "warning",
    code: "name-collision",
    message: `The operation id \`${id}\` of \`${operation.method} ${operation.path}\` is also that of \`${first.method} ${first.path}\`. Both are offered; give each an id of its own so that the names tell them apart.`,
    at: operation.at,
  };
}

function uncompilable({ method, path, at }: ApiOperation, error: unknown): Problem {
  const reason = error instanceof Error ? error.message : String(error);
  return {
    severity: "error",
    code: "operation-dropped",
    message: `The operation \`${method} ${path}\` can't be turned into a tool, so there is none for it: ${reason}. That is a mistake of the gateway; please report it with this part of the document.`,
    at,
  };
}

function noOperations(document: LoadedDocument, surface: OpenApiSurface): Diagnostic {
  const why = surface.deprecated === "include" ? "" : " that is not deprecated";
  return {
    severity: "information",
    code: "no-operations",
    message: `\`${document.name}\` describes no operation${why}, so there are no tools: its \`paths\` has none.`,
    place: surface.document.place,
  };
}

function tooManyOperations(document: LoadedDocument, surface: OpenApiSurface): Diagnostic {
  const most = surface.documentLimits.operations.toLocaleString("en");
  return {
    severity: "error",
    code: "document-too-large",
    message: `\`${document.name}\` describes more than ${most} operations. Reduce it to those that are needed, or raise \`limits.documents.operations\`.`,
    place: surface.document.place,
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
