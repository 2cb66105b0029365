import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** A list of tools that takes away prompts and resources as well is told of, unless the file says about them what is meant. */
export const withheldFeatures: Rule = function* (file): Generator<Finding> {
  for (const { provider, path } of eachProvider(file)) {
    const { surfaces, mcp_url, allowed_operations } = provider;
    if (allowed_operations === undefined || (surfaces?.mcp === undefined && mcp_url === undefined)) continue;
    const withheld = (["prompts", "resources"] as const).filter((key) => surfaces?.mcp?.[key] === undefined);
    if (withheld.length === 0) continue;
    const settings = withheld.map((key) => `\`surfaces.mcp.${key}\``).join(" and ");
    yield {
      severity: "information",
      code: "withheld-features",
      message: `Beside \`allowed_operations\` the ${withheld.join(" and ")} of this provider's MCP server are not offered. ${settings}: \`true\` offers them, \`false\` says that this is meant.`,
      path: [...path, "allowed_operations"],
      target: "key",
    };
  }
};
