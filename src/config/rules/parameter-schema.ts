import { eachOperation } from "../each-operation.ts";
import type { Finding, Rule } from "../rule.ts";

const shapeKeys = ["type", "enum", "items", "properties", "format"] as const;

/** `schema` says all about a value, so the short keys can't stand beside it. */
export const parameterSchema: Rule = function* (file): Generator<Finding> {
  for (const { operation, path } of eachOperation(file)) {
    for (const [index, parameter] of (operation.parameters ?? []).entries()) {
      const itemPath = [...path, "parameters", index];
      if (parameter.schema !== undefined) {
        for (const key of shapeKeys.filter((candidate) => parameter[candidate] !== undefined)) {
          yield {
            code: "parameter-schema",
            message: `\`${key}\` stands beside \`schema\`, which says it already. Keep one of the two.`,
            path: [...itemPath, key],
            target: "key",
            dependsOn: [[...itemPath, "schema"]],
          };
        }
        continue;
      }
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
  }
};
