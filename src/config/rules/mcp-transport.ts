import type { NodePath } from "../../documents/located-node.ts";
import { splitWords, writeFlowList } from "../flow-list.ts";
import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** An MCP server is reached by exactly one of `url` and `command`; `env` and `cwd` belong to the latter. */
export const mcpTransport: Rule = function* (file, look): Generator<Finding> {
  for (const { provider, path: providerPath } of eachProvider(file)) {
    const mcp = provider.surfaces?.mcp;
    if (mcp === undefined) continue;
    const path = [...providerPath, "surfaces", "mcp"];
    const transport: readonly NodePath[] = [
      [...path, "url"],
      [...path, "command"],
    ];
    const find = (at: NodePath, message: string): Finding => ({
      code: "mcp-transport",
      message,
      path: at,
      target: "key",
      dependsOn: transport,
    });
    if (mcp.url !== undefined && mcp.command !== undefined) {
      yield find(
        [...path, "command"],
        "An MCP server is reached by `url` or by `command`, not by both. Remove one of them.",
      );
    } else if (mcp.url === undefined && mcp.command === undefined) {
      yield find(
        path,
        "This MCP server can't be reached: give its `url`, or the `command` of a local program such as `[npx, -y, some-server]`.",
      );
    } else if (mcp.url !== undefined) {
      for (const key of ["env", "cwd"] as const) {
        if (mcp[key] === undefined) continue;
        yield find(
          [...path, key],
          `\`${key}\` is for a local program (\`command\`), and this server is reached by \`url\`. Remove it.`,
        );
      }
    } else if (mcp.command?.[0]?.trim() === "") {
      yield find([...path, "command", 0], "The first item of `command` is the program, and it is empty.");
    } else if (mcp.command?.length === 1 && /\S\s+\S/.test(mcp.command[0] ?? "")) {
      const program = [...path, "command", 0];
      const words = splitWords(look.written(program));
      yield {
        // There are programs with a space in their name.
        severity: "warning",
        code: "mcp-transport",
        message: `The only item of \`command\` holds spaces and is taken as the name of one program. Write each word as an item: \`${writeFlowList(words)}\`.`,
        path: program,
      };
    }
  }
};
