import { type Budget, charge, stepCost } from "./budget.ts";

/** Which properties and items of one value the schemas applied to it have dealt with; `unevaluated…` get the rest. */
export class Evaluated {
  everything = false;
  readonly keys = new Set<string>();
  /** All items before this position. */
  prefix = 0;
  readonly items = new Set<number>();

  merge(budget: Budget, other: Evaluated): void {
    charge(budget, other.keys.size + other.items.size);
    if (other.everything) this.everything = true;
    for (const key of other.keys) this.keys.add(key);
    if (other.prefix > this.prefix) this.prefix = other.prefix;
    for (const index of other.items) this.items.add(index);
  }
}

/** A record for a schema that may turn out not to fit; `undefined` when nobody asks for it. */
export function branchOf(budget: Budget, evaluated: Evaluated | undefined): Evaluated | undefined {
  if (evaluated === undefined) return undefined;
  charge(budget, stepCost.record);
  return new Evaluated();
}
