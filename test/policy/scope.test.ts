import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createScopeMatcher, parseScope } from "../../src/policy/scope.ts";
import { compileWildcard } from "../../src/policy/wildcard.ts";

const reads = { readOnly: true, destructive: false };
const writes = { readOnly: false, destructive: false };
const tool = (provider: string, operation: string, effects = writes) => ({ provider, operation, effects });

test("a scope has a provider, an operation, and `read:`", () => {
  expect(parseScope("github")).toEqual({
    ok: true,
    scope: { readOnly: false, provider: "github", operation: undefined },
  });
  expect(parseScope("read:git*/get-*")).toEqual({
    ok: true,
    scope: { readOnly: true, provider: "git*", operation: "get-*" },
  });
});

test.each([
  ["", "begins with the name of a provider"],
  ["read:", "begins with the name of a provider"],
  ["/search", "begins with the name of a provider"],
  ["github/", "comes the name of an operation"],
  ["write:github", "The only word"],
  ["read:read:github", "The only word"],
  ["READ:github", "The only word"],
  ["GitHub", "can't be the name of a provider"],
  ["git hub", "can't be the name of a provider"],
  [" github", "can't be the name of a provider"],
  ["github/a/b", "can't be the name of an operation"],
  ["github/é", "can't be the name of an operation"],
  ["github/\u200bget", "can't be the name of an operation"],
  ["a".repeat(129), "can't be the name of a provider"],
])("%j is no scope, and allows nothing", (text, problem) => {
  const parsed = parseScope(text);
  expect(parsed.ok ? "" : parsed.problem).toContain(problem);
  const matcher = createScopeMatcher([text]);
  expect(matcher.allowsProvider("github")).toBe(false);
  expect(matcher.allowsTool(tool("github", "get", reads))).toBe(false);
});

test("what is printed parses to the same", () => {
  const part = fc.stringMatching(/^[a-z0-9_*-]{1,20}$/);
  fc.assert(
    fc.property(fc.boolean(), part, fc.option(part, { nil: undefined }), (readOnly, provider, operation) => {
      const text = `${readOnly ? "read:" : ""}${provider}${operation === undefined ? "" : `/${operation}`}`;
      expect(parseScope(text)).toEqual({ ok: true, scope: { readOnly, provider, operation } });
    }),
  );
});

describe("what scopes allow", () => {
  test.each<[readonly string[], ReturnType<typeof tool>, boolean]>([
    [[], tool("a", "b", reads), false],
    [["a"], tool("a", "b"), true],
    [["a"], tool("ab", "b"), false],
    [["ab"], tool("a", "b"), false],
    [["*"], tool("a", "b"), true],
    [["a*"], tool("ab", "b"), true],
    [["a/b"], tool("a", "b"), true],
    [["a/b"], tool("a", "B"), false],
    [["a/b"], tool("a", "bc"), false],
    [["a/b*"], tool("a", "bc"), true],
    [["*/b"], tool("z", "b"), true],
    [["a/get*"], tool("a", "forget"), false],
    [["read:a"], tool("a", "b", reads), true],
    [["read:a"], tool("a", "b"), false],
    [["read:a", "a/c"], tool("a", "c"), true],
    [["read:a", "c"], tool("a", "c"), false],
  ])("%j of %j: %j", (scopes, candidate, expected) => {
    expect(createScopeMatcher(scopes).allowsTool(candidate)).toBe(expected);
  });

  test("what allows a tool allows its provider", () => {
    const part = fc.stringMatching(/^[ab*]{1,4}$/);
    const scopes = fc.array(fc.tuple(part, part).map(([provider, operation]) => `${provider}/${operation}`));
    const name = fc.stringMatching(/^[ab]{1,4}$/);
    fc.assert(
      fc.property(scopes, name, name, (list, provider, operation) => {
        const matcher = createScopeMatcher(list);
        if (matcher.allowsTool(tool(provider, operation)))
          expect(matcher.allowsProvider(provider)).toBe(true);
      }),
    );
  });
});

test("a star stands for any characters, everything else for itself", () => {
  const pattern = fc.stringMatching(/^[ab*.]{0,8}$/);
  const text = fc.stringMatching(/^[ab.]{0,8}$/);
  fc.assert(
    fc.property(pattern, text, (source, candidate) => {
      const expression = source
        .split("*")
        .map((piece) => piece.replaceAll(".", "\\."))
        .join(".*");
      expect(compileWildcard(source)(candidate)).toBe(new RegExp(`^(?:${expression})$`).test(candidate));
    }),
    { numRuns: 2_000 },
  );
});

test("a hostile pattern takes no longer than its length times the text's", () => {
  expect(compileWildcard(`${"*a".repeat(5_000)}b`)("a".repeat(10_000))).toBe(false);
});
