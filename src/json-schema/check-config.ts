import type { GatewayFile } from "../model/config-file.generated.ts";
import { createViolationFinder } from "./find-violations.ts";
import { readConfigSchema } from "./read-config-schema.ts";

/** One thing in which a value differs from the schema, in the validator's terms. */
export interface SchemaViolation {
  /** Keys and list positions from the root; list positions as numbers in text. */
  readonly path: readonly string[];
  /** The keyword of the schema that does not hold. */
  readonly keyword: string;
  /** The validator's own; for `discriminator` also `allowedValues`. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The schema around the keyword. */
  readonly schema: ViolatedSchema;
}

/** The parts of a schema that messages are made of. */
export interface ViolatedSchema {
  readonly title?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, ViolatedSchema>>;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly oneOf?: readonly ViolatedSchema[];
}

/** What a check came to. */
export type CheckedConfig =
  | { readonly ok: true; readonly file: GatewayFile }
  | { readonly ok: false; readonly violations: readonly SchemaViolation[] };

/**
 * Makes the schema of the configuration file into a check.
 *
 * The check never changes the value. Of a union it reports only on the branch that the value's `type` names.
 */
export function createConfigCheck(): (value: unknown) => CheckedConfig {
  const schema = readConfigSchema();
  const find = createViolationFinder(schema);
  return (value) => {
    const found = find(value);
    if (isFaultless(value, found)) return { ok: true, file: value };
    const violations = found.map(({ path, keyword, parameters, schema: around }): SchemaViolation => {
      const violated = withReferences(around, schema.$defs);
      const allowedValues = violated.oneOf?.map((branch) => branch.properties?.["type"]?.const);
      return {
        path,
        keyword,
        parameters: { ...parameters, ...(allowedValues && { allowedValues }) },
        schema: violated,
      };
    });
    return { ok: false, violations };
  };
}

/** The type of the file is made from the same schema. */
function isFaultless(value: unknown, found: readonly object[]): value is GatewayFile {
  return value !== undefined && found.length === 0;
}

/** A schema whose properties and branches show what they refer to. */
function withReferences(
  schema: ViolatedSchema,
  definitions: Readonly<Record<string, ViolatedSchema>>,
): ViolatedSchema {
  const resolve = (part: ViolatedSchema & { readonly $ref?: string }): ViolatedSchema =>
    part.$ref === undefined ? part : (definitions[part.$ref.replace("#/$defs/", "")] ?? part);
  const { properties, oneOf, ...rest } = schema;
  return {
    ...rest,
    ...(oneOf && { oneOf: oneOf.map(resolve) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([key, part]) => [key, resolve(part)])),
    }),
  };
}
