import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Secret } from "../../src/secret.ts";
import { Html, html } from "../../src/server/pages/html.ts";
import { carriesToken, takeParameter, withoutTokens } from "../../src/server/query-parameters.ts";
import { readSessionCookies, sessionCookie, writeSessionCookie } from "../../src/server/session-cookie.ts";

const secret = fc.stringMatching(/^[A-Za-z0-9_-]{43}$/);

describe("cookies", () => {
  test("what was written is read back, among any others", () => {
    const name = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/).filter((text) => text !== sessionCookie);
    const value = fc.stringMatching(/^[^;,\s"\\]*$/);
    fc.assert(
      fc.property(
        secret,
        fc.array(fc.tuple(name, value)),
        fc.array(fc.tuple(name, value)),
        (own, before, after) => {
          const written = writeSessionCookie(new Secret(own), 5_000).split(";")[0] ?? "";
          const others = (pairs: readonly (readonly [string, string])[]): readonly string[] =>
            pairs.map((pair) => pair.join("="));
          const header = [...others(before), written, ...others(after)].join("; ");
          expect(readSessionCookies(header)).toEqual([own]);
        },
      ),
    );
  });

  test("no other name is taken for it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (before, after) => {
        fc.pre(/[^ \t]/.test(before + after) && !/[;=]/.test(before + after));
        expect(readSessionCookies(`${before}${sessionCookie}${after}=x`)).toEqual([]);
      }),
    );
  });

  test("no header breaks the reader", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(sessionCookie, "=", ";", " ", "\t", '"', "a")), (pieces) => {
        for (const value of readSessionCookies(pieces.join(""))) expect(value).not.toMatch(/;|^[ \t]|[ \t]$/);
      }),
    );
  });

  test("a lifetime is whole seconds, and at least one", () => {
    expect(writeSessionCookie(new Secret("x"), 1)).toMatch(/Max-Age=1$/);
    expect(writeSessionCookie(new Secret("x"), 1_999.9)).toMatch(/Max-Age=1$/);
  });
});

describe("parameters", () => {
  const pair = fc.tuple(fc.constantFrom("a", "b", "customer_id", "é&=+"), fc.string({ unit: "grapheme" }));

  test("one is taken out, and the others stay as they were", () => {
    fc.assert(
      fc.property(fc.array(pair), fc.constantFrom("a", "customer_id", "é&=+", "none"), (pairs, name) => {
        const query = String(
          new URLSearchParams(pairs.map(([key, value]): [string, string] => [key, value])),
        );
        const { values, rest } = takeParameter(query, name);
        const all = [...new URLSearchParams(query)];
        expect(values).toEqual(all.filter(([key]) => key === name).map(([, value]) => value));
        expect([...new URLSearchParams(rest)]).toEqual(all.filter(([key]) => key !== name));
      }),
    );
  });

  test("any text is a query, and what is not taken is not touched", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (query) => {
        const { values, rest } = takeParameter(query, "customer_id");
        if (values.length === 0) expect(rest).toBe(query);
        expect(takeParameter(rest, "customer_id").values).toEqual([]);
      }),
    );
  });

  test("a token is found wherever and however it is written", () => {
    const written = fc
      .tuple(secret, fc.func(fc.boolean()))
      .map(([text, isEncoded]) =>
        [...`gst_api_${text}`]
          .map((letter, index) => (isEncoded(index) ? `%${letter.charCodeAt(0).toString(16)}` : letter))
          .join(""),
      );
    fc.assert(
      fc.property(written, fc.constantFrom("key=", "a=b&x=", "a=b&x=%20", ""), (text, before) => {
        expect(carriesToken(`${before}${text}`)).toBe(true);
        expect(carriesToken(`${before}${text}&c=d`)).toBe(true);
      }),
    );
  });

  test("none is left in what is logged", () => {
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (text, before, after) => {
        expect(withoutTokens(`${before}gst_api_${text}${after}`)).not.toContain(text);
      }),
    );
  });
});

describe("markup", () => {
  test("no text gets out of where it was put", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const { text: made } = html`<p title="${text}">${text}</p>`;
        expect(made.match(/[<>"']/g)).toEqual(["<", '"', '"', ">", "<", ">"]);
      }),
    );
    expect(html`${new Html("<b>")}${undefined}${"<b>"}`.text).toBe("<b>&lt;b&gt;");
  });
});
