import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { callModern, type System, startSystem } from "../attack/system.ts";
import { plainTool, startMcpUpstream, startUpstream, type Upstream } from "../attack/upstream.ts";

/** What a call comes to with answers of so many bytes. */
interface Case {
  readonly tool: string;
  readonly limit: number;
  readonly at: (bytes: number) => void;
}

const answerLimit = 20_000;
const eventLimit = 30_000;

let bytes = 0;
let upstream: Upstream;
let mcp: Upstream;
let streaming: Upstream;
let system: System;

/** A JSON-RPC answer of exactly so many bytes. */
function rpcAnswer(id: unknown): string {
  const make = (text: string): string =>
    JSON.stringify({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text }] } });
  return make("x".repeat(bytes - make("").length));
}

beforeAll(async () => {
  upstream = await startUpstream(({ target }, response) => {
    if (target === "/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      // The field name counts as well.
      response.end(`data: first\n\ndata: ${"x".repeat(bytes - "data: ".length)}\n\n`);
    } else if (target === "/graphql") {
      const make = (text: string): string => JSON.stringify({ data: { go: text } });
      response.writeHead(200, { "content-type": "application/json" });
      response.end(make("x".repeat(bytes - make("").length)));
    } else {
      response.writeHead(200, { "content-type": "text/plain" }).end("x".repeat(bytes));
    }
  });
  mcp = await startMcpUpstream([plainTool("go")], ({ id }, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(rpcAnswer(id));
  });
  streaming = await startMcpUpstream([plainTool("go")], ({ id }, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(`data:${rpcAnswer(id)}\n\n`);
  });
  const limits = { answer_size: answerLimit, event_size: eventLimit };
  system = await startSystem(
    {
      api: {
        limits: { ...limits, answer_size: 40_000, event_size: answerLimit },
        surfaces: {
          rest: { base_url: upstream.url, operations: [{ name: "events", method: "GET", path: "/events" }] },
        },
      },
      plain: {
        limits,
        surfaces: {
          rest: { base_url: upstream.url, operations: [{ name: "go", method: "GET", path: "/go" }] },
        },
      },
      graph: { limits, surfaces: { graphql: { url: `${upstream.url}/graphql`, schema: "./s.graphql" } } },
      json: { limits, mcp_url: `${mcp.url}/mcp` },
      stream: { limits, mcp_url: `${streaming.url}/mcp` },
    },
    { files: { "s.graphql": "type Query { go: String }" } },
  );
});
afterAll(async () => {
  await system.close();
  for (const server of [upstream, mcp, streaming]) await server[Symbol.asyncDispose]();
});

const at = (size: number): void => {
  bytes = size;
};
const cases: Readonly<Record<string, Case>> = {
  "an answer of an HTTP operation": { tool: "plain_go", limit: answerLimit, at },
  "an answer of a GraphQL operation": { tool: "graph_go", limit: answerLimit, at },
  "JSON of an MCP server": { tool: "json_go", limit: answerLimit, at },
  // `data:` is part of the event.
  "a message of an MCP server on a stream": {
    tool: "stream_go",
    limit: eventLimit,
    at: (size) => at(size - "data:".length),
  },
};

describe("sizes of the file, a byte fewer, all and one more", () => {
  test.each(Object.keys(cases))("%s", async (name) => {
    const { tool, limit, at: answerWith } = cases[name] ?? { tool: "", limit: 0, at };
    for (const size of [limit - 1, limit]) {
      answerWith(size);
      const { text } = await callModern(system.url, tool, {});
      expect(text).not.toContain("answer_too_large");
      expect(text.length).toBeGreaterThan(size - 200);
    }
    answerWith(limit + 1);
    const { text } = await callModern(system.url, tool, {});
    expect(text).toContain("answer_too_large");
    expect(text.length).toBeLessThan(2_000);
  });

  test.each([
    ["an HTTP operation", "plain_go", answerLimit, "providers.plain.limits.answer_size"],
    ["an MCP server", "json_go", answerLimit, "providers.json.limits.answer_size"],
    ["an MCP server on a stream", "stream_go", eventLimit, "providers.stream.limits.event_size"],
  ])("the error of %s names the key of the limit", async (_what, tool, limit, key) => {
    at(limit + 1);
    const { text } = await callModern(system.url, tool, {});
    expect(text).toContain(`more than ${limit} bytes (\`${key}\`)`);
  });

  test("an event of an HTTP operation: what came before a larger one is the answer", async () => {
    for (const size of [answerLimit - 1, answerLimit]) {
      at(size);
      expect((await callModern(system.url, "api_events", {})).text).toContain("x".repeat(100));
    }
    at(answerLimit + 1);
    const { text } = await callModern(system.url, "api_events", {});
    expect(text).toContain("first");
    expect(text).toContain("the next one has more than 20000 bytes (`providers.api.limits.event_size`)");
    expect(text).not.toContain("answer_too_large");
  });
});
