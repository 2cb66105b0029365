import { expect, test } from "vitest";
import type { HttpParameter } from "../../src/model/catalog.ts";
import { withoutAbsent } from "../../src/providers/absent-arguments.ts";
import { makeOperation } from "../catalog/fixtures.ts";

const { binding, inputSchema } = makeOperation("list");

function parameter(argument: string, changes: Partial<HttpParameter> = {}): HttpParameter {
  return {
    argument,
    name: argument,
    in: "query",
    style: "form",
    explode: true,
    allowReserved: false,
    required: false,
    content: undefined,
    default: undefined,
    ...changes,
  };
}

test("null for a parameter that may be left out is as good as leaving it out", () => {
  if (binding.kind !== "http") throw new Error("No HTTP binding.");
  const parameters = [
    parameter("a"),
    parameter("b", { required: true }),
    parameter("c", { required: true, default: 1 }),
  ];
  const given = { a: null, b: null, c: null, member: null, text: "" };
  expect(withoutAbsent({ binding: { ...binding, parameters }, inputSchema }, given)).toEqual({
    b: null,
    member: null,
    text: "",
  });
});

test("arguments without null are the same object", () => {
  const given = { a: 1, b: { c: null } };
  expect(withoutAbsent({ binding, inputSchema }, given)).toBe(given);
});

test("null for an optional argument of an MCP tool that takes none is as good as leaving it out", () => {
  const inputSchema = {
    type: "object",
    properties: {
      flag: { type: "boolean" },
      word: { type: ["string", "number"] },
      maybe: { type: ["string", "null"] },
      any: {},
      either: { anyOf: [{ type: "string" }, { type: "null" }] },
      needed: { type: "string" },
    },
    required: ["needed"],
  };
  const given = { flag: null, word: null, maybe: null, any: null, either: null, needed: null, unknown: null };
  expect(withoutAbsent({ binding: { kind: "mcp", tool: "x" }, inputSchema }, given)).toEqual({
    maybe: null,
    any: null,
    either: null,
    needed: null,
    unknown: null,
  });
});
