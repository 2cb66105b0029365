import type { JsonValue } from "../model/json.ts";
import { findInexactNumbers } from "./find-inexact-numbers.ts";
import { findJsonExcess } from "./reading-cost.ts";

/** `JSON` with what ES2026 adds to it (proposal-json-parse-with-source); Node has it, the type library does not yet. */
const sourceJson = JSON as unknown as { rawJSON(text: string): JsonValue };

/** A JSON text that would hold the thread for longer than anybody else should wait; its message is the end of a sentence. */
export class CostlyJsonError extends Error {
  override readonly name = "CostlyJsonError";

  constructor() {
    super("holds more values, or more different names, than the gateway reads at once");
  }
}

/**
 * Parses JSON and keeps integers that a double can't hold, and numbers beyond its range, as they are written: they are opaque
 * where they stand, and `JSON.stringify` writes them back digit by digit. Decimals may be rounded, as every program does that
 * computes with doubles. For values that are passed on, not for values that are computed with.
 *
 * Throws a {@link CostlyJsonError}, a `RangeError` for what is nested too deep, and a `SyntaxError`.
 *
 * @param deepest levels of lists and objects that are taken.
 */
export function parseExactJson(text: string, deepest = Number.POSITIVE_INFINITY): JsonValue {
  const excess = findJsonExcess(text, deepest);
  if (excess === "costly") throw new CostlyJsonError();
  if (excess === "deep") throw new RangeError("It is nested too deeply.");
  // JSON.parse gives JSON values and nothing else.
  const value = JSON.parse(text) as JsonValue;
  let parent: { readonly container: number; readonly node: unknown } | undefined;
  // Looking up the few that matter costs less than a reviver, which is called for every value there is.
  for (const { source, container, key, way } of findInexactNumbers(text)) {
    const exact = sourceJson.rawJSON(source);
    if (container === undefined) return exact;
    // Long lists of long numbers are looked up once.
    if (parent?.container !== container) parent = { container, node: follow(value, way()) };
    put(parent.node, key, Number(source), exact);
  }
  return value;
}

/** The first number in a valid JSON text that would arrive as another one: a long integer, or one beyond the range of a double. */
export function findInexactNumber(text: string): string | undefined {
  return findInexactNumbers(text).next().value?.source;
}

function follow(root: JsonValue, way: readonly (string | number)[]): unknown {
  let node: unknown = root;
  for (const key of way) node = has(node, key) ? node[key] : undefined;
  return node;
}

/** Where a name is repeated its last value counts, and others are not there to be replaced. */
function put(parent: unknown, key: string | number, rounded: number, exact: JsonValue): void {
  // What is the parent's own is assigned, and never inherited: `__proto__` is a name like any other.
  if (has(parent, key) && parent[key] === rounded) parent[key] = exact;
}

function has(node: unknown, key: string | number): node is Record<string | number, unknown> {
  return typeof node === "object" && node !== null && Object.hasOwn(node, key);
}
