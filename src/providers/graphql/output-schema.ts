import { isDeepStrictEqual } from "node:util";
import {
  type DocumentNode,
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNullableType,
  isCompositeType,
  isEnumType,
  isListType,
  isScalarType,
  isUnionType,
  Kind,
  type SelectionSetNode,
} from "graphql";
import { isJsonObject } from "../../json-object.ts";
import type { GraphqlAliases } from "../../model/catalog.ts";
import type { JsonSchema, JsonValue } from "../../model/json.ts";

/** Most bytes of one output schema. */
export const outputSchemaBytes = 4000;

/** Levels of objects to describe, tried until the schema is small enough. */
const levelsTried = [5, 3, 2, 1];

const nullableObject: JsonSchema = { type: ["object", "null"] };

/** The built-in scalars; values of others may be anything. */
const scalarTypes: ReadonlyMap<string, string> = new Map([
  ["Int", "integer"],
  ["Float", "number"],
  ["String", "string"],
  ["ID", "string"],
  ["Boolean", "boolean"],
]);

/**
 * Describes the answer to a document so that no answer breaks it: everything may be null or absent, custom scalars may be
 * anything. `undefined` when even a shallow description takes more than `mostBytes`.
 *
 * @param aliases what is renamed in the answer before anyone sees it
 */
export function describeOutput(
  schema: GraphQLSchema,
  document: DocumentNode,
  aliases: GraphqlAliases | undefined,
  mostBytes: number,
): JsonSchema | undefined {
  const [operation] = document.definitions;
  const root = operation?.kind === Kind.OPERATION_DEFINITION && schema.getRootType(operation.operation);
  if (!root) return undefined;
  for (const levels of levelsTried) {
    const reader = createReader(schema, document);
    const data = reader.describeObject(root, [operation.selectionSet], aliases, levels);
    const described = describeAnswer(data);
    if (Buffer.byteLength(JSON.stringify(described)) <= mostBytes) return described;
  }
  return undefined;
}

/** Describes the answer of an operation whose callers choose what comes back: nothing about the field itself. */
export function describeOpenOutput(field: string): JsonSchema {
  return describeAnswer({ ...nullableObject, properties: { [field]: {} } });
}

function describeAnswer(data: JsonSchema): JsonSchema {
  return {
    type: "object",
    properties: {
      data,
      errors: { type: ["array", "null"], description: "What went wrong, with the path to it.", items: {} },
    },
  };
}

function createReader(schema: GraphQLSchema, document: DocumentNode) {
  const fragments = new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );

  function describeObject(
    type: GraphQLCompositeType,
    sets: readonly SelectionSetNode[],
    aliases: GraphqlAliases | undefined,
    levels: number,
  ): JsonSchema {
    if (levels < 0) return nullableObject;
    const properties = new Map<string, JsonSchema>();
    const add = (owner: GraphQLCompositeType, field: FieldNode): void => {
      const responseKey = field.alias?.value ?? field.name.value;
      const alias = aliases && Object.hasOwn(aliases, responseKey) ? aliases[responseKey] : undefined;
      const key = alias?.name ?? responseKey;
      const described = describeField(owner, field, alias?.selection, levels);
      const known = properties.get(key);
      properties.set(key, known === undefined ? described : merge(known, described));
    };
    const walk = (owner: GraphQLCompositeType, { selections }: SelectionSetNode): void => {
      for (const node of selections) {
        if (node.kind === Kind.FIELD) {
          add(owner, node);
          continue;
        }
        const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
        if (fragment === undefined) continue;
        const condition = fragment.typeCondition && schema.getType(fragment.typeCondition.name.value);
        walk(isCompositeType(condition) ? condition : owner, fragment.selectionSet);
      }
    };
    for (const set of sets) walk(type, set);
    return { ...nullableObject, properties: Object.fromEntries(properties) };
  }

  function describeField(
    owner: GraphQLCompositeType,
    field: FieldNode,
    aliases: GraphqlAliases | undefined,
    levels: number,
  ): JsonSchema {
    const name = field.name.value;
    if (name === "__typename") return { type: ["string", "null"] };
    const type = isUnionType(owner) ? undefined : owner.getFields()[name]?.type;
    return type === undefined ? {} : describeType(type, field.selectionSet, aliases, levels);
  }

  function describeType(
    outputType: GraphQLOutputType,
    selection: SelectionSetNode | undefined,
    aliases: GraphqlAliases | undefined,
    levels: number,
  ): JsonSchema {
    const type = getNullableType(outputType);
    if (isListType(type))
      return { type: ["array", "null"], items: describeType(type.ofType, selection, aliases, levels) };
    if (isEnumType(type)) return { type: ["string", "null"] };
    if (isScalarType(type)) {
      const known = scalarTypes.get(type.name);
      return known === undefined ? {} : { type: [known, "null"] };
    }
    return selection === undefined ? {} : describeObject(type, [selection], aliases, levels - 1);
  }

  return { describeObject };
}

/** What holds for values of both. */
function merge(one: JsonSchema, other: JsonSchema): JsonSchema {
  if (isDeepStrictEqual(one, other)) return one;
  if (!isDeepStrictEqual(one["type"], other["type"])) return {};
  const merged: Record<string, JsonValue> = { ...one };
  if (isJsonObject(one["items"]) && isJsonObject(other["items"]))
    merged["items"] = merge(one["items"], other["items"]);
  if (isJsonObject(one["properties"]) && isJsonObject(other["properties"])) {
    const properties: Record<string, JsonValue> = { ...one["properties"] };
    for (const [key, schema] of Object.entries(other["properties"])) {
      const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
      properties[key] = isJsonObject(known) && isJsonObject(schema) ? merge(known, schema) : schema;
    }
    merged["properties"] = properties;
  }
  return merged;
}
