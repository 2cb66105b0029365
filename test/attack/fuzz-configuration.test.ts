import fc from "fast-check";
import { describe, expect } from "vitest";
import { compileGlob } from "../../src/catalog/glob.ts";
import { parseReferences } from "../../src/config/parse-reference.ts";
import { compilePattern } from "../../src/json-schema/pattern.ts";
import { compilePolicy } from "../../src/policy/compile-policy.ts";
import { policyArguments, providerSubject } from "../../src/policy/subject.ts";
import { compileWildcard } from "../../src/policy/wildcard.ts";
import { loadText } from "../config/load-text.ts";
import { fuzz, soup } from "./fuzz.ts";

const yaml = soup(
  ...[
    "providers:\n",
    "  a:\n",
    "    mcp_url: http://a/mcp\n",
    "    surfaces:\n",
    "      rest:\n",
    "- ",
    "&a ",
    "*a",
    "<<: *a\n",
  ],
  ...[
    "!!js/function ",
    "!x ",
    "? ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "'",
    '"',
    "|\n",
    ">\n",
    "#",
    "\t",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
  ],
  ...[
    "limits:\n",
    "  calls: {total: 1}\n",
    "$" + "{env:A}",
    "$" + "{file:/etc/passwd}",
    "__proto__: 1\n",
    "\0",
    "  ",
    "\n",
    "null",
    "1e9",
  ],
);

describe("the configuration file", () => {
  fuzz("YAML of the file: a configuration, or what is wrong and where, and never another end", () =>
    fc.asyncProperty(yaml, async (text) => {
      const { config, diagnostics } = await loadText(text);
      const errors = diagnostics.filter(({ severity }) => severity === "error");
      expect(config === undefined).toBe(errors.length > 0);
      for (const { message } of diagnostics) expect(message).not.toMatch(/undefined|\[object|NaN/);
    }),
  );

  fuzz("references in texts: the parts of a text are all of it, and none is made up", () =>
    fc.property(
      soup("$", "{", "}", "$" + "{", "env:", "file:", "A", ":-", "/x", " ", "$" + "$" + "{"),
      (text) => {
        const parts = parseReferences(text);
        const written = parts.map((part) =>
          part.kind === "text" ? part.text.replaceAll("$" + "{", () => "$" + "$" + "{") : part.source,
        );
        expect(written.join("").length).toBe(text.length);
        for (const part of parts) {
          if (part.kind === "env") expect(part.name).toMatch(/^[A-Za-z_][A-Za-z0-9_]*$/);
          if (part.kind === "file") expect(part.path.trim()).not.toBe("");
        }
      },
    ),
  );
});

describe("patterns that are not the gateway's own", () => {
  const glob = soup("*", "**", "?", "a", "b", "/", "-", "[", "{", "\\", ".", "💥");
  const word = soup("a", "b", "/", "-", "💥", ".", "aa", "\n");

  fuzz("globs: as a regular expression of the same meaning has it", () =>
    fc.property(glob, word, fc.constantFrom("name", "path"), (pattern, text, kind) => {
      const pieces = [...pattern.matchAll(/\*+|[^*]/gu)].map(([piece]) => {
        if (piece === "?") return ".";
        if (!piece.startsWith("*")) return escaped(piece);
        return kind === "name" || piece.length > 1 ? ".*" : "[^/]*";
      });
      const short = pattern.length < 14 && text.length < 14;
      const found = compileGlob(pattern, kind)(text);
      if (short) expect(found).toBe(new RegExp(`^${pieces.join("")}$`, "su").test(text));
    }),
  );

  fuzz("wildcards of access rules: as a regular expression of the same meaning has it", () =>
    fc.property(glob, word, (pattern, text) => {
      const found = compileWildcard(pattern)(text);
      const source = pattern.split("*").map((piece) => escaped(piece));
      if (pattern.length < 14 && text.length < 14)
        expect(found).toBe(new RegExp(`^${source.join(".*")}$`, "s").test(text));
    }),
  );

  fuzz("regular expressions of schemas: refused, or what ECMAScript says", () =>
    fc.property(
      soup(
        "a",
        "b",
        "(",
        ")",
        "(?:",
        "|",
        "*",
        "+",
        "?",
        "[",
        "]",
        "[^",
        "^",
        "$",
        ".",
        "\\d",
        "\\s",
        "{1,3}",
        "\\b",
        "a-c",
      ),
      fc.string({ unit: fc.constantFrom("a", "b", "c", " ", "1", "\n"), maxLength: 10 }),
      (source, text) => {
        const outcome = compilePattern(source);
        if (!outcome.ok || source.length > 16) return;
        const found = outcome.pattern.test(text);
        const own = nativeOf(source);
        // What ECMAScript refuses, re2 may still take; then nothing says what is meant.
        if (own !== undefined) expect(found).toBe(own.test(text));
      },
    ),
  );

  fuzz("policies: a condition, or what is wrong with it; evaluating has no other end", () =>
    fc.property(
      soup(
        ...[
          "arguments",
          ".",
          "a",
          "tool.name",
          "principal.roles",
          "==",
          " && ",
          " || ",
          "!",
          "(",
          ")",
          "[",
          "]",
          "{",
          "}",
        ],
        ...[
          "'x'",
          '"(a+)+$"',
          "1",
          ".matches(",
          ".exists(x, ",
          "x",
          "in ",
          "size(",
          "?",
          ":",
          "has(",
          "int(",
          "-",
          "+",
          "null",
        ],
      ),
      fc.jsonValue({ maxDepth: 3 }),
      (when, value) => {
        const compiled = compilePolicy(when);
        if (!compiled.ok) {
          expect(compiled.problem).toMatch(/\S/);
          return;
        }
        const subject = providerSubject("a");
        const given = policyArguments({ a: JSON.parse(JSON.stringify(value)) });
        expect([true, false, "unknown", "failed"]).toContain(
          compiled.policy.evaluate(subject, subject, given),
        );
        expect([true, false, "unknown", "failed"]).toContain(compiled.policy.evaluate(subject, subject));
      },
    ),
  );
});

/** A text as a regular expression that means just it. */
function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, (character) => `\\${character}`);
}

function nativeOf(source: string): RegExp | undefined {
  try {
    return new RegExp(source, "u");
  } catch {
    return undefined;
  }
}
