import { eachConnectionUse } from "../connection-names.ts";
import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** A connection that no operation uses is most likely forgotten. */
export const unusedConnection: Rule = function* (file): Generator<Finding> {
  for (const { name, provider, path } of eachProvider(file)) {
    const uses = [...eachConnectionUse(provider, path)].map(({ connection }) => connection);
    const declared = Object.keys(provider.connections ?? {});
    // Without surfaces, with an unclear use or with an unknown name, something else has to be mended first.
    if (uses.length === 0 || provider.package !== undefined) continue;
    if (
      uses.some((use) => use.kind === "ambiguous" || (use.kind === "named" && !declared.includes(use.name)))
    )
      continue;
    const used = new Set(uses.flatMap((use) => (use.kind === "named" ? [use.name] : [])));
    for (const connection of declared.filter((candidate) => !used.has(candidate))) {
      yield {
        severity: "warning",
        code: "unused-connection",
        message: `Nothing in \`${name}\` uses the connection \`${connection}\`. Name it in a surface's \`connection\`, or remove it.`,
        path: [...path, "connections", connection],
        target: "key",
        dependsOn: [
          [...path, "connections"],
          [...path, "surfaces"],
        ],
      };
    }
  }
};
