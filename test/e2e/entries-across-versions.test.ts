import type { IncomingMessage, ServerResponse } from "node:http";
import { type NodeIncomingMessageLike, toNodeHandler } from "@modelcontextprotocol/node";
import { Server as FirstServer } from "@modelcontextprotocol/sdk/server/index.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { createMcpHandler, Server as SecondServer } from "@modelcontextprotocol/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asObject } from "../../src/json-object.ts";
import { encodeHeaderValue } from "../../src/mcp/header-value.ts";
import { isModernVersion, legacyVersions, modernVersions } from "../../src/mcp/versions.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import { type System, startSystem } from "../attack/system.ts";
import { listenOn, type Peer } from "../providers/mcp/peers.ts";
import { modernRequest, openSession, post } from "../server/mcp/wire.ts";

const icons = [{ src: "https://icons.example/a.png", mimeType: "image/png", sizes: ["48x48"] }];
const _meta = { "vendor.example/key": 1 };
const annotations = { audience: ["user"], priority: 0.5, lastModified: "2026-01-01T00:00:00Z" };
const uri = "memo://münchen/über uns";
const template = "memo://{ort}/übersicht";

/** All that the versions know of each kind of entry. */
const prompt = {
  name: "grüße",
  title: "Grüße",
  description: "Greets.",
  arguments: [{ name: "who", title: "Wer", description: "Whom", required: true }],
};
const located = { title: "Ü", description: "d", mimeType: "text/plain", annotations, icons, _meta };
const resource = { name: "über", size: 4, ...located };
const resourceTemplate = { name: "orte", ...located };
const lists: Readonly<Record<string, JsonObject>> = {
  "tools/list": {
    tools: [
      {
        name: "zählen",
        title: "Zählen",
        description: "Counts.",
        inputSchema: { type: "object", properties: {} },
        outputSchema: { type: "object", properties: { n: { type: "integer" } } },
        annotations: { readOnlyHint: true },
        icons,
        _meta,
      },
    ],
  },
  "prompts/list": { prompts: [{ ...prompt, icons, _meta }] },
  "resources/list": { resources: [{ ...resource, uri }] },
  "resources/templates/list": { resourceTemplates: [{ ...resourceTemplate, uriTemplate: template }] },
};

/** What a server answers; the names are its own. */
function answer(method: string, params: JsonObject): JsonObject {
  const list = lists[method];
  if (list !== undefined) return list;
  if (method === "tools/call") return { content: [{ type: "text", text: `tool ${String(params["name"])}` }] };
  if (method === "prompts/get")
    return {
      messages: [{ role: "user", content: { type: "text", text: `prompt ${String(params["name"])}` } }],
    };
  if (method === "resources/read") {
    const read = String(params["uri"]);
    return { contents: [{ uri: read, mimeType: "text/plain", text: `read ${read}`, _meta }] };
  }
  const { ref, argument, context } = params;
  return { completion: { values: [JSON.stringify({ ref, argument, context })], total: 7, hasMore: true } };
}

const capabilities = { tools: {}, prompts: {}, resources: {}, completions: {} };
const info = { name: "entries", version: "1" };

/** A server of 2025-11-25, without sessions. */
async function handleFirst(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const server = new FirstServer(info, { capabilities });
  for (const schema of [
    ListToolsRequestSchema,
    CallToolRequestSchema,
    ListPromptsRequestSchema,
    GetPromptRequestSchema,
    ListResourcesRequestSchema,
    ListResourceTemplatesRequestSchema,
    ReadResourceRequestSchema,
    CompleteRequestSchema,
  ])
    server.setRequestHandler(schema, ({ method, params }) => answer(method, toJson(params)));
  const transport = new StreamableHTTPServerTransport();
  // The SDK's own types disagree under exactOptionalPropertyTypes.
  await server.connect(transport as Parameters<typeof server.connect>[0]);
  await transport.handleRequest(request, response);
}

/** A server of 2026-07-28. */
function createSecond(): SecondServer {
  const server = new SecondServer(info, { capabilities });
  // The SDK's types would have each answer named here.
  for (const method of [
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "completion/complete",
  ] as const)
    server.setRequestHandler(method, async ({ params }) => answer(method, toJson(params)) as never);
  return server;
}

function toJson(value: unknown): JsonObject {
  const parsed: JsonValue = JSON.parse(JSON.stringify(value ?? {}));
  return asObject(parsed) ?? {};
}

let peers: readonly Peer[];
let system: System;
let url: string;

beforeAll(async () => {
  const second = toNodeHandler(createMcpHandler(createSecond, { legacy: "reject" }));
  peers = await Promise.all([
    listenOn(handleFirst),
    listenOn((request, response) => void second(request as NodeIncomingMessageLike, response)),
  ]);
  const [first, modern] = peers.map((peer) => ({ surfaces: { mcp: { url: peer.url } } }));
  system = await startSystem({ first, second: modern });
  url = `${system.url}/mcp`;
});
afterAll(async () => {
  await system?.close();
  await Promise.all((peers ?? []).map((peer) => peer.close()));
});

/** Asks as a client of a version. */
async function ask(version: string, method: string, params: JsonObject = {}): Promise<JsonObject> {
  const { message } = isModernVersion(version)
    ? await askModern(method, params)
    : await (await openSession(url, version)).request(method, params);
  return asObject(message["result"]) ?? { failed: message };
}

function askModern(method: string, params: JsonObject): ReturnType<typeof post> {
  const { message, headers } = modernRequest(method, params);
  const name = headers["mcp-name"];
  return post(url, message, {
    ...headers,
    ...(name !== undefined && { "mcp-name": encodeHeaderValue(name) }),
  });
}

describe.each([...legacyVersions, ...modernVersions])("a client of %s", (version) => {
  describe.each(["first", "second"])("of the %s server", (provider) => {
    const clientUri = `gw-${provider}+${uri}`;

    test("sees all that entries have", async () => {
      const tools = await ask(version, "tools/list");
      expect(tools["tools"]).toContainEqual(
        expect.objectContaining({
          title: "Zählen",
          icons,
          _meta,
          annotations: expect.objectContaining({ readOnlyHint: true }),
        }),
      );
      const lists = [
        ["prompts", { ...prompt, name: `${provider}_grüße`, icons, _meta }],
        ["resources", { ...resource, uri: clientUri }],
      ] as const;
      for (const [list, entry] of lists)
        expect((await ask(version, `${list}/list`))[list]).toContainEqual(entry);
      const { resourceTemplates } = await ask(version, "resources/templates/list");
      expect(resourceTemplates).toContainEqual({
        ...resourceTemplate,
        uriTemplate: `gw-${provider}+${template}`,
      });
    });

    test("calls a tool whose own name is beyond ASCII", async () => {
      const { tools } = await ask(version, "tools/list");
      const names = Array.isArray(tools) ? tools.map((tool) => String(asObject(tool)?.["name"])) : [];
      const name = names.find((candidate) => candidate.startsWith(`${provider}_`)) ?? "";
      expect(await ask(version, "tools/call", { name })).toMatchObject({
        content: [{ type: "text", text: "tool zählen" }],
      });
    });

    test("gets prompts, reads resources and completes by names beyond ASCII", async () => {
      expect(
        await ask(version, "prompts/get", { name: `${provider}_grüße`, arguments: { who: "Ada" } }),
      ).toMatchObject({ messages: [{ content: { text: "prompt grüße" } }] });
      expect(await ask(version, "resources/read", { uri: clientUri })).toMatchObject({
        contents: [{ uri: clientUri, text: `read ${uri}`, _meta }],
      });
      const argument = { name: "ort", value: "m" };
      const context = { arguments: { who: "Ada" } };
      const ref = { type: "ref/resource", uri: `gw-${provider}+${template}` };
      expect(await ask(version, "completion/complete", { ref, argument, context })).toMatchObject({
        completion: {
          values: [JSON.stringify({ ref: { ...ref, uri: template }, argument, context })],
          total: 7,
          hasMore: true,
        },
      });
    });
  });
});
