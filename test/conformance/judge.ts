import type { Check } from "./run-suite.ts";

/** Checks of a scenario that end in another way through the gateway, and why. */
export interface Listed {
  readonly scenario: string;
  readonly reason: string;
  readonly checks: readonly string[];
}

/** A suite's checks through the gateway, held against those of the direct run. */
export interface Judgement {
  /** How many checks pass directly and through the gateway. */
  readonly passed: number;
  /** How many others end the same both ways: what is skipped, and what goes wrong at this upstream whoever asks. */
  readonly same: number;
  /** How many are listed, and differ. */
  readonly listed: number;
  /** One line for each check that fails without being listed, and for each that is listed and passes. */
  readonly failures: readonly string[];
}

/**
 * What a run through the gateway owes the direct one. `equal`: the same checks with the same status, failures included; for an upstream
 * of the era that the suite's client speaks, which is the very one of the direct run. `no-loss`: whatever passes directly passes, and
 * nothing else goes wrong; for an upstream of the other era, which can't answer everything in the same words.
 */
export type Measure = "equal" | "no-loss";

/** Holds a run through the gateway against the direct run, check by check. */
export function judge(
  direct: readonly Check[],
  through: readonly Check[],
  listed: readonly Listed[],
  measure: Measure,
): Judgement {
  const before = new Map(direct.map((check) => [keyOf(check), check]));
  const after = new Map(through.map((check) => [keyOf(check), check]));
  const waived = new Set(
    listed.flatMap(({ scenario, checks }) => checks.map((id) => keyOf({ scenario, id }))),
  );

  const lost = new Set<string>();
  const failures: string[] = [];
  const counts = { passed: 0, same: 0, listed: 0 };
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const directly = before.get(key);
    const there = after.get(key);
    if (verdictOf(directly) === verdictOf(there)) {
      if (verdictOf(there) !== undefined) counts[there?.status === "SUCCESS" ? "passed" : "same"] += 1;
      continue;
    }
    if (measure === "no-loss" && !isLost(directly, there)) continue;
    lost.add(key);
    if (waived.has(key)) {
      counts.listed += 1;
      continue;
    }
    const message = there?.message ?? directly?.message;
    const remark = message === undefined ? "" : `: ${message}`;
    failures.push(
      `${key}: ${directly?.status ?? "absent"} directly, ${there?.status ?? "absent"} through the gateway${remark}`,
    );
  }
  for (const key of waived) {
    if (!lost.has(key)) failures.push(`${key}: is listed as lost, and is not; take it off the list`);
  }
  return { ...counts, failures };
}

/** `INFO` is a line of the runner's diary, such as each event of a stream, and as good as nothing. */
function verdictOf(check: Check | undefined): Check["status"] | undefined {
  return check?.status === "INFO" ? undefined : check?.status;
}

/** It passes directly and not through the gateway, or goes wrong only there. */
function isLost(directly: Check | undefined, there: Check | undefined): boolean {
  return directly?.status === "SUCCESS" || (isWrong(there) && !isWrong(directly));
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
    same: 0,
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
