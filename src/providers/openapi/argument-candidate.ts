import type { JsonSchema, JsonValue } from "../../model/json.ts";
import { asText, isArray } from "./json-view.ts";
import { shorten } from "./shorten.ts";

/** A parameter, a member of a body or a whole body, on its way to become an argument. */
export interface ArgumentCandidate {
  /** The name on the wire. */
  readonly name: string;
  readonly in: string;
  readonly schema: JsonSchema;
  /** Whether the upstream must be sent it. */
  readonly required: boolean;
  /** What is sent when the caller says nothing, so that a required argument is none for the caller. */
  readonly fixed: JsonValue | undefined;
}

/** Most characters of an argument's description. */
export const descriptionLimit = 1024;

/** Makes a candidate; what is required and has a constant or a default is pre-filled with it. */
export function makeCandidate(
  name: string,
  location: string,
  schema: JsonSchema,
  required: boolean,
): ArgumentCandidate {
  return { name, in: location, schema, required, fixed: required ? constantOf(schema) : undefined };
}

/** The schema with the description that its parameter or body has. */
export function describeArgument(
  schema: JsonSchema,
  description: string | undefined,
  deprecated: boolean,
): JsonSchema {
  const text = description ?? asText(schema["description"]);
  if (text === undefined && !deprecated) return schema;
  const shown = text === undefined ? undefined : shorten(text, descriptionLimit);
  const { $ref: reference, ...rest } = schema;
  return {
    ...(reference === undefined ? rest : { allOf: [{ $ref: reference }] }),
    ...(shown !== undefined && { description: shown }),
    ...(deprecated && { deprecated: true }),
  };
}

/** Makes a {@link describeArgument} with a memory: a parameter that many operations share is one object, measured and written once. */
export function createArgumentDescriber(): typeof describeArgument {
  const known = new WeakMap<JsonSchema, Map<string, JsonSchema>>();
  return (schema, description, deprecated) => {
    const forms = known.get(schema) ?? new Map<string, JsonSchema>();
    known.set(schema, forms);
    const key = `${deprecated} ${description ?? ""}`;
    const described = forms.get(key) ?? describeArgument(schema, description, deprecated);
    forms.set(key, described);
    return described;
  };
}

/** The only value that a required argument can have, or the one that it has unless said otherwise. */
function constantOf(schema: JsonSchema): JsonValue | undefined {
  const { default: value, const: constant, enum: values } = schema;
  if (constant !== undefined) return constant;
  if (isArray(values) && values.length === 1) return values[0];
  return value;
}
