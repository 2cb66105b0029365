import { createRequire } from "node:module";
import type * as CelLibrary from "@bufbuild/cel";
import type { CelValue } from "@bufbuild/cel";
import type { JsonValue } from "../model/json.ts";

/** Loaded when the first policy is compiled: loading takes as long as many a command, and most files have no policies. */
const library = once<typeof CelLibrary>(() => createRequire(import.meta.url)("@bufbuild/cel"));

function once<Value extends object>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** A parsed expression, as the CEL specification has it: macros are written out already. */
export type CelExpression = ReturnType<typeof CelLibrary.parse>["expr"];

/** What became of the text of an expression. */
export type ParsedCel =
  | {
      readonly ok: true;
      readonly expression: CelExpression;
      /** Where in the text a part of it stands, in UTF-16 units. */
      readonly offsetOf: (part: CelExpression) => number | undefined;
    }
  | { readonly ok: false; readonly found: string; readonly offset: number | undefined };

/** How a function may be called: behind a value (`x.f(…)`) or not, and with how many arguments. */
export interface CelSignature {
  readonly isMethod: boolean;
  readonly arguments: number;
  /** Name of the type that it gives, such as `bool`. */
  readonly result: string;
}

/** A value in the form that expressions work on. Made once for what is used often. */
export type { CelValue } from "@bufbuild/cel";

/** What an expression came to. */
export type CelOutcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: string };

/** The language as policies have it. */
export interface CelLanguage {
  /** The ways in which a function or an operator can be called; none for what there is not. */
  signatures(name: string): readonly CelSignature[];
  functionNames(): readonly string[];
  /** Prepares an expression for many evaluations. These never throw. */
  prepare(expression: CelExpression): (variables: Readonly<Record<string, CelValue>>) => CelOutcome;
}

/** Parses an expression. */
export function parseCel(text: string): ParsedCel {
  try {
    const { expression, positions } = parseText(text);
    return { ok: true, expression, offsetOf: (part) => positions[String(part.id)] };
  } catch (error) {
    return { ok: false, found: describeParseError(error), offset: offsetOfError(error) };
  }
}

/**
 * Parses an expression so that a variable has no value in it: whatever reads it has none either, `has()` included, which would
 * be false for a variable that is merely absent. `&&` and `||` may still be decided by their other side.
 *
 * @param text one that {@link parseCel} takes, where no loop has a variable of that name.
 */
export function parseCelWithout(text: string, variable: string): CelExpression {
  const { expression } = parseText(text);
  const { exprKind: unknown } = parseText(`${unknownFunction}()`).expression;
  const waiting: unknown[] = [expression];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (isExpression(next) && next.exprKind.case === "identExpr" && next.exprKind.value.name === variable)
      next.exprKind = unknown;
    else if (typeof next === "object" && next !== null)
      waiting.push(...Object.values(next).filter((value) => value !== undefined));
  }
  return expression;
}

const unknownFunction = "unknown_value";

function isExpression(value: unknown): value is CelExpression {
  return (
    typeof value === "object" && value !== null && "$typeName" in value && value.$typeName === "cel.expr.Expr"
  );
}

/**
 * Makes the language. Regular expressions are matched by `matches` alone.
 *
 * @param matches may throw: then the expression has no value.
 */
export function createCelLanguage(matches: (text: string, pattern: string) => boolean): CelLanguage {
  const { celEnv, celFunc, CelScalar, isCelError, plan } = library();
  const environment = celEnv({
    re2: { compile: (pattern) => ({ test: (text) => matches(text, pattern) }) },
    funcs: [
      celFunc(unknownFunction, [], CelScalar.DYN, () => {
        throw new Error("Its value is not known yet.");
      }),
    ],
  });
  const functions = environment.funcs;
  return {
    signatures: (name) =>
      [...((name === unknownFunction ? undefined : functions.find(name)) ?? [])].map(
        ({ target, arguments: parameters, result }) => ({
          isMethod: target !== undefined,
          arguments: parameters.length,
          result: result.name,
        }),
      ),
    functionNames: () =>
      [...new Set([...functions].map(({ name }) => name))].filter(
        (name) => /^[a-z]/i.test(name) && name !== unknownFunction,
      ),
    prepare: (expression) => {
      const evaluate = plan(environment, expression);
      return (variables) => {
        const result = evaluate(variables);
        return isCelError(result) ? { ok: false, reason: result.message } : { ok: true, value: result };
      };
    },
  };
}

/**
 * Turns JSON into a value of the language. Objects become maps whatever their members are called: the library takes plain
 * objects with certain members for messages of its own. Deep values are no problem of the stack.
 */
export function toCelValue(value: JsonValue): CelValue {
  const { celList, celMap } = library();
  const root: CelValue[] = [];
  const waiting: { readonly value: JsonValue; readonly put: (made: CelValue) => void }[] = [
    { value, put: (made) => root.push(made) },
  ];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value: current, put } = next;
    if (current === null || typeof current !== "object") put(current);
    else if (Array.isArray(current)) {
      const items: CelValue[] = [];
      put(celList(items));
      current.forEach((item, index) => {
        items.push(null);
        waiting.push({
          value: item,
          put: (made) => {
            items[index] = made;
          },
        });
      });
    } else {
      const members = new Map<string, CelValue>();
      put(withNulls(celMap(members)));
      for (const [name, member] of Object.entries(current)) {
        // Keeps the order of the members, whichever is turned first.
        members.set(name, null);
        waiting.push({ value: member, put: (made) => members.set(name, made) });
      }
    }
  }
  return root[0] ?? null;
}

/** A map in which a member with the value null is there, as the specification says. */
function withNulls(map: CelLibrary.CelMap): CelValue {
  map.has = (name) => map.get(name) !== undefined;
  return map;
}

function parseText(text: string): {
  readonly expression: CelExpression;
  readonly positions: Readonly<Record<string, number>>;
} {
  const { expr, sourceInfo } = library().parse(text);
  return { expression: expr, positions: sourceInfo?.positions ?? {} };
}

function describeParseError(error: unknown): string {
  if (error instanceof RangeError) return "it is nested too deeply";
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^<input>:\d+:\d+: /, "");
}

function offsetOfError(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("location" in error)) return undefined;
  const { location } = error;
  if (typeof location !== "object" || location === null || !("start" in location)) return undefined;
  const { start } = location;
  if (typeof start !== "object" || start === null || !("offset" in start)) return undefined;
  return typeof start.offset === "number" ? start.offset : undefined;
}
