/** Bounds of one check. */
export interface CheckLimits {
  /** Units of work; one is about one keyword applied to one value, at most about 0.15 µs. */
  readonly steps: number;
  /** Schemas applied inside one another, references included. */
  readonly depth: number;
  /** Mistakes listed. */
  readonly mistakes: number;
}

/** Far above what real schemas and arguments need, and below 100 ms of CPU. */
export const defaultCheckLimits: CheckLimits = { steps: 500_000, depth: 500, mistakes: 20 };

/** What work is worth in steps, measured while V8 still interprets this folder's code. */
export const stepCost = {
  schema: 25,
  object: 20,
  key: 5,
  primitive: 2,
  record: 5,
  property: 2,
  charactersPerStep: 20,
} as const;

/** Something that work is charged to. */
export interface Budget {
  /** Steps that are left. */
  steps: number;
}

/** Takes steps from the budget. Throws `CheckStopped` when it is spent. */
export function charge(budget: Budget, steps: number): void {
  budget.steps -= steps;
  if (budget.steps < 0) throw new CheckStopped();
}

/** A check that ended without a verdict, because a limit was reached. Never leaves this folder. */
export class CheckStopped extends Error {
  override readonly name = "CheckStopped";
}
