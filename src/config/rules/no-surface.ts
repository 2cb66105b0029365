import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** A provider without a surface has nothing to offer. */
export const noSurface: Rule = function* (file): Generator<Finding> {
  for (const { name, provider, path } of eachProvider(file)) {
    // A package that is still named could not be read, which was reported.
    if (provider.mcp_url !== undefined || provider.package !== undefined) continue;
    if (Object.keys(provider.surfaces ?? {}).length > 0) continue;
    yield {
      code: "no-surface",
      message: `\`${name}\` has no surface, so it has nothing to offer. Add \`surfaces\` with \`openapi\`, \`graphql\`, \`rest\` or \`mcp\`, or \`mcp_url\`.`,
      path,
      target: "key",
      dependsOn: [[...path, "surfaces"]],
    };
  }
};
