import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RpcError } from "../../../src/mcp/rpc-error.ts";
import type { Freshness } from "../../../src/model/features.ts";
import type { Invocation } from "../../../src/model/invocation.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import type { InvocationResult } from "../../../src/model/result.ts";
import { startEndpoint, type TestEndpoint } from "./harness.ts";
import type { TestServer } from "./test-servers.ts";
import { type Answer, modern, openSession } from "./wire.ts";

let endpoint: TestEndpoint;
let asked: Invocation[];
beforeEach(() => {
  asked = [];
});
afterEach(() => endpoint.close());

async function start(
  answer: () => InvocationResult | Promise<InvocationResult>,
  server: Partial<TestServer> = {},
): Promise<void> {
  const servers: readonly TestServer[] = [
    {
      provider: "my_files",
      toolPrefix: "files_",
      resources: { "file:///a": {} },
      templates: { "file:///{name}": {} },
      answer: (invocation) => {
        asked.push(invocation);
        return answer();
      },
      ...server,
    },
  ];
  endpoint = await startEndpoint({}, { servers });
}

const read = (uri: string): Promise<Answer> => modern(endpoint.url, "resources/read", { uri });

async function legacyRead(params: JsonObject): Promise<JsonObject> {
  const session = await openSession(endpoint.url);
  return (await session.request("resources/read", params)).message;
}

function contents(more: JsonObject = {}): InvocationResult {
  const result = { contents: [{ uri: "gw-my.files+file:///a", text: "A" }], ...more };
  return { kind: "mcp", result, isError: false };
}

test.each([
  ["gw-my.files+file:///a", "file:///a"],
  ["gw-my.files+file:///never-listed", "file:///never-listed"],
  ["gw-my.files+other:x", "other:x"],
])("%s is read upstream as %s", async (uri, upstream) => {
  await start(contents);
  const { message } = await read(uri);
  expect(message["result"]).toMatchObject({ contents: [{ text: "A" }] });
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatchObject({ method: "resources/read", arguments: { uri: upstream } });
});

test.each(["file:///a", "gw-other+file:///a", "gw-my_files+file:///a", "", "gw-my.files"])(
  "%j is nowhere",
  async (uri) => {
    await start(contents);
    const message = `Resource not found: ${uri}`;
    expect((await read(uri)).message["error"]).toEqual({ code: -32602, message, data: { uri } });
    expect((await legacyRead({ uri }))["error"]).toEqual({ code: -32002, message, data: { uri } });
    expect(asked).toEqual([]);
  },
);

test("a URI without end is nowhere, as nobody should have to keep it", async () => {
  await start(contents);
  const uri = `gw-my.files+file:///${"a".repeat(20_000)}`;
  expect((await legacyRead({ uri }))["error"]).toMatchObject({ code: -32002 });
  const session = await openSession(endpoint.url);
  expect((await session.request("resources/subscribe", { uri })).message["error"]).toMatchObject({
    code: -32002,
  });
  expect(asked).toEqual([]);
});

test("what is no URI at all is refused", async () => {
  await start(contents);
  expect((await legacyRead({}))["error"]).toMatchObject({ code: -32602 });
  expect((await legacyRead({ uri: 1 }))["error"]).toMatchObject({ code: -32602 });
});

describe("that an upstream has none", () => {
  const uri = "gw-my.files+file:///gone";
  test.each([
    new RpcError(-32002, "Not here", { uri: "file:///gone" }),
    new RpcError(-32602, "Not here", { uri: "file:///gone" }),
    new RpcError(-32002, "Not here"),
  ])("is said in the client's version: $code", async (error) => {
    await start(() => {
      throw error;
    });
    const same = { message: "Not here", data: { uri } };
    expect((await read(uri)).message["error"]).toEqual({ code: -32602, ...same });
    expect((await legacyRead({ uri }))["error"]).toEqual({ code: -32002, ...same });
  });

  test("is said as well where the upstream has no resources at all", async () => {
    await start(() => {
      throw new RpcError(-32601, "Method not found");
    });
    const same = { message: `Resource not found: ${uri}`, data: { uri } };
    expect((await read(uri)).message["error"]).toEqual({ code: -32602, ...same });
    expect((await legacyRead({ uri }))["error"]).toEqual({ code: -32002, ...same });
  });

  test("other errors stay as they are", async () => {
    await start(() => {
      throw new RpcError(-32602, "What?", { hint: 1 });
    });
    expect((await legacyRead({ uri }))["error"]).toEqual({
      code: -32602,
      message: "What?",
      data: { hint: 1 },
    });
  });
});

describe("how long it keeps", () => {
  const everybodys: Freshness = { ttlMs: 9_000, scope: "public" };

  test.each([
    [{}, {}, { ttlMs: 0, cacheScope: "private" }],
    [{ ttlMs: 500, cacheScope: "public" }, {}, { ttlMs: 500, cacheScope: "private" }],
    [{ ttlMs: 1.5 }, {}, { ttlMs: 1, cacheScope: "private" }],
    [{ ttlMs: -1, cacheScope: "private" }, { freshness: everybodys }, { ttlMs: 0, cacheScope: "private" }],
    [{ ttlMs: "1", cacheScope: 1 }, { freshness: everybodys }, { ttlMs: 0, cacheScope: "private" }],
  ])("an upstream's %j", async (said, server, expected) => {
    await start(() => contents(said), server);
    expect((await read("gw-my.files+file:///a")).message["result"]).toMatchObject(expected);
    const legacy = (await legacyRead({ uri: "gw-my.files+file:///a" }))["result"];
    expect(legacy).toEqual({ contents: [{ uri: "gw-my.files+file:///a", text: "A" }] });
  });
});

test("without a prefix URIs stay as they are", async () => {
  await start(contents, { toolPrefix: "" });
  await read("file:///a");
  await read("else://where");
  expect(asked.map((invocation) => invocation.arguments)).toEqual([
    { uri: "file:///a" },
    { uri: "else://where" },
  ]);
});

test("one whose server is not there yet may come", async () => {
  await start(contents, { surface: { state: "unavailable", reason: "It is away." } });
  expect((await read("gw-my.files+file:///a")).message["error"]).toMatchObject({
    code: -32603,
    data: { code: "provider_unavailable" },
  });
  expect((await read("file:///a")).message["error"]).toMatchObject({ code: -32602 });
});
