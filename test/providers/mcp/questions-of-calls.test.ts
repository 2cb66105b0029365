import { describe, expect, onTestFinished, test } from "vitest";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import { type Answer, type FeatureScript, listsFrom, startFeatures } from "./feature-upstream.ts";
import { createPeer, openProvider, textOf } from "./open-provider.ts";
import { type Peer, startModern, startStreamableV1 } from "./peers.ts";

const canBeAsked = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
const first = { responses: undefined, state: undefined };

async function start<Started extends Peer>(starting: Promise<Started>): Promise<Started> {
  const peer = await starting;
  onTestFinished(() => peer.close());
  return peer;
}

function nameOf(name: string) {
  return () => ({ action: "accept", content: { name } });
}

/** An upstream with one tool, `go`, which answers what a test says. */
async function startTool(era: FeatureScript["era"], call: (params: JsonObject) => Answer) {
  const lists = listsFrom({ tools: [{ name: "go" }] });
  return startFeatures({
    era,
    capabilities: { tools: {}, logging: {} },
    answer: (got) => (got.method === "tools/call" ? call(got.params) : lists(got)),
  });
}

describe("a legacy upstream", () => {
  test.each([
    ["legacy", undefined],
    ["modern", first],
  ])("asks a %s client while the call runs", async (_era, retry) => {
    const upstream = await start(startStreamableV1());
    const provider = await openProvider(upstream.url);
    const client = createPeer(nameOf("Ada"), canBeAsked, { key: "a", retry });
    expect(textOf(await provider.call("ask", {}, { peer: client.peer }))).toBe("Hello Ada");
    expect(client.asked).toEqual([
      { method: "elicitation/create", params: expect.objectContaining({ message: "Name?" }) },
    ]);
  });

  test("asks each client of many in its own call, and none that can't be asked", async () => {
    const upstream = await start(startStreamableV1());
    const provider = await openProvider(upstream.url);
    const answers = await Promise.all(
      Array.from({ length: 10 }, async (_none, index) => {
        const { peer } = createPeer(nameOf(`Ada${index}`), canBeAsked, { key: `c${index}` });
        return textOf(await provider.call("ask", {}, { peer }));
      }),
    );
    expect(answers).toEqual(Array.from({ length: 10 }, (_none, index) => `Hello Ada${index}`));
    const mute = createPeer(nameOf("Eve"), {}, { key: "mute" });
    expect((await provider.call("ask", {}, { peer: mute.peer })).isError).toBe(true);
    const nobody = createPeer(nameOf("Eve"), canBeAsked);
    expect((await provider.call("ask", {}, { peer: nobody.peer })).isError).toBe(true);
    expect([...mute.asked, ...nobody.asked]).toEqual([]);
  });

  test("declares to the upstream what the client can be asked, and nothing else", async () => {
    const upstream = await startTool("legacy", () => ({ result: { content: [] } }));
    const provider = await openProvider(upstream.url);
    const { peer } = createPeer(undefined, { sampling: {} }, { key: "a" });
    await provider.call("go", {}, { peer });
    await provider.call("go");
    const declared = upstream.got.filter(({ method }) => method === "initialize");
    expect(declared.slice(1).map(({ params }) => params["capabilities"])).toEqual([{ sampling: {} }, {}]);
  });

  test("logs to a client from the level on that it wants of the call", async () => {
    const upstream = await startTool("legacy", () => ({ result: { content: [] } }));
    const provider = await openProvider(upstream.url);
    const { peer } = createPeer(undefined, {}, { key: "a", level: "warning" });
    await provider.call("go", {}, { peer });
    await provider.call("go", {}, { peer: { ...peer, logLevel: "none" } });
    const levels = upstream.got.filter(({ method }) => method === "logging/setLevel");
    expect(levels.map(({ params }) => params["level"])).toEqual(["warning"]);
  });
});

describe("a modern upstream", () => {
  test("asks a legacy client while the call runs", async () => {
    const upstream = await start(startModern());
    const provider = await openProvider(upstream.url);
    let round = 0;
    const answer = () => {
      round += 1;
      return { action: "accept", content: { name: `Ada${round}` } };
    };
    const client = createPeer(answer, canBeAsked, { key: "a" });
    expect(textOf(await provider.call("ask", {}, { peer: client.peer }))).toBe("Hello é:Ada1 Ada2");
  });

  test("gives its questions to a modern client, and gets answers and state back as they are", async () => {
    const upstream = await start(startModern());
    const provider = await openProvider(upstream.url);
    const ask = async (responses?: JsonObject, state?: string) => {
      const client = createPeer(undefined, canBeAsked, { key: "a", retry: { responses, state } });
      return provider.invoke("ask", {}, { peer: client.peer });
    };
    const one = await ask();
    expect(one).toMatchObject({
      kind: "input_required",
      requests: { name: { method: "elicitation/create", params: { message: "Name?" } } },
      state: undefined,
    });
    const two = await ask({ name: { action: "accept", content: { name: "Ada" } } });
    expect(two).toMatchObject({ kind: "input_required", state: "é:Ada" });
    const three = await ask({ name: { action: "accept", content: { name: "Bo" } } }, "é:Ada");
    expect(three).toMatchObject({ kind: "mcp", result: { content: [{ text: "Hello é:Ada Bo" }] } });
  });

  test.each<[string, JsonObject, JsonValue]>([
    ["something that clients don't do", canBeAsked, { a: { method: "files/delete", params: {} } }],
    ["something that this client does not do", {}, { a: { method: "roots/list" } }],
    [
      "a page of a client that opens none",
      { elicitation: { form: {} } },
      { a: { method: "elicitation/create", params: { mode: "url" } } },
    ],
    ["nothing", canBeAsked, {}],
    [
      "a thousand things",
      canBeAsked,
      Object.fromEntries(Array.from({ length: 1_000 }, (_none, index) => [index, { method: "roots/list" }])),
    ],
  ])("that asks for %s fails the call", async (_what, capabilities, inputRequests) => {
    const upstream = await startTool("modern", () => ({
      result: { resultType: "input_required", inputRequests },
    }));
    const provider = await openProvider(upstream.url);
    const { peer } = createPeer(undefined, capabilities, { key: "a", retry: first });
    await expect(provider.invoke("go", {}, { peer })).rejects.toMatchObject({
      code: expect.stringMatching(/unsupported|upstream_failed/),
    });
  });

  test("gets of each request what the client can be asked, and the level that it wants", async () => {
    const upstream = await startTool("modern", () => ({ result: { content: [] } }));
    const provider = await openProvider(upstream.url);
    const call = async (capabilities: JsonObject, options: Parameters<typeof createPeer>[2]) => {
      const { peer } = createPeer(undefined, capabilities, options);
      await provider.call("go", {}, { peer });
      const meta = Object(upstream.got.at(-1)?.params["_meta"]);
      return [meta["io.modelcontextprotocol/clientCapabilities"], meta["io.modelcontextprotocol/logLevel"]];
    };
    expect(await call({ roots: {} }, { key: "a", retry: first, level: "error" })).toEqual([
      { roots: {} },
      "error",
    ]);
    expect(await call({}, { key: "a", retry: first, level: "none" })).toEqual([{}, undefined]);
    expect(await call({ sampling: {} }, { key: "b", logLevel: "alert" })).toEqual([
      { sampling: {} },
      "alert",
    ]);
    expect(await call({}, { key: "b" })).toEqual([{}, "info"]);
    expect(await call({}, {})).toEqual([{}, undefined]);
  });

  test("gives pages an id where a legacy client is asked to open them", async () => {
    const page = { mode: "url", url: "https://h/", message: "Open it." };
    const upstream = await startTool("modern", ({ inputResponses }) =>
      inputResponses === undefined
        ? {
            result: {
              resultType: "input_required",
              inputRequests: { a: { method: "elicitation/create", params: page } },
            },
          }
        : { result: { content: [] } },
    );
    const provider = await openProvider(upstream.url);
    const client = createPeer(() => ({ action: "accept" }), canBeAsked, { key: "a" });
    await provider.call("go", {}, { peer: client.peer });
    expect(client.asked).toEqual([
      { method: "elicitation/create", params: { ...page, elicitationId: expect.any(String) } },
    ]);
  });

  test("that misses a capability says so to a client of its era alone", async () => {
    const data = { requiredCapabilities: { sampling: {} } };
    const upstream = await startTool("modern", () => ({
      error: { code: -32021, message: "I need a model", data },
    }));
    const provider = await openProvider(upstream.url);
    const modern = createPeer(undefined, {}, { key: "a", retry: first });
    await expect(provider.invoke("go", {}, { peer: modern.peer })).rejects.toMatchObject({
      name: "RpcError",
      code: -32021,
      data,
    });
    const legacy = createPeer(undefined, {}, { key: "b" });
    await expect(provider.invoke("go", {}, { peer: legacy.peer })).rejects.toMatchObject({
      code: "unsupported",
    });
  });
});

describe("pages that have to be opened before a call (-32042)", () => {
  const page = { mode: "url", elicitationId: "e1", url: "https://h/open", message: "Open it." };
  const required = { error: { code: -32042, message: "Open a page first", data: { elicitations: [page] } } };

  test("reach a legacy client as they are", async () => {
    const upstream = await startTool("legacy", () => required);
    const provider = await openProvider(upstream.url);
    const { peer } = createPeer(undefined, canBeAsked, { key: "a" });
    await expect(provider.invoke("go", {}, { peer })).rejects.toMatchObject({
      name: "RpcError",
      ...required.error,
    });
  });

  test("are words for a legacy client that opens none: it would not know what the code means", async () => {
    const upstream = await startTool("legacy", () => required);
    const provider = await openProvider(upstream.url);
    const { peer } = createPeer(undefined, { elicitation: {} }, { key: "a" });
    await expect(provider.invoke("go", {}, { peer })).rejects.toMatchObject({
      code: "upstream_failed",
      message: expect.stringContaining("Open a page first"),
    });
  });

  test("are asked of a modern client, which makes the call again", async () => {
    const upstream = await startTool("legacy", () => required);
    const provider = await openProvider(upstream.url);
    const invoke = async (responses?: JsonObject, capabilities: JsonObject = canBeAsked) => {
      const retry = { responses, state: undefined };
      return provider.invoke(
        "go",
        {},
        { peer: createPeer(undefined, capabilities, { key: "a", retry }).peer },
      );
    };
    const { elicitationId: _id, ...params } = page;
    const question = { "page-1": { method: "elicitation/create", params } };
    expect(await invoke()).toEqual({ kind: "input_required", requests: question, state: undefined });
    expect(await invoke({ "page-1": { action: "accept" } })).toMatchObject({ kind: "input_required" });
    await expect(invoke({ "page-1": { action: "decline" } })).rejects.toMatchObject({
      code: "upstream_failed",
    });
    await expect(invoke(undefined, { elicitation: { form: {} } })).rejects.toMatchObject({
      code: "upstream_failed",
    });
    expect(upstream.got.some(({ params: sent }) => "inputResponses" in sent)).toBe(false);
  });

  test("are words for callers that are no MCP clients", async () => {
    const upstream = await startTool("legacy", () => required);
    const provider = await openProvider(upstream.url);
    await expect(provider.invoke("go")).rejects.toMatchObject({
      code: "upstream_failed",
      message: expect.stringContaining("Open a page first"),
    });
  });
});
