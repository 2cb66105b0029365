import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import type { HttpParameter } from "../../../src/model/catalog.ts";
import { bindRequest } from "../../../src/providers/http/bind-request.ts";
import { binding, memberBody, parameter } from "./make-binding.ts";

fc.configureGlobal({ seed: 20_261_120, numRuns: 300 });

/** Strings that have broken URL builders, header writers and template fillers. */
const naughty = [
  "../x",
  "..",
  ".",
  "%2e%2e",
  "%2E%2E%2Fadmin",
  "..;/",
  "//evil.example",
  "https://evil.example/",
  "@evil.example",
  "\\evil",
  "a?b=c",
  "a#b",
  "a&b=c",
  "a;b=c",
  "a\r\nX-Evil: 1",
  "a\nSet-Cookie: x",
  "\0",
  "$&",
  "$1",
  "$`",
  "{id}",
  "{color}",
  "%",
  "%zz",
  "%00",
  "\ud800",
  "😀",
  "\u202e",
  "a\u2028b",
  "＼..＼",
  "．．／",
  " ",
  "\t",
  "-",
  "__proto__",
  "constructor",
];
const value = fc.oneof(fc.constantFrom(...naughty), fc.string({ unit: "binary" }), fc.string());
const anyValue = fc.oneof(
  value,
  fc.array(value, { maxLength: 3 }),
  fc.dictionary(value, value, { maxKeys: 3 }),
);
const text = fc.string({ unit: "binary", minLength: 1 }).filter((sample) => sample.isWellFormed());

const styles: readonly (readonly [HttpParameter["in"], HttpParameter["style"]])[] = [
  ["path", "simple"],
  ["path", "label"],
  ["path", "matrix"],
  ["query", "form"],
  ["query", "spaceDelimited"],
  ["query", "pipeDelimited"],
  ["query", "deepObject"],
  ["header", "simple"],
  ["cookie", "form"],
  ["cookie", "cookie"],
];

describe("whatever the argument is", () => {
  test.each(styles)("in %s with style %s, origin, path template and header names stay", (location, style) => {
    fc.assert(
      fc.property(anyValue, fc.boolean(), fc.boolean(), (argument, explode, allowReserved) => {
        const path = location === "path" ? "/c/{color}/end" : "/c/x/end";
        const target = binding(path, [parameter({ in: location, style, explode, allowReserved })]);
        let bound: ReturnType<typeof bindRequest>;
        try {
          bound = bindRequest(target, { color: argument });
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayError);
          return;
        }
        const url = new URL(bound.url);
        expect(url.origin).toBe("https://api.example.com");
        expect(url.pathname).toMatch(/^\/v1\/c\/.*\/end$/);
        expect(url.hash).toBe("");
        expect(`${url.origin}${url.pathname}${url.search}`).toBe(bound.url.replaceAll("'", "%27"));
        if (location !== "path" || !allowReserved) expect(url.pathname.split("/")).toHaveLength(5);
        if (location !== "query") expect(url.search).toBe("");
        const added = Object.keys(bound.headers).filter((name) => name !== "accept");
        expect(added.every((name) => name === (location === "header" ? "color" : "cookie"))).toBe(true);
        for (const header of Object.values(bound.headers)) expect(header).not.toMatch(/[\r\n\0]/);
        if (location === "cookie" && !explode) expect(bound.headers["cookie"] ?? "").not.toContain(";");
      }),
    );
  });
});

describe("what is built can be read back", () => {
  const items = fc.array(text, { minLength: 1, maxLength: 4 });
  const members = fc.dictionary(text, text, { minKeys: 1, maxKeys: 4 });

  test.each([
    ["form", ","],
    ["spaceDelimited", "%20"],
    ["pipeDelimited", "%7C"],
  ] as const)("query arrays in one pair: %s", (style, separator) => {
    fc.assert(
      fc.property(items, (list) => {
        const target = binding("/c", [parameter({ in: "query", style, explode: false })]);
        const { url } = bindRequest(target, { color: list });
        const written = url.slice(url.indexOf("=") + 1).split(separator);
        // An item may hold the separator itself in the delimited styles, which have no escape for it.
        const ambiguous = list.some(
          (item) => style !== "form" && encodeURIComponent(item).includes(separator),
        );
        fc.pre(!ambiguous);
        expect(written.map(decodeURIComponent)).toEqual(list);
      }),
    );
  });

  test("query arrays and scalars, repeated pairs", () => {
    fc.assert(
      fc.property(items, (list) => {
        const { url } = bindRequest(binding("/c", [parameter({ in: "query" })]), { color: list });
        expect(new URL(url).searchParams.getAll("color")).toEqual(list);
      }),
    );
  });

  test("query objects, exploded", () => {
    fc.assert(
      fc.property(members, (map) => {
        const { url } = bindRequest(binding("/c", [parameter({ in: "query" })]), { color: map });
        expect(Object.fromEntries(new URL(url).searchParams)).toEqual(
          Object.fromEntries(Object.entries(map)),
        );
      }),
    );
  });

  test("deep objects", () => {
    fc.assert(
      fc.property(members, (map) => {
        const target = binding("/c", [parameter({ in: "query", style: "deepObject" })]);
        const pairs = bindRequest(target, { color: map }).url.split("?")[1]?.split("&") ?? [];
        const read = pairs.map((pair) => {
          const [name = "", written = ""] = pair.split("=");
          return [decodeURIComponent(name.slice("color[".length, -1)), decodeURIComponent(written)];
        });
        expect(Object.fromEntries(read)).toEqual(Object.fromEntries(Object.entries(map)));
      }),
    );
  });

  test.each([
    ["simple", "", ","],
    ["label", ".", ","],
    ["matrix", ";color=", ","],
  ] as const)("path arrays: %s", (style, prefix, separator) => {
    fc.assert(
      fc.property(items, (list) => {
        fc.pre(!list.some((item) => /(?:^|[/\\])(?:\.|%2e)+(?:$|[/\\])/i.test(item)));
        const target = binding("/c/{color}", [parameter({ in: "path", style, explode: false })]);
        let url: string;
        try {
          ({ url } = bindRequest(target, { color: list }));
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayError);
          return;
        }
        const segment = url.slice("https://api.example.com/v1/c/".length);
        expect(segment.startsWith(prefix)).toBe(true);
        expect(segment.slice(prefix.length).split(separator).map(decodeURIComponent)).toEqual(list);
      }),
    );
  });

  test("form bodies", () => {
    fc.assert(
      fc.property(text, items, (first, list) => {
        const body = memberBody(["a", "b"], {
          format: "form",
          mediaType: "application/x-www-form-urlencoded",
        });
        const read = new URLSearchParams(
          String(bindRequest(binding("/c", [], body), { a: first, b: list }).body),
        );
        expect([read.get("a"), read.getAll("b")]).toEqual([first, list]);
      }),
    );
  });

  test("multipart bodies", async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.uint8Array({ maxLength: 64 }), async (first, bytes) => {
        const file = {
          contentType: undefined,
          style: undefined,
          explode: false,
          allowReserved: false,
          file: true,
        };
        const body = memberBody(["a", "b"], {
          format: "multipart",
          mediaType: "multipart/form-data",
          encoding: { b: file },
        });
        const bound = bindRequest(binding("/c", [], body), {
          a: first,
          b: Buffer.from(bytes).toString("base64"),
        });
        const headers = { "content-type": bound.headers["content-type"] ?? "" };
        const form = await new Response(new Blob([bound.body ?? ""]), { headers }).formData();
        expect(form.get("a")).toBe(first);
        expect(new Uint8Array(await (form.get("b") as File).arrayBuffer())).toEqual(new Uint8Array(bytes));
      }),
    );
  });
});
