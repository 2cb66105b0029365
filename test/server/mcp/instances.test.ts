import { afterEach, expect, test } from "vitest";
import { createView } from "../../../src/catalog/view.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { createToolLists } from "../../../src/server/mcp/tool-list.ts";
import { scriptConnections } from "../scripted-connections.ts";
import {
  jsonAnswer,
  makeCatalog,
  makeTool,
  startEndpoint,
  type TestEndpoint,
  type TestTool,
} from "./harness.ts";
import { modern, modernRequest, openSession, post } from "./wire.ts";

let endpoint: TestEndpoint;
let opened: TestEndpoint | undefined;
afterEach(async () => {
  await opened?.close();
  expect(opened?.logged ?? []).toEqual([]);
  opened = undefined;
});

async function open(...given: Parameters<typeof startEndpoint>): Promise<void> {
  endpoint = await startEndpoint(...given);
  opened = endpoint;
}

const echo: Pick<TestTool, "run"> = { run: ({ arguments: given }) => jsonAnswer(given) };
const tools: Readonly<Record<string, TestTool>> = {
  find: { ...echo, provider: "books", connection: "api" },
  open: echo,
  own: {
    ...{ ...echo, provider: "books", connection: "api" },
    inputSchema: { type: "object", properties: { _instance: { type: "integer" } } },
  },
};
const choice = { type: "string", enum: ["home", "work"], description: expect.any(String) };

/** The properties of all tools, by name, as somebody sees them. */
async function propertiesFor(user: string): Promise<Record<string, unknown>> {
  const request = modernRequest("tools/list");
  const { message } = await post(endpoint.url, request.message, { ...request.headers, "x-user": user });
  const listed = (message["result"] as { tools: { name: string; inputSchema: JsonObject }[] }).tools;
  return Object.fromEntries(listed.map(({ name, inputSchema }) => [name, inputSchema["properties"]]));
}

test("who has several instances chooses among them, and nobody else hears of it", async () => {
  const script = scriptConnections({
    instances: ({ id }) => new Map([["books/api", id === "ada" ? ["home", "work"] : ["home"]]]),
  });
  await open(tools, { connections: script.parts });
  const plain = { find: {}, open: {}, own: { _instance: { type: "integer" } } };
  expect(await propertiesFor("ada")).toEqual({ ...plain, find: { _instance: choice } });
  expect(await propertiesFor("bob")).toEqual(plain);
  expect(await propertiesFor("ada")).toEqual({ ...plain, find: { _instance: choice } });
});

test("the choice is no argument of the tool, unless the tool has one of that name", async () => {
  const asked: (string | undefined)[] = [];
  await open(tools, {
    credentials: {
      resolve: async ({ instance }) => {
        asked.push(instance);
        return { reference: undefined, headers: {}, query: {} };
      },
    },
  });
  const call = async (name: string, given: JsonObject) =>
    (await modern(endpoint.url, "tools/call", { name, arguments: given })).message["result"];
  expect(await call("find", { _instance: "work", a: 1 })).toMatchObject({ structuredContent: { a: 1 } });
  expect(await call("own", { _instance: 5 })).toMatchObject({ structuredContent: { _instance: 5 } });
  expect(asked).toEqual(["work", undefined]);
});

test("clients hear that there is something to choose now", async () => {
  let names: readonly string[] = ["home"];
  const script = scriptConnections({ instances: () => new Map([["books/api", names]]) });
  await open(tools, { connections: script.parts, limits: { recheckMilliseconds: 10 } });
  const session = await openSession(endpoint.url);
  const headers = { accept: "text/event-stream", ...session.headers };
  const stream = await fetch(endpoint.url, { headers });
  names = ["home", "work"];
  const reader = stream.body?.getReader();
  let text = "";
  while (!text.includes("list_changed")) text += new TextDecoder().decode((await reader?.read())?.value);
  await reader?.cancel();
});

test("lists are made once for each choice, and not kept without end", () => {
  const view = createView(makeCatalog([makeTool("find", undefined, undefined, "books", "api")]), "mcp");
  const listOf = createToolLists();
  const several = (...names: string[]) => new Map([["books/api", names]]);
  expect(listOf(view, new Map())).toBe(listOf(view, several("one")));
  const chosen = listOf(view, several("a", "b"));
  expect(listOf(view, several("a", "b"))).toBe(chosen);
  expect(chosen.digest).not.toBe(listOf(view, new Map()).digest);
  expect(chosen.digest).not.toBe(listOf(view, several("a", "c")).digest);
  for (let index = 0; index < 100; index += 1) listOf(view, several("a", `b${index}`));
  expect(listOf(view, several("a", "b"))).not.toBe(chosen);
});

test("tools that follow the caller's connection are there before they are listed or called", async () => {
  const ready = new Set<string>();
  const script = scriptConnections({
    prepare: ({ id }) =>
      ready.has(id) ? undefined : new Promise((resolve) => setTimeout(() => resolve(void ready.add(id)), 5)),
  });
  await open(tools, { connections: script.parts, sees: ({ id }) => ready.has(id) });
  expect(Object.keys(await propertiesFor("ada"))).toEqual(["find", "open", "own"]);
  const { message } = await modern(endpoint.url, "tools/call", { name: "open", arguments: {} });
  expect(message).toMatchObject({ result: { resultType: "complete" } });
});

test.each(["legacy", "modern"])(
  "the caller's headers are there for connections, but none of the gateway's own: %s",
  async (era) => {
    const seen: Record<string, string | undefined> = {};
    await open(tools, {
      credentials: {
        resolve: async ({ header }) => {
          for (const name of [
            "x-key",
            "authorization",
            "cookie",
            "x-gateway-tenant",
            "mcp-session-id",
            "mcp-name",
          ])
            seen[name] = header?.(name);
          return { reference: undefined, headers: {}, query: {} };
        },
      },
    });
    const sent = { "x-key": "k", authorization: "Bearer t", cookie: "a=b", "x-gateway-tenant": "t" };
    const params = { name: "open", arguments: {} };
    if (era === "modern") {
      const request = modernRequest("tools/call", params);
      await post(endpoint.url, request.message, { ...request.headers, ...sent });
    } else {
      const session = await openSession(endpoint.url);
      await post(
        endpoint.url,
        { jsonrpc: "2.0", id: 1, method: "tools/call", params },
        { ...session.headers, ...sent },
      );
    }
    expect(seen).toEqual({ "x-key": "k" });
  },
);
