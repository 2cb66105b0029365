import type { LoadRequest } from "./generate-load.ts";

/** A call of a tool over MCP 2026-07-28. */
export function mcpCall(
  tool: string,
  given: object = {},
  headers: Readonly<Record<string, string>> = {},
): LoadRequest {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  return {
    path: "/mcp",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": tool,
      ...headers,
    },
    body: JSON.stringify({
      ...{ jsonrpc: "2.0", id: 1, method: "tools/call" },
      params: { name: tool, arguments: given, _meta },
    }),
  };
}
