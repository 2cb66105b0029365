import type { JsonObject, JsonSchema, JsonValue } from "../../model/json.ts";
import { stableHash } from "../http/stable-hash.ts";
import { convertConstraints, convertEnum } from "./convert-keywords.ts";
import type { BaseSchema } from "./inheritance.ts";
import { asArray, asObject, asText, isArray, isObject, member, referenceOf } from "./json-view.ts";
import { describeChoice, mergeSchemas } from "./merge-schemas.ts";
import type { ApiVersion, DocumentPath } from "./model.ts";
import type { ReferenceGraph } from "./reference-graph.ts";
import { pointerOf, type ReferenceResolver } from "./resolve-reference.ts";
import { createLossFinder, type SchemaLoss } from "./schema-losses.ts";
import type { SchemaMeasure } from "./schema-size.ts";
import { isNullable, makeNullable, readTypes, typesOf } from "./schema-types.ts";
import { shorten } from "./shorten.ts";
import { withValue } from "./with-value.ts";

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
  /** What could not be converted in a schema of an earlier result; the first few. */
  lossesOf(schema: JsonSchema): readonly SchemaLoss[];
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
/** Longest pattern that a description quotes. */
const patternLimit = 100;
/** Most bytes that the children of a base may add to it. */
const childrenLimit = 6_000;

/** How the schema at hand is used, which decides what its references may do. */
interface Position {
  /** The schema that is being made a definition or written in place, while no property or item has been entered. */
  readonly owner: string | undefined;
  readonly within: "nested" | "union" | "all-of";
  /** True when the way from the owner leads through an `allOf` that is written in place. */
  readonly inAllOf?: boolean;
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
  const { inheritance } = graph;
  const inPlace = new Map<string, JsonSchema>();
  const definitions = new Map<string, JsonSchema>();
  const pointers = new Map<string, string>();
  const included = new Map<string, JsonSchema>();
  const converted = new WeakMap<JsonObject, JsonSchema>();
  /** The path whose own schemas were converted last, and what they came to. */
  let path: DocumentPath[number] | undefined;
  let onPath = converted;
  /** Schemas that are being written in place. */
  const open = new Set<string>();
  /** What stands in place inside of each schema, as far as they were converted. */
  const contained = new Map<string, Set<string>>();
  const hiddenKeyword = direction === "input" ? "readOnly" : "writeOnly";
  const isOutput = direction === "output";
  const losses = createLossFinder(definition);

  function convertAny(schema: JsonValue | undefined, at: DocumentPath, position: Position): JsonSchema {
    if (schema === false) return { not: {} };
    if (!isObject(schema) || position.level > maximumHeight) return {};
    const reference = referenceOf(schema);
    if (reference === undefined) return convertObject(schema, at, position);
    const target = convertReference(reference, at, position);
    return losses.inherit(withSiblings(target, schema, at, position), [target]);
  }

  function convertReference(reference: string, at: DocumentPath, position: Position): JsonSchema {
    const target = resolver.resolve(reference, at);
    if (!target || target.path.length === 0) {
      resolver.reportUnresolved(reference, [...at, "$ref"]);
      return losses.note({}, [`the reference \`${shorten(reference, 80)}\` can't be followed.`]);
    }
    // The placeholder of a generic schema, which those that use it fill in.
    if (isPlaceholder(target.value)) return {};
    const { owner, within, level } = position;
    if (owner !== undefined && graph.isEndless(owner, target.pointer, false)) {
      // A base that lists its children, each of which includes the base: the child takes the base without the list.
      if (within === "all-of") {
        return once(`${owner} ${target.pointer}`, () =>
          convertObject(withoutCircle(asObject(target.value), target.path, owner), target.path, position),
        );
      }
      if (position.inAllOf || graph.isEndless(owner, target.pointer, true)) return {};
    }
    // What the graph can't foresee: names that mean different schemas in different places.
    if (owner !== undefined && closesCircle(owner, target.pointer)) return {};
    // Who includes a base is one of its children, and not another one.
    if (within === "all-of" && inheritance.baseAt(target.path)) {
      const inside = { owner: target.pointer, within, inAllOf: true, level: level + 1 };
      return once(target.pointer, () => convertAny(target.value, target.path, inside));
    }
    // Or met inside of itself, which the graph did not foresee either.
    if (graph.isRecursive(target.pointer) || open.has(target.pointer))
      return { $ref: `#/$defs/${definitionName(target.pointer)}` };
    const known = inPlace.get(target.pointer);
    open.add(target.pointer);
    const converted =
      known ??
      convertAny(target.value, target.path, { owner: target.pointer, within: "union", level: level + 1 });
    open.delete(target.pointer);
    if (!known) inPlace.set(target.pointer, converted);
    if (level + measure.heightOf(converted) <= maximumHeight) return converted;
    return { $ref: `#/$defs/${definitionName(target.pointer)}` };
  }

  /** What is included by `allOf` is converted once, and adds nothing to itself: it would multiply with each step. */
  function once(key: string, convertFresh: () => JsonSchema): JsonSchema {
    const known = included.get(key);
    if (known) return known;
    included.set(key, {});
    const converted = convertFresh();
    included.set(key, converted);
    return converted;
  }

  /** Remembers that one schema stands in place inside of another; true, and forgotten, when that would never end. */
  function closesCircle(owner: string, pointer: string): boolean {
    const pending = [pointer];
    const seen = new Set(pending);
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (next === owner) return true;
      for (const inner of contained.get(next) ?? []) {
        if (!seen.has(inner)) pending.push(inner);
        seen.add(inner);
      }
    }
    contained.set(owner, (contained.get(owner) ?? new Set()).add(pointer));
    return false;
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
    const { $ref: _reference, $dynamicRef: _dynamic, ...siblings } = schema;
    if (Object.keys(siblings).length === 0) return target;
    const old = version === "2.0" || version === "3.0";
    const description = asText(siblings["description"]);
    const own = old
      ? description === undefined
        ? {}
        : { description: shorten(description, descriptionLimit) }
      : convertObject(siblings, at, position, typesOf(target));
    const nullable = old && isNullable(siblings);
    if (Object.keys(own).length === 0) return nullable ? makeNullable(target) : target;
    const merged = mergeSchemas([target, own]);
    return nullable ? makeNullable(merged) : merged;
  }

  /** @param around the types of what the schema stands beside, for limits of a schema that says no type itself. */
  function convertObject(
    source: JsonObject,
    at: DocumentPath,
    position: Position,
    around: readonly string[] = [],
  ): JsonSchema {
    const nested: Position = { owner: undefined, within: "nested", level: position.level + 1 };
    const result: Record<string, JsonValue> = {};
    const description = asText(member(source, "description"));
    if (description !== undefined) result["description"] = shorten(description, descriptionLimit);
    let types = readTypes(source);
    if (types.length === 1) result["type"] = types[0] ?? "object";
    else if (types.length > 1) result["type"] = types;

    if (types.includes("object")) convertMembers(source, at, nested, result);
    if (types.includes("array")) convertItems(source, at, nested, result);
    const branches = convertChoices(source, at, position);
    const parts = convertParts(source, at, position);
    if (!isOutput) {
      const limited = types.length > 0 ? types : [...around, ...parts.flatMap(typesOf)];
      Object.assign(result, convertConstraints(source, limited));
    }

    let schema: JsonSchema = result;
    if (parts.length > 0)
      schema = mergeSchemas([...parts, result].filter((part) => Object.keys(part).length > 0));
    const [onlyBranch] = branches;
    if (branches.length === 1 && onlyBranch) schema = mergeSchemas([onlyBranch, schema]);
    // `oneOf` refuses what fits two branches, such as 1 for integer and number; what is meant is a choice.
    else if (branches.length > 1) schema = mergeSchemas([schema, describeChoice(branches)]);
    // Without its discriminator a base is taken as the part of another schema.
    const isBare = isOutput || position.within === "all-of" || source["discriminator"] === undefined;
    const base = isBare ? undefined : inheritance.baseAt(at);
    if (base) schema = withChildren(schema, base, position.owner ?? pointerOf(at), position.level, false);
    types = typeof schema["type"] === "string" ? [schema["type"]] : types;
    if (!isOutput) schema = convertEnum(schema, source, types);
    if (isOutput || isNullable(source)) schema = makeNullable(schema);
    return losses.inherit(losses.note(schema, lostKeywords(source, schema)), [...parts, ...branches]);
  }

  function convertChoices(source: JsonObject, at: DocumentPath, position: Position): readonly JsonSchema[] {
    // Most schemas are no choice, and there are many.
    if (source["oneOf"] === undefined && source["anyOf"] === undefined) return [];
    const choices = (["oneOf", "anyOf"] as const).flatMap((keyword) =>
      asArray(source[keyword]).flatMap((choice, index) =>
        choice === false ? [] : [{ choice, choiceAt: [...at, keyword, index] }],
      ),
    );
    const union = { ...position, within: "union", level: position.level + 1 } as const;
    const written = choices.map(({ choice, choiceAt }) => convertAny(choice, choiceAt, union));
    const references = choices.map(({ choice }) => choice);
    return isOutput ? written : discriminate(source, references, written, at);
  }

  function convertParts(source: JsonObject, at: DocumentPath, position: Position): readonly JsonSchema[] {
    const parts = asArray(source["allOf"]);
    if (parts.length === 0) return [];
    const all = { ...position, within: "all-of", inAllOf: true, level: position.level + 1 } as const;
    return parts.map((part, index) => convertAny(part, [...at, "allOf", index], all));
  }

  function lostKeywords(source: JsonObject, schema: JsonSchema): readonly string[] {
    if (isOutput) return [];
    const { pattern, enum: values } = source;
    if (pattern === undefined && values === undefined) return [];
    const isPatternLost =
      typeof pattern === "string" && asText(pattern) !== undefined && readTypes(source).includes("string");
    const kept =
      schema["pattern"] !== undefined || schema["enum"] !== undefined || schema["anyOf"] !== undefined;
    const isEnumLost =
      isArray(values) && values.length > 50 && !values.some((value) => typeof value === "string");
    return [
      ...(isPatternLost && !kept
        ? [
            `the pattern \`${shorten(pattern, patternLimit)}\` is no regular expression of JSON Schema and is not checked.`,
          ]
        : []),
      ...(isEnumLost && !kept ? [`its ${values.length} possible values are not listed.`] : []),
    ];
  }

  /**
   * What a base schema's children are beside what they have in common: alternatives, or members that may be given where there can't be a
   * choice (`isMerged`), or where the base may stand for itself.
   */
  function withChildren(
    schema: JsonSchema,
    base: BaseSchema,
    owner: string,
    level: number,
    isMerged: boolean,
  ): JsonSchema {
    const { property, children, values } = base;
    const inside = { owner, within: "union", level: level + 1 } as const;
    const parts = children.map((child) => convertAny(child.part, child.at, inside));
    const names = children.map((child) => child.values[0] ?? child.name);
    const all = [...(values ?? []), ...children.flatMap((child) => child.values)];
    const isComplete = values !== undefined && children.every((child) => child.values.length > 0);
    const telling = (shown: JsonSchema): JsonSchema =>
      withValue(shown, shown, property, isComplete ? all : [], names);
    if (parts.reduce((sum, part) => sum + measure.sizeOf(part), 0) > childrenLimit) {
      const listed = children.map(({ name }) => `\`${name}\``).join(", ");
      return losses.note(telling(schema), [
        `the members of its forms (${shorten(listed, 80)}) are not shown.`,
      ]);
    }
    if (isMerged || values === undefined) {
      return telling(mergeSchemas([schema, describeChoice([...parts, {}])]));
    }
    const branches = parts.map((part, index) => {
      const child = children[index];
      return withValue(part, schema, property, child?.values ?? [], child ? [child.name] : []);
    });
    const own = values.length === 0 ? [] : [withValue({}, schema, property, values, [])];
    const [only = {}, ...others] = [...branches, ...own];
    return mergeSchemas([schema, others.length === 0 ? only : { anyOf: [only, ...others] }]);
  }

  /** The alternatives of a union, each with the values of the discriminator that mean it, where the document lists them. */
  function discriminate(
    source: JsonObject,
    choices: readonly JsonValue[],
    branches: readonly JsonSchema[],
    at: DocumentPath,
  ): readonly JsonSchema[] {
    const property = asText(asObject(source["discriminator"])["propertyName"]);
    if (property === undefined) return branches;
    const known = inheritance.valuesOf(source["discriminator"], at);
    return branches.map((branch, index) => {
      const reference = asObject(choices[index])["$ref"];
      const target = typeof reference === "string" ? resolver.resolve(reference, at) : undefined;
      const values = target && known.get(target.pointer);
      return values && branch["$ref"] === undefined ? withValue(branch, {}, property, values, []) : branch;
    });
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
    const needed = asArray(source["required"]);
    if (needed.length > 0) {
      const names = new Set<JsonValue>(properties.map(([name]) => name));
      const required = new Set(needed.filter((name) => names.has(name)));
      if (required.size > 0) result["required"] = [...required];
    }
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

  /**
   * A parameter among the components is often that of a thousand operations. What a path has itself is remembered until the next path:
   * it would else be held as long as the document, and is most of all.
   */
  function memoryOf([first, key]: DocumentPath): WeakMap<JsonObject, JsonSchema> {
    if (first !== "paths") return converted;
    if (key !== path) onPath = new WeakMap();
    path = key;
    return onPath;
  }

  function convert(schema: JsonValue | undefined, at: DocumentPath): JsonSchema {
    const position: Position = { owner: undefined, within: "nested", level: 0 };
    if (!isObject(schema)) return convertAny(schema, at, position);
    const memory = memoryOf(at);
    const known = memory.get(schema);
    if (known) return known;
    const fresh = convertAny(schema, at, position);
    memory.set(schema, fresh);
    return fresh;
  }

  function convertRoot(schema: JsonValue | undefined, at: DocumentPath): JsonSchema {
    const traced = resolver.trace(schema, at);
    const base = isOutput || traced.unresolved !== undefined ? undefined : inheritance.baseAt(traced.at);
    if (base) return convertBaseRoot(traced.value, traced.at, base);
    return expand(convertAny(schema, at, { owner: undefined, within: "nested", level: 0 }), new Set());
  }

  /** Without a choice at the top: the members of all children may be given. */
  function convertBaseRoot(source: JsonObject, at: DocumentPath, base: BaseSchema): JsonSchema {
    const owner = pointerOf(at);
    const schema = convertAny(source, at, { owner, within: "all-of", level: 0 });
    return withChildren(expand(schema, new Set()), base, owner, 0, true);
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
    convert,
    convertRoot,
    isPolymorphic: (schema, at) => {
      const { value, at: valueAt } = resolver.follow(schema, at);
      // What all of its children have is written out.
      if (value["discriminator"] === undefined) return false;
      const base = inheritance.baseAt(valueAt);
      return !base || !isWrittenOut(asObject(convertRoot(schema, at)["properties"]), base);
    },
    definition,
    lossesOf: losses.of,
  };
}

/** True when the properties of all children are among those of their base. */
function isWrittenOut(properties: JsonSchema, { children }: BaseSchema): boolean {
  return children.every(({ part }) =>
    Object.keys(asObject(part["properties"])).every((name) => Object.hasOwn(properties, name)),
  );
}

/** A schema that nothing fits, which stands where a generic one lets others say what fits. */
function isPlaceholder(value: JsonValue): boolean {
  const { not, ...rest } = asObject(value);
  const isNothing = not === true || (isObject(not) && Object.keys(not).length === 0);
  return isNothing && typeof rest["$dynamicAnchor"] === "string";
}
