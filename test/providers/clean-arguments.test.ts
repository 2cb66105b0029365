import { expect, test } from "vitest";
import type { Binding } from "../../src/model/catalog.ts";
import { cleanArguments } from "../../src/providers/clean-arguments.ts";
import { makeTool } from "../catalog/fixtures.ts";

const mcp: Binding = { kind: "mcp", tool: "find" };

function toolOf(binding: Binding, toolPrefix = "my_files_") {
  return makeTool(`${toolPrefix}find`, { operation: "find", provider: "my_files", binding });
}

test("a tool of an MCP server gets its server's own URIs, wherever they stand", () => {
  const given = {
    uri: "gw-my.files+file:///a",
    deep: [{ list: ["gw-my.files+file:///b", "gw-my.files+file:///c"] }, null, 1],
    others: ["gw-other+file:///a", "see gw-my.files+file:///a", "https://x.test/", "gw-my.files"],
  };
  expect(cleanArguments(toolOf(mcp), { ...given, "gw-my.files+name": true })).toEqual({
    uri: "file:///a",
    deep: [{ list: ["file:///b", "file:///c"] }, null, 1],
    others: given.others,
    "gw-my.files+name": true,
  });
});

test("arguments that name no resource stay the same, numbers as they were written included", () => {
  const exact = Object.freeze(Object.assign(Object.create(null), { rawJSON: "1e400" }));
  const given = { a: [exact, "x"], b: { c: null } };
  expect(cleanArguments(toolOf(mcp), given)).toBe(given);
  const named = cleanArguments(toolOf(mcp), { ...given, uri: "gw-my.files+x:y" });
  expect(named["a"]).toBe(given.a);
  expect(cleanArguments(toolOf(mcp, ""), { uri: "gw-my.files+x:y" })).toEqual({ uri: "gw-my.files+x:y" });
});

test("an own member called __proto__ stays one", () => {
  const given = JSON.parse('{"__proto__": {"uri": "gw-my.files+x:y"}}');
  const cleaned = cleanArguments(toolOf(mcp), given);
  expect(JSON.stringify(cleaned)).toBe('{"__proto__":{"uri":"x:y"}}');
});

test("of other methods, only what is passed to a prompt is looked at", () => {
  const uri = "gw-my.files+x:y";
  const feature = (name: "prompts" | "resources" | "methods") =>
    cleanArguments(toolOf({ kind: "mcp-feature", feature: name }), { uri, arguments: { uri } });
  expect(feature("prompts")).toEqual({ uri, arguments: { uri: "x:y" } });
  expect(feature("resources")).toEqual({ uri, arguments: { uri } });
  expect(feature("methods")).toEqual({ uri, arguments: { uri } });
});
