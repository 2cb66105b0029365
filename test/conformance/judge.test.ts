import { describe, expect, test } from "vitest";
import { judge, judgeAlone } from "./judge.ts";
import type { Check } from "./run-suite.ts";

function check(id: string, status: Check["status"], message?: string): Check {
  return { scenario: "tools-list", id, status, message };
}

function listed(...checks: readonly string[]) {
  return [{ scenario: "tools-list", reason: "Not there yet.", checks }];
}

describe.each(["equal", "no-loss"] as const)("%s", (measure) => {
  test("counts what passes both ways", () => {
    const both = [check("one", "SUCCESS"), check("two", "SUCCESS")];
    expect(judge(both, both, [], measure)).toEqual({ passed: 2, same: 0, listed: 0, failures: [] });
  });

  test("counts what ends the same both ways", () => {
    const both = [check("one", "SKIPPED"), check("two", "FAILURE"), check("three", "WARNING")];
    expect(judge(both, both, [], measure)).toEqual({ passed: 0, same: 3, listed: 0, failures: [] });
  });

  test.for(["FAILURE", "WARNING", "SKIPPED", "INFO"] as const)("a pass that became %s is lost", (status) => {
    expect(judge([check("one", "SUCCESS")], [check("one", status, "Too late.")], [], measure)).toEqual({
      passed: 0,
      same: 0,
      listed: 0,
      failures: [`tools-list / one: SUCCESS directly, ${status} through the gateway: Too late.`],
    });
  });

  test("a pass that is gone is lost", () => {
    const judgement = judge([check("one", "SUCCESS")], [], [], measure);
    expect(judgement.failures).toEqual(["tools-list / one: SUCCESS directly, absent through the gateway"]);
  });

  test("a check that goes wrong only through the gateway is lost", () => {
    const judgement = judge([], [check("one", "FAILURE")], [], measure);
    expect(judgement.failures).toEqual(["tools-list / one: absent directly, FAILURE through the gateway"]);
  });

  test("what is listed may be lost", () => {
    const judgement = judge([check("one", "SUCCESS")], [check("one", "FAILURE")], listed("one"), measure);
    expect(judgement).toEqual({ passed: 0, same: 0, listed: 1, failures: [] });
  });

  test("what is listed must be lost", () => {
    const both = [check("one", "SUCCESS")];
    expect(judge(both, both, listed("one", "no-such"), measure)).toEqual({
      passed: 1,
      same: 0,
      listed: 0,
      failures: [
        "tools-list / one: is listed as lost, and is not; take it off the list",
        "tools-list / no-such: is listed as lost, and is not; take it off the list",
      ],
    });
  });
});

const differences = [
  ["FAILURE", "SUCCESS"],
  ["FAILURE", "WARNING"],
  ["SKIPPED", "SUCCESS"],
] as const;

test.for(differences)("that %s became %s is a difference, and no loss", ([before, after]) => {
  const direct = [check("one", before)];
  const through = [check("one", after)];
  expect(judge(direct, through, [], "no-loss")).toEqual({ passed: 0, same: 0, listed: 0, failures: [] });
  expect(judge(direct, through, [], "equal").failures).toEqual([
    `tools-list / one: ${before} directly, ${after} through the gateway`,
  ]);
});

test("what the runner only notes makes no difference", () => {
  const nothing = { passed: 0, same: 0, listed: 0, failures: [] };
  expect(judge([check("one", "INFO")], [check("two", "INFO")], [], "equal")).toEqual(nothing);
  expect(judge([check("one", "INFO")], [check("one", "FAILURE")], [], "equal").failures).toHaveLength(1);
});

test("a check that only one of the runs makes is a difference, and no loss", () => {
  const skipped = [check("one", "SKIPPED")];
  expect(judge(skipped, [], [], "no-loss").failures).toEqual([]);
  expect(judge(skipped, [], [], "equal").failures).toHaveLength(1);
  expect(judge([], skipped, [], "equal").failures).toHaveLength(1);
});

test("without anything to compare with, every check that goes wrong counts", () => {
  const checks = [check("one", "SUCCESS"), check("two", "FAILURE", "No."), check("three", "WARNING")];
  expect(judgeAlone([...checks, check("four", "INFO")], [])).toEqual({
    passed: 1,
    same: 0,
    listed: 0,
    failures: ["tools-list / two: FAILURE: No.", "tools-list / three: WARNING"],
  });
  expect(judgeAlone(checks, listed("two", "three"))).toEqual({ passed: 1, same: 0, listed: 2, failures: [] });
});

test("without anything to compare with, the list only shrinks", () => {
  expect(judgeAlone([check("one", "SUCCESS")], listed("one")).failures).toEqual([
    "tools-list / one: is listed as failing, and does not fail; take it off the list",
  ]);
});
