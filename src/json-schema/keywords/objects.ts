import { isJsonObject } from "../../json-object.ts";
import type { JsonValue } from "../../model/json.ts";
import { charge, stepCost } from "../budget.ts";
import { count } from "../explain.ts";
import { asCount, isArray, membersOf, textsIn } from "../json-type.ts";
import { child, type Keyword, type Preparation } from "../keyword.ts";
import { readableName } from "../location.ts";
import { type Check, evaluate, fail, guess, inside, isDone, match } from "../run.ts";
import type { Problem } from "../violation.ts";

/** What is asked of an object as a whole (2020-12, Validation section 6.5, and Core section 10.2.2.4 and 10.3.2.4). */
export const objectKeywords: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  [
    "required",
    ({ run: payer }, operand) => {
      const names = textsIn(operand);
      charge(payer, names.length);
      if (names.length === 0) return undefined;
      return (run, value, location) => {
        if (!isJsonObject(value)) return true;
        charge(run, names.length);
        let valid = true;
        for (const name of names) {
          if (Object.hasOwn(value, name)) continue;
          valid = fail(run, inside(run, location, name), "required", () => "is missing");
          if (isDone(run)) return false;
        }
        return valid;
      };
    },
  ],
  [
    "minProperties",
    (_preparation, operand) => {
      const min = asCount(operand);
      if (min === undefined) return undefined;
      const wanted = `must have at least ${count(min, "property", "properties")}`;
      return countProperties("minProperties", (amount) =>
        amount >= min ? undefined : `${wanted}, but has ${amount}`,
      );
    },
  ],
  [
    "maxProperties",
    (_preparation, operand) => {
      const max = asCount(operand);
      if (max === undefined) return undefined;
      const wanted = `must have at most ${count(max, "property", "properties")}`;
      return countProperties("maxProperties", (amount) =>
        amount <= max ? undefined : `${wanted}, but has ${amount}`,
      );
    },
  ],
  [
    "propertyNames",
    (preparation, operand) => {
      const schema = child(preparation, operand);
      return (run, value, location) => {
        if (!isJsonObject(value)) return true;
        let valid = true;
        for (const name of Object.keys(value)) {
          charge(run, 1);
          if (match(run, schema(run), name, undefined) !== "no") continue;
          valid = fail(
            run,
            inside(run, location, name),
            "propertyNames",
            () => "has a name that is not allowed here",
          );
          if (isDone(run)) return false;
        }
        return valid;
      };
    },
  ],
  ["dependentRequired", (preparation, operand) => dependent(preparation, operand, requiredWith)],
  ["dependentSchemas", (preparation, operand) => dependent(preparation, operand, schemaWith)],
  // Up to draft 7 both forms shared one keyword.
  [
    "dependencies",
    (preparation, operand) =>
      dependent(preparation, operand, (around, name, rule) =>
        (isArray(rule) ? requiredWith : schemaWith)(around, name, rule),
      ),
  ],
]);

function countProperties(keyword: string, complaint: (amount: number) => string | undefined): Check {
  return (run, value, location) => {
    if (!isJsonObject(value)) return true;
    const amount = Object.keys(value).length;
    charge(run, amount / 4);
    const text = complaint(amount);
    return text === undefined || fail(run, location, keyword, () => text);
  };
}

type MakeDependency = (preparation: Preparation, name: string, rule: JsonValue) => Check;

function dependent(preparation: Preparation, operand: JsonValue, make: MakeDependency): Check | undefined {
  const members = membersOf(operand);
  charge(preparation.run, members.length);
  if (members.length === 0) return undefined;
  const rules = members.map(([name, rule]) => ({ name, check: make(preparation, name, rule) }));
  return (run, value, location, evaluated) => {
    if (!isJsonObject(value)) return true;
    let valid = true;
    for (const { name, check } of rules) {
      charge(run, 1);
      if (!Object.hasOwn(value, name) || check(run, value, location, evaluated)) continue;
      valid = false;
      if (isDone(run)) return false;
    }
    return valid;
  };
}

function requiredWith(preparation: Preparation, name: string, rule: JsonValue): Check {
  const needed = textsIn(rule);
  charge(preparation.run, needed.length);
  const clause = `is missing; it is required with \`${readableName(name)}\``;
  return (run, value, location) => {
    charge(run, needed.length);
    const missing = isJsonObject(value) ? needed.find((key) => !Object.hasOwn(value, key)) : undefined;
    return (
      missing === undefined || fail(run, inside(run, location, missing), "dependentRequired", () => clause)
    );
  };
}

function schemaWith(preparation: Preparation, _name: string, rule: JsonValue): Check {
  const schema = child(preparation, rule);
  return (run, value, location, evaluated) => evaluate(run, schema(run), value, location, evaluated);
}

/** `properties`, `patternProperties` and `additionalProperties` (2020-12, Core section 10.3.2) in one pass over the keys. */
export function prepareProperties(preparation: Preparation): Check | undefined {
  const { schema, prepare, resource } = preparation;
  const named = isJsonObject(schema["properties"]) ? schema["properties"] : undefined;
  const patterned = preparePatterns(preparation);
  // A refused pattern may match any key, so nothing can be called additional any more.
  const isSure = patterned.every(({ pattern }) => pattern !== undefined);
  const rest = isSure ? schema["additionalProperties"] : undefined;
  const restSchema = rest === undefined ? undefined : child(preparation, rest);
  if (named === undefined && patterned.length === 0 && restSchema === undefined) return undefined;

  return (run, value, location, evaluated) => {
    if (!isJsonObject(value)) return true;
    let valid = true;
    for (const [key, member] of Object.entries(value)) {
      charge(run, stepCost.property);
      const at = inside(run, location, key);
      let isKnown = false;
      const own = named === undefined ? undefined : ownMember(named, key);
      if (own !== undefined) {
        isKnown = true;
        valid = evaluate(run, prepare(run, own, resource), member, at, undefined) && valid;
      }
      for (const { pattern, schema: patternSchema } of patterned) {
        if (pattern === undefined) continue;
        charge(run, pattern.cost(key.length));
        if (!pattern.test(key)) continue;
        isKnown = true;
        valid = evaluate(run, patternSchema(run), member, at, undefined) && valid;
      }
      if (!isKnown && rest === false) {
        valid = fail(run, at, "additionalProperties", () => unknownName(key, named, patterned.length === 0));
      } else if (!isKnown && restSchema !== undefined) {
        isKnown = true;
        valid = evaluate(run, restSchema(run), member, at, undefined) && valid;
      }
      if (!valid && isDone(run)) return false;
      if (isKnown) evaluated?.keys.add(key);
    }
    return isSure ? valid : valid && guess(run, evaluated);
  };
}

/** The problem of a property that no keyword of the schema knows; `named` is its `properties`. */
export function unknownName(name: string, named: JsonValue | undefined, isComplete: boolean): Problem {
  return { kind: "unknown-name", name, known: isJsonObject(named) ? Object.keys(named) : [], isComplete };
}

function preparePatterns(preparation: Preparation) {
  return membersOf(preparation.schema["patternProperties"]).map(([source, schema]) => {
    charge(preparation.run, 1);
    return { pattern: preparation.pattern(source), schema: child(preparation, schema) };
  });
}

/** The member's schema, also where the member is called `__proto__`. */
function ownMember(members: Readonly<Record<string, JsonValue>>, key: string): JsonValue | undefined {
  return Object.hasOwn(members, key) ? members[key] : undefined;
}
