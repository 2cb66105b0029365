import { isJsonObject } from "../../json-object.ts";
import type { JsonSchema } from "../../model/json.ts";
import { eachSchema, eachSubschema } from "../each-schema.ts";
import type { Finding, Rule } from "../rule.ts";

/** Keywords that the schemas of tools leave out, because many clients and models refuse them. */
const leftOut = [
  ...["if", "then", "else", "not", "contains", "minContains", "maxContains", "patternProperties"],
  ...["propertyNames", "dependentRequired", "dependentSchemas", "dependencies", "unevaluatedProperties"],
  ...["unevaluatedItems", "$dynamicRef"],
] as const;

/** Keywords that count only where a type is named. */
const keywordsByType: Readonly<Record<string, readonly string[]>> = {
  string: ["minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  array: ["minItems", "maxItems", "uniqueItems", "prefixItems"],
  object: ["minProperties", "maxProperties"],
};

/** What an inline schema asks and the schema of a tool does not is said, so that nobody relies on it. */
export const schemaKeyword: Rule = function* (file, look): Generator<Finding> {
  for (const { schema: root, path: rootPath, direction } of eachSchema(file)) {
    // No answer is refused for breaking its schema.
    if (direction === "output") continue;
    for (const { schema, path } of eachSubschema(root, rootPath, leftOut)) {
      for (const keyword of leftOut.filter((name) => schema[name] !== undefined)) {
        yield {
          severity: "warning",
          code: "schema-keyword",
          message: `\`${keyword}\` is left out of the tool's schema, because many clients refuse it: arguments are not checked against it. Say in a \`description\` what it asks.`,
          path: [...path, keyword],
          target: "key",
        };
      }
      for (const index of undescribed(schema)) {
        yield {
          severity: "warning",
          code: "schema-keyword",
          message: `\`required\` counts only for members that the same schema describes, and \`${look.written([...path, "required", index])}\` is none of its \`properties\`. Describe it there.`,
          path: [...path, "required", index],
        };
      }
      for (const [keyword, type] of untyped(schema)) {
        yield {
          severity: "warning",
          code: "schema-keyword",
          message: `\`${keyword}\` counts only beside a type, and this schema has none. Add \`type: ${type}\`.`,
          path: [...path, keyword],
          target: "key",
        };
      }
    }
  }
};

/** Names that are required and not described. */
function* undescribed({ required, properties }: JsonSchema): Generator<number> {
  if (!Array.isArray(required)) return;
  for (const [index, name] of required.entries()) {
    const isDescribed = isJsonObject(properties) && Object.hasOwn(properties, String(name));
    if (!isDescribed) yield index;
  }
}

function* untyped(schema: JsonSchema): Generator<readonly [string, string]> {
  const implied = ["type", "properties", "additionalProperties", "items", "enum", "const", "$ref"];
  if (implied.some((keyword) => schema[keyword] !== undefined)) return;
  for (const [type, keywords] of Object.entries(keywordsByType)) {
    for (const keyword of keywords) if (schema[keyword] !== undefined) yield [keyword, type];
  }
}
