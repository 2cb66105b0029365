import { isJsonObject } from "../json-object.ts";
import type { JsonSchema, JsonValue } from "../model/json.ts";

/** A part of a schema that JSON Schema 2020-12 does not allow. */
export interface MetaSchemaViolation {
  /** From the root of the schema to the part. */
  readonly path: readonly string[];
  /** The only values that it may have, if there is such a list. */
  readonly allowedValues: readonly string[] | undefined;
  /** The types that it may have, as JSON Schema names them, if its type is what is wrong. */
  readonly types: readonly string[];
}

/**
 * Finds what in a schema is none of JSON Schema 2020-12, as its meta-schema says. Formats, such as that of a pattern, are not looked at, nor
 * are keywords that it does not know.
 *
 * Written down by hand: the meta-schema as such would have to be compiled, and its errors read back.
 */
export function findMetaSchemaViolations(schema: JsonSchema): readonly MetaSchemaViolation[] {
  return [...checkSchema(schema, [])];
}

type Path = readonly string[];
type Operand = (value: JsonValue, path: Path) => Iterable<MetaSchemaViolation>;

const anchor = text(/^[A-Za-z_][-A-Za-z0-9._]*$/);
const any: Operand = () => [];
const boolean = ofType("boolean");
const number = ofType("number");
const count: Operand = (value, path) =>
  Number.isInteger(value) ? demand(Number(value) >= 0, path) : wrongType(path, "integer");
const names = list(text(), { unique: true });
const schemas = list(checkSchema, { least: 1 });
const schemasByName = mapping(checkSchema);

/** What stands after each keyword, in the order of the vocabularies: core, applicator, unevaluated, validation, meta-data, content. */
const operands: ReadonlyMap<string, Operand> = new Map<string, Operand>([
  ["$id", text(/^[^#]*#?$/)],
  ...each(["$schema", "$ref", "$dynamicRef", "$recursiveRef", "$comment"], text()),
  ...each(["$anchor", "$dynamicAnchor", "$recursiveAnchor"], anchor),
  ["$vocabulary", mapping(boolean)],
  ...each(["$defs", "definitions", "properties", "patternProperties", "dependentSchemas"], schemasByName),
  ...each(["prefixItems", "allOf", "anyOf", "oneOf"], schemas),
  ...each(["items", "contains", "additionalProperties", "propertyNames"], checkSchema),
  ...each(["if", "then", "else", "not"], checkSchema),
  ...each(["unevaluatedItems", "unevaluatedProperties", "contentSchema"], checkSchema),
  ["type", checkType],
  ["const", any],
  ["default", any],
  ...each(["enum", "examples"], list(any)),
  [
    "multipleOf",
    (value, path) => (typeof value === "number" ? demand(value > 0, path) : wrongType(path, "number")),
  ],
  ...each(["maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"], number),
  ...each(["maxLength", "minLength", "maxItems", "minItems", "maxContains", "minContains"], count),
  ...each(["maxProperties", "minProperties"], count),
  ...each(["pattern", "title", "description", "format", "contentEncoding", "contentMediaType"], text()),
  ...each(["uniqueItems", "deprecated", "readOnly", "writeOnly"], boolean),
  ["required", names],
  ["dependentRequired", mapping(names)],
  ["dependencies", mapping(checkDependency)],
]);

const simpleTypes = ["array", "boolean", "integer", "null", "number", "object", "string"];

function* checkSchema(schema: JsonValue, path: Path): Generator<MetaSchemaViolation> {
  if (typeof schema === "boolean") return;
  if (!isJsonObject(schema)) {
    yield { path, allowedValues: undefined, types: ["object", "boolean"] };
    return;
  }
  for (const [keyword, value] of Object.entries(schema)) {
    const operand = operands.get(keyword);
    if (operand !== undefined) yield* operand(value, [...path, keyword]);
  }
}

/** A schema, or a list of names without repetitions. */
function* checkDependency(value: JsonValue, path: Path): Generator<MetaSchemaViolation> {
  if (typeof value === "boolean" || isJsonObject(value)) return yield* checkSchema(value, path);
  const isList = Array.isArray(value);
  const wrong = isList ? [...names(value, path)] : [];
  yield* wrong.filter((violation) => violation.path.length > path.length);
  if (!isList) yield { path, allowedValues: undefined, types: ["object", "boolean", "array"] };
  else if (wrong.some((violation) => violation.path.length === path.length))
    yield { path, allowedValues: undefined, types: ["object", "boolean"] };
}

function* checkType(value: JsonValue, path: Path): Generator<MetaSchemaViolation> {
  if (isSimpleType(value)) return;
  if (!Array.isArray(value)) {
    yield { path, allowedValues: simpleTypes, types: ["array"] };
    return;
  }
  const foreign = value.flatMap((item, index) => (isSimpleType(item) ? [] : [String(index)]));
  for (const index of foreign) yield { path: [...path, index], allowedValues: simpleTypes, types: [] };
  const isRepeated = new Set(value.map((item) => JSON.stringify(item))).size < value.length;
  if (foreign.length === 0 && (value.length === 0 || isRepeated))
    yield { path, allowedValues: simpleTypes, types: [] };
}

function isSimpleType(value: JsonValue): boolean {
  return typeof value === "string" && simpleTypes.includes(value);
}

function each(keywords: readonly string[], operand: Operand): readonly (readonly [string, Operand])[] {
  return keywords.map((keyword) => [keyword, operand] as const);
}

function ofType(type: "boolean" | "number"): Operand {
  return (value, path) => (typeof value === type ? [] : wrongType(path, type));
}

function text(pattern?: RegExp): Operand {
  return (value, path) => {
    if (typeof value !== "string") return wrongType(path, "string");
    return demand(pattern === undefined || pattern.test(value), path);
  };
}

function list(item: Operand, { least = 0, unique = false } = {}): Operand {
  return function* (value, path) {
    if (!Array.isArray(value)) return yield* wrongType(path, "array");
    const inside = value.flatMap((member, index) => [...item(member, [...path, String(index)])]);
    yield* inside;
    const isRepeated = unique && new Set(value.map((member) => JSON.stringify(member))).size < value.length;
    // Only the innermost place is where something stands.
    if (inside.length === 0) yield* demand(value.length >= least && !isRepeated, path);
  };
}

function mapping(member: Operand): Operand {
  return function* (value, path) {
    if (!isJsonObject(value)) return yield* wrongType(path, "object");
    for (const [key, part] of Object.entries(value)) yield* member(part, [...path, key]);
  };
}

function wrongType(path: Path, type: string): readonly MetaSchemaViolation[] {
  return [{ path, allowedValues: undefined, types: [type] }];
}

function demand(holds: boolean, path: Path): readonly MetaSchemaViolation[] {
  return holds ? [] : [{ path, allowedValues: undefined, types: [] }];
}
