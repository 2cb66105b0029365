import type { NodePath } from "../../documents/located-node.ts";
import { eachOperation } from "../each-operation.ts";
import type { Finding, Rule } from "../rule.ts";

/** A name may occur once in each place; header names do not tell case apart. */
export const parameterClash: Rule = function* (file): Generator<Finding> {
  for (const { operation, path } of eachOperation(file)) {
    const seen = new Map<string, NodePath>();
    for (const [index, parameter] of (operation.parameters ?? []).entries()) {
      const itemPath = [...path, "parameters", index];
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
