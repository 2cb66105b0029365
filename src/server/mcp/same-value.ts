import { BoundedMap } from "../../limits/bounded-map.ts";

/** So many values are known at a time. */
const mostKnown = 1_000;

/** Makes what gives the same object for small values that are equal as JSON, as far as it remembers: it is kept once, however often. */
export function createSameValue<Value extends object>(): (value: Value) => Value {
  const known = new BoundedMap<Value>(mostKnown);
  return (value) => {
    const key = JSON.stringify(value);
    const before = known.get(key);
    if (before === undefined) known.set(key, value);
    return before ?? value;
  };
}
