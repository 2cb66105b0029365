import { expect, test } from "vitest";
import {
  chooseScopes,
  readScopeList,
  readScopeParameter,
  type ScopeSources,
} from "../../../src/credentials/mcp-oauth/choose-scopes.ts";

const none: ScopeSources = {
  wanted: [],
  granted: undefined,
  configured: undefined,
  challenged: undefined,
  supported: [],
  known: [],
};

test.each<[string, Partial<ScopeSources>, string]>([
  ["nobody names any", {}, ""],
  ["the server lists some", { supported: ["a", "b"] }, "a b"],
  ["the challenge names one", { challenged: ["a"], supported: ["a", "b"] }, "a"],
  ["the file names one", { configured: ["c"], challenged: ["a"], supported: ["b"] }, "c"],
  ["the file names none", { configured: [], challenged: ["a"] }, ""],
  ["a call lacked one", { wanted: ["w"], granted: ["a"], challenged: ["x"] }, "a w"],
  ["a call lacked one that was granted", { wanted: ["a"], granted: ["a", "b"] }, "a b"],
  ["a call lacked one, and what was granted is not known", { wanted: ["w"], challenged: ["a"] }, "a w"],
  ["a call lacked one that the file does not name", { wanted: ["w"], configured: ["c"] }, "c w"],
  ["a credential is replaced for no lack", { granted: ["old"], challenged: ["a"] }, "a"],
  ["offline_access is known", { challenged: ["a"], known: ["offline_access"] }, "a offline_access"],
  [
    "offline_access is known, and named",
    { challenged: ["offline_access"], known: ["offline_access"] },
    "offline_access",
  ],
  [
    "offline_access is known, and the file leaves it out",
    { configured: ["c"], known: ["offline_access"] },
    "c",
  ],
  ["offline_access is all that is known", { known: ["offline_access"] }, ""],
])("when %s", (_when, sources, scopes) => {
  expect(chooseScopes({ ...none, ...sources }).join(" ")).toBe(scopes);
});

test("an endless list is cut off", () => {
  const supported = Array.from({ length: 10_000 }, (_, index) => `s${index}`);
  expect(chooseScopes({ ...none, supported })).toHaveLength(100);
});

test("what is no scope is left out", () => {
  expect(readScopeList(["a", 1, "b c", "", 'd"', "é", "x".repeat(500), "repo:read"])).toEqual([
    "a",
    "repo:read",
  ]);
  expect(readScopeList("a b")).toEqual([]);
  expect(readScopeParameter('a  b\tc d" e')).toEqual(["a", "e"]);
  expect(readScopeParameter(" ")).toBeUndefined();
  expect(readScopeParameter(undefined)).toBeUndefined();
});
