import type { NodePath } from "../../documents/located-node.ts";
import { eachOperation } from "../each-operation.ts";
import type { Finding, Rule } from "../rule.ts";

/** A name may occur once in each place; header names do not tell case apart. */
export const parameterClash: Rule = function* (file): Generator<Finding> {
  for (const { operation, path } of eachOperation(file)) {
    const seen = new Map<string, NodePath>();
    const parameters = operation.parameters ?? [];
    for (const [index, parameter] of parameters.entries()) {
      const itemPath = [...path, "parameters", index];
      if (parameter.in === "querystring") {
        const other = parameters.findIndex(
          (candidate) =>
            candidate.in === "query" || (candidate.in === "querystring" && candidate !== parameter),
        );
        if (other !== -1 && (parameters[other]?.in === "query" || other < index)) {
          yield {
            code: "parameter-clash",
            message: `\`${parameter.name}\` is the whole query string, so there is no room for another parameter of the query. Keep one of the two.`,
            path: [...itemPath, "in"],
            related: [{ message: "The other one is here.", path: [...path, "parameters", other, "in"] }],
            dependsOn: [[...path, "parameters", other, "in"]],
          };
        }
        continue;
      }
      const name = parameter.in === "header" ? parameter.name.toLowerCase() : parameter.name;
      const first = seen.get(`${parameter.in} ${name}`);
      if (first === undefined) seen.set(`${parameter.in} ${name}`, [...itemPath, "name"]);
      else {
        yield {
          code: "parameter-clash",
          message: `There is already a parameter \`${parameter.name}\` in \`${parameter.in}\`. Remove one of the two.`,
          path: [...itemPath, "name"],
          related: [{ message: "The first one is here.", path: first }],
          dependsOn: [first, [...itemPath, "in"]],
        };
      }
    }
  }
};
