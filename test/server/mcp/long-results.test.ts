import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { asObject } from "../../../src/json-object.ts";
import { legacyVersions } from "../../../src/mcp/versions.ts";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import { httpAnswer, jsonAnswer, startEndpoint, type TestEndpoint, type TestTool } from "./harness.ts";
import { modernRequest, openSession, post } from "./wire.ts";

const items = Array.from({ length: 200 }, (_none, id) => ({ id, name: `item ${id}` }));
const json = JSON.stringify({ items });
const listed = { type: "object", properties: { items: { type: "array" } }, required: ["items"] } as const;
const tools: Record<string, TestTool> = {
  http: { run: () => jsonAnswer({ items }) },
  promised: { outputSchema: listed, run: () => jsonAnswer({ items }) },
  page: { run: () => httpAnswer("x".repeat(2_000), "text/html") },
  upstream: {
    outputSchema: listed,
    run: () => ({
      kind: "mcp",
      isError: false,
      result: { content: [{ type: "text", text: "All of them." }], structuredContent: { items } },
    }),
  },
  refused: { run: () => httpAnswer("x".repeat(2_000), "text/plain", 400) },
};

let endpoint: TestEndpoint;
let seen: (tool: string) => boolean;
beforeEach(async () => {
  seen = () => true;
  endpoint = await startEndpoint(tools, {
    limits: { resultBytes: 1_000 },
    sees: (_principal, { name }) => seen(name),
  });
});
afterEach(async () => {
  await endpoint.close();
  expect(endpoint.logged).toEqual([]);
});

/** What a caller does by requests of one version. */
interface Wire {
  request(method: string, params: JsonObject, user?: string): Promise<JsonObject>;
}

async function connect(version: string): Promise<Wire> {
  if (version === "2026-07-28")
    return {
      request: async (method, params, user = "ada") => {
        const { message, headers } = modernRequest(method, params);
        return (await post(endpoint.url, message, { ...headers, "x-user": user })).message;
      },
    };
  const sessions = new Map<string, ReturnType<typeof openSession>>();
  return {
    request: async (method, params, user = "ada") => {
      const opened = sessions.get(user) ?? openSession(endpoint.url, version, {}, { "x-user": user });
      sessions.set(user, opened);
      return (await (await opened).request(method, params)).message;
    },
  };
}

const listOf = (value: JsonValue | undefined): readonly JsonObject[] =>
  (Array.isArray(value) ? value : []).map((item: JsonValue) => asObject(item) ?? {});

/** Where a result says that all of it is. */
function placeOf(message: JsonObject): string {
  const blocks = listOf(asObject(message["result"])?.["content"]);
  const note = blocks.map(({ text }) => String(text)).find((text) => text.startsWith("[Cut by the gateway"));
  return /Read the resource (\S+) for all/.exec(note ?? "")?.[1] ?? "";
}

describe.each([...legacyVersions, "2026-07-28"])("over %s", (version) => {
  test.each([
    ["http", json],
    ["page", "x".repeat(2_000)],
  ])("what `%s` came to is cut, and read whole by whoever called", async (name, expected) => {
    const wire = await connect(version);
    const called = await wire.request("tools/call", { name });
    const [first, note, link] = listOf(asObject(called["result"])?.["content"]);
    expect(called["result"]).toMatchObject({ isError: false });
    expect(first?.["text"]).toBe(expected.slice(0, 1_000));
    expect(note?.["text"]).toContain(`the first 1000 of ${expected.length} bytes`);
    const uri = placeOf(called);
    expect(link?.["uri"]).toBe(version < "2025-06-18" ? undefined : uri);
    const { result } = await wire.request("resources/read", { uri });
    expect(listOf(asObject(result)?.["contents"])).toMatchObject([{ uri, text: expected }]);
  });

  test("it is nobody else's, and not there once its tool is not: as if it had never been", async () => {
    const wire = await connect(version);
    const uri = placeOf(await wire.request("tools/call", { name: "http" }));
    const never = `gateway://results/${"0".repeat(8)}-0000-4000-8000-${"0".repeat(12)}`;
    const read = async (of: string, user: string): Promise<JsonValue | undefined> => {
      const { error } = await wire.request("resources/read", { uri: of }, user);
      return JSON.parse(JSON.stringify(error).replaceAll(of, "URI")) as JsonValue;
    };
    const unknown = await read(never, "ada");
    expect(unknown).toEqual({
      code: version === "2026-07-28" ? -32602 : -32002,
      message: expect.stringMatching(/^Resource not found: URI\. Whole results are kept for a short time, /),
      data: { uri: "URI" },
    });
    expect(await read(uri, "bob")).toEqual(unknown);
    expect(await read(uri, "ada@other")).toEqual(unknown);
    seen = (tool) => tool !== "http";
    expect(await read(uri, "ada")).toEqual(unknown);
    seen = () => true;
    expect((await wire.request("resources/read", { uri }))["result"]).toBeDefined();
  });

  test("nothing of it is in any list", async () => {
    const wire = await connect(version);
    await wire.request("tools/call", { name: "http" });
    const { result } = await wire.request("resources/list", {});
    expect(asObject(result)?.["resources"]).toEqual([]);
  });
});

/** What the three official clients do alike. */
interface OfficialClient {
  call(name: string): Promise<unknown>;
  read(uri: string): Promise<unknown>;
  capabilities(): unknown;
  close(): Promise<void>;
}

async function connectFirst(): Promise<OfficialClient> {
  const client = new Client({ name: "first", version: "1" });
  const transport = new StreamableHTTPClientTransport(new URL(endpoint.url));
  // The SDK's own types are not written for exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  // It checks results against the schemas that it was told of.
  await client.listTools();
  return {
    call: (name) => client.callTool({ name }),
    read: (uri) => client.readResource({ uri }),
    capabilities: () => client.getServerCapabilities(),
    close: () => client.close(),
  };
}

async function connectSecond(mode: "legacy" | "auto"): Promise<OfficialClient> {
  const client = new ModernClient({ name: "second", version: "1" }, { versionNegotiation: { mode } });
  await client.connect(new ModernTransport(new URL(endpoint.url)));
  await client.listTools();
  return {
    call: (name) => client.callTool({ name }),
    read: (uri) => client.readResource({ uri }),
    capabilities: () => client.getServerCapabilities(),
    close: () => client.close(),
  };
}

describe.each([
  ["SDK 1", connectFirst],
  ["SDK 2, legacy", () => connectSecond("legacy")],
  ["SDK 2, modern", () => connectSecond("auto")],
])("%s", (_name, open) => {
  let client: OfficialClient;
  beforeEach(async () => {
    client = await open();
  });
  afterEach(() => client.close());

  test.each(["promised", "upstream"])(
    "takes the result of `%s` without its structure as an error, and does not throw",
    async (name) => {
      const result = await client.call(name);
      expect(result).toMatchObject({
        isError: true,
        _meta: { "io.gestalt/error": { code: "answer_too_large" } },
      });
      expect(result).not.toHaveProperty("structuredContent");
      expect(JSON.stringify(result)).toContain("The call was carried out");
    },
  );

  test("follows the link to all of it", async () => {
    expect(client.capabilities()).toMatchObject({ resources: {} });
    const result = await client.call("http");
    expect(result).toMatchObject({ isError: false, content: [{}, {}, { type: "resource_link" }] });
    const { uri } = (result as { readonly content: readonly { readonly uri?: string }[] }).content[2] ?? {};
    expect(await client.read(uri ?? "")).toMatchObject({
      contents: [{ text: json, mimeType: "application/json" }],
    });
    const upstream = await client.call("upstream");
    const link = (upstream as { readonly content: readonly { readonly uri?: string }[] }).content.at(-1);
    expect(await client.read(link?.uri ?? "")).toMatchObject({
      contents: [{ text: "All of them." }, { text: json, mimeType: "application/json" }],
    });
  });

  test("gets a long refusal of an upstream cut as well", async () => {
    expect(await client.call("refused")).toMatchObject({
      isError: true,
      content: [{}, { text: expect.stringContaining("the first 1000 of 20") }, { type: "resource_link" }],
    });
  });
});
