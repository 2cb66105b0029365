import fc from "fast-check";
import { expect, test } from "vitest";
import { nextLink } from "../../../src/providers/http/link-header.ts";

test.each([
  ['<https://a/?page=2>; rel="next"', "https://a/?page=2"],
  ["</x>; rel=next", "/x"],
  ['<a>; rel="prev", <b>;rel="next";title="c"', "b"],
  ['<a>; REL="last NEXT"', "a"],
  ['<a,b;c>; rel="next"', "a,b;c"],
  ['<a>; title="; rel=\\"next\\", <x>"; rel=prev, <b>; rel=next', "b"],
  ["<a>; title*=UTF-8''%e2%82%ac; rel=next", "a"],
  ['<a>; rel="prev"; rel="next"', undefined],
  ['<a>; rel="next"; anchor="/other"', undefined],
  ['<a>; rel="nextish"', undefined],
  ["<a", undefined],
  ["", undefined],
])("%s", (header, expected) => {
  expect(nextLink(header)).toBe(expected);
});

test("whatever stands in a header, reading it ends", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'<>;,="\\ anrelxt'.split("")), maxLength: 200 }),
      (text) => {
        const found = nextLink(text);
        expect(found === undefined || text.includes(found)).toBe(true);
      },
    ),
  );
});
