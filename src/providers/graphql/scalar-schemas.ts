import { type GraphQLScalarType, isSpecifiedScalarType } from "graphql";
import type { JsonSchema } from "../../model/json.ts";
import { fileArgumentSchema } from "../http/decode-file.ts";

const { description: fileDescription, ...fileSchema } = fileArgumentSchema(undefined);

const text: JsonSchema = { type: "string" };
const wholeNumber: JsonSchema = { type: "integer" };
/** Beyond double precision numbers may come as strings. */
const longInteger: JsonSchema = { type: ["integer", "string"] };
const decimal: JsonSchema = { type: ["number", "string"] };

/**
 * The JSON values of scalars, by name in lower case: the built-in ones (GraphQL specification 3.5), and custom ones that
 * servers agree on. A scalar that isn't listed accepts anything, because a guess would refuse values that the server takes.
 */
const knownSchemas: ReadonlyMap<string, JsonSchema> = new Map<string, JsonSchema>([
  ["int", wholeNumber],
  ["float", { type: "number" }],
  ["string", text],
  ["boolean", { type: "boolean" }],
  ["id", text],
  ["datetime", { type: "string", format: "date-time" }],
  ["iso8601datetime", { type: "string", format: "date-time" }],
  ...[
    "date",
    "iso8601date",
    "time",
    "localdate",
    "localtime",
    "localdatetime",
    "timestamptz",
    "uuid",
    "guid",
    "uri",
    "url",
    "email",
    "emailaddress",
    "phonenumber",
    "jsonstring",
    "html",
    "markdown",
    "base64",
  ].map((name) => [name, text] as const),
  ["jsonobject", { type: "object" }],
  ...["positiveint", "nonnegativeint", "unsignedint"].map((name) => [name, wholeNumber] as const),
  ...["bigint", "long", "int64", "uint64"].map((name) => [name, longInteger] as const),
  ...["decimal", "bigdecimal", "numeric"].map((name) => [name, decimal] as const),
]);

/** The scalar that stands for a file in the GraphQL multipart request specification. */
export function isFileScalar(name: string): boolean {
  return name === "Upload";
}

/** The JSON values of a scalar, without a description; `{}`: any. What the configuration says of it goes first. */
export function scalarSchema(
  type: GraphQLScalarType,
  configured: Readonly<Record<string, JsonSchema>>,
): JsonSchema {
  if (!isSpecifiedScalarType(type) && Object.hasOwn(configured, type.name))
    return configured[type.name] ?? {};
  if (isFileScalar(type.name)) return fileSchema;
  return knownSchemas.get(type.name.toLowerCase()) ?? {};
}

/** What there is to say of a scalar wherever it is used; `undefined` for the built-in ones. */
export function scalarNotes(type: GraphQLScalarType): readonly (string | undefined)[] {
  if (isSpecifiedScalarType(type)) return [];
  const format = type.specifiedByURL == null ? undefined : `Format: ${type.specifiedByURL}`;
  return [isFileScalar(type.name) ? String(fileDescription) : (type.description ?? undefined), format];
}
