import type { JsonSchema, JsonValue } from "../model/json.ts";

/**
 * The input schema of an operation whose calls get an idempotency key from the gateway where the caller gives none: the argument
 * for the header `Idempotency-Key` is required of nobody then.
 */
export function withOptionalKey(inputSchema: JsonSchema): JsonSchema {
  const { required, ...rest } = inputSchema;
  if (!Array.isArray(required) || !required.some(isKey)) return inputSchema;
  const kept = required.filter((name) => !isKey(name));
  return kept.length === 0 ? rest : { ...rest, required: kept };
}

function isKey(name: JsonValue): boolean {
  return typeof name === "string" && name.toLowerCase() === "idempotency-key";
}
