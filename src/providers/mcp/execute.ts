import type { Executor } from "../../broker/executor.ts";
import { GatewayError } from "../../errors.ts";
import { withoutReservedMeta } from "../../mcp/meta.ts";
import {
  type ParameterHeader,
  readParameterHeaders,
  writeParameterHeaders,
} from "../../mcp/parameter-headers.ts";
import type { Tool } from "../../model/catalog.ts";
import type { JsonObject } from "../../model/json.ts";
import type { McpResult } from "../../model/result.ts";
import { describeCall } from "./describe-failure.ts";
import type { McpUpstream } from "./upstream.ts";

/**
 * Carries out calls of MCP bindings in the upstream's session, which belongs to the gateway itself.
 *
 * @param conceal takes secrets out of the upstream's words where they become part of an error.
 */
export function createMcpExecutor(upstream: McpUpstream, conceal: (text: string) => string): Executor {
  const declared = new WeakMap<Tool, readonly ParameterHeader[]>();

  function parameterHeaders(tool: Tool, args: JsonObject): Record<string, string> {
    if (!upstream.mirrorsParameters) return {};
    let headers = declared.get(tool);
    if (headers === undefined) {
      const read = readParameterHeaders(tool.inputSchema);
      headers = read.ok ? read.headers : [];
      declared.set(tool, headers);
    }
    return writeParameterHeaders(headers, args);
  }

  return {
    async execute(invocation, tool, credential): Promise<McpResult> {
      if (tool.binding.kind !== "mcp") throw new Error(`\`${tool.name}\` is not a tool of an MCP server.`);
      const owner = credential.reference?.owner.kind ?? "gateway";
      if (owner !== "gateway") {
        throw new GatewayError(
          "unsupported",
          `Provider \`${tool.provider}\` is called with the gateway's own credential only, not with that of a ${owner}.`,
        );
      }
      try {
        const result = await upstream.callTool({
          name: tool.binding.tool,
          arguments: invocation.arguments,
          parameterHeaders: parameterHeaders(tool, invocation.arguments),
          peer: invocation.peer,
          signal: invocation.signal,
        });
        return { kind: "mcp", result: withoutHopKeys(result), isError: result["isError"] === true };
      } catch (error) {
        throw describeCall(error, tool.provider, conceal);
      }
    },
  };
}

/** Without what concerns the upstream's hop alone: the kind of result, how long it keeps, and `_meta` such as the server's name. */
function withoutHopKeys(result: JsonObject): JsonObject {
  const { resultType: _type, ttlMs: _ttl, cacheScope: _scope, ...members } = withoutReservedMeta(result);
  return members;
}
