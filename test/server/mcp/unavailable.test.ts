import { afterEach, beforeEach, expect, test } from "vitest";
import { asObject } from "../../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import { startEndpoint, type TestEndpoint } from "./harness.ts";
import { modern, openSession, streamMessages } from "./wire.ts";

const methods = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"];
const key = "io.gestalt/unavailable";

let endpoint: TestEndpoint;
beforeEach(async () => {
  endpoint = await startEndpoint({});
});
afterEach(() => endpoint.close());

async function metaOf(method: string, cursor?: JsonValue): Promise<JsonObject> {
  const { message } = await modern(endpoint.url, method, cursor === undefined ? {} : { cursor });
  return asObject(asObject(message["result"])?.["_meta"]) ?? {};
}

test("lists name the providers whose part of them is missing or old", async () => {
  endpoint.serve([
    { provider: "fine", prompts: { one: {} } },
    { provider: "away", surface: { state: "unavailable", reason: "It refuses to begin." } },
    { provider: "coming", surface: { state: "starting" } },
    { provider: "old", surface: { state: "stale", reason: "It is away." }, tools: ["kept"] },
    { provider: "off", surface: { state: "disabled", reason: "Not yet connected.", awaits: "default" } },
  ]);
  for (const method of methods) {
    expect((await metaOf(method))[key]).toEqual([
      { provider: "away", state: "unavailable", reason: "mcp: It refuses to begin." },
      { provider: "coming", state: "starting", reason: "It is being opened." },
      { provider: "old", state: "stale", reason: "mcp: It is away." },
    ]);
  }
  const session = await openSession(endpoint.url);
  const { message } = await session.request("prompts/list");
  expect(asObject(message["result"])?.["_meta"]).toHaveProperty([key]);
});

test("nothing is said where all is there", async () => {
  endpoint.serve([{ provider: "fine", tools: ["one"] }]);
  for (const method of methods) expect(await metaOf(method)).not.toHaveProperty([key]);
});

test("each page says so, and cursors live on while providers come and go", async () => {
  const tools = Array.from({ length: 201 }, (_, index) => `tool_${index}`);
  const many = { provider: "many", tools };
  endpoint.serve([many, { provider: "away", surface: { state: "starting" } }]);
  const { message } = await modern(endpoint.url, "tools/list");
  const cursor = asObject(message["result"])?.["nextCursor"];
  expect(await metaOf("tools/list", cursor)).toHaveProperty([key]);
  endpoint.serve([many]);
  expect(await metaOf("tools/list", cursor)).not.toHaveProperty([key]);
});

test("that a provider is away is no change of a list", async () => {
  endpoint.serve([{ provider: "one", prompts: { a: {} }, resources: { "test://a": {} } }]);
  const session = await openSession(endpoint.url);
  const stream = await fetch(endpoint.url, {
    headers: { ...session.headers, accept: "text/event-stream" },
  });
  const heard = streamMessages(stream);
  endpoint.serve([
    {
      provider: "one",
      prompts: { a: {} },
      resources: { "test://a": {} },
      surface: { state: "stale", reason: "It is away." },
    },
  ]);
  await session.request("prompts/list");
  endpoint.serve([{ provider: "one", prompts: { a: {} }, resources: { "test://b": {} } }]);
  const { value } = await heard.next();
  expect(value).toMatchObject({ method: "notifications/resources/list_changed" });
  await heard.return(undefined);
});

test("templates count as resources, prompts as prompts", async () => {
  endpoint.serve([{ provider: "one" }]);
  const session = await openSession(endpoint.url);
  const stream = await fetch(endpoint.url, { headers: { ...session.headers, accept: "text/event-stream" } });
  const heard = streamMessages(stream);
  endpoint.serve([{ provider: "one", templates: { "test://{id}": {} } }]);
  expect((await heard.next()).value).toMatchObject({ method: "notifications/resources/list_changed" });
  endpoint.serve([{ provider: "one", templates: { "test://{id}": {} }, prompts: { a: {} } }]);
  expect((await heard.next()).value).toMatchObject({ method: "notifications/prompts/list_changed" });
  await heard.return(undefined);
});

test("who may not know of a provider is not told that it is away", async () => {
  const stale = { state: "stale", reason: "Secret." } as const;
  const own = await startEndpoint(
    {},
    {
      servers: [{ provider: "private", tools: ["one"], surface: stale }],
      sees: ({ id }, { provider }) => provider !== "private" || id === "ann",
    },
  );
  try {
    const seenBy = async (user: string): Promise<JsonObject | undefined> => {
      const session = await openSession(own.url, "2025-11-25", {}, { "x-user": user });
      return asObject((await session.request("prompts/list")).message["result"]);
    };
    expect((await seenBy("ann"))?.["_meta"]).toHaveProperty([key]);
    expect(await seenBy("bob")).toEqual({ prompts: [] });
  } finally {
    await own.close();
  }
});
