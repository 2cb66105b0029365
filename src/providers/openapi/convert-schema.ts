import type { JsonObject, JsonSchema, JsonValue } from "../../model/json.ts";
import { stableHash } from "../http/stable-hash.ts";
import { convertConstraints, convertEnum } from "./convert-keywords.ts";
import { asArray, asObject, asText, isArray, isObject, member } from "./json-view.ts";
import { describeChoice, mergeSchemas } from "./merge-schemas.ts";
import type { ApiVersion, DocumentPath } from "./model.ts";
import type { ReferenceGraph } from "./reference-graph.ts";
import type { ReferenceResolver } from "./resolve-reference.ts";
import type { SchemaMeasure } from "./schema-size.ts";
import { shorten } from "./shorten.ts";

/**
 * Turns schemas of any OpenAPI version into JSON Schema 2020-12.
 *
 * The result depends on the schema alone, not on who asks or in what order, so it is made once and shared. Recursive
 * schemas become `#/$defs/<name>`; everything else is written in place.
 */
export interface SchemaConverter {
  /** The schema; a reference to `#/$defs/…` when it is recursive. */
  convert(schema: JsonValue | undefined, at: DocumentPath): JsonSchema;
  /** The same, written out at the top: never a reference, and `allOf` merged as far as it goes. */
  convertRoot(schema: JsonValue | undefined, at: DocumentPath): JsonSchema;
  /** True for a base whose children, told apart by a discriminator, may have more members than it declares. */
  isPolymorphic(schema: JsonValue | undefined, at: DocumentPath): boolean;
  /** The schema behind `#/$defs/<name>` of an earlier result. */
  definition(name: string): JsonSchema;
}

/**
 * `input`: what a caller may send, without `readOnly` members.
 * `output`: a description of what comes back that no answer breaks: without `writeOnly` members, nothing required,
 * everything nullable, no limits on values.
 */
export type SchemaDirection = "input" | "output";

/** Deepest nesting of one written-out schema; deeper references become definitions, deeper literals accept anything. */
const maximumHeight = 100;
const descriptionLimit = 400;

/** How the schema at hand is used, which decides what its references may do. */
interface Position {
  /** The schema that is being made a definition or written in place, while no property or item has been entered. */
  readonly owner: string | undefined;
  readonly within: "nested" | "union" | "all-of";
  readonly level: number;
}

/** What a converter knows of its document. */
export interface ConverterParts {
  readonly resolver: ReferenceResolver;
  readonly graph: ReferenceGraph;
  readonly measure: SchemaMeasure;
  readonly version: ApiVersion;
  readonly direction: SchemaDirection;
}

/** Makes the converter of a document. */
export function createSchemaConverter({
  resolver,
  graph,
  measure,
  version,
  direction,
}: ConverterParts): SchemaConverter {
  const inPlace = new Map<string, JsonSchema>();
  const definitions = new Map<string, JsonSchema>();
  const pointers = new Map<string, string>();
  const hiddenKeyword = direction === "input" ? "readOnly" : "writeOnly";
  const isOutput = direction === "output";

  function convertAny(schema: JsonValue | undefined, at: DocumentPath, position: Position): JsonSchema {
    if (schema === false) return { not: {} };
    if (!isObject(schema) || position.level > maximumHeight) return {};
    const reference = schema["$ref"];
    if (typeof reference !== "string") return convertObject(schema, at, position);
    const target = convertReference(reference, at, position);
    return withSiblings(target, schema, at, position);
  }

  function convertReference(reference: string, at: DocumentPath, position: Position): JsonSchema {
    const target = resolver.resolve(reference, at);
    if (!target || target.path.length === 0) {
      resolver.reportUnresolved(reference, [...at, "$ref"]);
      return {};
    }
    const { owner, within, level } = position;
    if (owner !== undefined && graph.isEndless(owner, target.pointer, false)) {
      // A base that lists its children, each of which includes the base: the child takes the base without the list.
      if (within === "all-of")
        return convertObject(
          withoutCircle(asObject(target.value), target.path, owner),
          target.path,
          position,
        );
      if (graph.isEndless(owner, target.pointer, true)) return {};
    }
    if (graph.isRecursive(target.pointer)) return { $ref: `#/$defs/${definitionName(target.pointer)}` };
    const known = inPlace.get(target.pointer);
    const converted =
      known ??
      convertAny(target.value, target.path, { owner: target.pointer, within: "union", level: level + 1 });
    if (!known) inPlace.set(target.pointer, converted);
    if (level + measure.heightOf(converted) <= maximumHeight) return converted;
    return { $ref: `#/$defs/${definitionName(target.pointer)}` };
  }

  function withoutCircle(schema: JsonObject, at: DocumentPath, owner: string): JsonObject {
    const { anyOf: _anyOf, oneOf: _oneOf, discriminator: _discriminator, ...rest } = schema;
    const parts = asArray(schema["allOf"]).filter((part) => {
      const reference = asObject(part)["$ref"];
      const target = typeof reference === "string" ? resolver.resolve(reference, at) : undefined;
      return !target || !graph.isEndless(owner, target.pointer, false);
    });
    return { ...rest, allOf: parts };
  }

  /** 3.1 applies what stands beside `$ref`; before, it was ignored, but descriptions and `nullable` are meant. */
  function withSiblings(
    target: JsonSchema,
    schema: JsonObject,
    at: DocumentPath,
    position: Position,
  ): JsonSchema {
    const { $ref: _reference, ...siblings } = schema;
    if (Object.keys(siblings).length === 0) return target;
    const old = version === "2.0" || version === "3.0";
    const description = asText(siblings["description"]);
    const own = old
      ? description === undefined
        ? {}
        : { description: shorten(description, descriptionLimit) }
      : convertObject(siblings, at, position);
    const nullable = old && isNullable(siblings);
    if (Object.keys(own).length === 0) return nullable ? makeNullable(target) : target;
    const merged = mergeSchemas([target, own]);
    return nullable ? makeNullable(merged) : merged;
  }

  function convertObject(source: JsonObject, at: DocumentPath, position: Position): JsonSchema {
    const nested: Position = { owner: undefined, within: "nested", level: position.level + 1 };
    const result: Record<string, JsonValue> = {};
    const description = asText(member(source, "description"));
    if (description !== undefined) result["description"] = shorten(description, descriptionLimit);
    let types = readTypes(source);
    if (types.length === 1) result["type"] = types[0] ?? "object";
    else if (types.length > 1) result["type"] = types;

    if (types.includes("object")) convertMembers(source, at, nested, result);
    if (types.includes("array")) convertItems(source, at, nested, result);
    if (!isOutput) Object.assign(result, convertConstraints(source, types));

    const choices = [...asArray(source["oneOf"]), ...asArray(source["anyOf"])].filter(
      (choice) => choice !== false,
    );
    const union = { ...position, within: "union", level: position.level + 1 } as const;
    const keyword = isArray(source["oneOf"]) ? "oneOf" : "anyOf";
    const branches = choices.map((choice, index) => convertAny(choice, [...at, keyword, index], union));
    const all = { ...position, within: "all-of", level: position.level + 1 } as const;
    const parts = asArray(source["allOf"]).map((part, index) =>
      convertAny(part, [...at, "allOf", index], all),
    );

    let schema: JsonSchema = result;
    if (parts.length > 0)
      schema = mergeSchemas([...parts, result].filter((part) => Object.keys(part).length > 0));
    const [onlyBranch] = branches;
    if (branches.length === 1 && onlyBranch) schema = mergeSchemas([onlyBranch, schema]);
    // `oneOf` refuses what fits two branches, such as 1 for integer and number; what is meant is a choice.
    else if (branches.length > 1) schema = mergeSchemas([schema, describeChoice(branches)]);
    types = typeof schema["type"] === "string" ? [schema["type"]] : types;
    if (!isOutput) schema = convertEnum(schema, source, types);
    if (isOutput || isNullable(source)) schema = makeNullable(schema);
    return schema;
  }

  function convertMembers(
    source: JsonObject,
    at: DocumentPath,
    nested: Position,
    result: Record<string, JsonValue>,
  ): void {
    const properties = Object.entries(asObject(source["properties"])).filter(
      ([, property]) => !isHidden(property, at),
    );
    result["properties"] = Object.fromEntries(
      properties.map(([name, property]) => [name, convertAny(property, [...at, "properties", name], nested)]),
    );
    if (isOutput) return;
    const names = new Set(properties.map(([name]) => name));
    const required = new Set(
      asArray(source["required"]).filter((name) => typeof name === "string" && names.has(name)),
    );
    if (required.size > 0) result["required"] = [...required];
    const rest = member(source, "additionalProperties");
    if (rest === false && member(source, "patternProperties") === undefined)
      result["additionalProperties"] = false;
    else if (rest === true) result["additionalProperties"] = true;
    else if (isObject(rest))
      result["additionalProperties"] = convertAny(rest, [...at, "additionalProperties"], nested);
  }

  function convertItems(
    source: JsonObject,
    at: DocumentPath,
    nested: Position,
    result: Record<string, JsonValue>,
  ): void {
    const items = member(source, "items");
    const prefix = isArray(items) ? items : asArray(source["prefixItems"]);
    // No answer may break a description of it, and tuples are broken by optional items.
    if (prefix.length > 0 && !isOutput) {
      result["prefixItems"] = prefix.map((item, index) =>
        convertAny(item, [...at, "prefixItems", index], nested),
      );
    }
    result["items"] = isArray(items) ? {} : convertAny(items, [...at, "items"], nested);
  }

  function isHidden(property: JsonValue, at: DocumentPath): boolean {
    const schema = asObject(property);
    if (schema[hiddenKeyword] === true) return true;
    const reference = schema["$ref"];
    if (typeof reference !== "string") return false;
    return asObject(resolver.resolve(reference, at)?.value)[hiddenKeyword] === true;
  }

  function definitionName(pointer: string): string {
    const last = pointer
      .slice(pointer.lastIndexOf("/") + 1)
      .replace(/(?:\.(?:json|ya?ml))?#$/i, "")
      .replaceAll("~1", "/")
      .replaceAll("~0", "~");
    const safe = last.replace(/[^A-Za-z0-9_.-]+/g, "_").slice(0, 50);
    const plain = safe === last && /^#\/(?:components\/schemas|definitions)\/[^/]+$/.test(pointer);
    const name = plain ? safe : `${safe}_${stableHash(pointer)}`;
    pointers.set(name, pointer);
    return name;
  }

  function definition(name: string): JsonSchema {
    const pointer = pointers.get(name);
    const target = pointer === undefined ? undefined : resolver.resolve(pointer, []);
    if (pointer === undefined || !target) throw new Error(`No schema of the document is called \`${name}\`.`);
    const known = definitions.get(pointer);
    if (known) return known;
    const converted = convertAny(target.value, target.path, { owner: pointer, within: "union", level: 0 });
    definitions.set(pointer, converted);
    return converted;
  }

  function convertRoot(schema: JsonValue | undefined, at: DocumentPath): JsonSchema {
    return expand(convertAny(schema, at, { owner: undefined, within: "nested", level: 0 }), new Set());
  }

  /** Definitions take the place of the references at the top of the schema; each at most once. */
  function expand(schema: JsonSchema, seen: ReadonlySet<string>): JsonSchema {
    const reference = schema["$ref"];
    if (typeof reference === "string") {
      const name = reference.slice("#/$defs/".length);
      return seen.has(name) ? {} : expand(definition(name), new Set([...seen, name]));
    }
    if (!isArray(schema["allOf"])) return schema;
    const { allOf: parts, ...rest } = schema;
    const expanded = asArray(parts).map((part) => expand(asObject(part), seen));
    return mergeSchemas([...expanded, rest]);
  }

  return {
    convert: (schema, at) => convertAny(schema, at, { owner: undefined, within: "nested", level: 0 }),
    convertRoot,
    isPolymorphic: (schema, at) => isObject(resolver.follow(schema, at).value["discriminator"]),
    definition,
  };
}

/** The JSON types that a schema allows, from what it says and what its keywords imply; none when it doesn't tell. */
function readTypes(source: JsonObject): readonly string[] {
  const written = member(source, "type");
  const names = (isArray(written) ? written : [written]).flatMap((name) =>
    typeof name === "string" ? (typeNames.get(name.trim().toLowerCase()) ?? []) : [],
  );
  if (names.length > 0) return [...new Set(names)];
  if (isObject(source["properties"]) || isObject(source["additionalProperties"])) return ["object"];
  if (source["items"] !== undefined) return ["array"];
  return [];
}

/** Besides the JSON types, names from other systems that documents use for them. */
const typeNames: ReadonlyMap<string, string> = new Map([
  ...["string", "number", "integer", "boolean", "array", "object", "null"].map(
    (name) => [name, name] as const,
  ),
  ["file", "string"],
  ["date", "string"],
  ["datetime", "string"],
  ["date-time", "string"],
  ["uuid", "string"],
  ["str", "string"],
  ["int", "integer"],
  ["int32", "integer"],
  ["int64", "integer"],
  ["long", "integer"],
  ["float", "number"],
  ["double", "number"],
  ["decimal", "number"],
  ["bool", "boolean"],
  ["list", "array"],
  ["map", "object"],
  ["dict", "object"],
]);

function isNullable(source: JsonObject): boolean {
  return source["nullable"] === true || source["x-nullable"] === true;
}

/** The schema, or null. */
function makeNullable(schema: JsonSchema): JsonSchema {
  const { type } = schema;
  const choices = schema["anyOf"];
  if (
    schema["enum"] !== undefined ||
    schema["const"] !== undefined ||
    schema["$ref"] !== undefined ||
    schema["allOf"] !== undefined
  ) {
    const { description, default: value, ...rest } = schema;
    return {
      ...(description !== undefined && { description }),
      ...(value !== undefined && { default: value }),
      anyOf: [rest, { type: "null" }],
    };
  }
  const widened: Record<string, JsonValue> = { ...schema };
  if (typeof type === "string" && type !== "null") widened["type"] = [type, "null"];
  if (isArray(type) && !type.includes("null")) widened["type"] = [...type, "null"];
  if (isArray(choices) && !choices.some((choice) => asObject(choice)["type"] === "null")) {
    widened["anyOf"] = [...choices, { type: "null" }];
  }
  return widened;
}
