import { afterAll, beforeAll, expect, test } from "vitest";
import { asObject } from "../../src/json-object.ts";
import type { WireSession } from "../server/mcp/wire.ts";
import { modern } from "../server/mcp/wire.ts";
import {
  callApi,
  callCli,
  callModern,
  type Outcome,
  openLegacy,
  readMcp,
  type System,
  startSystem,
  type Way,
} from "./system.ts";
import { plainTool, startMcpUpstream, startUpstream, type Upstream } from "./upstream.ts";

let rest: Upstream;
let graphql: Upstream;
let mcp: Upstream;
let system: System;
let session: WireSession;
/** What each way in lists: tool names, or `provider/operation` for the HTTP API. */
const listed = new Map<Way, ReadonlySet<string>>();

const operation = (name: string, method = "POST") => ({ name, method, path: `/${name}` });
const openapi = {
  openapi: "3.1.0",
  info: { title: "Pets", version: "1" },
  paths: {
    "/pets": {
      get: { operationId: "listPets", responses: {} },
      delete: { operationId: "dropPets", responses: {} },
    },
    "/admin": { post: { operationId: "resetAll", tags: ["admin"], responses: {} } },
  },
};

beforeAll(async () => {
  rest = await startUpstream();
  graphql = await startUpstream((_seen, response) => response.end('{"data":{"version":"1"}}'));
  mcp = await startMcpUpstream([plainTool("echo"), plainTool("erase"), plainTool("Echo.Upper")]);
  system = await startSystem(
    {
      shop: {
        surfaces: {
          rest: { base_url: rest.url, operations: ["find", "add", "drop"].map((name) => operation(name)) },
        },
        select: { exclude: ["drop"] },
      },
      quiet: {
        mcp: { enabled: false },
        surfaces: { rest: { base_url: rest.url, operations: [operation("peek"), operation("poke")] } },
      },
      pets: {
        mcp: { tool_prefix: "" },
        surfaces: { openapi: { document: "./pets.json", base_url: rest.url } },
        allowed_operations: { listPets: { alias: "list" } },
      },
      graph: {
        surfaces: { graphql: { url: graphql.url, schema: "./schema.graphql" } },
        select: { include: ["version"] },
      },
      remote: { mcp_url: `${mcp.url}/mcp`, select: { exclude: ["erase"] } },
      silent: { mcp_url: `${mcp.url}/mcp`, mcp: { enabled: false } },
    },
    {
      files: {
        "pets.json": JSON.stringify(openapi),
        "schema.graphql": "type Query { version: String! secret: String! } type Mutation { wipe: String! }",
      },
    },
  );
  session = await openLegacy(system.url);
  const names = (tools: unknown): ReadonlySet<string> =>
    new Set(Array.isArray(tools) ? tools.map((tool) => String(asObject(tool)?.["name"])) : []);
  const legacy = await session.request("tools/list");
  listed.set("MCP legacy", names(asObject(legacy.message["result"])?.["tools"]));
  const current = await modern(`${system.url}/mcp`, "tools/list");
  listed.set("MCP modern", names(asObject(current.message["result"])?.["tools"]));
  listed.set("CLI", new Set(system.gateway.snapshot.view("api").tools.map(({ name }) => name)));
  const routes: string[] = [];
  for (const provider of ["shop", "quiet", "pets", "graph", "remote", "silent"]) {
    const answer = await fetch(`${system.url}/api/v1/integrations/${provider}/operations`);
    const body: { operations: { name: string }[] } = JSON.parse(await answer.text());
    routes.push(...body.operations.map(({ name }) => `${provider}/${name}`));
  }
  listed.set("HTTP API", new Set(routes));
});
afterAll(async () => {
  await system.close();
  for (const upstream of [rest, graphql, mcp]) await upstream[Symbol.asyncDispose]();
});

/** Every operation of every upstream, offered or not: provider, the prefix of its tools, the name. */
const universe = [
  ["shop", "shop_", "find"],
  ["shop", "shop_", "add"],
  ["shop", "shop_", "drop"],
  ["quiet", "quiet_", "peek"],
  ["quiet", "quiet_", "poke"],
  ["pets", "", "list"],
  ["pets", "", "listPets"],
  ["pets", "", "dropPets"],
  ["pets", "", "resetAll"],
  ["graph", "graph_", "version"],
  ["graph", "graph_", "secret"],
  ["graph", "graph_", "wipe"],
  ["remote", "remote_", "echo"],
  ["remote", "remote_", "erase"],
  ["remote", "remote_", "Echo.Upper"],
  ["silent", "silent_", "echo"],
] as const;

const fullWidth = (text: string): string =>
  text.replace(/[!-~]/g, (character) => String.fromCharCode(character.charCodeAt(0) + 0xfee0));
const percent = (text: string): string =>
  text.replace(/./gs, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`);

/** Other ways to write a name. */
const disguises: Readonly<Record<string, (name: string) => string>> = {
  "as it is": (name) => name,
  "upper case": (name) => name.toUpperCase(),
  "lower case": (name) => name.toLowerCase(),
  capitalised: (name) => name.slice(0, 1).toUpperCase() + name.slice(1),
  "a space before": (name) => ` ${name}`,
  "a space after": (name) => `${name} `,
  "a tab after": (name) => `${name}\t`,
  "a line break after": (name) => `${name}\n`,
  "a NUL after": (name) => `${name}\0`,
  "a zero-width space inside": (name) => `${name.slice(0, 2)}\u200b${name.slice(2)}`,
  "a soft hyphen inside": (name) => `${name.slice(0, 2)}\u00ad${name.slice(2)}`,
  "a byte order mark before": (name) => `\ufeff${name}`,
  "full-width letters": fullWidth,
  "a Cyrillic look-alike": (name) =>
    name.replace(/[eaop]/, (letter) => ({ e: "е", a: "а", o: "о", p: "р" })[letter] ?? letter),
  "a long s and a dotless i": (name) => name.replace("s", "ſ").replace("i", "ı"),
  "a combining accent": (name) => `${name}\u0301`,
  "a lone surrogate": (name) => `${name}\ud800`,
  "percent-encoded": percent,
  "percent-encoded twice": (name) => percent(percent(name)),
  "a trailing dot": (name) => `${name}.`,
  "a trailing slash": (name) => `${name}/`,
  "a path up and down": (name) => `x/../${name}`,
  "a matrix parameter": (name) => `${name};a=b`,
  "a query": (name) => `${name}?a=b`,
  "a fragment": (name) => `${name}#a`,
  "a wildcard": (name) => `${name.slice(0, 2)}*`,
  "its own name twice": (name) => `${name},${name}`,
  "hyphens for underscores": (name) => name.replaceAll("_", "-"),
};

const ways: Readonly<Record<Way, (provider: string, name: string) => Promise<Outcome>>> = {
  "MCP legacy": async (_provider, name) =>
    readMcp(await session.request("tools/call", { name, arguments: {} })),
  "MCP modern": async (_provider, name) => readMcp(await callModern(system.url, name, {})),
  "HTTP API": (provider, name) =>
    callApi(system.url, `${provider}/${encodeURIComponent(name.toWellFormed())}`, {}),
  CLI: (_provider, name) => callCli(system.file, name, {}),
};
const calls = (): number =>
  [rest, graphql].reduce((sum, { seen }) => sum + seen.length, 0) +
  mcp.seen.filter(({ body }) => body.includes('"tools/call"')).length;

const targets = universe.flatMap(([provider, prefix, name]) =>
  (["MCP legacy", "MCP modern", "HTTP API", "CLI"] as const).map((way) => ({ provider, prefix, name, way })),
);

test.each(targets)(
  "$provider/$name by $way: callable if and only if listed, however it is written",
  async (target) => {
    const { provider, prefix, name, way } = target;
    for (const [disguise, write] of Object.entries(disguises)) {
      const written = write(way === "HTTP API" ? name : `${prefix}${name}`);
      const identity = way === "HTTP API" ? `${provider}/${written}` : written;
      const before = calls();
      const outcome = await ways[way](provider, written);
      const isListed = listed.get(way)?.has(identity) === true;
      expect([disguise, calls() - before], outcome.text).toEqual([disguise, isListed ? 1 : 0]);
      expect([disguise, outcome.kind === "result"], outcome.text).toEqual([disguise, isListed]);
    }
  },
);

test("the lists hold what the file offers and nothing else", () => {
  expect([...(listed.get("MCP modern") ?? [])].sort()).toEqual([...(listed.get("MCP legacy") ?? [])].sort());
  expect([...(listed.get("MCP modern") ?? [])].sort()).toEqual([
    "graph_version",
    "list",
    "remote_Echo_Upper_c18897c4",
    "remote_echo",
    "shop_add",
    "shop_find",
  ]);
  expect([...(listed.get("HTTP API") ?? [])].sort()).toEqual([
    "graph/version",
    "pets/list",
    "quiet/peek",
    "quiet/poke",
    "shop/add",
    "shop/find",
  ]);
});

test.each([
  "toString",
  "constructor",
  "__proto__",
  "hasOwnProperty",
  "",
  ".",
  "..",
  "*",
  "shop_",
  "shop_shop_find",
  "find",
  "shop/find",
  "pets",
  "tools/call",
  "x".repeat(1_000),
])("the name %j reaches nothing by any way", async (name) => {
  const before = calls();
  for (const way of ["MCP legacy", "CLI", "HTTP API"] as const) {
    if (way === "HTTP API" && name === "find") continue;
    const outcome = await ways[way]("shop", name);
    expect(["unknown", "refused", "failed"]).toContain(outcome.kind);
  }
  expect(calls()).toBe(before);
});

test.each([
  ["a slash that is encoded", "shop%2Ffind"],
  ["a slash that is encoded, and an empty operation", "shop%2Ffind/"],
  ["an empty provider", "/shop/find"],
  ["dot segments", "quiet/../shop/drop"],
  ["encoded dot segments", "quiet/%2e%2e/shop/drop"],
  ["another provider's operation", "shop/peek"],
  ["the tool's name in place of the operation's", "shop/shop_find"],
  ["the alias's original name", "pets/listPets"],
  ["an MCP tool's route", "remote/echo"],
  ["a hidden MCP provider's tool", "silent/echo"],
  ["the route of the list", "integrations/operations"],
  ["a backslash", "shop%5Cfind"],
  ["a NUL", "shop%00/find"],
  ["an overlong encoding of a slash", "shop%c0%affind"],
  ["half an escape", "shop/%2"],
])("the HTTP API route with %s reaches nothing", async (_name, path) => {
  const before = calls();
  const outcome = await callApi(system.url, path, {});
  expect(outcome.kind).not.toBe("result");
  expect(calls()).toBe(before);
});

test("hidden and unknown tools are refused in the same words", async () => {
  const hidden = await callModern(system.url, "quiet_peek", {});
  const excluded = await callModern(system.url, "shop_drop", {});
  const unknown = await callModern(system.url, "shop_none", {});
  const shape = (text: string): string => text.replaceAll(/quiet_peek|shop_drop|shop_none/g, "NAME");
  expect(shape(hidden.text)).toBe(shape(unknown.text));
  expect(shape(excluded.text)).toBe(shape(unknown.text));
});

test("a provider without MCP is not in the words that MCP clients get of the gateway", async () => {
  const texts = [session.initialized.text, (await modern(`${system.url}/mcp`, "server/discover")).text];
  for (const text of texts) expect(text).not.toMatch(/quiet|silent/);
});
