import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import type { HttpParameter } from "../../../src/model/catalog.ts";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import { type BoundRequest, bindRequest } from "../../../src/providers/http/bind-request.ts";
import { binding, parameter, wholeBody } from "./make-binding.ts";

fc.configureGlobal({ seed: 20_261_120, numRuns: 200 });

type Shape = "text" | "list" | "object";

/** How a value of one style is read back, as a server does that was written by the same table (OpenAPI 3.2 section 4.12.2.3). */
interface Cell {
  readonly in: HttpParameter["in"];
  readonly style: HttpParameter["style"];
  readonly explode: boolean;
  readonly shape: Shape;
  /** Texts that the style has no escape for. */
  readonly ambiguous?: RegExp;
  readonly read: (written: string) => JsonValue;
}

const decode = decodeURIComponent;

function list(separator: string) {
  return (written: string): JsonValue => written.split(separator).map(decode);
}

/** `k,v,k,v` in one, `k=v` each in the other form. */
function object(separator: string, explode: boolean) {
  return (written: string): JsonValue => {
    const parts = written.split(separator);
    if (explode) return Object.fromEntries(parts.map(splitPair));
    const pairs = parts.flatMap((part, index) =>
      index % 2 === 0 ? [[decode(part), decode(parts[index + 1] ?? "")]] : [],
    );
    return Object.fromEntries(pairs);
  };
}

function splitPair(part: string): readonly [string, string] {
  const end = part.indexOf("=");
  return end === -1 ? [decode(part), ""] : [decode(part.slice(0, end)), decode(part.slice(end + 1))];
}

function behind(prefix: string, read: (written: string) => JsonValue) {
  return (written: string): JsonValue => {
    expect(written.startsWith(prefix)).toBe(true);
    return read(written.slice(prefix.length));
  };
}

/** Repeated `name=value` pairs to the list of their values. */
function values(separator: string) {
  return (written: string): JsonValue => written.split(separator).map((part) => splitPair(part)[1]);
}

const both = [true, false];
const cells: readonly Cell[] = both.flatMap((explode): readonly Cell[] => [
  ...(["text", "list", "object"] as const).flatMap((shape): readonly Cell[] => {
    const simple = shape === "text" ? decode : shape === "list" ? list(",") : object(",", explode);
    const dot = explode ? "." : ",";
    const label = shape === "text" ? decode : shape === "list" ? list(dot) : object(dot, explode);
    const matrix = {
      text: behind(";color=", decode),
      list: explode ? behind(";", values(";")) : behind(";color=", list(",")),
      object: explode ? behind(";", object(";", true)) : behind(";color=", object(",", false)),
    }[shape];
    const pairs = {
      text: behind("color=", decode),
      list: explode ? values("&") : behind("color=", list(",")),
      object: explode ? object("&", true) : behind("color=", object(",", false)),
    }[shape];
    return [
      { in: "path", style: "simple", explode, shape, read: simple },
      // A dot is an unreserved character, which RFC 6570 never escapes.
      { in: "path", style: "label", explode, shape, ambiguous: /\./, read: behind(".", label) },
      { in: "path", style: "matrix", explode, shape, read: matrix },
      { in: "query", style: "form", explode, shape, read: pairs },
      { in: "cookie", style: "form", explode, shape, read: pairs },
    ];
  }),
  ...(["list", "object"] as const).flatMap((shape): readonly Cell[] =>
    (
      [
        ["spaceDelimited", "%20", / /],
        ["pipeDelimited", "%7C", /\|/],
      ] as const
    ).map(([style, separator, ambiguous]): Cell => {
      const joined = shape === "list" ? list(separator) : object(separator, false);
      const repeated = shape === "list" ? values("&") : object("&", true);
      return {
        in: "query",
        style,
        explode,
        shape,
        ...(!explode && { ambiguous }),
        read: explode ? repeated : behind("color=", joined),
      };
    }),
  ),
]);

const text = fc
  .string({ unit: "binary", minLength: 1, maxLength: 12 })
  .filter((sample) => sample.isWellFormed());

function valuesOf(shape: Shape, of: fc.Arbitrary<string>): fc.Arbitrary<JsonValue> {
  if (shape === "text") return of;
  if (shape === "list") return fc.array(of, { minLength: 1, maxLength: 4 });
  return fc.dictionary(of, of, { minKeys: 1, maxKeys: 4 }).map((value) => ({ ...value }));
}

/** The piece of the request that the parameter made. */
function writtenBy(bound: BoundRequest, { in: location }: Cell): string {
  if (location === "path") return bound.url.slice("https://api.example.com/v1/c/".length);
  if (location === "query") return bound.url.slice(bound.url.indexOf("?") + 1);
  return bound.headers[location === "cookie" ? "cookie" : "color"] ?? "";
}

/** `undefined` for a value that is refused, such as `..` in a path. */
function bind(cell: Cell, value: JsonValue): BoundRequest | undefined {
  const path = cell.in === "path" ? "/c/{color}" : "/c";
  const { in: location, style, explode } = cell;
  try {
    return bindRequest(binding(path, [parameter({ in: location, style, explode })]), { color: value });
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    return undefined;
  }
}

describe("what is built can be read back: every place, style and form", () => {
  test.each(cells)("$in, $style, exploded: $explode, $shape", (cell) => {
    fc.assert(
      fc.property(valuesOf(cell.shape, text), (value) => {
        fc.pre(cell.ambiguous === undefined || !cell.ambiguous.test(JSON.stringify(value)));
        const bound = bind(cell, value);
        fc.pre(bound !== undefined);
        expect(cell.read(writtenBy(bound, cell))).toEqual(value);
      }),
    );
  });

  // Headers and plain cookies have no escapes: what they can't hold is refused, and delimiters stay what they are.
  const plain = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_|~:/?@[\]-]{1,12}$/);
  const raw = (read: (written: string) => JsonValue) => (written: string) =>
    read(written.replaceAll("%", "%25"));
  const plainCells: readonly Cell[] = both.flatMap((explode): readonly Cell[] => [
    { in: "header", style: "simple", explode, shape: "text", read: raw(decode) },
    { in: "header", style: "simple", explode, shape: "list", read: raw(list(",")) },
    { in: "header", style: "simple", explode, shape: "object", read: raw(object(",", explode)) },
    { in: "cookie", style: "cookie", explode, shape: "text", read: raw(behind("color=", decode)) },
    {
      in: "cookie",
      style: "cookie",
      explode,
      shape: "list",
      read: raw(explode ? values("; ") : behind("color=", list(","))),
    },
    {
      in: "cookie",
      style: "cookie",
      explode,
      shape: "object",
      read: raw(explode ? object("; ", true) : behind("color=", object(",", false))),
    },
  ]);

  test.each(plainCells)("$in, $style, exploded: $explode, $shape", (cell) => {
    fc.assert(
      fc.property(valuesOf(cell.shape, plain), (value) => {
        const bound = bind(cell, value);
        fc.pre(bound !== undefined);
        expect(cell.read(writtenBy(bound, cell))).toEqual(value);
      }),
    );
  });

  test("deep objects, of any depth", () => {
    const { tree } = fc.letrec<{ tree: JsonValue; branch: JsonObject }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        text,
        tie("branch"),
        fc.array(tie("tree"), { minLength: 1, maxLength: 3 }),
      ),
      branch: fc.dictionary(text, tie("tree"), { minKeys: 1, maxKeys: 3 }),
    }));
    fc.assert(
      fc.property(fc.dictionary(text, tree, { minKeys: 1, maxKeys: 3 }), (value) => {
        const target = binding("/c", [parameter({ in: "query", style: "deepObject" })]);
        const query = bindRequest(target, { color: value }).url.split("?")[1] ?? "";
        const leaves = query.split("&").map((pair) => {
          const [name = "", written = ""] = pair.split("=");
          const keys = [...name.slice("color".length).matchAll(/\[([^\]]*)\]/g)].map((match) =>
            decode(match[1] ?? ""),
          );
          return [keys, decode(written)];
        });
        expect(leaves).toEqual(leavesOf(value, []));
      }),
    );
  });

  test.each([
    ["application/json", "json"],
    ["application/x-ndjson", "lines"],
  ] as const)("bodies of %s", (mediaType, format) => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { minLength: 1, maxLength: 4 }), (value) => {
        // fast-check's JSON values are JSON values.
        const sent = value as JsonValue;
        const { body } = bindRequest(binding("/c", [], wholeBody({ mediaType, format })), { body: sent });
        const written = String(body);
        const read: unknown =
          format === "json"
            ? JSON.parse(written)
            : written
                .trimEnd()
                .split("\n")
                .map((line): unknown => JSON.parse(line));
        expect(read).toEqual(JSON.parse(JSON.stringify(sent)));
      }),
    );
  });
});

/** Every text in a value, with the names on the way to it. */
function leavesOf(
  value: JsonValue,
  way: readonly string[],
): readonly (readonly [readonly string[], string])[] {
  if (typeof value === "string") return [[way, value]];
  return Object.entries(Object(value) as JsonObject).flatMap(([name, member]) =>
    leavesOf(member, [...way, name]),
  );
}
