import { expect, test } from "vitest";
import type { McpSurface } from "../../../src/model/config.ts";
import type { JsonValue } from "../../../src/model/json.ts";
import { compileTools } from "../../../src/providers/mcp/compile.ts";
import { place } from "./open-provider.ts";

const surface: McpSurface = {
  kind: "mcp",
  trustAnnotations: false,
  prompts: true,
  resources: true,
  connection: "main",
  place,
  transport: { kind: "http", url: "http://h/mcp" },
};

async function compile(...tools: JsonValue[]) {
  const { operations, diagnostics } = await compileTools(tools, surface);
  return { operations, warnings: diagnostics.map(({ message }) => message) };
}

function nested(levels: number): JsonValue {
  return levels === 0 ? {} : { properties: { a: nested(levels - 1) } };
}

test("a tool keeps what it says of itself", async () => {
  const inputSchema = {
    type: "object",
    properties: { q: { type: "string" } },
    required: ["q"],
    additionalProperties: false,
  };
  const outputSchema = { type: "object", properties: { n: { type: "integer" } } };
  const annotations = { readOnlyHint: true, idempotentHint: true };
  const { operations } = await compile({
    name: "search",
    title: "Search",
    description: "Finds.",
    inputSchema,
    outputSchema,
    annotations,
    _meta: { "io.modelcontextprotocol/x": 1, vendor: 2 },
    icons: [{ src: "http://elsewhere" }],
  });
  expect(operations).toEqual([
    {
      id: "search",
      method: "tool",
      path: "search",
      tags: [],
      deprecated: false,
      title: "Search",
      description: "Finds.",
      inputSchema,
      outputSchema,
      annotations: { readOnlyHint: true, destructiveHint: true, idempotentHint: true, openWorldHint: true },
      extras: { icons: [{ src: "http://elsewhere" }], _meta: { vendor: 2 } },
      binding: { kind: "mcp", tool: "search" },
      connection: "main",
      place: undefined,
    },
  ]);
});

test("missing annotations mean the worst; a title may stand among them", async () => {
  const [operation] = (
    await compile({
      name: "a",
      inputSchema: { type: "object" },
      annotations: { title: "A" },
    })
  ).operations;
  expect(operation?.title).toBe("A");
  expect(operation?.annotations).toEqual({
    readOnlyHint: false,
    destructiveHint: true,
    idempotentHint: false,
    openWorldHint: true,
  });
});

test.each<[string, JsonValue, JsonValue]>([
  ["none", null, { type: "object", properties: {} }],
  ["empty", {}, { type: "object", properties: {} }],
  ["no properties", { type: "object" }, { type: "object", properties: {} }],
  [
    "a union",
    { anyOf: [{ required: ["a"] }] },
    { anyOf: [{ required: ["a"] }], type: "object", properties: {} },
  ],
])("the root of the arguments is completed: %s", async (_case, inputSchema, expected) => {
  expect((await compile({ name: "a", inputSchema })).operations[0]?.inputSchema).toEqual(expected);
});

test("hidden characters vanish from texts, and stay where values are compared", async () => {
  const hidden = "a\u200b\u202e\u{e0041}\u001b\u0000\u2066b\ufe0f";
  const { operations } = await compile({
    name: `na\u200bme`,
    description: `Line one\r\n${hidden}`,
    inputSchema: {
      type: "object",
      properties: { p: { description: hidden, enum: [hidden], default: hidden } },
    },
  });
  const [operation] = operations;
  expect(operation?.id).toBe("name");
  expect(operation?.binding).toEqual({ kind: "mcp", tool: "na\u200bme" });
  expect(operation?.description).toBe("Line one\nab");
  expect(operation?.inputSchema["properties"]).toEqual({
    p: { description: "ab", enum: [hidden], default: hidden },
  });
});

test.each<[string, JsonValue, string]>([
  ["no object", 5, "without a name"],
  ["no name", { inputSchema: {} }, "without a name"],
  ["an empty name", { name: "\u200b", inputSchema: {} }, "its name is empty"],
  ["a very long name", { name: "n".repeat(300), inputSchema: {} }, "256 characters"],
  ["arguments that are no object", { name: "a", inputSchema: { type: "string" } }, "not an object"],
  [
    "a huge schema",
    { name: "a", inputSchema: { type: "object", description: "x".repeat(300_000) } },
    "256 KB",
  ],
  ["a deep schema", { name: "a", inputSchema: nested(60) }, "nested deeper"],
  ["a mere task", { name: "a", inputSchema: {}, execution: { taskSupport: "required" } }, "as a task"],
  ["a hidden property", { name: "a", inputSchema: { properties: { "p\u200b": {} } } }, "hidden characters"],
  [
    "a bad header declaration",
    { name: "a", inputSchema: { properties: { p: { type: "number", "x-mcp-header": "P" } } } },
    "`x-mcp-header`",
  ],
])("left out with a warning: %s", async (_case, tool, reason) => {
  const { operations, warnings } = await compile(tool, { name: "good", inputSchema: {} });
  expect(operations.map(({ id }) => id)).toEqual(["good"]);
  expect(warnings).toEqual([expect.stringContaining(reason)]);
});

test("tools of one name are all withheld", async () => {
  const { operations, warnings } = await compile({ name: "a" }, { name: "b" }, { name: "a\u200b" });
  expect(operations.map(({ id }) => id)).toEqual(["b"]);
  expect(warnings).toEqual([expect.stringContaining("2 tools named `a`")]);
});

test("of a thousand tools that are left out, and a thousand remarks, a hundred are told", async () => {
  const pattern = { type: "object", properties: { a: { type: "string", pattern: "(?=a)" } } };
  const { operations, warnings } = await compile(
    ...Array.from({ length: 101 }, (): JsonValue => ({ description: "no name" })),
    ...Array.from(
      { length: 102 },
      (_none, index): JsonValue => ({ name: `t${index}`, inputSchema: pattern }),
    ),
  );
  expect(operations).toHaveLength(102);
  expect(warnings).toHaveLength(202);
  expect(warnings[100]).toBe("The MCP server gives reason for 1 more tools left out, which are not listed.");
  expect(warnings[201]).toBe(
    "The MCP server gives reason for 2 more remarks on schemas, which are not listed.",
  );
});

test("other work has its turn while a long list of costly schemas is compiled", async () => {
  const costly = (index: number): JsonValue => ({
    name: `t${index}`,
    inputSchema: {
      type: "object",
      properties: Object.fromEntries(
        Array.from({ length: 20 }, (_none, key) => [
          `p${key}`,
          { pattern: `(?i)[\\x{0}-\\x{ffff}]{9}${index}|${key}` },
        ]),
      ),
    },
  });
  let turns = 0;
  let next = setImmediate(function turn() {
    turns += 1;
    next = setImmediate(turn);
  });
  const { operations } = await compile(...Array.from({ length: 20 }, (_none, index) => costly(index)));
  clearImmediate(next);
  expect(operations).toHaveLength(20);
  expect(turns).toBeGreaterThan(5);
});
