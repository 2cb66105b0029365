import { didYouMean } from "../../did-you-mean.ts";
import type { NodePath } from "../../documents/located-node.ts";
import type { GatewayFile } from "../../model/config-file.generated.ts";
import { parseScope } from "../../policy/scope.ts";
import { compileWildcard } from "../../policy/wildcard.ts";
import type { Finding, Rule } from "../rule.ts";

/** A scope names providers and operations; one that fits no provider of the file grants nothing. */
export const badScope: Rule = function* (file, look): Generator<Finding> {
  const providers = Object.keys(file.providers);
  for (const { scope, path } of eachScope(file)) {
    const written = `\`${look.written(path)}\``;
    const parsed = parseScope(scope);
    if (!parsed.ok) {
      // What a reference stands for is not printed.
      const problem = look.isReference(path) ? "See what the reference stands for." : parsed.problem;
      yield { code: "bad-scope", message: `${written} is not a scope. ${problem}`, path };
      continue;
    }
    const { provider } = parsed.scope;
    if (providers.some(compileWildcard(provider))) continue;
    const suggestion = didYouMean(provider, providers);
    const hint =
      suggestion === undefined
        ? "A scope is `PROVIDER` or `PROVIDER/OPERATION`, with the names of this file."
        : `Did you mean \`${suggestion}\`?`;
    yield {
      severity: "warning",
      code: "bad-scope",
      message: `${written} grants nothing: it fits no provider of this file. ${hint}`,
      path,
      dependsOn: [["providers"]],
    };
  }
};

function* eachScope(file: GatewayFile): Generator<{ readonly scope: string; readonly path: NodePath }> {
  for (const [role, { scopes }] of Object.entries(file.authorization?.roles ?? {})) {
    for (const [index, scope] of scopes.entries()) {
      yield { scope, path: ["authorization", "roles", role, "scopes", index] };
    }
  }
}
