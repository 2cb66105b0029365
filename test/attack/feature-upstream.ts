import type { JsonObject } from "../../src/model/json.ts";
import { plainTool, sendJson, startUpstream, type Upstream } from "./upstream.ts";

/**
 * Starts an MCP server (2025-11-25, JSON answers) with a tool, a prompt, a resource and a template; it answers to methods of its own.
 *
 * @param others results by method, in place of the usual ones.
 */
export function startFeatureUpstream(others: Readonly<Record<string, JsonObject>> = {}): Promise<Upstream> {
  const results: Readonly<Record<string, JsonObject>> = {
    initialize: {
      protocolVersion: "2025-11-25",
      capabilities: { tools: {}, prompts: {}, resources: { subscribe: true }, completions: {} },
      serverInfo: { name: "u", version: "1" },
    },
    "tools/list": { tools: [plainTool("echo")] },
    "tools/call": { content: [{ type: "text", text: "ok" }] },
    "prompts/list": { prompts: [{ name: "greet" }] },
    "prompts/get": { messages: [{ role: "user", content: { type: "text", text: "canary" } }] },
    "resources/list": { resources: [{ uri: "test://a", name: "a" }] },
    "resources/templates/list": { resourceTemplates: [{ uriTemplate: "test://{id}/data", name: "data" }] },
    "resources/read": { contents: [{ uri: "test://a", text: "canary" }] },
    "resources/subscribe": {},
    "resources/unsubscribe": {},
    "completion/complete": { completion: { values: ["canary"] } },
    "acme/do": { done: "canary" },
    ping: {},
    ...others,
  };
  return startUpstream((seen, response) => {
    if (seen.method !== "POST") return void response.writeHead(seen.method === "DELETE" ? 200 : 405).end();
    const { id, method } = JSON.parse(seen.body);
    if (id === undefined) return void response.writeHead(202).end();
    const result = results[method];
    if (result !== undefined) return sendJson(response, { jsonrpc: "2.0", id, result });
    // Refused as servers do that know no version without sessions.
    const error = { code: -32601, message: "Method not found" };
    sendJson(response, { jsonrpc: "2.0", id, error }, method === "server/discover" ? 400 : 200);
  });
}
