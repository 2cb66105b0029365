import { eachConnectionUse } from "../connection-names.ts";
import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** With several connections it has to be said which one a surface uses. */
export const ambiguousConnection: Rule = function* (file): Generator<Finding> {
  for (const { name, provider, path: providerPath } of eachProvider(file)) {
    for (const { surface, path, connection } of eachConnectionUse(provider, providerPath)) {
      if (connection.kind !== "ambiguous") continue;
      const candidates = connection.candidates.map((candidate) => `\`${candidate}\``).join(", ");
      const remedy =
        surface === "mcp_url"
          ? "Add `default_connection` to the provider."
          : "Add `connection` to the surface, or `default_connection` to the provider.";
      yield {
        code: "ambiguous-connection",
        message: `\`${name}\` declares ${candidates}, and \`${surface}\` does not say which of them it uses. ${remedy}`,
        path,
        target: "key",
        dependsOn: [
          [...providerPath, "connections"],
          [...providerPath, "default_connection"],
        ],
      };
    }
  }
};
