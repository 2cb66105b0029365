import { didYouMean } from "../../did-you-mean.ts";
import type { NodePath } from "../../documents/located-node.ts";
import { findMetaSchemaViolations, type MetaSchemaViolation } from "../../json-schema/check-meta-schema.ts";
import type { Parameter } from "../../model/config-file.generated.ts";
import type { JsonValue } from "../../model/json.ts";
import { eachOperation } from "../each-operation.ts";
import { eachSchema } from "../each-schema.ts";
import type { Finding, Look, Rule } from "../rule.ts";

const shapeKeys = ["type", "enum", "items", "properties", "format"] as const;

/** A schema is JSON Schema. That of a parameter says all about its value, so the short keys can't stand beside it. */
export const parameterSchema: Rule = function* (file, look): Generator<Finding> {
  for (const { schema, path } of eachSchema(file)) {
    for (const violation of findMetaSchemaViolations(schema)) yield describe(violation, schema, path, look);
  }
  for (const { operation, path } of eachOperation(file)) {
    for (const [index, parameter] of (operation.parameters ?? []).entries()) {
      const itemPath = [...path, "parameters", index];
      if (parameter.schema === undefined) {
        yield* findForeignShape(parameter, itemPath);
        continue;
      }
      for (const key of shapeKeys.filter((candidate) => parameter[candidate] !== undefined)) {
        yield {
          code: "parameter-schema",
          message: `\`${key}\` stands beside \`schema\`, which says it already. Keep one of the two.`,
          path: [...itemPath, key],
          target: "key",
          dependsOn: [[...itemPath, "schema"]],
        };
      }
    }
  }
};

function* findForeignShape(parameter: Parameter, itemPath: NodePath): Generator<Finding> {
  for (const [key, type] of [
    ["items", "array"],
    ["properties", "object"],
  ] as const) {
    if (parameter[key] === undefined || parameter.type === undefined || parameter.type === type) continue;
    yield {
      code: "parameter-schema",
      message: `\`${key}\` belongs to \`type: ${type}\`, and this parameter's type is \`${parameter.type}\`.`,
      path: [...itemPath, key],
      target: "key",
      dependsOn: [[...itemPath, "type"]],
    };
  }
}

function describe(
  { path, allowedValues, types }: MetaSchemaViolation,
  schema: JsonValue,
  schemaPath: NodePath,
  look: Look,
): Finding {
  const at = [...schemaPath, ...path];
  const keyword = path.findLast((step) => !/^\d+$/.test(step)) ?? "schema";
  const value = path.reduce<JsonValue | undefined>(
    (part, step) =>
      typeof part === "object" && part !== null
        ? Object.entries(part).find(([key]) => key === step)?.[1]
        : undefined,
    schema,
  );
  const written =
    typeof value === "object" || value === undefined
      ? kindOf(value)
      : `${typeof value === "string" && !allowedValues ? "the text " : ""}\`${look.written(at)}\``;
  const suggestion =
    typeof value === "string" && allowedValues ? didYouMean(value, allowedValues) : undefined;
  const remedy = allowedValues
    ? ` It is one of ${list(allowedValues)}.${suggestion === undefined ? "" : ` Did you mean \`${suggestion}\`?`}`
    : types.length > 0
      ? ` It has to be of type ${types.map((type) => `\`${type}\``).join(" or ")}.`
      : "";
  return {
    code: "parameter-schema",
    message: `This is not valid as JSON Schema (2020-12): \`${keyword}\` can't be ${written}.${remedy}`,
    path: at,
  };
}

function kindOf(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return "empty";
  return Array.isArray(value) ? "this list" : "this mapping";
}

function list(values: readonly string[]): string {
  return values.map((value) => `\`${value}\``).join(", ");
}
