import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { connectPath, pagePath } from "../../src/server/page-path.ts";
import { naughtyHosts } from "../attack/naughty.ts";

const base = "https://gw.example.com/behind/proxy/";
const pages = ["", "connect", "apps", "oauth/consent"];

describe("the path of a page", () => {
  test("never leads away from the pages, whatever it is made of", () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.string().map((rest) => `connect?${rest}`),
      fc.string().map((rest) => `connect${rest}`),
      fc.constantFrom(...naughtyHosts),
      fc.constantFrom(...naughtyHosts).map((rest) => `connect?provider=${rest}`),
      fc.string().map((rest) => `oauth/consent?request=${rest}`),
      fc.stringMatching(/^[\w-]{15,70}$/).map((rest) => `oauth/consent?request=${rest}`),
    );
    fc.assert(
      fc.property(text, (given) => {
        const path = pagePath(given);
        if (path === undefined) return;
        const { origin, pathname, hash } = new URL(path, base);
        expect([origin, hash]).toEqual(["https://gw.example.com", ""]);
        expect(pages.map((page) => `/behind/proxy/${page}`)).toContain(pathname);
        expect(path).toMatch(/^[\x21-\x7e]*$/);
        expect(pagePath(path === "./" ? "" : path)).toBe(path);
      }),
      { numRuns: 2_000 },
    );
  });

  test("keeps every name", () => {
    const name = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 60 })
      .filter((text) => /^[^\p{Cc}\p{Cs}]+$/u.test(text));
    fc.assert(
      fc.property(name, name, name, (provider, connection, tenant) => {
        const path = connectPath({ provider, connection, tenant });
        expect(pagePath(path)).toBe(path.length > 2_000 ? undefined : path);
        const query = new URL(path, base).searchParams;
        expect([...query.values()]).toEqual([provider, connection, tenant]);
      }),
    );
  });

  test("is the plain one where nothing is named", () => {
    expect([
      connectPath(),
      connectPath({ provider: undefined }),
      pagePath("connect"),
      pagePath("connect?"),
    ]).toEqual(["connect", "connect", "connect", "connect"]);
    expect(pagePath("")).toBe("./");
  });

  test("leads to the apps, and to what a client asks", () => {
    const request = "aZ09_-".repeat(4);
    for (const path of ["apps", `oauth/consent?request=${request}`]) expect(pagePath(path)).toBe(path);
  });

  test.each([
    ...[
      "apps?",
      "apps/",
      "/apps",
      "Apps",
      "apps#a",
      "apps\n",
      "oauth/consent",
      "oauth/consent?",
      "oauth/authorize",
    ],
    ...["oauth/consent?request=", "oauth/consent?request=short", `oauth/consent?request=${"a".repeat(65)}`],
    ...[`oauth/consent?request=${"a".repeat(24)}&x=1`, `oauth/consent?request=${"a".repeat(24)}%20`],
    ...[`oauth/consent?request=${"a".repeat(24)}\n`, `oauth/consent?request=${"a".repeat(24)}#a`],
    ...[`/oauth/consent?request=${"a".repeat(24)}`, `//evil.example/oauth/consent?request=${"a".repeat(24)}`],
    ...[`oauth/consent?x=1&request=${"a".repeat(24)}`, `oauth/consent?REQUEST=${"a".repeat(24)}`],
    ...[`oauth/../consent?request=${"a".repeat(24)}`, `oauth/consent?request=${"ä".repeat(24)}`],
  ])("leads nowhere by %j", (path) => {
    expect(pagePath(path)).toBeUndefined();
  });
});
