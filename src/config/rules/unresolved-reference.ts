import type { JsonSchema, JsonValue } from "../../model/json.ts";
import { eachSchema, eachSubschema } from "../each-schema.ts";
import type { Finding, Rule } from "../rule.ts";

/** A reference in an inline schema points to a part of that schema. */
export const unresolvedReference: Rule = function* (file, look): Generator<Finding> {
  for (const { schema: root, path: rootPath } of eachSchema(file)) {
    for (const { schema, path } of eachSubschema(root, rootPath)) {
      const { $ref: reference } = schema;
      if (typeof reference !== "string" || pointsInto(root, reference)) continue;
      const referencePath = [...path, "$ref"];
      const reason = /^#(?:\/|$)/.test(reference)
        ? "points to nothing in this schema. What it means stands there under `$defs`, and is written `#/$defs/NAME`."
        : "leads out of this schema, or to an anchor. Only parts of the same schema can be referred to, as `#/$defs/NAME`.";
      yield {
        code: "unresolved-reference",
        message: `The reference \`${look.written(referencePath)}\` ${reason}`,
        path: referencePath,
      };
    }
  }
};

/** RFC 6901 section 6: a pointer in a fragment is percent-encoded. */
function pointsInto(root: JsonSchema, reference: string): boolean {
  if (!/^#(?:\/|$)/.test(reference)) return false;
  let value: JsonValue | undefined = root;
  for (const token of reference.split("/").slice(1)) {
    const key = decoded(token).replaceAll("~1", "/").replaceAll("~0", "~");
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, key)) return false;
    value = Object.entries(value).find(([name]) => name === key)?.[1];
  }
  return value !== undefined;
}

function decoded(token: string): string {
  try {
    return decodeURIComponent(token);
  } catch {
    // A lone `%` stands for itself.
    return token;
  }
}
