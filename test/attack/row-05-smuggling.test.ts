import { afterAll, beforeAll, expect, test } from "vitest";
import { asObject } from "../../src/json-object.ts";
import { modernRequest, openSession, postText } from "../server/mcp/wire.ts";
import { type System, startSystem } from "./system.ts";
import { plainTool, startMcpUpstream, startUpstream, type Upstream } from "./upstream.ts";

let upstream: Upstream;
let remote: Upstream;
let system: System;
let session: Readonly<Record<string, string>>;
beforeAll(async () => {
  upstream = await startUpstream();
  const routed = {
    inputSchema: {
      type: "object",
      properties: {
        region: { type: "string", "x-mcp-header": "Region" },
        size: { type: "integer", "x-mcp-header": "Size" },
      },
    },
  };
  remote = await startMcpUpstream([plainTool("echo"), plainTool("routed", routed)]);
  const operation = { method: "POST", parameters: [{ name: "text", in: "body", schema: {} }] };
  system = await startSystem({
    shop: {
      surfaces: {
        rest: {
          base_url: upstream.url,
          operations: [
            { ...operation, name: "add", path: "/add" },
            { ...operation, name: "keep", path: "/keep" },
            { ...operation, name: "drop", path: "/drop" },
          ],
        },
      },
      select: { exclude: ["drop"] },
    },
    remote: { mcp_url: `${remote.url}/mcp` },
  });
  ({ headers: session } = await openSession(`${system.url}/mcp`));
});
afterAll(async () => {
  await system.close();
  for (const one of [upstream, remote]) await one[Symbol.asyncDispose]();
});

const { message, headers: modern } = modernRequest("tools/call", {
  name: "shop_add",
  arguments: { text: "a" },
});
const text = JSON.stringify(message);
const paths = (): readonly string[] => upstream.seen.map(({ target }) => target);

/** Messages that two parsers would read differently: what is carried out must be what was checked, or nothing. */
const differentials: readonly (readonly [string, string])[] = [
  [
    "the name twice, the hidden tool last",
    text.replace('"name":"shop_add"', '"name":"shop_add","name":"shop_drop"'),
  ],
  [
    "the name twice, the hidden tool first",
    text.replace('"name":"shop_add"', '"name":"shop_drop","name":"shop_add"'),
  ],
  ["the name in other case", text.replace('"name":"shop_add"', '"name":"shop_add","Name":"shop_drop"')],
  [
    "the name with an escaped letter, twice",
    text.replace('"name":"shop_add"', '"name":"shop_add","n\\u0061me":"shop_drop"'),
  ],
  [
    "the name under a Kelvin sign",
    text.replace('"name":"shop_add"', '"name":"shop_add","\u212aey":"shop_drop"'),
  ],
  ["the method twice", text.replace('"method":"tools/call"', '"method":"tools/list","method":"tools/call"')],
  [
    "the method twice, the other last",
    text.replace('"method":"tools/call"', '"method":"tools/call","method":"tools/list"'),
  ],
  ["METHOD in capitals", text.replace('"method"', '"METHOD"')],
  ["Params in capitals beside params", text.replace(/\}$/, ',"Params":{"name":"shop_drop"}}')],
  ["params twice", text.replace(/\}$/, ',"params":{"name":"shop_drop","arguments":{}}}')],
  [
    "__proto__ with a name",
    text.replace('"name":"shop_add"', '"__proto__":{"name":"shop_drop"},"name":"shop_add"'),
  ],
  ["__proto__ in place of the name", text.replace('"name":"shop_add"', '"__proto__":{"name":"shop_add"}')],
  [
    "constructor.prototype",
    text.replace('"name":"shop_add"', '"constructor":{"prototype":{"name":"shop_drop"}},"name":"shop_add"'),
  ],
  ["the name as a list", text.replace('"shop_add"', '["shop_add"]')],
  ["the name as an object that says so", text.replace('"shop_add"', '{"toString":"shop_add"}')],
  ["the name with a NUL", text.replace('"shop_add"', '"shop_add\\u0000"')],
  ["the name with a lone surrogate", text.replace('"shop_add"', '"shop_add\\udfff"')],
  ["a result beside the method", text.replace(/\}$/, ',"result":{}}')],
  ["an error beside the method", text.replace(/\}$/, ',"error":{"code":1,"message":"a"}}')],
  ["jsonrpc twice", text.replace('"jsonrpc":"2.0"', '"jsonrpc":"1.0","jsonrpc":"2.0"')],
  ["the id as an object", text.replace('"id":1', '"id":{"a":1}')],
  ["the id null", text.replace('"id":1', '"id":null')],
  ["the id beyond doubles", text.replace('"id":1', '"id":9007199254740993')],
  ["the id twice", text.replace('"id":1', '"id":1,"id":2')],
];
test.each(differentials)(
  "MCP modern: %s never calls a tool that is hidden or that the headers do not name",
  async (_name, body) => {
    const before = paths().length;
    const answer = await postText(`${system.url}/mcp`, body, modern);
    expect([200, 400]).toContain(answer.status);
    expect(
      paths()
        .slice(before)
        .filter((path) => path !== "/add"),
    ).toEqual([]);
  },
);
test.each(differentials)("MCP legacy: %s never calls a tool that is hidden", async (_name, body) => {
  const plain = body.replace(/,"_meta":\{[^}]*\}\}/, "");
  const before = paths().length;
  const answer = await postText(`${system.url}/mcp`, plain, session);
  expect([200, 202, 400]).toContain(answer.status);
  expect(
    paths()
      .slice(before)
      .filter((path) => path !== "/add"),
  ).toEqual([]);
});

/** Headers that contradict the body, which is a correct call of `shop_add`. */
const contradictions: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["another tool in Mcp-Name", { "mcp-name": "shop_keep" }],
  ["a hidden tool in Mcp-Name", { "mcp-name": "shop_drop" }],
  ["the tool in capitals in Mcp-Name", { "mcp-name": "SHOP_ADD" }],
  ["an empty Mcp-Name", { "mcp-name": "" }],
  ["two names in Mcp-Name", { "mcp-name": "shop_add, shop_keep" }],
  ["percent-encoding in Mcp-Name", { "mcp-name": "shop%5Fadd" }],
  ["another tool in base64", { "mcp-name": `=?base64?${Buffer.from("shop_keep").toString("base64")}?=` }],
  ["broken base64", { "mcp-name": "=?base64?c2hvcF9hZGQ?=" }],
  ["base64 of invalid UTF-8", { "mcp-name": "=?base64?/w==?=" }],
  ["another method in Mcp-Method", { "mcp-method": "tools/list" }],
  ["the method in capitals", { "mcp-method": "TOOLS/CALL" }],
  ["an empty Mcp-Method", { "mcp-method": "" }],
  ["two methods", { "mcp-method": "tools/call, tools/list" }],
  ["another version in the header", { "mcp-protocol-version": "2025-11-25" }],
  ["a version that does not exist", { "mcp-protocol-version": "2099-01-01" }],
  ["two versions", { "mcp-protocol-version": "2026-07-28, 2025-11-25" }],
];
test.each(contradictions)("MCP modern: %s is refused and reaches no upstream", async (_name, headers) => {
  const before = paths().length;
  const answer = await postText(`${system.url}/mcp`, text, { ...modern, ...headers });
  expect(answer.status).toBe(400);
  expect(answer.message["error"]).toBeDefined();
  expect(paths()).toHaveLength(before);
});
test.each(["mcp-name", "mcp-method", "mcp-protocol-version"])(
  "MCP modern: without %s nothing is called",
  async (name) => {
    const { [name]: _dropped, ...headers }: Record<string, string> = modern;
    const before = paths().length;
    expect((await postText(`${system.url}/mcp`, text, headers)).status).toBe(400);
    expect(paths()).toHaveLength(before);
  },
);

test.each<readonly [string, Readonly<Record<string, string>>, boolean]>([
  ["equal to the argument", { "mcp-param-region": "eu", "mcp-param-size": "5" }, true],
  ["of another region", { "mcp-param-region": "us", "mcp-param-size": "5" }, false],
  ["of another size", { "mcp-param-region": "eu", "mcp-param-size": "6" }, false],
  ["missing", { "mcp-param-size": "5" }, false],
  ["twice", { "mcp-param-region": "eu, eu", "mcp-param-size": "5" }, false],
  ["a number written otherwise", { "mcp-param-region": "eu", "mcp-param-size": "0x5" }, false],
  ["a number with an exponent", { "mcp-param-region": "eu", "mcp-param-size": "5e0" }, false],
  ["a number in other digits", { "mcp-param-region": "eu", "mcp-param-size": "=?base64?2aU=?=" }, false],
])("MCP modern: a parameter header that is %s", async (_name, headers, isCalled) => {
  const request = modernRequest("tools/call", {
    name: "remote_routed",
    arguments: { region: "eu", size: 5 },
  });
  const calls = (): number => remote.seen.filter(({ body }) => body.includes('"tools/call"')).length;
  const before = calls();
  const answer = await postText(`${system.url}/mcp`, JSON.stringify(request.message), {
    ...request.headers,
    ...headers,
  });
  expect([answer.status, calls() - before]).toEqual(isCalled ? [200, 1] : [400, 0]);
});

/** Argument texts, and what the upstream has to get for them; `undefined`: refused. */
const values: readonly (readonly [string, string, unknown])[] = [
  ["__proto__", '{"__proto__":{"a":1}}', undefined],
  ["constructor", '{"constructor":{"prototype":{"a":1}}}', { constructor: { prototype: { a: 1 } } }],
  ["toString and valueOf", '{"toString":1,"valueOf":2}', { toString: 1, valueOf: 2 }],
  ["toJSON", '{"toJSON":"x"}', { toJSON: "x" }],
  ["then", '{"then":"x"}', JSON.parse('{"then":"x"}')],
  ["equal names", '{"a":1,"a":2}', undefined],
  ["a lone surrogate", '"\\ud800"', "\ud800"],
  ["surrogates in the wrong order", '"\\udc00\\ud800"', "\udc00\ud800"],
  ["a NUL", '"\\u0000"', "\0"],
  ["separators", '"\\u2028\\u2029"', "\u2028\u2029"],
  ["minus zero", "-0", 0],
  ["a number beyond doubles", "12345678901234567890", undefined],
  ["a number beyond all", "1e999", undefined],
  ["a long fraction", "0.1000000000000000055511151231257827", 0.1],
  ["60 levels", `${"[".repeat(60)}${"]".repeat(60)}`, JSON.parse(`${"[".repeat(60)}${"]".repeat(60)}`)],
  ["65 levels", `${"[".repeat(65)}${"]".repeat(65)}`, undefined],
  ["100,000 levels", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, undefined],
  ["100,000 levels without an end", '{"a":'.repeat(100_000), undefined],
  ["brackets inside a text", JSON.stringify("[{".repeat(1_000)), "[{".repeat(1_000)],
  ["1,000 equal names", `{${Array.from({ length: 1_000 }, () => '"a":1').join()}}`, undefined],
  ["an empty name", '{"":1}', { "": 1 }],
];
const ways: Readonly<Record<string, (value: string) => Promise<Response>>> = {
  "HTTP API": (value) =>
    fetch(`${system.url}/api/v1/shop/add`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `{"text":${value}}`,
    }),
  "MCP modern": (value) =>
    postMcp(
      text.replace('"text":"a"', () => `"text":${value}`),
      modern,
    ),
  "MCP legacy": (value) =>
    postMcp(
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"shop_add","arguments":{"text":${value}}}}`,
      session,
    ),
};
function postMcp(body: string, headers: Readonly<Record<string, string>>): Promise<Response> {
  const own = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  return fetch(`${system.url}/mcp`, { method: "POST", headers: { ...own, ...headers }, body });
}
test.each(
  Object.keys(ways).flatMap((way) =>
    values.map(([name, value, expected]) => ({ way, name, value, expected })),
  ),
)("$way: the argument $name arrives as it was checked, or not at all", async ({ way, value, expected }) => {
  const before = upstream.seen.length;
  const response = await ways[way]?.(value);
  await response?.text();
  if (expected === undefined) {
    expect(response?.status).toBe(400);
    expect(upstream.seen).toHaveLength(before);
  } else {
    expect(upstream.seen).toHaveLength(before + 1);
    const { text: arrived } = JSON.parse(upstream.seen.at(-1)?.body ?? "");
    expect(arrived).toEqual(expected);
  }
  expect(Object.hasOwn(Object.prototype, "a")).toBe(false);
});

test.each(["_connection", "_instance"])("HTTP API: %s is never an argument of the upstream", async (name) => {
  const before = upstream.seen.length;
  await fetch(`${system.url}/api/v1/shop/add`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text: "a", [name]: "other" }),
  });
  for (const { body } of upstream.seen.slice(before))
    expect(asObject(JSON.parse(body))).toEqual({ text: "a" });
});
