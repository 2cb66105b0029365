import { Ajv2020 } from "ajv/dist/2020.js";
import type { JsonSchema } from "../model/json.ts";

/** A part of a schema that JSON Schema 2020-12 does not allow. */
export interface MetaSchemaViolation {
  /** From the root of the schema to the part. */
  readonly path: readonly string[];
  /** The only values that it may have, if there is such a list. */
  readonly allowedValues: readonly string[] | undefined;
  /** The types that it may have, as JSON Schema names them, if its type is what is wrong. */
  readonly types: readonly string[];
}

/** Makes the check whether a schema is one of JSON Schema 2020-12. Formats, such as that of a pattern, are not looked at. */
export function createMetaSchemaCheck(): (schema: JsonSchema) => readonly MetaSchemaViolation[] {
  const validator = new Ajv2020({ allErrors: true });
  return (schema) => {
    if (validator.validateSchema(schema) === true) return [];
    const errors = validator.errors ?? [];
    const places = new Set(errors.map((error) => error.instancePath));
    // A union fails as a whole, too: only the innermost place is where something stands.
    const innermost = [...places].filter(
      (place) => ![...places].some((other) => other.startsWith(`${place}/`)),
    );
    return innermost.map((place) => {
      const here = errors.filter((error) => error.instancePath === place);
      const allowed = here.find((error) => error.keyword === "enum")?.params["allowedValues"];
      return {
        path: place.split("/").slice(1).map(unescapePointer),
        allowedValues: Array.isArray(allowed) ? allowed.map(String) : undefined,
        types: [
          ...new Set(
            here.filter(({ keyword }) => keyword === "type").flatMap(({ params }) => typesOf(params)),
          ),
        ],
      };
    });
  };
}

function typesOf({ type }: Readonly<Record<string, unknown>>): readonly string[] {
  return [type].flat().map(String);
}

/** RFC 6901 section 4. */
function unescapePointer(step: string): string {
  return step.replaceAll("~1", "/").replaceAll("~0", "~");
}
