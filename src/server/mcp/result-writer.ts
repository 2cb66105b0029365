import type { JsonObject } from "../../model/json.ts";
import type { InputRequired } from "../../model/result.ts";
import type { FinishedResult, MethodResult } from "./methods.ts";

/** Writes a result as JSON text, in the shape of one era. */
export type ResultWriter = (outcome: MethodResult) => string;

/**
 * @param shape adds what the era asks for around a result.
 * @param question the result that asks the client something; absent: an era that has none.
 */
export function createResultWriter(
  shape: (outcome: FinishedResult) => JsonObject,
  question?: (asked: InputRequired) => JsonObject,
): ResultWriter {
  const texts = new WeakMap<JsonObject, string>();
  return (outcome) => {
    if (outcome.kind === "input_required") {
      if (question === undefined)
        throw new Error("A client of this version is asked while its request runs.");
      return JSON.stringify(question(outcome));
    }
    const known = texts.get(outcome.result);
    if (known !== undefined) return known;
    const text = JSON.stringify(shape(outcome));
    if (outcome.kind === "cacheable") texts.set(outcome.result, text);
    return text;
  };
}
