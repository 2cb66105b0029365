import { readFileSync } from "node:fs";
import { buildSchema, GraphQLError, GraphQLScalarType, type GraphQLSchema } from "graphql";

/** The text of `schema.graphql`. */
export const sdl = readFileSync(new URL("../schema.graphql", import.meta.url), "utf8");

/** What each custom scalar takes from callers: its value, or `undefined` and then the example says how it should look. */
const inputs: Readonly<Record<string, { readonly example: string; read(value: unknown): unknown }>> = {
  Date: {
    example: "1818-01-01",
    read: (value) => (typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value) ? value : undefined),
  },
  DateTime: {
    example: "2026-11-02T09:30:00Z",
    read: (value) =>
      typeof value === "string" && /^\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})$/.test(value)
        ? value
        : undefined,
  },
  BigInt: {
    example: "9781234567897",
    read: (value) => {
      if (typeof value === "bigint" || Number.isSafeInteger(value)) return BigInt(String(value));
      return typeof value === "string" && /^-?\d{1,100}$/.test(value) ? BigInt(value) : undefined;
    },
  },
  Upload: { example: "a file", read: (value) => (value instanceof File ? value : undefined) },
};

/** The schema, with scalars that check what callers give. */
export function loadSchema(): GraphQLSchema {
  const schema = buildSchema(sdl);
  for (const [name, { example, read }] of Object.entries(inputs)) {
    const scalar = schema.getType(name);
    if (!(scalar instanceof GraphQLScalarType)) throw new Error(`schema.graphql has no scalar ${name}.`);
    scalar.coerceInputValue = (value) => {
      const known = read(value);
      if (known !== undefined) return known;
      throw new GraphQLError(`A ${name} looks like ${example}, not like ${JSON.stringify(value)}.`);
    };
  }
  return schema;
}
