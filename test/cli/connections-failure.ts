import { formatWithOptions } from "node:util";
import type { Outcome } from "./workplace.ts";

/** Everything that a failure holds, its causes and stacks included. Fails for what does not fail. */
export async function everyText(work: Promise<Outcome>): Promise<string> {
  let outcome: Outcome;
  try {
    outcome = await work;
  } catch (error) {
    return formatWithOptions({ depth: 20, showHidden: true, getters: true }, "%O", error);
  }
  throw new Error(`It did not fail: ${JSON.stringify([outcome.status, outcome.printed, outcome.told])}`);
}
