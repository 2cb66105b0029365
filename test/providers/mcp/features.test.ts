import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import { Secret } from "../../../src/secret.ts";
import { type RunningFixture, startFixture } from "../../conformance/start-fixture.ts";
import { type Answer, listsFrom, startFeatures } from "./feature-upstream.ts";
import { createPeer, openProvider, until } from "./open-provider.ts";

const eras = ["legacy", "modern"] as const;
const namesOf = (list: readonly { readonly id: string }[] | undefined) => list?.map(({ id }) => id);

describe.each(eras)("an official server of the %s era", (era) => {
  let fixture: RunningFixture;
  beforeAll(async () => {
    fixture = await startFixture();
  }, 60_000);
  afterAll(() => fixture.stop());

  test("is listed with its prompts, resources and templates", async () => {
    const provider = await openProvider(fixture.url[era]);
    const features = provider.features();
    expect(namesOf(features?.prompts)).toContain("test_prompt_with_arguments");
    expect(namesOf(features?.resources)).toEqual([
      "test://static-text",
      "test://watched-resource",
      "test://static-binary",
    ]);
    expect(namesOf(features?.templates)).toEqual(["test://template/{id}/data"]);
    expect(features?.prompts.find(({ id }) => id === "test_prompt_with_arguments")?.listed).toMatchObject({
      arguments: [
        { name: "arg1", required: true },
        { name: "arg2", required: true },
      ],
    });
  });

  test("gives prompts, with the resources in them as clients know them", async () => {
    const provider = await openProvider(fixture.url[era]);
    const result = await provider.ask("prompts/get", {
      name: "test_prompt_with_embedded_resource",
      arguments: { resourceUri: "test://a" },
    });
    expect(result).toMatchObject({
      kind: "mcp",
      isError: false,
      result: { messages: [{ content: { resource: { uri: "gw-peer+test://a" } } }, {}] },
    });
    expect(JSON.stringify(result)).not.toContain("resultType");
  });

  test("reads resources, and completes arguments", async () => {
    const provider = await openProvider(fixture.url[era]);
    expect(await provider.ask("resources/read", { uri: "test://template/7/data" })).toMatchObject({
      result: { contents: [{ uri: "gw-peer+test://template/7/data", text: '{"id":"7"}' }] },
    });
    const completion = await provider.ask("completion/complete", {
      ref: { type: "ref/prompt", name: "test_prompt_with_arguments" },
      argument: { name: "arg1", value: "fi" },
    });
    expect(completion).toMatchObject({ result: { completion: { values: ["first"] } } });
  });

  test("has no such resource: a JSON-RPC error, in the words of the client's era", async () => {
    const provider = await openProvider(fixture.url[era]);
    const older = provider.ask("resources/read", { uri: "test://none" });
    await expect(older).rejects.toMatchObject({
      name: "RpcError",
      code: -32002,
      data: { uri: "gw-peer+test://none" },
    });
    const peer = createPeer(
      undefined,
      {},
      { key: "m", retry: { responses: undefined, state: undefined } },
    ).peer;
    const newer = provider.ask("resources/read", { uri: "test://none" }, { peer });
    await expect(newer).rejects.toMatchObject({ name: "RpcError", code: -32602 });
  });
});

describe("lists", () => {
  test("only what a server declares is asked for, and only what the file wants", async () => {
    const upstream = await startFeatures({ era: "legacy", capabilities: { prompts: {} } });
    const provider = await openProvider(upstream.url);
    expect(upstream.count("prompts/list")).toBe(1);
    expect(upstream.count("tools/list")).toBe(0);
    expect(upstream.count("resources/list")).toBe(0);
    expect(provider.features()).toMatchObject({ prompts: [], resources: [], templates: [] });
  });

  test("of a method that a server does not know after all are empty", async () => {
    const upstream = await startFeatures({
      era: "legacy",
      answer: listsFrom({ tools: [{ name: "go" }], resourceTemplates: "unknown", prompts: "unknown" }),
      capabilities: { tools: {}, prompts: {}, resources: {} },
    });
    const provider = await openProvider(upstream.url);
    expect(provider.names()).toEqual(["go"]);
    expect(provider.logged).toEqual([]);
  });

  test.each<[string, Answer]>([
    ["is refused", { error: { code: -32000, message: "broken" } }],
    ["fails over HTTP", { status: 500 }],
    ["is no list", { result: { prompts: "none" } }],
  ])("one that %s leaves the others as they are, which is told once", async (_what, answer) => {
    const tools: JsonValue[] = [{ name: "go" }];
    const lists = listsFrom({ tools, resources: [{ uri: "x:1", name: "a" }] });
    const upstream = await startFeatures({
      era: "legacy",
      capabilities: { tools: { listChanged: true }, prompts: { listChanged: true }, resources: {} },
      answer: (got) => (got.method === "prompts/list" ? answer : lists(got)),
    });
    const provider = await openProvider(upstream.url);
    expect(provider.names()).toEqual(["go"]);
    expect(namesOf(provider.features()?.resources)).toEqual(["x:1"]);
    await until(() => upstream.streams() > 0);
    upstream.push("notifications/prompts/list_changed");
    await until(() => upstream.count("prompts/list") === 2);
    tools.push({ name: "later" });
    upstream.push("notifications/tools/list_changed");
    await until(() => provider.names().includes("later"));
    expect(provider.logged.filter((line) => line.includes("prompts"))).toHaveLength(1);
  });

  test.each(eras)("that change are listed again, and only those (%s)", async (era) => {
    const lists: { [name: string]: JsonValue } = { prompts: [{ name: "a" }], resources: [] };
    const upstream = await startFeatures({
      era,
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true },
      },
      answer: listsFrom(lists),
    });
    const provider = await openProvider(upstream.url);
    await until(() => upstream.streams() > 0);
    lists["prompts"] = [{ name: "a" }, { name: "b" }];
    upstream.push("notifications/prompts/list_changed");
    await until(() => provider.features()?.prompts.length === 2);
    lists["resources"] = [{ uri: "x:1", name: "a" }];
    lists["resourceTemplates"] = [{ uriTemplate: "x:{a}", name: "a" }];
    upstream.push("notifications/resources/list_changed");
    await until(() => provider.features()?.templates.length === 1);
    expect(namesOf(provider.features()?.resources)).toEqual(["x:1"]);
    expect(upstream.count("tools/list")).toBe(1);
    expect(upstream.count("prompts/list")).toBe(2);
  });

  test.each<[string, JsonObject]>([
    ["that nobody tells of are", { prompts: {} }],
    ["whose changes are promised and then not granted are", { prompts: { listChanged: true } }],
  ])("%s listed again when their time is over", async (_what, capabilities) => {
    const lists: { [name: string]: JsonValue } = { prompts: [{ name: "a" }] };
    const upstream = await startFeatures({
      era: "modern",
      capabilities,
      answer: listsFrom(lists, { ttlMs: 100, cacheScope: "public", resultType: "complete" }),
      grant: () => ({}),
    });
    const provider = await openProvider(upstream.url, { timings: { relist: { least: 50, otherwise: 200 } } });
    expect(provider.features()?.freshness).toEqual({ ttlMs: 100, scope: "public" });
    lists["prompts"] = [{ name: "b" }];
    await until(() => provider.features()?.prompts[0]?.id === "b");
    // What is listed again without being another is no change.
    const { length } = provider.changes;
    const asked = upstream.count("prompts/list");
    await until(() => upstream.count("prompts/list") > asked + 1);
    expect(provider.changes).toHaveLength(length);
  });

  test("keep as long as the least of them, and for all only where all are", async () => {
    const upstream = await startFeatures({
      era: "modern",
      answer: ({ method }) => {
        if (method === "tools/list") return { result: { tools: [], ttlMs: 9_000, cacheScope: "public" } };
        if (method === "prompts/list")
          return { result: { prompts: [], ttlMs: 7_000, cacheScope: "private" } };
        if (method === "resources/list")
          return { result: { resources: [], ttlMs: 8_000, cacheScope: "public" } };
        return undefined;
      },
      capabilities: { tools: {}, prompts: {} },
    });
    const provider = await openProvider(upstream.url);
    expect(provider.features()?.freshness).toEqual({ ttlMs: 7_000, scope: "private" });
  });

  test("of a hundred thousand are cut, and pages without end are left", async () => {
    const upstream = await startFeatures({
      era: "legacy",
      capabilities: { prompts: {}, resources: {} },
      answer: ({ method, params }) => {
        if (method === "prompts/list") {
          return {
            result: { prompts: Array.from({ length: 100_000 }, (_none, index) => ({ name: `p${index}` })) },
          };
        }
        if (method !== "resources/list") return undefined;
        const cursor = Number(params["cursor"] ?? 0);
        return {
          result: { resources: [{ uri: `x:${cursor}`, name: "a" }], nextCursor: String((cursor + 1) % 5) },
        };
      },
    });
    const provider = await openProvider(upstream.url);
    expect(provider.features()?.prompts).toHaveLength(10_000);
    expect(provider.features()?.resources.length).toBeLessThan(10);
    const said = provider.surface.diagnostics.map(({ message }) => message);
    expect(said).toEqual(
      expect.arrayContaining([
        expect.stringContaining("first 10000 prompts"),
        expect.stringContaining("does not end"),
      ]),
    );
  });

  test("are asked for with everything that a client may be able to answer", async () => {
    const upstream = await startFeatures({ era: "modern" });
    await openProvider(upstream.url);
    const listed = upstream.got.filter(({ method }) => method.endsWith("/list"));
    expect(listed).toHaveLength(4);
    for (const { params } of listed) {
      expect(params["_meta"]).toMatchObject({
        "io.modelcontextprotocol/clientCapabilities": { elicitation: {}, sampling: {}, roots: {} },
      });
    }
  });
});

describe("methods", () => {
  test.each(eras)("of vendors go through as they are (%s)", async (era) => {
    const upstream = await startFeatures({
      era,
      answer: ({ method, params }) =>
        method === "acme/do"
          ? { result: { got: params["x"] ?? null, uri: "x:1", resultType: "complete" } }
          : undefined,
    });
    const provider = await openProvider(upstream.url);
    const meta = { vendor: 1, progressToken: "mine", "io.modelcontextprotocol/protocolVersion": "1" };
    const result = await provider.ask(
      "acme/do",
      { x: [1], _meta: { "io.modelcontextprotocol/x": 1 } },
      { meta },
    );
    expect(result).toEqual({ kind: "mcp", result: { got: [1], uri: "x:1" }, isError: false });
    const sent = upstream.got.find(({ method }) => method === "acme/do");
    expect(sent?.params["_meta"]).toMatchObject({ vendor: 1, progressToken: expect.any(Number) });
    expect(JSON.stringify(sent?.params)).not.toContain("modelcontextprotocol/x");
    if (era === "modern") {
      expect(sent?.params["_meta"]).toMatchObject({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      });
    }
  });

  test("repeat the upstream's name of what they are about in `Mcp-Name`", async () => {
    const upstream = await startFeatures({ era: "modern" });
    const provider = await openProvider(upstream.url);
    await provider.ask("resources/read", { uri: "x:1" }).catch(() => {});
    expect(upstream.got.at(-1)).toMatchObject({ method: "resources/read", name: "x:1" });
  });

  test("errors go on with code and data, but without what is hidden or secret", async () => {
    const upstream = await startFeatures({
      era: "legacy",
      answer: ({ method, params }) => {
        if (method !== "prompts/get") return undefined;
        const data = params["name"] === "safe" ? { why: [1] } : { token: "tell-nobody-this" };
        return { error: { code: -1234, message: "no\u200bthing with tell-nobody-this", data } };
      },
    });
    const headers = { "x-key": new Secret("tell-nobody-this") };
    const provider = await openProvider(upstream.url, { headers });
    const failure = async (name: string) =>
      provider.ask("prompts/get", { name }).catch((error: unknown) => error);
    expect(await failure("safe")).toMatchObject({
      name: "RpcError",
      code: -1234,
      message: "nothing with [secret]",
      data: { why: [1] },
    });
    expect(await failure("other")).toMatchObject({ code: -1234, data: undefined });
  });

  test("nor with a secret that JSON writes otherwise", async () => {
    const secret = 'tell-"nobody"\\this';
    const answers: Readonly<Record<string, JsonObject>> = {
      text: { deep: [{ token: `it is ${secret}` }] },
      name: { [secret]: 1 },
      safe: { why: 'a "quoted" word' },
    };
    const upstream = await startFeatures({
      era: "legacy",
      answer: ({ method, params }) =>
        method === "prompts/get"
          ? { error: { code: -1, message: "no", data: answers[String(params["name"])] ?? {} } }
          : undefined,
    });
    const provider = await openProvider(upstream.url, { headers: { "x-key": new Secret(secret) } });
    const told = async (name: string) =>
      provider.ask("prompts/get", { name }).catch((error: { data?: unknown }) => error.data);
    expect([await told("text"), await told("name")]).toEqual([undefined, undefined]);
    expect(await told("safe")).toEqual(answers["safe"]);
  });

  test.each([
    ["the credential", { status: 401 }],
    ["too many requests", { status: 429 }],
    ["its own failure", { status: 503 }],
    ["a header of ours", { error: { code: -32020, message: "x" } }],
  ] satisfies [string, Answer][])("refused for %s are the gateway's error", async (_what, answer) => {
    const upstream = await startFeatures({
      era: "legacy",
      answer: ({ method }) => (method === "prompts/get" ? answer : undefined),
    });
    const provider = await openProvider(upstream.url);
    await expect(provider.ask("prompts/get", { name: "a" })).rejects.toMatchObject({
      name: "GatewayError",
      code: "upstream_failed",
    });
  });

  test.each(eras)("fail at once while the server is away (%s)", async (era) => {
    const upstream = await startFeatures({ era });
    const provider = await openProvider(upstream.url, {
      timings: { reconnect: { first: 60_000, longest: 60_000 } },
    });
    await upstream.stop();
    await expect(provider.ask("acme/do")).rejects.toMatchObject({ name: "GatewayError" });
    await provider.change(({ kind }) => kind === "lost");
    await expect(provider.ask("acme/do")).rejects.toMatchObject({ code: "provider_unavailable" });
    await expect(provider.subscribe("x:1", () => {})).rejects.toMatchObject({ code: "provider_unavailable" });
    expect(provider.features()).toBeDefined();
  });
});
