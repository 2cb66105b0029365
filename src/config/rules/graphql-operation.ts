import type { NodePath } from "../../documents/located-node.ts";
import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** A GraphQL operation comes from one place, is sent in one way, and settles each variable once. */
export const graphqlOperation: Rule = function* (file): Generator<Finding> {
  for (const { provider, path: providerPath } of eachProvider(file)) {
    for (const [index, operation] of (provider.surfaces?.graphql?.operations ?? []).entries()) {
      const path = [...providerPath, "surfaces", "graphql", "operations", index];
      const find = (at: NodePath, message: string, dependsOn: readonly NodePath[] = []): Finding => ({
        code: "graphql-operation",
        message,
        path: at,
        target: "key",
        dependsOn,
      });
      if (operation.document === undefined && operation.file === undefined) {
        yield find(path, "This operation has no document. Give it in `document`, or its path in `file`.");
      } else if (operation.document !== undefined && operation.file !== undefined) {
        yield find(
          [...path, "file"],
          "The document is given twice, in `document` and in `file`. Remove one of them.",
          [[...path, "document"]],
        );
      }
      if (operation.persisted !== undefined && operation.document_id !== undefined) {
        yield find(
          [...path, "document_id"],
          "`persisted` and `document_id` both stand for the document. Keep the one that the server knows.",
          [[...path, "persisted"]],
        );
      }
      const fixed = Object.keys(operation.variables ?? {});
      for (const [position, name] of (operation.hidden ?? []).entries()) {
        if (!fixed.includes(name)) continue;
        yield {
          code: "graphql-operation",
          message: `\`${name}\` is hidden and has a value in \`variables\`, which hides it already. Remove it here.`,
          path: [...path, "hidden", position],
          dependsOn: [[...path, "variables"]],
        };
      }
    }
  }
};
