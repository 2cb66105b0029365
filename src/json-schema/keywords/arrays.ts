import { charge } from "../budget.ts";
import { identityOf } from "../equality.ts";
import { count } from "../explain.ts";
import { asCount, isArray } from "../json-type.ts";
import { child, children, type Keyword, type Preparation } from "../keyword.ts";
import { type Check, evaluate, fail, inside, isDone, match } from "../run.ts";

/** What is asked of an array as a whole (2020-12, Validation section 6.4, and `contains` of Core section 10.3.1.3). */
export const arrayKeywords: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  [
    "minItems",
    (_preparation, operand) => {
      const min = asCount(operand);
      if (min === undefined) return undefined;
      return (run, value, location) =>
        !isArray(value) ||
        value.length >= min ||
        fail(
          run,
          location,
          "minItems",
          () => `must have at least ${count(min, "item", "items")}, but has ${value.length}`,
        );
    },
  ],
  [
    "maxItems",
    (_preparation, operand) => {
      const max = asCount(operand);
      if (max === undefined) return undefined;
      return (run, value, location) =>
        !isArray(value) ||
        value.length <= max ||
        fail(
          run,
          location,
          "maxItems",
          () => `must have at most ${count(max, "item", "items")}, but has ${value.length}`,
        );
    },
  ],
  [
    "uniqueItems",
    (_preparation, operand) => {
      if (operand !== true) return undefined;
      return (run, value, location) => {
        if (!isArray(value)) return true;
        const positions = new Map<unknown, number>();
        for (const [index, item] of value.entries()) {
          const identity = identityOf(run, item);
          const twin = positions.get(identity);
          if (twin !== undefined) {
            return fail(
              run,
              location,
              "uniqueItems",
              () => `must not repeat items, but [${twin}] and [${index}] are equal`,
            );
          }
          positions.set(identity, index);
        }
        return true;
      };
    },
  ],
  ["contains", contains],
]);

function contains(preparation: Preparation, operand: Parameters<Keyword>[1]): Check {
  const wanted = child(preparation, operand);
  const min = asCount(preparation.schema["minContains"]) ?? 1;
  const max = asCount(preparation.schema["maxContains"]) ?? Number.POSITIVE_INFINITY;
  return (run, value, location, evaluated) => {
    if (!isArray(value)) return true;
    let sure = 0;
    let possible = 0;
    for (const [index, item] of value.entries()) {
      charge(run, 1);
      const verdict = match(run, wanted(run), item, undefined);
      if (verdict === "no") continue;
      possible += 1;
      if (verdict === "yes") sure += 1;
      evaluated?.items.add(index);
    }
    const fitting = (limit: number): string =>
      `${count(limit, "item", "items")} of the kind that its schema describes`;
    if (possible < min) {
      return fail(
        run,
        location,
        "contains",
        () => `must contain at least ${fitting(min)}, but contains ${possible}`,
      );
    }
    return (
      sure <= max ||
      fail(run, location, "maxContains", () => `must contain at most ${fitting(max)}, but contains ${sure}`)
    );
  };
}

/**
 * `prefixItems` and `items` (2020-12, Core section 10.3.1) in one pass; the tuples of older drafts (`items` as a list,
 * `additionalItems`) mean the same.
 */
export function prepareItems(preparation: Preparation): Check | undefined {
  const { items, prefixItems, additionalItems } = preparation.schema;
  const isTuple = isArray(items);
  const prefix = children(preparation, isTuple ? items : prefixItems);
  const rest = isTuple ? additionalItems : items;
  const restSchema = rest === undefined ? undefined : child(preparation, rest);
  if (prefix.length === 0 && restSchema === undefined) return undefined;

  return (run, value, location, evaluated) => {
    if (!isArray(value)) return true;
    let valid = true;
    for (const [index, item] of value.entries()) {
      const schema = prefix[index] ?? restSchema;
      if (schema === undefined) break;
      if (index >= prefix.length && rest === false) {
        const most = count(prefix.length, "item", "items");
        return fail(run, location, "items", () => `must have at most ${most}, but has ${value.length}`);
      }
      if (evaluate(run, schema(run), item, inside(run, location, index), undefined)) continue;
      valid = false;
      if (isDone(run)) return false;
    }
    if (evaluated !== undefined) {
      const reached = restSchema === undefined ? Math.min(prefix.length, value.length) : value.length;
      evaluated.prefix = Math.max(evaluated.prefix, reached);
    }
    return valid;
  };
}
