import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/model/json.ts";
import { startEndpoint, type TestEndpoint } from "./harness.ts";
import type { TestServer } from "./test-servers.ts";

let endpoint: TestEndpoint;
/** What to tell of a resource, while somebody is subscribed to it. */
let tell: ((params: JsonObject) => void) | undefined;

const uri = "gw-team+test://a";
const results: Readonly<Record<string, JsonObject>> = {
  "prompts/get": { messages: [{ role: "user", content: { type: "text", text: "Hello" } }] },
  "resources/read": { contents: [{ uri, text: "A" }] },
  "completion/complete": { completion: { values: ["Ann"] } },
};
const server: TestServer = {
  provider: "team",
  toolPrefix: "t_",
  prompts: { greet: { arguments: [{ name: "who" }] } },
  resources: { "test://a": { name: "a" } },
  templates: { "test://{id}": { name: "all" } },
  answer: ({ method = "" }) => ({ kind: "mcp", result: results[method] ?? {}, isError: false }),
  subscribe: async (_invocation, _tool, _credential, updated) => {
    tell = updated;
    return {
      end: () => {
        tell = undefined;
      },
    };
  },
};

/** What both generations of clients can do. */
interface AnyClient {
  listPrompts(): Promise<{ prompts: { name: string }[] }>;
  listResources(): Promise<{ resources: { uri: string }[] }>;
  listResourceTemplates(): Promise<{ resourceTemplates: { uriTemplate: string }[] }>;
  getPrompt(params: { name: string; arguments: Record<string, string> }): Promise<unknown>;
  readResource(params: { uri: string }): Promise<unknown>;
  complete(params: {
    ref: { type: "ref/resource"; uri: string };
    argument: { name: string; value: string };
  }): Promise<unknown>;
  subscribe(uri: string): Promise<{ end(): Promise<unknown> }>;
  close(): Promise<void>;
}

async function connectFirst(heard: string[]): Promise<AnyClient> {
  const client = new Client({ name: "first", version: "1" });
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
    heard.push(params.uri);
  });
  const transport = new StreamableHTTPClientTransport(new URL(endpoint.url));
  // The SDK's own types are not written for exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  return {
    listPrompts: () => client.listPrompts(),
    listResources: () => client.listResources(),
    listResourceTemplates: () => client.listResourceTemplates(),
    getPrompt: (params) => client.getPrompt(params),
    readResource: (params) => client.readResource(params),
    complete: (params) => client.complete(params),
    subscribe: async (resource) => {
      await client.subscribeResource({ uri: resource });
      return { end: () => client.unsubscribeResource({ uri: resource }) };
    },
    close: () => client.close(),
  };
}

async function connectSecond(mode: "legacy" | "auto", heard: string[]): Promise<AnyClient> {
  const client = new ModernClient({ name: "second", version: "1" }, { versionNegotiation: { mode } });
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => {
    heard.push(params.uri);
  });
  await client.connect(new ModernTransport(new URL(endpoint.url)));
  return {
    listPrompts: () => client.listPrompts(),
    listResources: () => client.listResources(),
    listResourceTemplates: () => client.listResourceTemplates(),
    getPrompt: (params) => client.getPrompt(params),
    readResource: (params) => client.readResource(params),
    complete: (params) => client.complete(params),
    subscribe: async (resource) => {
      if (mode === "auto") {
        const subscription = await client.listen({ resourceSubscriptions: [resource] });
        return { end: () => subscription.close() };
      }
      await client.subscribeResource({ uri: resource });
      return { end: () => client.unsubscribeResource({ uri: resource }) };
    },
    close: () => client.close(),
  };
}

const clients = [
  { name: "SDK 1", connect: connectFirst },
  { name: "SDK 2, legacy", connect: (heard: string[]) => connectSecond("legacy", heard) },
  { name: "SDK 2, modern", connect: (heard: string[]) => connectSecond("auto", heard) },
];

describe.each(clients)("$name", ({ connect }) => {
  let client: AnyClient;
  let heard: string[];
  beforeEach(async () => {
    heard = [];
    tell = undefined;
    endpoint = await startEndpoint({}, { servers: [server] });
    client = await connect(heard);
  });
  afterEach(async () => {
    await client.close();
    await endpoint.close();
    expect(endpoint.logged).toEqual([]);
  });

  test("lists", async () => {
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(["t_greet"]);
    expect((await client.listResources()).resources.map((resource) => resource.uri)).toEqual([uri]);
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual(["gw-team+test://{id}"]);
  });

  test("gets, reads and completes", async () => {
    expect(await client.getPrompt({ name: "t_greet", arguments: { who: "Ann" } })).toMatchObject(
      results["prompts/get"] ?? {},
    );
    expect(await client.readResource({ uri })).toMatchObject(results["resources/read"] ?? {});
    const ref = { type: "ref/resource", uri: "gw-team+test://{id}" } as const;
    expect(await client.complete({ ref, argument: { name: "id", value: "A" } })).toMatchObject({
      completion: { values: ["Ann"] },
    });
  });

  test("is refused what is not there", async () => {
    await expect(client.getPrompt({ name: "greet", arguments: {} })).rejects.toThrow("Unknown prompt: greet");
    await expect(client.readResource({ uri: "test://a" })).rejects.toThrow("test://a");
  });

  test("hears of changes until it has heard enough", async () => {
    const subscription = await client.subscribe(uri);
    await expect.poll(() => tell).toBeDefined();
    // A session's stream may be opened a moment after its first request.
    await expect
      .poll(() => {
        tell?.({ uri });
        return heard.length;
      })
      .toBeGreaterThan(0);
    expect(new Set(heard)).toEqual(new Set([uri]));
    await subscription.end();
    await expect.poll(() => tell).toBeUndefined();
  });
});
