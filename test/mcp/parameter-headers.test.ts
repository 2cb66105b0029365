import { expect, test } from "vitest";
import { readParameterHeaders, writeParameterHeaders } from "../../src/mcp/parameter-headers.ts";
import type { JsonObject } from "../../src/model/json.ts";

const text = { type: "string", "x-mcp-header": "Region" };

test.each<[string, JsonObject, unknown]>([
  ["none", { properties: { a: { type: "string" } } }, []],
  ["one", { properties: { region: text } }, [{ path: ["region"], header: "mcp-param-region" }]],
  [
    "a nested one",
    { properties: { where: { type: "object", properties: { region: text } } } },
    [{ path: ["where", "region"], header: "mcp-param-region" }],
  ],
  ["a property that is named like the keyword", { properties: { "x-mcp-header": { type: "string" } } }, []],
  ["a value that looks like one", { properties: { a: { default: { "x-mcp-header": "A" } } } }, []],
])("reads %s", (_case, schema, headers) => {
  expect(readParameterHeaders(schema)).toEqual({ ok: true, headers });
});

test.each<[string, JsonObject, string]>([
  ["at the root", text, "no chain of `properties`"],
  ["among the items of a list", { properties: { a: { items: text } } }, "no chain of `properties`"],
  ["in a branch", { anyOf: [{ properties: { a: text } }] }, "no chain of `properties`"],
  ["in a definition", { $defs: { a: text } }, "no chain of `properties`"],
  ["on a number", { properties: { a: { type: "number", "x-mcp-header": "A" } } }, "only for strings"],
  [
    "with a name that is none",
    { properties: { a: { type: "string", "x-mcp-header": "A B" } } },
    "name of a header",
  ],
  [
    "twice, letter case aside",
    { properties: { a: text, b: { type: "string", "x-mcp-header": "REGION" } } },
    "`REGION` twice",
  ],
])("refuses a declaration %s", (_case, schema, fault) => {
  expect(readParameterHeaders(schema)).toEqual({ ok: false, fault: expect.stringContaining(fault) });
});

test("writes what a header can say", () => {
  const declared = ["text", "foreign", "number", "large", "flag", "absent", "nothing"].map((name) => ({
    path: [name],
    header: `mcp-param-${name}`,
  }));
  const args = { text: "eu", foreign: "Zürich", number: -3, large: 2 ** 60, flag: false, nothing: null };
  expect(writeParameterHeaders(declared, args)).toEqual({
    "mcp-param-text": "eu",
    "mcp-param-foreign": "=?base64?WsO8cmljaA==?=",
    "mcp-param-number": "-3",
    "mcp-param-flag": "false",
  });
});
