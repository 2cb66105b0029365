import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** An alias becomes part of a tool's name as it is. */
export const badAlias: Rule = function* (file, look): Generator<Finding> {
  for (const { provider, path } of eachProvider(file)) {
    for (const [id, operation] of Object.entries(provider.allowed_operations ?? {})) {
      if (operation?.alias === undefined || /^[a-zA-Z0-9_-]{1,64}$/.test(operation.alias)) continue;
      const aliasPath = [...path, "allowed_operations", id, "alias"];
      yield {
        code: "bad-alias",
        message: `\`${look.written(aliasPath)}\` can't be a tool's name: it is letters, digits, \`_\` and \`-\`, at most 64 of them.`,
        path: aliasPath,
      };
    }
  }
};
