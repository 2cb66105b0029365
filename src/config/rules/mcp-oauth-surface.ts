import { eachConnectionUse } from "../connection-names.ts";
import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** `mcp_oauth` finds out from an MCP server where to sign in, and its tokens are for that server only. */
export const mcpOauthSurface: Rule = function* (file): Generator<Finding> {
  for (const { provider, path } of eachProvider(file)) {
    for (const use of eachConnectionUse(provider, path)) {
      if (use.connection.kind !== "named") continue;
      const { name } = use.connection;
      const isLocal = use.surface === "mcp" && provider.surfaces?.mcp?.command !== undefined;
      if ((use.surface === "mcp" && !isLocal) || use.surface === "mcp_url") continue;
      if (provider.connections?.[name]?.auth?.type !== "mcp_oauth") continue;
      const typePath = [...path, "connections", name, "auth", "type"];
      yield {
        code: "mcp-oauth-surface",
        message: isLocal
          ? `This MCP server is a local program, which takes no credential from requests, and the connection \`${name}\` signs in by \`mcp_oauth\`. Give the program what it needs in \`env\`.`
          : `\`${use.surface}\` uses the connection \`${name}\`, whose \`mcp_oauth\` only works with an MCP server. Give it a connection of another type, such as \`oauth2\` or \`bearer\`.`,
        path: use.path,
        target: "key",
        related: [{ message: "The connection's type is here.", path: typePath }],
        dependsOn: [typePath, [...path, "connections"], ...(isLocal ? [[...use.path, "command"]] : [])],
      };
    }
  }
};
