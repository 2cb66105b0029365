import type { Check } from "./run-suite.ts";

/** Checks of a scenario that do not pass through the gateway yet, and why. */
export interface Listed {
  readonly scenario: string;
  readonly reason: string;
  readonly checks: readonly string[];
}

/** A suite's checks through the gateway, held against those of the direct run. */
export interface Judgement {
  /** How many checks pass directly and through the gateway. */
  readonly passed: number;
  /** How many are listed and do not pass. */
  readonly listed: number;
  /** One line for each check that fails without being listed, and for each that is listed and passes. */
  readonly failures: readonly string[];
}

/**
 * A check is lost when it passes directly and not through the gateway, or when it goes wrong only there. What goes wrong directly
 * too is the upstream's own doing.
 */
export function judge(
  direct: readonly Check[],
  through: readonly Check[],
  listed: readonly Listed[],
): Judgement {
  const before = new Map(direct.map((check) => [keyOf(check), check]));
  const after = new Map(through.map((check) => [keyOf(check), check]));
  const waived = new Set(
    listed.flatMap(({ scenario, checks }) => checks.map((id) => keyOf({ scenario, id }))),
  );

  const lost = new Set<string>();
  const failures: string[] = [];
  let passed = 0;
  let known = 0;
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const directly = before.get(key);
    const there = after.get(key);
    if (directly?.status === "SUCCESS" && there?.status === "SUCCESS") passed += 1;
    else if (directly?.status === "SUCCESS" || (isWrong(there) && !isWrong(directly))) {
      lost.add(key);
      if (waived.has(key)) {
        known += 1;
        continue;
      }
      const remark = there?.message === undefined ? "" : `: ${there.message}`;
      failures.push(
        `${key}: ${directly?.status ?? "absent"} directly, ${there?.status ?? "absent"} through the gateway${remark}`,
      );
    }
  }
  for (const key of waived) {
    if (!lost.has(key)) failures.push(`${key}: is listed as lost, and is not; take it off the list`);
  }
  return { passed, listed: known, failures };
}

/** A suite that nothing can be compared with: every check that goes wrong counts, unless it is listed. */
export function judgeAlone(checks: readonly Check[], listed: readonly Listed[]): Judgement {
  const waived = new Set(
    listed.flatMap(({ scenario, checks: ids }) => ids.map((id) => keyOf({ scenario, id }))),
  );
  const wrong = new Map(checks.filter(isWrong).map((check) => [keyOf(check), check]));
  const unexpected = [...wrong].filter(([key]) => !waived.has(key));
  const mended = [...waived].filter((key) => !wrong.has(key));
  return {
    passed: checks.filter(({ status }) => status === "SUCCESS").length,
    listed: waived.size - mended.length,
    failures: [
      ...unexpected.map(([key, { status, message }]) => `${key}: ${status}${message ? `: ${message}` : ""}`),
      ...mended.map((key) => `${key}: is listed as failing, and does not fail; take it off the list`),
    ],
  };
}

function keyOf({ scenario, id }: Pick<Check, "scenario" | "id">): string {
  return `${scenario} / ${id}`;
}

function isWrong(check: Check | undefined): boolean {
  return check?.status === "FAILURE" || check?.status === "WARNING";
}
