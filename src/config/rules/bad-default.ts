import type { NodePath } from "../../documents/located-node.ts";
import { compileSchema } from "../../json-schema/compile-schema.ts";
import type { Operation, Parameter, Provider } from "../../model/config-file.generated.ts";
import type { JsonSchema, JsonValue } from "../../model/json.ts";
import { eachOperation } from "../each-operation.ts";
import type { Finding, Rule } from "../rule.ts";

/** A default is a value that a caller could have given. */
export const badDefault: Rule = function* (file, look): Generator<Finding> {
  for (const { operation, provider, path } of eachOperation(file)) {
    yield* findUnsent(operation, provider, path);
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
        if (parameter.schema !== undefined) {
          // Unknown to the generated types, but it comes from a parsed file and is JSON.
          const [schema, value] = [parameter.schema as JsonSchema, parameter.default as JsonValue];
          if (compileSchema(schema).check(value).length > 0) {
            const message = `The default \`${written}\` is no value that \`schema\` allows. Change one of the two.`;
            yield {
              code: "bad-default",
              message,
              path: [...itemPath, "default"],
              dependsOn: [[...itemPath, "schema"]],
            };
          }
        } else if (!hasType(parameter.default, parameter.type)) {
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

/** Members of a body that callers give as a whole, because one of them has the name of a parameter: nothing is added to it. */
function* findUnsent(
  { parameters = [] }: Operation,
  { managed_parameters: managed = [] }: Provider,
  path: NodePath,
): Generator<Finding> {
  const members = parameters.filter((parameter) => parameter.in === "body").map(({ name }) => name);
  const shared = parameters.findIndex(
    (parameter) =>
      parameter.in !== "body" &&
      members.includes(parameter.name) &&
      !managed.some(({ in: location, name }) => location === parameter.in && name === parameter.name),
  );
  if (shared === -1) return;
  const namesake = [...path, "parameters", shared, "name"];
  for (const [index, parameter] of parameters.entries()) {
    if (parameter.in !== "body" || parameter.default === undefined) continue;
    yield {
      severity: "warning",
      code: "bad-default",
      message: `This default is shown and not sent: a parameter has the name of a member of the body, so callers give the body as one argument.`,
      path: [...path, "parameters", index, "default"],
      related: [{ message: "The parameter is here.", path: namesake }],
      dependsOn: [namesake, [...path, "parameters", index, "in"]],
    };
  }
}

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
