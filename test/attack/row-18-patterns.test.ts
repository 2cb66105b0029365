import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { findResource } from "../../src/catalog/find-resource.ts";
import { compileGlob } from "../../src/catalog/glob.ts";
import { compileSchema } from "../../src/json-schema/compile-schema.ts";
import { compilePolicy } from "../../src/policy/compile-policy.ts";
import { policyArguments, providerSubject } from "../../src/policy/subject.ts";
import { compileWildcard } from "../../src/policy/wildcard.ts";

/** Milliseconds of CPU of this thread. */
function cpuOf(task: () => void): number {
  const before = process.threadCpuUsage();
  task();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

/** The least of three tries: what else runs on the machine only adds to it. */
function least(task: () => void): number {
  return Math.min(...Array.from({ length: 3 }, () => cpuOf(task)));
}

describe("what has held other programs' threads for seconds", () => {
  test("ajv and typebox: the pattern ^(a+)+$ and 28 characters, 11.8 s and 6.3 s there", () => {
    const value = { a: `${"a".repeat(28)}!` };
    const task = () => {
      const checker = compileSchema({ properties: { a: { pattern: "^(a+)+$" } } });
      expect(checker.check(value)).toHaveLength(1);
    };
    expect(least(task)).toBeLessThan(100);
  });

  test("ajv: 2,000 alternatives are compiled in 16.4 s there", () => {
    const anyOf = Array.from({ length: 2_000 }, (_none, index) => ({
      type: "object",
      properties: { kind: { const: `k${index}` }, [`p${index}`]: { type: "string" } },
      required: ["kind"],
    }));
    const task = () => expect(compileSchema({ anyOf }).check({ kind: "none" })).not.toEqual([]);
    expect(least(task)).toBeLessThan(100);
  });

  test("CEL by JavaScript's regular expressions: `matches` took 5.4 s there", () => {
    const compiled = compilePolicy("arguments.a.matches('^(a+)+$')");
    if (!compiled.ok) throw new Error(compiled.problem);
    const subject = providerSubject("a");
    const given = policyArguments({ a: `${"a".repeat(99_000)}!` });
    const task = () => expect(compiled.policy.evaluate(subject, subject, given)).toBe(false);
    expect(least(task)).toBeLessThan(100);
  });

  test("ts-sdk 0a75810, CVE-2026-0621: a URI against a template like {/a*}{/b*} backtracks there", () => {
    const uri = `file:///${"a/".repeat(50_000)}!`;
    const templates = Array.from({ length: 200 }, (_none, index) => ({
      provider: "p",
      id: `t${index}`,
      name: `file:///${"{/a*}{/b*}{x,y*}".repeat(20)}${index}`,
      listed: {},
    }));
    const readable = {
      find: () => undefined,
      offerings: { resources: [], templates },
      providers: [],
      isAwaited: () => false,
    };
    const task = () => expect(findResource(readable, uri)).toBeUndefined();
    expect(least(task)).toBeLessThan(100);
  });

  test("globs of many runs, each of which backtracks in a regular expression", () => {
    const text = "a".repeat(2_000);
    const task = () => {
      expect(compileGlob(`${"*a".repeat(40)}b`, "name")(text)).toBe(false);
      expect(compileWildcard(`${"*a".repeat(40)}*b`)(text)).toBe(false);
    };
    expect(least(task)).toBeLessThan(100);
  });
});

/**
 * Where a regular expression of the language itself is made of a text, and why it may be: it is this program's own text, or it is made to
 * see whether it can be made and never applied.
 */
const made: Readonly<Record<string, string>> = {
  "src/config/describe-violation.ts": "of the schema of the configuration, which is ours",
  "src/config/rules/bad-media-type.ts": "of constants",
  "src/documents/lint-rules.ts": "never applied, and made in a thread of its own",
  "src/documents/yaml-syntax-errors.ts": "of constants",
  "src/json-schema/find-violations.ts": "of the schema of the configuration, which is ours",
  "src/providers/openapi/convert-keywords.ts": "never applied, of at most 1,000 characters",
};

test("no text of others becomes a regular expression that backtracks", () => {
  const root = join(import.meta.dirname, "../..");
  const files = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name));
  const found = files.filter((file) => /\bRegExp\(/.test(readFileSync(file, "utf8")));
  expect(found.map((file) => relative(root, file)).toSorted()).toEqual(Object.keys(made));
  // `match` and `search` make one of whatever text they are given; these are constants.
  const constant = "(?:/|placeholder\\)|encoded\\)|hexadecimal\\)|\\))";
  const call = new RegExp(`\\.(?:match|matchAll|search)\\((?!\\s*${constant})`);
  const given = files.filter((file) => call.test(readFileSync(file, "utf8")));
  expect(given.map((file) => relative(root, file))).toEqual([]);
});
