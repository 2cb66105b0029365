import type { JsonObject } from "../../model/json.ts";
import type { MethodResult } from "./methods.ts";

/** Writes a result as JSON text, in the shape of one era. */
export type ResultWriter = (outcome: MethodResult) => string;

/**
 * @param shape adds what the era asks for around a result.
 */
export function createResultWriter(shape: (outcome: MethodResult) => JsonObject): ResultWriter {
  const texts = new WeakMap<JsonObject, string>();
  return (outcome) => {
    const known = texts.get(outcome.result);
    if (known !== undefined) return known;
    const text = JSON.stringify(shape(outcome));
    if (outcome.kind === "cacheable") texts.set(outcome.result, text);
    return text;
  };
}
