import type { NodePath } from "../../documents/located-node.ts";
import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** The name of an inline operation is its id. */
export const duplicateOperation: Rule = function* (file): Generator<Finding> {
  for (const { provider, path } of eachProvider(file)) {
    const seen = new Map<string, NodePath>();
    for (const [index, { name }] of (provider.surfaces?.rest?.operations ?? []).entries()) {
      const namePath = [...path, "surfaces", "rest", "operations", index, "name"];
      const first = seen.get(name);
      if (first === undefined) seen.set(name, namePath);
      else {
        yield {
          code: "duplicate-operation",
          message: `There is already an operation \`${name}\` in this provider. Give this one another name.`,
          path: namePath,
          related: [{ message: "The first one is here.", path: first }],
          dependsOn: [first],
        };
      }
    }
  }
};
