import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** Leaves room for an operation's own name in the 64 characters of a tool's name. */
const maxLength = 40;

/** The prefix is the beginning of a tool's name, which every client has to accept. */
export const toolPrefix: Rule = function* (file, look): Generator<Finding> {
  for (const { provider, path: providerPath } of eachProvider(file)) {
    const prefix = provider.mcp?.tool_prefix;
    if (prefix === undefined) continue;
    const path = [...providerPath, "mcp", "tool_prefix"];
    if (!/^[a-zA-Z0-9_-]*$/.test(prefix)) {
      yield {
        code: "tool-prefix",
        message: `\`${look.written(path)}\` can't begin the name of a tool: only letters, digits, \`_\` and \`-\` can.`,
        path,
      };
    } else if (prefix.length > maxLength) {
      yield {
        code: "tool-prefix",
        message: `This prefix has ${prefix.length} characters; ${maxLength} is the most, as a tool's name has 64 in all. Shorten it.`,
        path,
      };
    }
  }
};
