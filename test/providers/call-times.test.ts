import { expect, onTestFinished, test } from "vitest";
import { callModern, startSystem } from "../attack/system.ts";
import { plainTool, startMcpUpstream, startUpstream } from "../attack/upstream.ts";

const limits = { call_time: "1s", longest_call_time: "2s" };

test("an HTTP operation ends with the `call_time` of its provider", async () => {
  const upstream = await startUpstream(() => {});
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const operations = [{ name: "go", method: "GET", path: "/go" }];
  const system = await startSystem({
    api: { limits, surfaces: { rest: { base_url: upstream.url, operations } } },
  });
  onTestFinished(() => system.close());
  const { text } = await callModern(system.url, "api_go", {});
  expect(text).toContain("did not answer within 1 s (`providers.api.limits.call_time`)");
});

test("a call of an MCP server ends without a sign of life after `call_time`, and whatever comes after `longest_call_time`", async () => {
  const progress = { jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: "on" } };
  const silent = await startMcpUpstream([plainTool("go")], () => {});
  const lively = await startMcpUpstream([plainTool("go")], (_message, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const timer = setInterval(() => response.write(`data: ${JSON.stringify(progress)}\n\n`), 100);
    response.once("close", () => clearInterval(timer));
  });
  for (const server of [silent, lively]) onTestFinished(() => server[Symbol.asyncDispose]());
  const system = await startSystem({
    silent: { limits, mcp_url: `${silent.url}/mcp` },
    lively: { limits: { ...limits, call_time: "60s" }, mcp_url: `${lively.url}/mcp` },
  });
  onTestFinished(() => system.close());
  const [first, second] = await Promise.all([
    callModern(system.url, "silent_go", {}),
    callModern(system.url, "lively_go", {}),
  ]);
  expect(first.text).toContain("did not answer within 1 s (`providers.silent.limits.call_time`)");
  expect(second.text).toContain("did not answer within 2 s (`providers.lively.limits.longest_call_time`)");
});
