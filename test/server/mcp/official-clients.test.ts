import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema, ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cancellation, jsonAnswer, startEndpoint, type TestEndpoint, type TestTool } from "./harness.ts";

let started: PromiseWithResolvers<void>;
let gone: PromiseWithResolvers<void>;
let endpoint: TestEndpoint;

const echo: TestTool = {
  inputSchema: { type: "object", properties: { a: true } },
  run: ({ arguments: given }) => jsonAnswer(given),
};
const tools: Record<string, TestTool> = {
  echo,
  list: { outputSchema: { type: "array", items: { type: "integer" } }, run: () => jsonAnswer([1, 2]) },
  wait: {
    run: async ({ signal }) => {
      started.resolve();
      await cancellation(signal);
      gone.resolve();
      return jsonAnswer({});
    },
  },
  progress: {
    run: ({ peer }) => {
      for (const progress of [1, 2, 3]) peer.notify("notifications/progress", { progress, total: 3 });
      return jsonAnswer({});
    },
  },
  ask: {
    run: async ({ peer }) => {
      const requestedSchema = { type: "object", properties: { name: { type: "string" } } };
      return jsonAnswer(await peer.ask("elicitation/create", { message: "Name?", requestedSchema }));
    },
  },
};

/** What both generations of clients can do, under the names that they share. */
interface AnyClient {
  listTools(params?: {
    cursor: string;
  }): Promise<{ tools: { name: string }[]; nextCursor?: string | undefined }>;
  call(
    name: string,
    options?: { signal?: AbortSignal; onprogress?: (progress: { progress: number }) => void },
  ): Promise<unknown>;
  instructions(): string | undefined;
  serverName(): string | undefined;
  close(): Promise<void>;
}

async function connectFirst(onChange: () => void): Promise<AnyClient> {
  const client = new Client({ name: "first", version: "1" }, { capabilities: { elicitation: {} } });
  client.setNotificationHandler(ToolListChangedNotificationSchema, onChange);
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: "accept", content: { name: "Ada" } }));
  const transport = new StreamableHTTPClientTransport(new URL(endpoint.url));
  // The SDK's own types are not written for exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  return {
    listTools: (params) => client.listTools(params),
    call: (name, options) => client.callTool({ name, arguments: { a: 1 } }, undefined, options),
    instructions: () => client.getInstructions(),
    serverName: () => client.getServerVersion()?.name,
    close: () => client.close(),
  };
}

async function connectSecond(mode: "legacy" | "auto", onChange: () => void): Promise<AnyClient> {
  const client = new ModernClient(
    { name: "second", version: "1" },
    {
      capabilities: { elicitation: {} },
      versionNegotiation: { mode },
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: onChange } },
    },
  );
  client.setRequestHandler("elicitation/create", () => ({ action: "accept", content: { name: "Ada" } }));
  await client.connect(new ModernTransport(new URL(endpoint.url)));
  return {
    listTools: (params) => client.listTools(params),
    call: (name, options) => client.callTool({ name, arguments: { a: 1 } }, options),
    instructions: () => client.getInstructions(),
    serverName: () => client.getServerVersion()?.name,
    close: () => client.close(),
  };
}

const clients = [
  { name: "SDK 1", era: "legacy", connect: connectFirst },
  {
    name: "SDK 2, legacy",
    era: "legacy",
    connect: (onChange: () => void) => connectSecond("legacy", onChange),
  },
  {
    name: "SDK 2, modern",
    era: "modern",
    connect: (onChange: () => void) => connectSecond("auto", onChange),
  },
];

describe.each(clients)("$name", ({ era, connect }) => {
  let client: AnyClient;
  let changed: PromiseWithResolvers<void>;

  beforeEach(async () => {
    started = Promise.withResolvers();
    gone = Promise.withResolvers();
    changed = Promise.withResolvers();
    endpoint = await startEndpoint(tools, { limits: { changeMilliseconds: 1 } });
    client = await connect(() => changed.resolve());
  });
  afterEach(async () => {
    await client.close();
    await endpoint.close();
    expect(endpoint.logged).toEqual([]);
  });

  test("learns who it talks to", () => {
    expect(client.instructions()).toContain("Test System");
    expect(client.serverName()).toBe("gestalt-gateway");
  });

  test("lists, page by page", async () => {
    endpoint.offer(Object.fromEntries(Array.from({ length: 450 }, (_, index) => [`tool_${index}`, echo])));
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await client.listTools(cursor === undefined ? undefined : { cursor });
      names.push(...page.tools.map(({ name }) => name));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(new Set(names).size).toBe(450);
  });

  test("calls, and accepts results against output schemas that older versions don't have", async () => {
    await client.listTools();
    expect(await client.call("echo")).toMatchObject({
      structuredContent: { a: 1 },
      content: [{ text: '{"a":1}' }],
    });
    expect(await client.call("list")).toMatchObject({
      structuredContent: era === "modern" ? [1, 2] : { result: [1, 2] },
    });
  });

  test("sees progress", async () => {
    const seen: number[] = [];
    await client.call("progress", { onprogress: ({ progress }) => seen.push(progress) });
    expect(seen).toEqual([1, 2, 3]);
  });

  test("cancels", async () => {
    const leaving = new AbortController();
    const call = client.call("wait", { signal: leaving.signal });
    await started.promise;
    leaving.abort();
    await expect(call).rejects.toThrow();
    await gone.promise;
  });

  test("hears of changed tools", async () => {
    // A change while the client still opens its stream is told of when the stream opens.
    endpoint.offer({ echo });
    await changed.promise;
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["echo"]);
  });

  test("is asked by an upstream", async () => {
    const result = await client.call("ask");
    expect(result).toMatchObject({ structuredContent: { action: "accept", content: { name: "Ada" } } });
  });

  test("gets an error for a tool that is not there", async () => {
    await expect(client.call("none")).rejects.toThrow("Unknown tool: none");
  });
});
