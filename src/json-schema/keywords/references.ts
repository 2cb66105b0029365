import type { JsonValue } from "../../model/json.ts";
import { charge, stepCost } from "../budget.ts";
import type { Evaluated } from "../evaluated.ts";
import type { Keyword, Preparation } from "../keyword.ts";
import type { Location } from "../location.ts";
import type { Target } from "../reference-index.ts";
import { type Check, evaluate, guess, type Run } from "../run.ts";

/** `$ref` and `$dynamicRef` (2020-12, Core section 8.2.3). One that leads nowhere, or back to itself, judges nothing. */
export const referenceKeywords: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  [
    "$ref",
    (preparation, operand) => {
      if (typeof operand !== "string") return undefined;
      let resolved: { readonly target: Target | undefined } | undefined;
      return follow(preparation, operand, () => {
        resolved ??= { target: preparation.references.resolve(operand, preparation.resource) };
        return resolved.target;
      });
    },
  ],
  [
    "$dynamicRef",
    (preparation, operand) => {
      if (typeof operand !== "string") return undefined;
      const { references, resource } = preparation;
      return follow(preparation, operand, (run) =>
        references.resolveDynamic(run, operand, resource, run.scope),
      );
    },
  ],
]);

function follow(
  { prepare }: Preparation,
  reference: string,
  resolve: (run: Run) => Target | undefined,
): Check {
  const steps = reference.length / stepCost.charactersPerStep;
  /** The value that the reference is being applied to, and in which run. */
  let busyWith: JsonValue | undefined;
  let busyIn = 0;
  return (run: Run, value: JsonValue, location: Location | undefined, evaluated: Evaluated | undefined) => {
    charge(run, steps);
    // Applied to the same value inside itself, it would go on for ever (Core section 9.4.1).
    if (busyIn === run.number && busyWith === value) return guess(run, evaluated);
    const target = resolve(run);
    if (target === undefined) return guess(run, evaluated);
    const outer = { busyWith, busyIn };
    busyWith = value;
    busyIn = run.number;
    const valid = evaluate(run, prepare(run, target.schema, target.resource), value, location, evaluated);
    ({ busyWith, busyIn } = outer);
    return valid;
  };
}
