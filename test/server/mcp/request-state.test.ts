import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import type { JsonObject } from "../../../src/model/json.ts";
import {
  createRequestStates,
  type HeldState,
  type RequestStateParts,
  type StatefulRequest,
} from "../../../src/server/mcp/request-state.ts";
import { principalOf } from "../../principals.ts";

const request: StatefulRequest = {
  principal: principalOf("user", "ada", "default", { credential: { kind: "token", id: "t1" } }),
  method: "tools/call",
  params: { name: "find", arguments: { word: "a" } },
};
const kinds: readonly HeldState[] = [
  { kind: "own", own: { url: "https://gw.example.com" } },
  { kind: "upstream", provider: "books", state: 'an "upstream\u0000\ud800 state' },
  { kind: "parked", call: "17" },
];
const open = (parts: Partial<RequestStateParts> = {}) =>
  createRequestStates({ milliseconds: 600_000, ...parts });
const about = (params: JsonObject, method = request.method): StatefulRequest => ({
  ...request,
  method,
  params,
});

test.each(kinds)("$kind comes back as it was, in any later round", (held) => {
  const states = open();
  const text = states.seal(held, request);
  const round = about({
    ...request.params,
    inputResponses: { a: {} },
    requestState: text,
    _meta: { progressToken: 5, traceparent: "x" },
  });
  const opened = states.open(text, round);
  expect(opened.held).toEqual(held);
  opened.use();
  expect(() => opened.use()).toThrow(/used already.*Make the request anew/);
  expect(() => states.open(text, round).use()).toThrow(/used already/);
});

test("no arguments are the same as none given", () => {
  const states = open();
  const text = states.seal({ kind: "parked", call: "1" }, about({ name: "find" }));
  expect(states.open(text, about({ name: "find", arguments: {} })).held).toMatchObject({ call: "1" });
});

test.each<readonly [string, StatefulRequest]>([
  ["other arguments", about({ name: "find", arguments: { word: "b" } })],
  ["another tool", about({ name: "lose", arguments: { word: "a" } })],
  ["another method", about(request.params, "prompts/get")],
  ["a further member", about({ ...request.params, task: {} })],
  ["another instance", about({ ...request.params, _meta: { "io.gestalt/instance": "work" } })],
])("%s are another request", (_what, other) => {
  const states = open();
  for (const held of kinds) {
    expect(() => states.open(states.seal(held, request), other)).toThrow(/belongs to another request/);
  }
});

test.each([
  ["another user", principalOf("user", "bob")],
  ["a service of that name", principalOf("service", "ada")],
  ["the same name in another tenant", principalOf("user", "ada", "acme")],
  ["somebody acting for another tenant", principalOf("user", "ada", "acme", { home: "default" })],
  [
    "another token of the user",
    principalOf("user", "ada", "default", { credential: { kind: "token", id: "t2" } }),
  ],
  [
    "a client of the user",
    principalOf("user", "ada", "default", { credential: { kind: "grant", id: "t1" } }),
  ],
  ["no token of the user", principalOf("user", "ada")],
])("%s reads what anybody does who makes a state up", (_who, principal) => {
  const states = open();
  for (const held of kinds) {
    const text = states.seal(held, request);
    const errors = [text, "made up", "", null, 5].map((given) => {
      try {
        states.open(given, { ...request, principal });
      } catch (error) {
        return String(error);
      }
      return "no error";
    });
    expect(new Set(errors).size).toBe(1);
    expect(errors[0]).toMatch(/not known here/);
    // Whom it belongs to may still use it.
    states.open(text, request).use();
  }
});

test("it ends, whoever has used it", () => {
  let now = 1_000;
  const states = open({ now: () => now });
  for (const held of kinds) {
    const text = states.seal(held, request);
    now += 600_000;
    states.open(text, request);
    now += 1;
    expect(() => states.open(text, request)).toThrow(/is over: it counts for 10 minutes/);
  }
});

test("another process with the same keys takes what needs none of this one, and says so of the rest", () => {
  const keys = [randomBytes(32)];
  const [here, there] = [open({ keys: () => keys }), open({ keys: () => keys })];
  for (const held of kinds) {
    const text = here.seal(held, request);
    if (held.kind === "parked") expect(() => there.open(text, request)).toThrow(/another process/);
    else expect(there.open(text, request).held).toEqual(held);
  }
});

test("the newest key seals, older ones open as long as they are there, and others nothing", () => {
  let keys = [randomBytes(32)];
  const states = open({ keys: () => keys });
  const [held = { kind: "parked", call: "" } as const] = kinds;
  const old = states.seal(held, request);
  keys = [randomBytes(32), ...keys];
  expect(states.open(old, request).held).toEqual(held);
  const young = states.seal(held, request);
  keys = keys.slice(0, 1);
  expect(states.open(young, request).held).toEqual(held);
  expect(() => states.open(old, request)).toThrow(/not known here/);
  expect(() => open().open(young, request)).toThrow(/not known here/);
});

test("an upstream's state may be 64 KB long", () => {
  const states = open();
  const held: HeldState = { kind: "upstream", provider: "books", state: "\u0001".repeat(65_536) };
  expect(states.open(states.seal(held, request), request).held).toEqual(held);
  expect(() => states.seal({ ...held, state: "x".repeat(65_537) }, request)).toThrow(/too long/);
});
