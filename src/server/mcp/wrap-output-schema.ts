import { isJsonObject } from "../../json-object.ts";
import type { JsonSchema, JsonValue } from "../../model/json.ts";

/**
 * True for an output schema that clients up to 2025-11-25 can't take as it is: they want an object at the root, so values of
 * such tools travel as `{result: value}`.
 */
export function needsWrapping(outputSchema: JsonSchema): boolean {
  return outputSchema["type"] !== "object";
}

/**
 * The schema of `{result: value}`; `undefined` when the value's schema can't be moved there because it refers to its own
 * places other than `$defs`.
 */
export function wrapOutputSchema(outputSchema: JsonSchema): JsonSchema | undefined {
  if (!isMovable(outputSchema)) return undefined;
  const { $schema, $defs, ...value } = outputSchema;
  return {
    ...($schema === undefined ? {} : { $schema }),
    type: "object",
    properties: { result: value },
    required: ["result"],
    ...($defs === undefined ? {} : { $defs }),
  };
}

/** Too strict for examples that happen to have such members: their tool is listed without an output schema. */
function isMovable(value: JsonValue): boolean {
  if (Array.isArray(value)) return value.every(isMovable);
  if (!isJsonObject(value)) return true;
  return Object.entries(value).every(([key, member]) => {
    if (key === "$id" || key === "$recursiveRef") return false;
    if ((key === "$ref" || key === "$dynamicRef") && typeof member === "string")
      return member.startsWith("#/$defs/");
    return isMovable(member);
  });
}
