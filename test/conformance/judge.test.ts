import { expect, test } from "vitest";
import { judge, judgeAlone } from "./judge.ts";
import type { Check } from "./run-suite.ts";

function check(id: string, status: Check["status"], message?: string): Check {
  return { scenario: "tools-list", id, status, message };
}

function listed(...checks: readonly string[]) {
  return [{ scenario: "tools-list", reason: "Not there yet.", checks }];
}

test("counts what passes both ways", () => {
  const both = [check("one", "SUCCESS"), check("two", "SUCCESS")];
  expect(judge(both, both, [])).toEqual({ passed: 2, listed: 0, failures: [] });
});

test.for(["FAILURE", "WARNING", "SKIPPED", "INFO"] as const)("a pass that became %s is lost", (status) => {
  const judgement = judge([check("one", "SUCCESS")], [check("one", status, "Too late.")], []);
  expect(judgement).toEqual({
    passed: 0,
    listed: 0,
    failures: [`tools-list / one: SUCCESS directly, ${status} through the gateway: Too late.`],
  });
});

test("a pass that is gone is lost", () => {
  const judgement = judge([check("one", "SUCCESS")], [], []);
  expect(judgement.failures).toEqual(["tools-list / one: SUCCESS directly, absent through the gateway"]);
});

test("a check that goes wrong only through the gateway is lost", () => {
  const judgement = judge([], [check("one", "FAILURE")], []);
  expect(judgement.failures).toEqual(["tools-list / one: absent directly, FAILURE through the gateway"]);
});

test("what goes wrong directly counts for nothing", () => {
  const judgement = judge([check("one", "FAILURE")], [check("one", "WARNING")], []);
  expect(judgement).toEqual({ passed: 0, listed: 0, failures: [] });
});

test("what is listed may be lost", () => {
  const judgement = judge([check("one", "SUCCESS")], [check("one", "FAILURE")], listed("one"));
  expect(judgement).toEqual({ passed: 0, listed: 1, failures: [] });
});

test("what is listed must be lost", () => {
  const judgement = judge([check("one", "SUCCESS")], [check("one", "SUCCESS")], listed("one", "no-such"));
  expect(judgement).toEqual({
    passed: 1,
    listed: 0,
    failures: [
      "tools-list / one: is listed as lost, and is not; take it off the list",
      "tools-list / no-such: is listed as lost, and is not; take it off the list",
    ],
  });
});

test("without anything to compare with, every check that goes wrong counts", () => {
  const checks = [check("one", "SUCCESS"), check("two", "FAILURE", "No."), check("three", "WARNING")];
  expect(judgeAlone([...checks, check("four", "INFO")], [])).toEqual({
    passed: 1,
    listed: 0,
    failures: ["tools-list / two: FAILURE: No.", "tools-list / three: WARNING"],
  });
  expect(judgeAlone(checks, listed("two", "three"))).toEqual({ passed: 1, listed: 2, failures: [] });
});

test("without anything to compare with, the list only shrinks", () => {
  expect(judgeAlone([check("one", "SUCCESS")], listed("one")).failures).toEqual([
    "tools-list / one: is listed as failing, and does not fail; take it off the list",
  ]);
});
