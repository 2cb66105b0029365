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
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredArgument,
  isRequiredInputField,
  isScalarType,
  isSpecifiedScalarType,
  valueFromASTUntyped,
} from "graphql";
import type { JsonSchema, JsonValue } from "../../model/json.ts";
import { shorten } from "../openapi/shorten.ts";
import { stripHidden } from "../strip-hidden.ts";

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

/** An enum whose values take no more characters than this is written in place however often it is used. */
const smallEnumLength = 200;

/**
 * The JSON values of scalars, by name: the built-in ones (GraphQL specification 3.5), and custom ones that servers agree
 * on. Integers and decimals beyond double precision may come as strings. A scalar that isn't listed accepts anything,
 * because a guess would refuse values that the server takes.
 */
const scalarSchemas: ReadonlyMap<string, JsonSchema> = new Map<string, JsonSchema>([
  ["Int", { type: "integer" }],
  ["Float", { type: "number" }],
  ["String", { type: "string" }],
  ["Boolean", { type: "boolean" }],
  ["ID", { type: "string" }],
  ["DateTime", { type: "string", format: "date-time" }],
  ["Date", { type: "string" }],
  ["Time", { type: "string" }],
  ["UUID", { type: "string" }],
  ["URI", { type: "string" }],
  ["URL", { type: "string" }],
  ["EmailAddress", { type: "string" }],
  ["JSONString", { type: "string" }],
  ["JSONObject", { type: "object" }],
  ["BigInt", { type: ["integer", "string"] }],
  ["Long", { type: ["integer", "string"] }],
  ["Decimal", { type: ["number", "string"] }],
  ["BigDecimal", { type: ["number", "string"] }],
]);

type NamedInputType = GraphQLEnumType | GraphQLInputObjectType;

/** What describing one set of arguments needs to know and collects. */
interface Description {
  readonly detail: Detail;
  /** How often a type is referred to, by name; a type that isn't listed lies below the last level. */
  readonly uses: ReadonlyMap<string, number>;
  readonly definitions: Map<string, JsonSchema>;
}

/**
 * Describes the arguments of a root field as JSON Schema 2020-12: one object whose properties are the arguments.
 *
 * A type that is used once is written in place; one that is used again, or contains itself, stands in `$defs`. Nullable
 * types accept `null`, which a GraphQL server may treat differently from an argument that is left out; what has a default
 * may be left out even where it can't be null.
 */
export function describeArguments(args: readonly GraphQLArgument[]): JsonSchema {
  let schema: JsonSchema = {};
  for (const detail of details) {
    const description: Description = { detail, uses: countUses(args, detail.levels), definitions: new Map() };
    const properties = args.map((argument) => [argument.name, describeInput(argument, description)] as const);
    const required = args.filter(isRequiredArgument).map((argument) => argument.name);
    schema = {
      type: "object",
      properties: Object.fromEntries(properties),
      ...(required.length > 0 && { required }),
      additionalProperties: false,
      ...(description.definitions.size > 0 && { $defs: Object.fromEntries(description.definitions) }),
    };
    if (Buffer.byteLength(JSON.stringify(schema)) <= inputSchemaBytes) break;
  }
  return schema;
}

/** Walks the types of the arguments level by level and counts the references to each enum and input object. */
function countUses(args: readonly GraphQLArgument[], levels: number): Map<string, number> {
  const uses = new Map<string, number>();
  let level: readonly (GraphQLArgument | GraphQLInputField)[] = args;
  for (let depth = 0; depth <= levels && level.length > 0; depth += 1) {
    const next: GraphQLInputField[] = [];
    for (const { type } of level) {
      const named = getNamedType(type);
      if (isScalarType(named)) continue;
      const known = uses.get(named.name);
      // Below the last level only what leads back up still counts.
      if (known === undefined && depth === levels) continue;
      uses.set(named.name, (known ?? 0) + 1);
      if (known === undefined && isInputObjectType(named)) next.push(...Object.values(named.getFields()));
    }
    level = next;
  }
  return uses;
}

function describeInput(
  input: GraphQLArgument | GraphQLInputField,
  description: Description,
  oneOf = false,
): JsonSchema {
  // A field of a OneOf type is declared nullable, but must not be null when it is the one that is given.
  const type = oneOf && !isNonNullType(input.type) ? new GraphQLNonNull(input.type) : input.type;
  const fallback = input.default?.literal && toJson(valueFromASTUntyped(input.default.literal));
  return {
    ...describeType(type, input.description ?? undefined, description),
    ...(fallback != null && { default: fallback }),
    ...(input.deprecationReason != null && { deprecated: true }),
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
  if (isScalarType(type)) return describeScalar(type, text, description.detail);
  const uses = description.uses.get(type.name);
  if (uses === undefined) return describeLeftOut(type, text, description.detail);
  if (uses === 1) return describeNamed(type, text, description);
  if (isEnumType(type)) {
    const inPlace = describeNamed(type, text, description);
    if (JSON.stringify(inPlace.enum).length <= smallEnumLength) return inPlace;
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
    (field) => [field.name, describeInput(field, description, type.isOneOf)] as const,
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
    enum: values.map((value) => value.name),
  };
}

function describeScalar(type: GraphQLScalarType, text: string | undefined, detail: Detail): JsonSchema {
  const known = scalarSchemas.get(type.name);
  if (isSpecifiedScalarType(type)) return { ...known, ...words([text], detail) };
  const format = type.specifiedByURL == null ? undefined : `Format: ${type.specifiedByURL}`;
  return { ...known, ...words([text, type.description, format], detail) };
}

/** Stands for a type that the schema has no room for. */
function describeLeftOut(type: NamedInputType, text: string | undefined, detail: Detail): JsonSchema {
  const note = `GraphQL type ${type.name}, left out here for its size.`;
  return { type: isEnumType(type) ? "string" : "object", ...words([note, text], detail) };
}

/** Adds `null` to the values that a schema accepts. */
function acceptNull(schema: JsonSchema): JsonSchema {
  const { type, description, ...rest } = schema;
  if (type === undefined && rest.$ref === undefined && rest.anyOf === undefined) return schema;
  if (type !== undefined && rest.enum === undefined) return { ...schema, type: [type, "null"].flat() };
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

/** Default values in a schema's text are JSON once enum values are read as strings. */
function toJson(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}
