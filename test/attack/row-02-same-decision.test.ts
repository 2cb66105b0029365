import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asObject } from "../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import { modernRequest, post } from "../server/mcp/wire.ts";
import { sessionCaller, type TestCaller, tokenCaller } from "./callers.ts";
import {
  callApi,
  callModern,
  type Outcome,
  openLegacy,
  readMcp,
  type System,
  startSystem,
} from "./system.ts";
import { plainTool, startMcpUpstream, startUpstream, type Upstream } from "./upstream.ts";

let rest: Upstream;
let graphql: Upstream;
let mcp: Upstream;
let system: System;
const callers: TestCaller[] = [];

const operation = (name: string, method: string) => ({ name, method, path: `/${name}` });
const restOperations = (base: string) => ({
  rest: {
    base_url: base,
    operations: [operation("find", "GET"), operation("add", "POST"), operation("drop", "DELETE")],
  },
});

/** Every operation that any upstream has: provider, prefix of its tools, name. */
const universe = [
  ...["find", "add", "drop"].map((name) => ["shop", "shop_", name] as const),
  ...["find", "add", "drop"].map((name) => ["shops", "shop_s_", name] as const),
  ...["find", "add", "drop"].map((name) => ["vault", "vault_", name] as const),
  ...["find", "add", "drop"].map((name) => ["quiet", "quiet_", name] as const),
  ...["version", "wipe"].map((name) => ["graph", "graph_", name] as const),
  ...["echo", "shout"].map((name) => ["remote", "remote_", name] as const),
  ["nothing", "nothing_", "find"] as const,
];

beforeAll(async () => {
  rest = await startUpstream();
  graphql = await startUpstream((_seen, response) => response.end('{"data":{"version":"1","wipe":"1"}}'));
  mcp = await startMcpUpstream([plainTool("echo"), plainTool("shout")]);
  system = await startSystem(
    {
      shop: { surfaces: restOperations(rest.url) },
      shops: { mcp: { tool_prefix: "shop_s_" }, surfaces: restOperations(rest.url) },
      vault: { tenants: ["acme"], surfaces: restOperations(rest.url) },
      quiet: { mcp: { enabled: false }, surfaces: restOperations(rest.url) },
      graph: { surfaces: { graphql: { url: graphql.url, schema: "./schema.graphql" } } },
      remote: { mcp_url: `${mcp.url}/mcp` },
    },
    {
      files: { "schema.graphql": "type Query { version: String! } type Mutation { wipe: String! }" },
      settings: {
        auth: { provider: "local" },
        tenants: {
          acme: {},
          globex: { providers: ["shop"], tools: ["graph_v*"] },
          initech: { exposure: "selected" },
        },
        authorization: {
          destructive: "deny",
          roles: {
            member: { scopes: ["*"] },
            reader: { scopes: ["read:*"] },
            seller: { scopes: ["shop", "graph/version", "remote/echo"] },
          },
          policies: [
            {
              name: "droppers",
              effect: "allow",
              when: '"member" in principal.roles && tool.operation == "drop"',
            },
            { name: "no-vault-drop", effect: "deny", when: 'tool.provider == "vault" && tool.destructive' },
            { name: "echo", effect: "allow", when: 'tool.surface == "mcp" && principal.kind == "service"' },
          ],
        },
      },
    },
  );
  const acme = await system.administration("acme");
  const globex = await system.administration("globex");
  const initech = await system.administration("initech");
  callers.push(
    await sessionCaller(system, acme, { name: "ada" }),
    await sessionCaller(system, globex, { name: "grace", roles: ["reader", "seller"] }),
    await tokenCaller(acme, { name: "everything" }),
    await tokenCaller(acme, { name: "user", service: false, user: "ada" }),
    await tokenCaller(acme, { name: "reads", scopes: ["read:*"] }),
    await tokenCaller(acme, { name: "shop", scopes: ["shop"] }),
    await tokenCaller(acme, { name: "prefixes", scopes: ["sho/*", "shop/fi", "vaul*/add"] }),
    await tokenCaller(acme, { name: "cases", scopes: ["shop/FIND", "shop/Find", "remote/sho*ut"] }),
    await tokenCaller(acme, { name: "nothing", scopes: [] }),
    await tokenCaller(acme, { name: "unknown role", roles: ["unknown"] }),
    await tokenCaller(globex, { name: "selected" }),
    await tokenCaller(globex, { name: "seller", roles: ["seller"], scopes: ["read:*"] }),
    await tokenCaller(initech, { name: "nobody" }),
  );
});
afterAll(async () => {
  await system.close();
  for (const upstream of [rest, graphql, mcp]) await upstream[Symbol.asyncDispose]();
});

/** One way in: what it lists, and what a call comes to. Names are `provider/name` over the HTTP API and tool names elsewhere. */
interface Way {
  readonly list: () => Promise<ReadonlySet<string>>;
  readonly call: (name: string) => Promise<Outcome>;
}

function namesOf(tools: JsonValue | undefined): ReadonlySet<string> {
  return new Set((Array.isArray(tools) ? tools : []).map((tool) => String(asObject(tool)?.["name"])));
}

const legacyWay =
  (version: string) =>
  async ({ headers }: TestCaller): Promise<Way> => {
    const session = await openLegacy(system.url, version, headers);
    return {
      list: async () => namesOf(asObject((await session.request("tools/list")).message["result"])?.["tools"]),
      call: async (name) => readMcp(await session.request("tools/call", { name, arguments: {} })),
    };
  };

const ways: Readonly<Record<string, (caller: TestCaller) => Promise<Way>>> = {
  "MCP 2025-03-26": legacyWay("2025-03-26"),
  "MCP 2025-06-18": legacyWay("2025-06-18"),
  "MCP 2025-11-25": legacyWay("2025-11-25"),
  "MCP 2026-07-28": async ({ headers }) => ({
    list: async () => {
      const request = modernRequest("tools/list");
      const answer = await post(`${system.url}/mcp`, request.message, { ...request.headers, ...headers });
      return namesOf(asObject(answer.message["result"])?.["tools"]);
    },
    call: async (name) => readMcp(await callModern(system.url, name, {}, 1, headers)),
  }),
  "HTTP API": async ({ headers }) => ({
    list: async () => {
      const read = async (path: string): Promise<JsonObject> =>
        JSON.parse(await (await fetch(`${system.url}/api/v1/${path}`, { headers })).text());
      const { integrations } = await read("integrations");
      const names: string[] = [];
      for (const provider of namesOf(integrations)) {
        const { operations } = await read(`integrations/${provider}/operations`);
        names.push(...[...namesOf(operations)].map((name) => `${provider}/${name}`));
      }
      return new Set(names);
    },
    call: (name) => {
      const [provider = "", own = ""] = name.split("/");
      return callApi(system.url, `${provider}/${encodeURIComponent(own.toWellFormed())}`, {}, headers);
    },
  }),
};

/** Other ways to write a name: letter case, Unicode, prefixes. */
const asItIs = (name: string): string => name;
const disguises: readonly ((name: string) => string)[] = [
  asItIs,
  (name) => name.toUpperCase(),
  (name) => name.slice(0, -1),
  (name) => `${name}s`,
  (name) => name.replace("o", "о"),
  (name) => `${name}\u200b`,
];

const calls = (): number =>
  rest.seen.length +
  graphql.seen.length +
  mcp.seen.filter(({ body }) => body.includes('"tools/call"')).length;

let pairs = 0;
const lists = new Map<string, Record<string, readonly string[]>>();

const shownOver = (caller: TestCaller, tool: string): boolean =>
  lists.get(caller.name)?.["MCP 2026-07-28"]?.includes(tool) === true;

describe.each(Object.keys(ways))("%s", (wayName) => {
  test("what every caller may call is what it is shown, and nothing else", async () => {
    for (const caller of callers) {
      const way = await ways[wayName]?.(caller);
      if (way === undefined) throw new Error(wayName);
      const listed = await way.list();
      const shown = lists.get(caller.name) ?? {};
      shown[wayName] = [...listed].sort();
      lists.set(caller.name, shown);
      for (const [provider, prefix, own] of universe) {
        for (const disguise of disguises) {
          const name = wayName === "HTTP API" ? `${provider}/${disguise(own)}` : disguise(`${prefix}${own}`);
          const before = calls();
          const outcome = await way.call(name);
          const isListed = listed.has(name);
          // Tools of upstream MCP servers are called at /mcp: who may call them there is told so.
          const isElsewhere =
            wayName === "HTTP API" &&
            disguise === asItIs &&
            provider === "remote" &&
            shownOver(caller, `${prefix}${own}`);
          const reached = calls() - before;
          pairs += 1;
          expect([caller.name, name, reached], outcome.text).toEqual([caller.name, name, isListed ? 1 : 0]);
          const expected = isListed ? "result" : isElsewhere ? "refused" : "unknown";
          expect([caller.name, name, outcome.kind], outcome.text).toEqual([caller.name, name, expected]);
        }
      }
    }
  }, 300_000);
});

test("at least 5,000 pairs of a caller and a name were tried", () => {
  expect(pairs).toBeGreaterThanOrEqual(5_000);
});

test("every version of MCP shows a caller the same tools, and the HTTP API the same operations", () => {
  for (const [caller, shown] of lists) {
    const [first, ...others] = Object.entries(shown).filter(([way]) => way !== "HTTP API");
    for (const other of others) expect([caller, other[1]]).toEqual([caller, first?.[1]]);
    const routes = (shown["HTTP API"] ?? []).filter((name) => !/^(quiet|remote)\//.test(name));
    const tools = universe
      .filter(([provider, prefix, own]) => provider !== "remote" && first?.[1].includes(`${prefix}${own}`))
      .map(([provider, , own]) => `${provider}/${own}`);
    expect([caller, routes]).toEqual([caller, [...new Set(tools)].sort()]);
  }
});

test("each caller is shown what the file says", () => {
  const shown = (name: string) => lists.get(name)?.["MCP 2026-07-28"];
  const whole = [
    ...["graph_version", "shop_add", "shop_drop", "shop_find", "shop_s_add", "shop_s_drop", "shop_s_find"],
    ...["vault_add", "vault_find"],
  ];
  expect(shown("session of ada")).toEqual(whole);
  expect(shown("token user")).toEqual(whole);
  expect(shown("token everything")).toEqual([...whole, "remote_echo", "remote_shout"].sort());
  expect(shown("token reads")).toEqual(["graph_version", "shop_find", "shop_s_find", "vault_find"]);
  expect(shown("token shop")).toEqual(["shop_add", "shop_drop", "shop_find"]);
  expect(shown("token prefixes")).toEqual(["vault_add"]);
  expect(shown("token cases")).toEqual(["remote_shout"]);
  expect(shown("token nothing")).toEqual([]);
  expect(shown("token unknown role")).toEqual([]);
  expect(shown("session of grace")).toEqual(["graph_version", "shop_add", "shop_find"]);
  expect(shown("token selected")).toEqual(["graph_version", "shop_add", "shop_drop", "shop_find"]);
  expect(shown("token seller")).toEqual(["graph_version", "shop_find"]);
  expect(shown("token nobody")).toEqual([]);
});
