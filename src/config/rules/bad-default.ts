import type { Parameter } from "../../model/config-file.generated.ts";
import { eachOperation } from "../each-operation.ts";
import type { Finding, Rule } from "../rule.ts";

/** A default is a value that a caller could have given. */
export const badDefault: Rule = function* (file, look): Generator<Finding> {
  for (const { operation, path } of eachOperation(file)) {
    for (const [index, parameter] of (operation.parameters ?? []).entries()) {
      const itemPath = [...path, "parameters", index];
      const find = (message: string): Finding => ({
        code: "bad-default",
        message,
        path: [...itemPath, "default"],
        dependsOn: [
          [...itemPath, "type"],
          [...itemPath, "enum"],
        ],
      });
      // A text that a reference supplied may read as a number; it is taken as text where text is wanted.
      const isText = parameter.type === "string" && look.isReference([...itemPath, "default"]);
      if (parameter.default !== undefined && !isText) {
        const written = look.written([...itemPath, "default"]);
        if (!hasType(parameter.default, parameter.type)) {
          yield find(`The default \`${written}\` is not of the parameter's type \`${parameter.type}\`.`);
        } else if (parameter.enum && !parameter.enum.some((value) => equal(value, parameter.default))) {
          yield find(
            `The default \`${written}\` is none of the values in \`enum\`. Add it there, or choose one of them.`,
          );
        }
      }
      for (const [position, value] of (parameter.enum ?? []).entries()) {
        if (hasType(value, parameter.type)) continue;
        const valuePath = [...itemPath, "enum", position];
        yield {
          code: "bad-default",
          message: `\`${look.written(valuePath)}\` in \`enum\` is not of the parameter's type \`${parameter.type}\`.`,
          path: valuePath,
          dependsOn: [[...itemPath, "type"]],
        };
      }
    }
  }
};

function hasType(value: unknown, type: Parameter["type"]): boolean {
  switch (type) {
    case undefined:
      return true;
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}

function equal(left: unknown, right: unknown): boolean {
  // Both come from one file and hold JSON, in which equal text is equality enough for a list of choices.
  return JSON.stringify(left) === JSON.stringify(right);
}
