import { describe, expect, test } from "vitest";
import { parseDocument } from "../../src/documents/parse-document.ts";

describe("what is read", () => {
  test.each<[string, string, unknown]>([
    ["JSON", '{"a": [1, "x", null, true]}', { a: [1, "x", null, true] }],
    ["a list", "- 1\n- 2", [1, 2]],
    ["JSON with a trailing comma and comments", '{"a": 1, # one\n"b": 2,}', { a: 1, b: 2 }],
    ["dates stay strings", "2020-01-01: 2020-01-01T00:00:00Z", { "2020-01-01": "2020-01-01T00:00:00Z" }],
    ["on, yes and n stay strings", "on: yes\nn: no\nx: true", { on: "yes", n: "no", x: true }],
    ["numbers as keys", "200: {a: 1}", { "200": { a: 1 } }],
    ["old octal numbers and underscores are not numbers", "a: 1_000\nb: 0o17", { a: "1_000", b: 15 }],
    ["the last of equal keys wins", "a: 1\nb: 2\na: 3", { a: 3, b: 2 }],
    ["the last of equal keys wins in JSON", '{"a": 1, "a": 3}', { a: 3 }],
    ["anchors", "a: &x {b: 1}\nc: *x", { a: { b: 1 }, c: { b: 1 } }],
    ["merge keys", "a: &x {b: 1, c: 1}\nd: {<<: *x, c: 2}", { a: { b: 1, c: 1 }, d: { b: 1, c: 2 } }],
    [
      "unknown tags are passed over",
      "a: !Ref x\nb: !!binary aGk=\nc: !!timestamp 2020-01-01",
      { a: "x", b: "aGk=", c: "2020-01-01" },
    ],
    [
      "a flow mapping that closes where its key stands, as in Docker's description",
      "a:\n  b: {\n    c: 1\n  }\n",
      { a: { b: { c: 1 } } },
    ],
    ["control characters", "a: \u0001", { a: "\u0001" }],
    ["a directive and a document start", "%YAML 1.2\n---\na: 1\n...\n", { a: 1 }],
  ])("%s", (_name, text, value) => {
    expect(parseDocument(text)).toEqual({ ok: true, value });
  });

  test.each([
    ["JSON", '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}'],
    ["YAML", "__proto__: {polluted: true}\nconstructor: {prototype: {polluted: true}}"],
    [
      "YAML of the patient parser",
      "__proto__: {polluted: !x true}\nconstructor: {prototype: {polluted: true}}",
    ],
    ["merged YAML", "x: &x {__proto__: {polluted: true}}\nconstructor: {<<: *x}\n__proto__: {}"],
  ])("`__proto__` is a key like any other (%s)", (_name, text) => {
    const parsed = parseDocument(text);
    if (!parsed.ok) throw new Error(parsed.problem.message);
    expect(Object.keys(parsed.value as object)).toContain("__proto__");
    expect(Object.getPrototypeOf(parsed.value)).toBe(Object.prototype);
    expect({}).not.toHaveProperty("polluted");
  });
});

describe("what is not", () => {
  test.each([
    ["", "is empty."],
    [" \n\t", "is empty."],
    ["# only a comment", "is empty."],
    ["Not Found", "is plain text, not a JSON or YAML document."],
    ["42", "is plain text, not a JSON or YAML document."],
    ["a: 1\n---\nb: 2", "is not valid YAML: expected a single document in the stream, but found more."],
  ])("%j", (text, message) => {
    expect(parseDocument(text)).toEqual({ ok: false, problem: { code: "document-syntax", message } });
  });

  test.each([
    ["a:\n  - b\n c: 1", 3, 2],
    ["{\n  a: [1, 2\n}", 3, 1],
    ["a: 'x", 1, 6],
    ["a: *nowhere", 1, 5],
  ])("%j is broken at a place", (text, line, column) => {
    expect(parseDocument(text)).toMatchObject({
      ok: false,
      problem: { code: "document-syntax", position: { line, column } },
    });
  });
});

describe("limits", () => {
  test("256 levels are read, 257 are not, in JSON and in YAML", () => {
    for (const open of ["[", '{"a":']) {
      const close = open === "[" ? "]" : "}";
      const nested = (levels: number): string =>
        open.repeat(levels - 1) + (open === "[" ? "[]" : "{}") + close.repeat(levels - 1);
      for (const comment of ["", "\n# YAML"]) {
        expect(parseDocument(nested(256) + comment)).toMatchObject({ ok: true });
        expect(parseDocument(nested(257) + comment)).toMatchObject({
          ok: false,
          problem: { code: "document-too-large", message: "is nested more than 256 levels deep." },
        });
      }
    }
  });

  test.each([
    ["JSON", "[".repeat(100_000) + "]".repeat(100_000)],
    ["YAML", `${"[".repeat(100_000)}${"]".repeat(100_000)} # YAML`],
    ["YAML, block style", "- ".repeat(100_000)],
  ])("100,000 levels are refused without a crash (%s)", (_name, text) => {
    expect(parseDocument(text)).toMatchObject({ ok: false });
  });

  test("an alias bomb is counted as what it expands to", () => {
    const levels = Array.from({ length: 9 }, (_, level) => {
      const items = level === 0 ? "x" : `*l${level - 1}`;
      return `l${level}: &l${level} [${Array.from({ length: 10 }, () => items).join(", ")}]`;
    });
    expect(parseDocument(levels.slice(0, 5).join("\n"))).toMatchObject({ ok: true });
    expect(parseDocument(levels.join("\n"))).toMatchObject({
      ok: false,
      problem: {
        code: "document-too-large",
        message: "has more than 4,000,000 values, those behind YAML aliases counted each time.",
      },
    });
  });

  test("4 million values", () => {
    const list = (length: number): string => `[${"1,".repeat(length - 1)}1]`;
    expect(parseDocument(list(3_999_999))).toMatchObject({ ok: true });
    expect(parseDocument(list(4_000_000))).toMatchObject({
      ok: false,
      problem: { code: "document-too-large" },
    });
  });

  test.each([
    ["a: &a {b: *a}", ["a", "b"]],
    ["x: 1\na: &a [1, {c: *a}]", ["a", 1, "c"]],
    ["&a [*a, *a]", [0]],
    ["a: &a {b: !x &b [*a, *b]}", ["a", "b", 0]],
  ])("%j contains itself", (text, path) => {
    expect(parseDocument(text)).toMatchObject({
      ok: false,
      problem: { code: "document-syntax", message: expect.stringContaining("contains itself"), path },
    });
  });
});
