import { expect, test } from "vitest";
import { canAsk, neededCapability, readAskableCapabilities } from "../../src/mcp/askable.ts";
import { isWanted } from "../../src/mcp/log-level.ts";
import { readPassedMeta } from "../../src/mcp/meta.ts";
import type { JsonObject } from "../../src/model/json.ts";

test.each<readonly [JsonObject, string, JsonObject, boolean, JsonObject | undefined]>([
  [{}, "elicitation/create", {}, false, { elicitation: { form: {} } }],
  [{ elicitation: {} }, "elicitation/create", {}, true, { elicitation: { form: {} } }],
  [{ elicitation: {} }, "elicitation/create", { mode: "url" }, false, { elicitation: { url: {} } }],
  [{ elicitation: { url: {} } }, "elicitation/create", {}, false, { elicitation: { form: {} } }],
  [{ elicitation: { url: {} } }, "elicitation/create", { mode: "url" }, true, { elicitation: { url: {} } }],
  [{ elicitation: { form: {} } }, "elicitation/create", {}, true, { elicitation: { form: {} } }],
  [{ sampling: {} }, "sampling/createMessage", {}, true, { sampling: {} }],
  [{ sampling: {} }, "sampling/createMessage", { tools: [] }, false, { sampling: { tools: {} } }],
  [
    { sampling: { tools: {} } },
    "sampling/createMessage",
    { toolChoice: {} },
    true,
    { sampling: { tools: {} } },
  ],
  [{ roots: {} }, "roots/list", {}, true, { roots: {} }],
  [{ roots: {}, tools: {} }, "tools/call", {}, false, undefined],
])("a client with %j is asked for %s %j: %s", (capabilities, method, params, may, needed) => {
  expect(canAsk(readAskableCapabilities(capabilities), method, params)).toBe(may);
  expect(neededCapability(method, params)).toEqual(needed);
});

test("log messages go by severity", () => {
  expect(isWanted("debug", undefined)).toBe(true);
  expect(isWanted("whatever", undefined)).toBe(true);
  expect(isWanted("emergency", "none")).toBe(false);
  expect(isWanted("warning", "error")).toBe(false);
  expect(isWanted("error", "error")).toBe(true);
  expect(isWanted("critical", "error")).toBe(true);
  expect(isWanted("whatever", "debug")).toBe(true);
});

test("of _meta nothing goes on that concerns this hop", () => {
  expect(readPassedMeta({})).toBeUndefined();
  expect(readPassedMeta({ _meta: { progressToken: 1, "io.modelcontextprotocol/x": 1 } })).toBeUndefined();
  expect(
    readPassedMeta({ _meta: { progressToken: 1, traceparent: "00-1", "io.gestalt/instance": "a" } }),
  ).toEqual({
    traceparent: "00-1",
  });
});
