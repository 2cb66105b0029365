import type { NodePath } from "../documents/located-node.ts";
import type {
  RestBodyConfig,
  RestEncodingConfig,
  RestOperationConfig,
  RestParameterConfig,
  RestParameterStyle,
} from "../model/config.ts";
import type { Encoding, Operation, Parameter } from "../model/config-file.generated.ts";
import type { JsonSchema, JsonValue } from "../model/json.ts";
import { normalizeAnnotations, normalizeMapping } from "./normalize-choices.ts";
import { normalizePagination } from "./normalize-pagination.ts";
import { type Origin, record } from "./origin.ts";

/** The inline operations of a `rest` surface. `path` is that of their list. */
export function normalizeOperations(
  operations: readonly Operation[],
  path: NodePath,
  origin: Origin,
): readonly RestOperationConfig[] {
  return operations.map((operation, index) => normalizeOperation(operation, [...path, index], origin));
}

function normalizeOperation(operation: Operation, path: NodePath, origin: Origin): RestOperationConfig {
  return {
    name: operation.name,
    title: operation.title,
    description: operation.description,
    tags: operation.tags ?? [],
    deprecated: operation.deprecated ?? false,
    annotations: normalizeAnnotations(operation.annotations ?? {}),
    method: operation.method,
    path: operation.path,
    parameters: (operation.parameters ?? []).map((parameter, index) =>
      normalizeParameter(parameter, [...path, "parameters", index], origin),
    ),
    body: normalizeBody(operation, path, origin),
    accept: operation.accept,
    // Unknown to the generated types, but it comes from a parsed file and is JSON.
    outputSchema: operation.output_schema as JsonSchema | undefined,
    responseMapping: normalizeMapping(operation.response_mapping),
    pagination: normalizePagination(operation.pagination, [...path, "pagination"], origin),
    connection: operation.connection,
    place: origin.place([...path, "name"]),
  };
}

function normalizeParameter(parameter: Parameter, path: NodePath, origin: Origin): RestParameterConfig {
  const schema = schemaOf(parameter);
  const text = schema["type"] === "string" ? origin.referenceText([...path, "default"]) : undefined;
  const style = parameter.style ?? defaultStyle(parameter.in);
  return {
    name: parameter.name,
    in: parameter.in,
    required: parameter.required ?? parameter.in === "path",
    description: parameter.description,
    // Unknown to the generated types, but it comes from a parsed file and is JSON.
    default: text ?? (parameter.default as JsonValue | undefined),
    schema,
    style,
    explode: parameter.explode ?? (style === "form" || style === "deepObject" || style === "cookie"),
    allowReserved: parameter.allow_reserved ?? false,
    // A query string is text, and how a value becomes that text can only be told by a media type.
    content: parameter.content ?? (parameter.in === "querystring" ? formMediaType : undefined),
    deprecated: parameter.deprecated ?? false,
    place: origin.place([...path, "name"]),
  };
}

const formMediaType = "application/x-www-form-urlencoded";

/** OpenAPI 3.2 section 4.12.2.1. */
function defaultStyle(location: Parameter["in"]): RestParameterStyle {
  return location === "path" || location === "header" ? "simple" : "form";
}

function schemaOf({ schema, type, enum: values, items, properties, format }: Parameter): JsonSchema {
  const implied = items ? "array" : properties ? "object" : values ? undefined : "string";
  const short = { type: type ?? implied, enum: values, items, properties, format };
  // The keys of the short form are those of JSON Schema, and all of it comes from a parsed file and is JSON.
  return (schema ??
    Object.fromEntries(Object.entries(short).filter(([, value]) => value !== undefined))) as JsonSchema;
}

function normalizeBody(
  { body, parameters = [] }: Operation,
  path: NodePath,
  origin: Origin,
): RestBodyConfig | undefined {
  const hasMembers = parameters.some((parameter) => parameter.in === "body");
  if (!body && !hasMembers) return undefined;
  const { content_type, schema, required, description, encoding = {} } = body ?? {};
  return {
    contentType: content_type ?? "application/json",
    // Unknown to the generated types, but it comes from a parsed file and is JSON.
    schema: hasMembers ? undefined : ((schema ?? {}) as JsonSchema),
    required: required ?? true,
    description,
    encoding: record(Object.entries(encoding).map(([name, entry]) => [name, normalizeEncoding(entry)])),
    place: origin.place(body ? [...path, "body"] : [...path, "parameters"]),
  };
}

function normalizeEncoding({
  content_type,
  style,
  explode,
  allow_reserved,
  file,
}: Encoding): RestEncodingConfig {
  return {
    contentType: content_type,
    style,
    explode,
    allowReserved: allow_reserved ?? false,
    file: file ?? false,
  };
}
