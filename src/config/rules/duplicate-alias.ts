import type { NodePath } from "../../documents/located-node.ts";
import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** Two allowed operations of a provider can't have one name. */
export const duplicateAlias: Rule = function* (file): Generator<Finding> {
  for (const { provider, path } of eachProvider(file)) {
    const seen = new Map<string, { readonly path: NodePath; readonly target: "key" | "value" }>();
    for (const [id, operation] of Object.entries(provider.allowed_operations ?? {})) {
      const operationPath = [...path, "allowed_operations", id];
      const own =
        operation?.alias === undefined
          ? { path: operationPath, target: "key" as const }
          : { path: [...operationPath, "alias"], target: "value" as const };
      const name = operation?.alias ?? id;
      const first = seen.get(name);
      if (first === undefined) seen.set(name, own);
      else {
        yield {
          code: "duplicate-alias",
          message: `\`${name}\` is already the name of another allowed operation. Choose another alias.`,
          ...own,
          related: [{ message: "The first one is here.", ...first }],
          dependsOn: [first.path],
        };
      }
    }
  }
};
