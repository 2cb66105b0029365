import type { Provider } from "../../model/config-file.generated.ts";
import { eachConnectionUse } from "../connection-names.ts";
import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** MCP servers are asked for their tools, and endpoints for their schema, when nobody calls, so that there is no header to pass on. */
export const passthroughSurface: Rule = function* (file): Generator<Finding> {
  for (const { provider, path } of eachProvider(file)) {
    for (const use of eachConnectionUse(provider, path)) {
      if (use.connection.kind !== "named") continue;
      const { name } = use.connection;
      if (provider.connections?.[name]?.auth?.type !== "passthrough") continue;
      if (use.surface === "graphql" && needsSchema(provider, name)) {
        yield {
          severity: "warning",
          code: "passthrough-surface",
          message: `The connection \`${name}\` passes on a header of each call, and the endpoint is asked for its schema while nobody calls, so without a credential. Where it refuses that, give the \`schema\` as a file, or name another connection in \`schema_connection\`.`,
          path: use.path,
          target: "key",
          dependsOn: [
            [...path, "connections"],
            [...path, "surfaces", "graphql", "schema"],
          ],
        };
      }
      if (use.surface !== "mcp" && use.surface !== "mcp_url") continue;
      const typePath = [...path, "connections", name, "auth", "type"];
      yield {
        code: "passthrough-surface",
        message: `The connection \`${name}\` passes on a header of each call, and the tools of an MCP server are listed while nobody calls. Give it a connection that is stored, such as \`mcp_oauth\` or \`bearer\`.`,
        path: use.path,
        target: "key",
        related: [{ message: "The connection's type is here.", path: typePath }],
        dependsOn: [typePath, [...path, "connections"]],
      };
    }
  }
};

/** Whether the schema of a GraphQL endpoint is asked for by a connection. */
function needsSchema({ surfaces }: Provider, connection: string): boolean {
  const { schema, schema_connection: own } = surfaces?.graphql ?? {};
  return schema === undefined && (own === undefined || own === connection);
}
