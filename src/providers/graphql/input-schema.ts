import {
  type GraphQLArgument,
  type GraphQLEnumType,
  type GraphQLInputField,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  GraphQLNonNull,
  type GraphQLNullableInputType,
  type GraphQLScalarType,
  getNamedType,
  getNullableType,
  isEnumType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  isScalarType,
  type ValueNode,
  valueFromASTUntyped,
} from "graphql";
import type { JsonSchema, JsonValue } from "../../model/json.ts";
import { shorten } from "../openapi/shorten.ts";
import { stripHidden } from "../strip-hidden.ts";
import { scalarNotes, scalarSchema } from "./scalar-schemas.ts";

/**
 * Most bytes of one input schema; a larger one is told with fewer words, then with fewer levels of types. With its name
 * and description, a tool stays below 32 KB.
 */
export const inputSchemaBytes = 30_000;

/** How much an input schema says: which descriptions, and how many levels of named types before one is only named. */
interface Detail {
  readonly descriptions: "whole" | "brief" | "none";
  readonly levels: number;
}

/** More levels than schemas of people have, and few enough for schemas that are made to exhaust. */
const everyLevel = 64;

const details: readonly Detail[] = [
  { descriptions: "whole", levels: everyLevel },
  { descriptions: "brief", levels: everyLevel },
  { descriptions: "none", levels: everyLevel },
  { descriptions: "brief", levels: 3 },
  { descriptions: "brief", levels: 2 },
  { descriptions: "brief", levels: 1 },
  { descriptions: "none", levels: 1 },
  { descriptions: "none", levels: 0 },
];

/** Longest `brief` description, in characters. */
const briefLength = 120;

/** Longest default value that a schema shows, in characters. Callers who leave the argument out need not know it. */
const longestDefault = 1000;

/** An enum whose values take no more characters than this is written in place however often it is used. */
const smallEnumLength = 200;

type NamedInputType = GraphQLEnumType | GraphQLInputObjectType;

/** One input of an operation: an argument of a root field, or a variable of a document. */
export interface Input {
  readonly name: string;
  readonly type: GraphQLInputType;
  readonly description: string | undefined;
  readonly deprecated: boolean;
  /** Must be given. */
  readonly required: boolean;
  readonly fallback: JsonValue | undefined;
}

/** What describing one set of inputs needs to know and collects. */
interface Description {
  readonly scalars: Readonly<Record<string, JsonSchema>>;
  readonly detail: Detail;
  /** How often a type is referred to, by name; a type that isn't listed lies below the last level. */
  readonly uses: ReadonlyMap<string, number>;
  readonly definitions: Map<string, JsonSchema>;
}

/** An argument of a field, or a member of an input object, as an input. */
export function inputOf(argument: GraphQLArgument | GraphQLInputField): Input {
  return {
    name: argument.name,
    type: argument.type,
    description: argument.description ?? undefined,
    deprecated: argument.deprecationReason != null,
    required: isNonNullType(argument.type) && argument.default === undefined,
    fallback: readDefault(argument.default?.literal),
  };
}

/**
 * Describes the inputs of an operation as JSON Schema 2020-12: one object whose properties are the inputs.
 *
 * A type that is used once is written in place; one that is used again, or contains itself, stands in `$defs`. Nullable
 * types accept `null`, which a GraphQL server may treat differently from an argument that is left out; what has a default
 * may be left out even where it can't be null. `scalars` holds the schemas that the configuration gives custom scalars.
 *
 * Returns `undefined` for inputs whose briefest description takes more than `inputSchemaBytes`.
 */
export function describeInputs(
  inputs: readonly Input[],
  scalars: Readonly<Record<string, JsonSchema>>,
): JsonSchema | undefined {
  const usesByLevels = new Map<number, ReadonlyMap<string, number>>();
  for (const levels of new Set(
    details.map((detail) => detail.levels).toSorted((one, other) => one - other),
  )) {
    const uses = countUses(inputs, levels);
    // What is too much stays too much with more levels.
    if (uses === undefined) break;
    usesByLevels.set(levels, uses);
  }
  for (const detail of details) {
    const uses = usesByLevels.get(detail.levels);
    if (uses === undefined) continue;
    const description: Description = { scalars, detail, uses, definitions: new Map() };
    const properties = inputs.map((input) => [input.name, describeInput(input, description)] as const);
    const required = inputs.filter((input) => input.required).map((input) => input.name);
    const schema = {
      type: "object",
      properties: Object.fromEntries(properties),
      ...(required.length > 0 && { required }),
      additionalProperties: false,
      ...(description.definitions.size > 0 && { $defs: Object.fromEntries(description.definitions) }),
    };
    if (Buffer.byteLength(JSON.stringify(schema)) <= inputSchemaBytes) return schema;
  }
  return undefined;
}

/** What the briefest description of an input of each kind takes at least. */
const fewestBytes = {
  any: "{}".length,
  list: '{"type":"array","items":}'.length,
  enum: '{"type":"string"}'.length,
  leftOut: '{"type":"object"}'.length,
  object: '{"type":"object","properties":{}}'.length,
  reference: '{"$ref":"#/$defs/"}'.length,
};

/**
 * Walks the types of the inputs level by level and counts the references to each enum and input object. `undefined` as soon as
 * even the briefest description takes more than a schema may have: types of hostile schemas have members without number, and
 * types of people that filter by each other lead to all of them.
 */
function countUses(inputs: readonly Input[], levels: number): Map<string, number> | undefined {
  const uses = new Map<string, number>();
  let bytes = 0;
  let level: readonly Pick<Input, "name" | "type">[] = inputs;
  for (let depth = 0; depth <= levels && level.length > 0; depth += 1) {
    const next: GraphQLInputField[] = [];
    for (const { name, type } of level) {
      bytes += name.length + '"":,'.length;
      if (isListType(getNullableType(type))) bytes += fewestBytes.list;
      if (bytes > inputSchemaBytes) return undefined;
      const named = getNamedType(type);
      const known = uses.get(named.name);
      if (isScalarType(named)) {
        bytes += fewestBytes.any;
        continue;
      }
      // Below the last level only what leads back up still counts.
      if (known === undefined && depth === levels) {
        bytes += fewestBytes.leftOut;
        continue;
      }
      uses.set(named.name, (known ?? 0) + 1);
      if (isEnumType(named)) {
        bytes += fewestBytes.enum + (known === undefined ? named.getValues().length * '"a",'.length : 0);
      } else if (known !== undefined) {
        bytes += fewestBytes.reference + named.name.length;
      } else {
        bytes += fewestBytes.object;
        for (const field of Object.values(named.getFields())) next.push(field);
      }
    }
    level = next;
  }
  return bytes > inputSchemaBytes ? undefined : uses;
}

function describeInput(input: Input, description: Description, oneOf = false): JsonSchema {
  // A field of a OneOf type is declared nullable, but must not be null when it is the one that is given.
  const type = oneOf && !isNonNullType(input.type) ? new GraphQLNonNull(input.type) : input.type;
  return {
    ...describeType(type, input.description, description),
    ...(input.fallback != null && { default: input.fallback }),
    ...(input.deprecated && { deprecated: true }),
  };
}

function describeType(
  type: GraphQLInputType,
  text: string | undefined,
  description: Description,
): JsonSchema {
  if (isNonNullType(type)) return describeNonNull(type.ofType, text, description);
  return acceptNull(describeNonNull(type, text, description));
}

function describeNonNull(
  type: GraphQLNullableInputType,
  text: string | undefined,
  description: Description,
): JsonSchema {
  if (isListType(type)) {
    return {
      type: "array",
      ...words([text], description.detail),
      items: describeType(type.ofType, undefined, description),
    };
  }
  if (isScalarType(type)) return describeScalar(type, text, description);
  const uses = description.uses.get(type.name);
  if (uses === undefined) return describeLeftOut(type, text, description.detail);
  if (uses === 1) return describeNamed(type, text, description);
  if (isEnumType(type)) {
    const inPlace = describeNamed(type, text, description);
    if (JSON.stringify(inPlace.enum ?? []).length <= smallEnumLength) return inPlace;
  }
  if (!description.definitions.has(type.name)) {
    // The place is taken before the type is described, because it may lead back to itself.
    description.definitions.set(type.name, {});
    description.definitions.set(type.name, describeNamed(type, undefined, description));
  }
  const reference = { $ref: `#/$defs/${type.name}` };
  const own = words([text], description.detail);
  // Some clients refuse a `$ref` that has siblings.
  return own.description === undefined ? reference : { anyOf: [reference], ...own };
}

function describeNamed(type: NamedInputType, text: string | undefined, description: Description): JsonSchema {
  return isEnumType(type)
    ? describeEnum(type, text, description.detail)
    : describeInputObject(type, text, description);
}

function describeInputObject(
  type: GraphQLInputObjectType,
  text: string | undefined,
  description: Description,
): JsonSchema {
  const fields = Object.values(type.getFields());
  const properties = fields.map(
    (field) => [field.name, describeInput(inputOf(field), description, type.isOneOf)] as const,
  );
  const required = fields.filter(isRequiredInputField).map((field) => field.name);
  return {
    type: "object",
    ...words([text ?? type.description, type.isOneOf && "Give exactly one of these."], description.detail),
    properties: Object.fromEntries(properties),
    ...(required.length > 0 && { required }),
    ...(type.isOneOf && { minProperties: 1, maxProperties: 1 }),
    additionalProperties: false,
  };
}

function describeEnum(type: GraphQLEnumType, text: string | undefined, detail: Detail): JsonSchema {
  const values = type.getValues();
  const notes = values.flatMap((value) => {
    const note = [value.description, value.deprecationReason != null && "Deprecated."]
      .filter(Boolean)
      .join(" ");
    return note === "" ? [] : [`- ${value.name}: ${note}`];
  });
  const lines = detail.descriptions === "whole" ? notes.map((note) => `\n${note}`).join("") : "";
  return {
    type: "string",
    ...words([`${text ?? type.description ?? ""}${lines}`], detail),
    // Some servers serve enums without values; an empty list of them is no valid schema.
    ...(values.length > 0 && { enum: values.map((value) => value.name) }),
  };
}

function describeScalar(
  type: GraphQLScalarType,
  text: string | undefined,
  { scalars, detail }: Description,
): JsonSchema {
  const schema = scalarSchema(type, scalars);
  return {
    ...schema,
    // What the configuration says of a scalar goes before the schema's words.
    ...(schema["description"] === undefined && words([text, ...scalarNotes(type)], detail)),
  };
}

/** Stands for a type that the schema has no room for. */
function describeLeftOut(type: NamedInputType, text: string | undefined, detail: Detail): JsonSchema {
  const note = `GraphQL type ${type.name}, left out here for its size.`;
  return { type: isEnumType(type) ? "string" : "object", ...words([note, text], detail) };
}

/** Adds `null` to the values that a schema accepts. */
function acceptNull(schema: JsonSchema): JsonSchema {
  const { type, description, ...rest } = schema;
  if (type === undefined && Object.keys(rest).length === 0) return schema;
  if (type !== undefined && rest.enum === undefined && rest.const === undefined)
    return { ...schema, type: [...new Set([type, "null"].flat())] };
  const own = description === undefined ? {} : { description };
  if (Array.isArray(rest.anyOf)) return { anyOf: [...rest.anyOf, { type: "null" }], ...own };
  return { anyOf: [type === undefined ? rest : { type, ...rest }, { type: "null" }], ...own };
}

/** The `description` keyword, made of those texts that there are; nothing where there are none or none are wanted. */
function words(
  texts: readonly (string | false | null | undefined)[],
  detail: Detail,
): { readonly description?: string } {
  if (detail.descriptions === "none") return {};
  const given = texts.flatMap((text) =>
    typeof text === "string" && text.trim() !== "" ? [stripHidden(text.trim())] : [],
  );
  if (given.length === 0) return {};
  const text = given.join(" ");
  return { description: detail.descriptions === "whole" ? text : shorten(text, briefLength) };
}

/**
 * A default value as JSON, for its schema; `undefined` where there is none, or one that nobody should read: of a length that would
 * fill the schema, or with characters that people don't see. Enum values of GraphQL's own notation are strings in JSON.
 */
export function readDefault(literal: ValueNode | undefined): JsonValue | undefined {
  if (literal === undefined) return undefined;
  const { loc } = literal;
  if (loc && loc.end - loc.start > longestDefault) return undefined;
  let isPlain = true;
  const text = JSON.stringify(valueFromASTUntyped(literal), (_key, value: unknown) => {
    if (typeof value === "string" && stripHidden(value) !== value) isPlain = false;
    return value;
  });
  return isPlain ? (JSON.parse(text) as JsonValue) : undefined;
}
