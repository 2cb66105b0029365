import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** `mcp_url` is short for `surfaces.mcp.url`; both together are one server too many. */
export const mcpUrlTwice: Rule = function* (file): Generator<Finding> {
  for (const { provider, path } of eachProvider(file)) {
    if (provider.mcp_url === undefined || provider.surfaces?.mcp === undefined) continue;
    yield {
      code: "mcp-url-twice",
      message:
        "`mcp_url` is short for `surfaces.mcp.url`, and `surfaces.mcp` is there too. Keep one of the two.",
      path: [...path, "mcp_url"],
      target: "key",
      related: [{ message: "The other one is here.", path: [...path, "surfaces", "mcp"], target: "key" }],
      dependsOn: [[...path, "surfaces", "mcp"]],
    };
  }
};
