import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import { RpcError } from "../../../src/mcp/rpc-error.ts";
import type { Invocation } from "../../../src/model/invocation.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import type { InvocationResult } from "../../../src/model/result.ts";
import { instanceOf, scriptConnections, statusOf } from "../scripted-connections.ts";
import { type EndpointOptions, startEndpoint, type TestEndpoint } from "./harness.ts";
import type { TestServer } from "./test-servers.ts";
import { type Answer, modern, openSession } from "./wire.ts";

let endpoint: TestEndpoint;
let asked: Invocation[];
beforeEach(() => {
  asked = [];
});
afterEach(() => endpoint.close());

/** A server that answers every request in one way. */
async function start(
  answer: () => InvocationResult | Promise<InvocationResult>,
  server: Partial<TestServer> = {},
  options: EndpointOptions = {},
): Promise<void> {
  const servers: readonly TestServer[] = [
    {
      provider: "team",
      toolPrefix: "t_",
      prompts: { greet: {} },
      answer: (invocation) => {
        asked.push(invocation);
        return answer();
      },
      ...server,
    },
  ];
  endpoint = await startEndpoint({}, { servers, ...options });
}

const get = (params: JsonObject): Promise<Answer> => modern(endpoint.url, "prompts/get", params);

function mcp(result: JsonObject): InvocationResult {
  return { kind: "mcp", result, isError: false };
}

const greeting = { messages: [{ role: "user", content: { type: "text", text: "Hello" } }] };

test("goes to its upstream under the name that is known there", async () => {
  await start(() => mcp({ description: "Greets", ...greeting }));
  const { message } = await get({ name: "t_greet", arguments: { who: "Ann" } });
  expect(message["result"]).toMatchObject({
    resultType: "complete",
    description: "Greets",
    ...greeting,
  });
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatchObject({
    method: "prompts/get",
    provider: "team",
    arguments: { name: "greet", arguments: { who: "Ann" } },
  });
  const session = await openSession(endpoint.url, "2025-06-18");
  expect((await session.request("prompts/get", { name: "t_greet" })).message["result"]).toEqual({
    description: "Greets",
    ...greeting,
  });
  expect(asked[1]?.arguments).toEqual({ name: "greet" });
});

test.each([
  [{}, "`name`"],
  [{ name: 1 }, "`name`"],
  [{ name: "t_greet", arguments: [] }, "`arguments`"],
  [{ name: "t_greet", _meta: { "io.gestalt/instance": 1 } }, "io.gestalt/instance"],
])("params %j are refused", async (params, said) => {
  await start(() => mcp(greeting));
  const session = await openSession(endpoint.url);
  expect((await session.request("prompts/get", params)).message["error"]).toEqual({
    code: -32602,
    message: expect.stringContaining(said),
  });
  expect(asked).toEqual([]);
});

test.each(["greet", "t_other", "T_greet", "t_greet "])("%j is unknown", async (name) => {
  await start(() => mcp(greeting));
  const unknown = { code: -32602, message: `Unknown prompt: ${name}` };
  const session = await openSession(endpoint.url);
  expect((await session.request("prompts/get", { name })).message["error"]).toEqual(unknown);
  expect(asked).toEqual([]);
});

describe("failures", () => {
  test("an upstream's error is the client's", async () => {
    await start(() => {
      throw new RpcError(-32099, "It rains.", { since: "noon" });
    });
    expect((await get({ name: "t_greet" })).message["error"]).toEqual({
      code: -32099,
      message: "It rains.",
      data: { since: "noon" },
    });
  });

  test.each([
    ["upstream_failed", -32603],
    ["not_connected", -32603],
    ["arguments_denied", -32602],
    ["invalid_arguments", -32602],
    ["bad_request", -32602],
  ] as const)("%s is %d, with what programs need", async (code, rpc) => {
    await start(() => {
      throw new GatewayError(code, "What to do.", { details: { provider: "team" }, retryable: true });
    });
    expect((await get({ name: "t_greet" })).message["error"]).toEqual({
      code: rpc,
      message: "What to do.",
      data: { provider: "team", code, retryable: true },
    });
  });

  test("a fault of ours says nothing of itself", async () => {
    await start(() => {
      throw new Error("inside");
    });
    const { text } = await get({ name: "t_greet" });
    expect(text).toContain("-32603");
    expect(text).not.toContain("inside");
    expect(endpoint.logged.join()).toContain("inside");
  });

  test("one whose server is not there yet may come", async () => {
    await start(() => mcp(greeting), { surface: { state: "starting" } });
    expect((await get({ name: "t_greet" })).message["error"]).toMatchObject({
      code: -32603,
      data: { code: "provider_unavailable", retryable: true },
    });
    expect((await get({ name: "greet" })).message["error"]).toMatchObject({ code: -32602 });
  });
});

describe("one that somebody has to connect first", () => {
  const awaiting = { state: "disabled", reason: "It has to be connected.", awaits: "default" } as const;
  const lack = {
    provider: "team",
    connection: "default",
    connect_url: "https://gw.example.com/connect/team",
  };
  const credentials = {
    missing: async () => new GatewayError("not_connected", "Connect it.", { details: lack }),
  };

  test("is refused with where to do that, whatever its name", async () => {
    await start(() => mcp(greeting), { connection: "default", surface: awaiting }, { credentials });
    const refusal = { code: -32603, message: "Connect it.", data: { ...lack, code: "not_connected" } };
    for (const name of ["t_greet", "t_never_there"])
      expect((await get({ name })).message["error"]).toMatchObject(refusal);
    expect((await get({ name: "other" })).message["error"]).toMatchObject({ code: -32602 });
    const read = await modern(endpoint.url, "resources/read", { uri: "gw-team+test://a" });
    expect(read.message["error"]).toMatchObject(refusal);
  });

  test("asks clients that can be asked, and goes on once it is there", async () => {
    const server: Partial<TestServer> = { connection: "default" };
    let isConnected = false;
    const script = scriptConnections({
      list: () => [
        statusOf({
          ...{ provider: "team", connection: "default" },
          ...(isConnected && { state: "ready", reason: undefined, instances: [instanceOf()] }),
        }),
      ],
    });
    await start(
      () => mcp(greeting),
      { ...server, surface: awaiting },
      {
        credentials,
        connections: script.parts,
        limits: { visitCheckMilliseconds: 20, visitPauseMilliseconds: 5_000 },
      },
    );
    const client = new Client(
      { name: "asked", version: "1" },
      { capabilities: { elicitation: { url: {} } }, versionNegotiation: { mode: "auto" } },
    );
    let url: unknown;
    client.setRequestHandler("elicitation/create", ({ params }) => {
      url = "url" in params ? params.url : undefined;
      isConnected = true;
      endpoint.serve([
        { provider: "team", toolPrefix: "t_", prompts: { greet: {} }, answer: () => mcp(greeting) },
      ]);
      return { action: "accept" };
    });
    await client.connect(new StreamableHTTPClientTransport(new URL(endpoint.url)));
    try {
      expect(await client.getPrompt({ name: "t_greet" })).toMatchObject(greeting);
      expect(url).toBe(lack.connect_url);
    } finally {
      await client.close();
    }
  });
});

describe("several connections", () => {
  const credentials = {
    resolve: async () => {
      throw new GatewayError("instance_selection_required", "Call again with `_instance`.", {
        details: { instances: ["home", "work"] },
      });
    },
  };

  test("the refusal says where a prompt is told which one is meant", async () => {
    await start(() => mcp(greeting), { connection: "default" }, { credentials });
    expect((await get({ name: "t_greet" })).message["error"]).toMatchObject({
      message: 'Call again with `_meta["io.gestalt/instance"]`.',
      data: { code: "instance_selection_required", instances: ["home", "work"] },
    });
  });

  test("it is the one that the request names", async () => {
    const wanted: unknown[] = [];
    const resolve = async (request: { readonly instance?: string | undefined }) => {
      wanted.push(request.instance);
      return { reference: undefined, headers: {}, query: {} };
    };
    await start(() => mcp(greeting), { connection: "default" }, { credentials: { resolve } });
    await get({ name: "t_greet", _meta: { "io.gestalt/instance": "work" } });
    await get({ name: "t_greet" });
    expect(wanted).toEqual(["work", undefined]);
  });
});

test("older clients get blocks that they know", async () => {
  const content = [
    { type: "resource_link", uri: "test://a", name: "a", description: "The first" },
    { type: "audio", data: "AAAA", mimeType: "audio/wav" },
  ];
  const messages = content.map((block) => ({ role: "user", content: block }));
  await start(() => mcp({ messages }));
  const newest = await openSession(endpoint.url, "2025-11-25");
  expect((await newest.request("prompts/get", { name: "t_greet" })).message["result"]).toEqual({ messages });
  const oldest = await openSession(endpoint.url, "2024-11-05");
  expect((await oldest.request("prompts/get", { name: "t_greet" })).message["result"]).toEqual({
    messages: [
      { role: "user", content: { type: "text", text: "a\ntest://a\nThe first" } },
      {
        role: "user",
        content: {
          type: "resource",
          resource: { uri: "gateway://results/audio", mimeType: "audio/wav", blob: "AAAA" },
        },
      },
    ],
  });
});
