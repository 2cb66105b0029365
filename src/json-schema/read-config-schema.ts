import { readFileSync } from "node:fs";

/** How the schema says that a number or a boolean may also be a reference, for editors: `type: [integer, string]` and this. */
const referencePattern = "^\\$\\{";

/** A JSON Schema whose parts are under `$defs`. */
export interface ConfigSchema {
  readonly $defs: Readonly<Record<string, object>>;
}

/**
 * The schema of the configuration file, as values have to be once references are resolved.
 *
 * The file in `schemas/` lets a reference stand for a number or a boolean, because editors check the file as it is written.
 */
export function readConfigSchema(): ConfigSchema {
  const text = readFileSync(new URL("../../schemas/gateway.schema.json", import.meta.url), "utf8");
  const withoutReferences = (_key: string, value: unknown): unknown => {
    if (typeof value !== "object" || value === null || !("pattern" in value) || !("type" in value))
      return value;
    const { type, pattern, ...rest } = value;
    if (pattern !== referencePattern || !Array.isArray(type)) return value;
    return { ...rest, type: type.find((name) => name !== "string") };
  };
  // The package brings the file along, so that its shape is known.
  return JSON.parse(text, withoutReferences) as ConfigSchema;
}
