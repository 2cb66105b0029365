import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { HttpBody, HttpParameter, Operation } from "../../model/catalog.ts";
import type { RestOperationConfig, RestSurface } from "../../model/config.ts";
import type { JsonValue } from "../../model/json.ts";
import { annotationsOf } from "../http/annotations.ts";
import { createSourceFinder, type OwnParameters } from "../http/parameter-source.ts";
import { createArgumentDescriber } from "../openapi/argument-candidate.ts";
import {
  type ArgumentOptions,
  layOutArguments,
  type OperationArguments,
  schemaRoom,
} from "../openapi/arguments.ts";
import { createSchemaConverter, type SchemaConverter } from "../openapi/convert-schema.ts";
import { createSchemaFitter, type SchemaFitter } from "../openapi/fit-schema.ts";
import type { ApiOperation, Report } from "../openapi/model.ts";
import { normalizePath } from "../openapi/normalize-path.ts";
import { limitNotes } from "../openapi/notes.ts";
import { acceptHeader, compileOutputSchema } from "../openapi/output-schema.ts";
import { createReferenceGraph } from "../openapi/reference-graph.ts";
import { noRelatedDocuments } from "../openapi/related-documents.ts";
import { createReferenceResolver } from "../openapi/resolve-reference.ts";
import { createSchemaMeasure, type SchemaMeasure } from "../openapi/schema-size.ts";
import { createInlineSchemas } from "./inline-schemas.ts";
import { readOperation } from "./read-operation.ts";

/** What inline declarations came to. */
export interface CompiledOperations {
  readonly operations: readonly Operation[];
  readonly diagnostics: readonly Diagnostic[];
}

/** What every operation of a surface is compiled with. */
interface Workshop extends ArgumentOptions {
  readonly measure: SchemaMeasure;
  readonly output: SchemaConverter;
  readonly outputFitter: SchemaFitter;
}

/**
 * Compiles the operations that are written in the configuration file itself, by the means of OpenAPI documents: what is said
 * there of arguments, bodies and schemas holds here. What the provider sends is no argument.
 */
export function compileRest(surface: RestSurface, provider: OwnParameters): CompiledOperations {
  const diagnostics: Diagnostic[] = [];
  const schemas = createInlineSchemas();
  const sourceOf = createSourceFinder(provider);
  const read = surface.operations.map((config) => {
    return { config, operation: readOperation(config, schemas, sourceOf) };
  });
  const report: Report = ({ severity, code, message, at }) => {
    diagnostics.push({ severity, code, message, place: schemas.placeAt(at) ?? surface.place });
  };
  const resolver = createReferenceResolver(schemas.root, [], noRelatedDocuments, report);
  const shared = { resolver, measure: createSchemaMeasure(), graph: createReferenceGraph(resolver) };
  const converter = createSchemaConverter({ ...shared, version: "3.1", direction: "input" });
  const output = createSchemaConverter({ ...shared, version: "3.1", direction: "output" });
  const workshop: Workshop = {
    measure: shared.measure,
    sourceOf,
    describe: createArgumentDescriber(),
    converter,
    fitter: createSchemaFitter(converter.definition, shared.measure),
    output,
    outputFitter: createSchemaFitter(output.definition, shared.measure),
  };
  const operations = read.map(({ config, operation }) => {
    const visible = operation.parameters.filter(
      (parameter) => workshop.sourceOf(parameter) !== "every-request",
    );
    const laidOut = layOutArguments(operation, visible, workshop);
    if (laidOut.reduced.length > 0) diagnostics.push(reducedSchema(config, laidOut.reduced));
    return compileOperation(config, operation, laidOut, workshop, surface);
  });
  return { operations, diagnostics };
}

function compileOperation(
  config: RestOperationConfig,
  operation: ApiOperation,
  { inputSchema, parameters, body, notes }: OperationArguments,
  { measure, output, outputFitter }: Workshop,
  surface: RestSurface,
): Operation {
  const { name, title, description, method, path, tags, deprecated, responseMapping, place } = config;
  const room = schemaRoom - measure.sizeOf(inputSchema);
  return {
    id: name,
    ...{ method, path, tags, deprecated, title, place },
    description: description ?? `${method} ${path}`,
    inputSchema,
    outputSchema: compileOutputSchema(operation, output, outputFitter, room),
    annotations: { ...annotationsOf(method), ...config.annotations },
    binding: {
      kind: "http",
      method,
      baseUrl: surface.baseUrl,
      addressFrom: "operator",
      path: normalizePath(path).path,
      parameters: parameters.map((parameter) => withDefault(parameter, config)),
      body: body && withDefaults(body, config),
      accept: config.accept ?? acceptHeader(operation),
      ...(config.pagination && { pagination: config.pagination }),
    },
    connection: config.connection ?? surface.connection,
    ...(responseMapping && { responseMapping }),
    ...(notes.length > 0 && { notes: limitNotes(notes) }),
  };
}

/** Unlike one of a document, which describes what the upstream does without, a default of the file is sent. */
function withDefault(parameter: HttpParameter, config: RestOperationConfig): HttpParameter {
  if (parameter.argument === undefined) return parameter;
  return { ...parameter, default: parameter.default ?? defaultOf(parameter.in, parameter.name, config) };
}

function withDefaults(body: HttpBody, config: RestOperationConfig): HttpBody {
  if (config.body?.schema !== undefined || body.source.kind === "argument") return body;
  const members = body.source.members.map((member) => ({
    ...member,
    default: member.default ?? defaultOf("body", member.name, config),
  }));
  // Where each member may be left out, so may the body.
  const required = members.some((member) => member.required || member.default !== undefined);
  return { ...body, required, source: { kind: "members", members } };
}

function defaultOf(location: string, name: string, config: RestOperationConfig): JsonValue | undefined {
  const found = config.parameters.find((parameter) => parameter.in === location && parameter.name === name);
  return found?.default;
}

function reducedSchema({ name, place }: RestOperationConfig, reduced: readonly string[]): Diagnostic {
  const subject = reduced.map((argument) => `\`${argument}\``).join(", ");
  return {
    severity: "information",
    code: "operation-degraded",
    message: `The schema of \`${name}\` is too large for a tool, so the deepest levels of ${subject} are not shown; any value is accepted there.`,
    place,
  };
}
