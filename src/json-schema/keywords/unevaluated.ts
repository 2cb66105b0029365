import { isJsonObject } from "../../json-object.ts";
import { charge } from "../budget.ts";
import { isArray } from "../json-type.ts";
import { child, type Keyword } from "../keyword.ts";
import { evaluate, fail, inside, isDone } from "../run.ts";
import { unknownName } from "./objects.ts";

/** The keywords for what no other keyword has dealt with (2020-12, Core section 11). */
export const unevaluatedKeywords: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  [
    "unevaluatedProperties",
    (preparation, operand) => {
      const schema = child(preparation, operand);
      return (run, value, location, evaluated) => {
        if (!isJsonObject(value) || evaluated === undefined || evaluated.everything) return true;
        let valid = true;
        for (const [key, member] of Object.entries(value)) {
          charge(run, 1);
          if (evaluated.keys.has(key)) continue;
          const at = inside(run, location, key);
          if (operand === false) {
            const named = preparation.schema["properties"];
            valid = fail(run, at, "unevaluatedProperties", () => unknownName(key, named, false));
          } else if (!evaluate(run, schema(run), member, at, undefined)) valid = false;
          if (!valid && isDone(run)) return false;
        }
        evaluated.everything = true;
        return valid;
      };
    },
  ],
  [
    "unevaluatedItems",
    (preparation, operand) => {
      const schema = child(preparation, operand);
      return (run, value, location, evaluated) => {
        if (!isArray(value) || evaluated === undefined || evaluated.everything) return true;
        let valid = true;
        for (let index = evaluated.prefix; index < value.length; index += 1) {
          charge(run, 1);
          const item = value[index];
          if (evaluated.items.has(index) || item === undefined) continue;
          const at = inside(run, location, index);
          if (operand === false) valid = fail(run, at, "unevaluatedItems", () => "is an item too many");
          else if (!evaluate(run, schema(run), item, at, undefined)) valid = false;
          if (!valid && isDone(run)) return false;
        }
        evaluated.everything = true;
        return valid;
      };
    },
  ],
]);
