import type { Finding, Rule } from "../rule.ts";

/** A file without providers is a beginning, and nothing that anyone would run. */
export const noProvider: Rule = function* (file, look): Generator<Finding> {
  // Where something is written, it was a mistake and is reported.
  if (Object.keys(file.providers).length > 0 || !/^\{\s*\}$/.test(look.written(["providers"]))) return;
  yield {
    severity: "information",
    code: "no-provider",
    message:
      "There is no provider yet, so the gateway has nothing to offer. Add one, such as `deepwiki: {mcp_url: https://mcp.deepwiki.com/mcp}`.",
    path: ["providers"],
  };
};
