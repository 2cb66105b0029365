import fc from "fast-check";
import { expect, test } from "vitest";
import { fillPlaceholders, hasFixedService, placeholdersOf } from "../../src/config/surface-urls.ts";

test.each([
  ["https://{a}.example.com/x", [["a", "host"]]],
  [
    "https://eu-{a}.{b}.example.com:8080/{c}/x-{d}",
    [
      ["a", "host"],
      ["b", "host"],
      ["c", "path"],
      ["d", "path"],
    ],
  ],
  ["https://example.com:{a}/", [["a", "elsewhere"]]],
  ["https://{a}@example.com/", [["a", "elsewhere"]]],
  [
    "https://example.com/{a}?{b}={c}#{d}",
    [
      ["a", "path"],
      ["b", "elsewhere"],
      ["c", "elsewhere"],
      ["d", "elsewhere"],
    ],
  ],
  ["https://example.com", []],
  ["{a}://example.com", []],
])("the placeholders of %s", (url, expected) => {
  expect(placeholdersOf(url).map(({ name, where }) => [name, where])).toEqual(expected);
});

test.each([
  ["https://{a}.example.com", true],
  ["https://{a}.{b}.example.com/", true],
  ["http://{a}.localhost:8080/", true],
  ["https://example.com/{a}", true],
  ["https://{a}.com/", false],
  ["https://{a}/", false],
  ["https://api.{a}/", false],
  ["https://example.{a}.com/", false],
])("whether the service of %s is fixed: %s", (url, expected) => {
  expect(hasFixedService(url)).toBe(expected);
});

test("values in the places of params lead to no other service, and those outside of the path stay outside", () => {
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
  const part = fc.constantFrom("{a}", "x", "x-{a}", "{b}");
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 4 }),
      fc.array(part, { maxLength: 3 }),
      label,
      (host, path, value) => {
        const url = `https://${[...host, "example", "com"].join(".")}/${path.join("/")}`;
        expect(hasFixedService(url)).toBe(true);
        const filled = new URL(url.replaceAll(/\{[ab]\}/g, value));
        expect(filled.hostname).toMatch(/(^|\.)example\.com$/);
        expect(fillPlaceholders(url)).not.toContain("{");
        const inHost = placeholdersOf(url).filter(({ where }) => where === "host").length;
        expect(inHost).toBe(host.filter((each) => each.includes("{")).length);
      },
    ),
  );
});
