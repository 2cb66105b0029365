import { afterAll, expect, test } from "vitest";
import { asObject } from "../../src/json-object.ts";
import { modernRequest, post } from "../server/mcp/wire.ts";
import { broken, files, manyRootFields, partly, readable } from "./graphql-schemas.ts";
import { measureSlices } from "./slices.ts";
import { callModern, readMcp, type System, startSystem } from "./system.ts";
import { sendJson, startUpstream } from "./upstream.ts";

const slices = measureSlices();
afterAll(() => slices.print("hostile GraphQL schemas"));

const other = {
  surfaces: {
    rest: { base_url: "http://127.0.0.1:9", operations: [{ name: "go", method: "GET", path: "/go" }] },
  },
};

/** Starts the gateway over an endpoint that answers introspection with this text and all else with data. */
async function startOver(name: string, text: string) {
  const upstream = await startUpstream(({ body }, response) => {
    const isIntrospection = body.includes("IntrospectionQuery");
    if (!isIntrospection) return sendJson(response, { data: { plain: "fine" } });
    response.writeHead(200, { "content-type": "application/json" }).end(text);
  });
  const providers = { graph: { surfaces: { graphql: { url: upstream.url } } }, other };
  const system = await slices.run(name, () => startSystem(providers));
  return {
    upstream,
    system,
    [Symbol.asyncDispose]: async () => {
      await system.close();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** All tools as a client gets them, by name. */
async function listTools(system: System): Promise<ReadonlyMap<string, string>> {
  const tools = new Map<string, string>();
  let cursor: string | undefined;
  do {
    const request = modernRequest("tools/list", cursor === undefined ? {} : { cursor });
    const { message } = await post(`${system.url}/mcp`, request.message, request.headers);
    const result = asObject(message["result"]);
    for (const tool of Array.isArray(result?.["tools"]) ? result["tools"] : [])
      tools.set(tool.name, JSON.stringify(tool));
    cursor = typeof result?.["nextCursor"] === "string" ? result["nextCursor"] : undefined;
  } while (cursor !== undefined);
  return tools;
}

async function expectSound(system: System): Promise<ReadonlyMap<string, string>> {
  const tools = await listTools(system);
  expect(tools.has("other_go")).toBe(true);
  for (const [name, text] of tools) {
    expect([name.slice(0, 100), text.length < 34_000]).toEqual([name.slice(0, 100), true]);
    expect(text).not.toMatch(/[\u200b\u202e\u2066\ufeff\u{e0041}]|\\u(?:0000|001b|200b|202e)/u);
  }
  for (const { message } of system.diagnostics) {
    expect(message.length).toBeLessThan(2_000);
    expect(message).not.toMatch(/Maximum call stack|RangeError|TypeError|[\u200b\u202e]/);
  }
  expect(system.log.join("\n").slice(0, 500)).not.toMatch(/internal error|RangeError|TypeError/);
  return tools;
}

test.each(Object.keys(readable))(
  "introspection with %s: the schema is compiled within bounds",
  async (name) => {
    await using over = await startOver(name, readable[name]?.() ?? "");
    const tools = await expectSound(over.system);
    expect(over.system.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(tools.size).toBeGreaterThanOrEqual(3);
    expect(readMcp(await callModern(over.system.url, "graph_plain", {})).text).toContain("fine");
  },
);

test.each(Object.keys(partly))(
  "introspection with %s: the field is left out, with a warning",
  async (name) => {
    const [make = () => "", why = ""] = partly[name] ?? [];
    await using over = await startOver(name, make());
    const tools = await expectSound(over.system);
    expect([...tools.keys()].sort()).toEqual(["graph_plain", "other_go"]);
    expect(over.system.diagnostics).toMatchObject([
      { code: "operation-dropped", message: expect.stringContaining(why) },
    ]);
  },
);

test.each(Object.keys(broken))(
  "introspection with %s: the provider is left out, with a reason",
  async (name) => {
    const [make = () => "", why] = broken[name] ?? [];
    await using over = await startOver(name, make());
    const tools = await expectSound(over.system);
    expect([...tools.keys()]).toEqual(["other_go"]);
    expect(over.system.diagnostics.map(({ message }) => message)).toEqual([expect.stringMatching(why ?? "")]);
  },
);

test.each(Object.keys(files))(
  "a schema file with %s: compiled within bounds, or refused with a reason",
  async (name) => {
    const [make = () => "", why] = files[name] ?? [];
    const graph = {
      surfaces: { graphql: { url: "http://127.0.0.1:9/graphql", schema: "./schema.graphql" } },
    };
    await using system = await slices.run(`file: ${name}`, () =>
      startSystem({ graph, other }, { files: { "schema.graphql": make() } }),
    );
    const tools = await expectSound(system);
    expect(tools.has("graph_plain")).toBe(why === undefined);
    const messages = system.diagnostics.map(({ message }) => message);
    if (why !== undefined) expect(messages[0]).toMatch(why);
    expect(messages.length).toBeLessThan(50);
  },
);

test("30,000 root fields: as many become tools as memory has room for, with a warning", async () => {
  await using over = await startOver("30,000 root fields", manyRootFields(30_000));
  expect((await listTools(over.system)).size).toBe(10_001);
  expect(over.system.diagnostics).toMatchObject([
    { code: "operation-dropped", message: expect.stringContaining("only the first 10000") },
  ]);
});

test("while a large schema is compiled, others are served", async () => {
  let answered = 0;
  await using upstream = await startUpstream(({ body }, response) => {
    if (body === "") return sendJson(response, { ok: true });
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(readable["300 inputs that all hold all others"]?.() ?? "");
  });
  const rest = { base_url: upstream.url, operations: [{ name: "go", method: "GET", path: "/go" }] };
  await using system = await startSystem({ quick: { surfaces: { rest } } });
  let compiling = true;
  const calling = (async () => {
    while (compiling) {
      if (readMcp(await callModern(system.url, "quick_go", {})).kind === "result") answered += 1;
    }
  })();
  await using over = await startSystem({ graph: { surfaces: { graphql: { url: `${upstream.url}/g` } } } });
  compiling = false;
  await calling;
  expect(over.gateway.snapshot.catalog.tools.length).toBeGreaterThan(100);
  expect(answered).toBeGreaterThan(10);
});

test("none of it held the thread up for longer than its own bytes take", () => {
  expect(slices.worst()).toBeLessThan(100);
});
