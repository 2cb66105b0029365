import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/model/json.ts";
import { compilePolicy, type PolicyVerdict } from "../../src/policy/compile-policy.ts";
import { policyArguments, principalSubject, providerSubject, toolSubject } from "../../src/policy/subject.ts";
import { makeTool } from "../catalog/fixtures.ts";
import { principalOf } from "../principals.ts";

const principal = principalSubject(principalOf("user", "ada", "acme", { home: "hq", roles: ["a", "b"] }));
const tool = toolSubject(
  makeTool("books_list", {
    operation: "list",
    tags: ["shop"],
    effects: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  }),
);

function evaluate(when: string, callArguments?: JsonObject): PolicyVerdict {
  const compiled = compilePolicy(when);
  if (!compiled.ok) throw new Error(compiled.problem);
  return compiled.policy.evaluate(principal, tool, callArguments && policyArguments(callArguments));
}

test.each([
  ["principal.kind == 'user' && principal.id == 'ada' && principal.name == 'ada'", true],
  ["principal.tenant == 'acme' && principal.home == 'hq'", true],
  ["'b' in principal.roles && !('c' in principal.roles)", true],
  ["tool.name == 'books_list' && tool.operation == 'list' && tool.provider == 'books'", true],
  ["tool.surface == 'rest' && 'shop' in tool.tags && tool.connection == ''", true],
  // What the upstream says of itself is not what authorization goes by.
  ["tool.read_only && !tool.destructive", true],
  ["tool.idempotent && !tool.open_world", true],
  ["principal.roles.exists(role, role == 'c')", false],
  ["tool.name.matches('^books_')", true],
  ["tool.name.matches('ooks')", true],
  ["true", true],
  ["principal.roles[7] == 'a'", "failed"],
])("without arguments, %s is %j", (when, expected) => {
  expect(evaluate(when)).toBe(expected);
  expect(evaluate(when, { anything: 1 })).toBe(expected);
});

describe("arguments", () => {
  const callArguments: JsonObject = {
    amount: 101.5,
    id: 3,
    list: [1, 2, 3],
    x: "a",
    name: "xaa",
    nothing: null,
    nested: { deep: [{ flag: true }] },
    $typeName: "google.protobuf.BoolValue",
    value: true,
    constructor: "x",
    ["__proto__"]: "y",
  };
  test.each([
    ["arguments.amount > 100", true],
    ["arguments.id == 3", true],
    ["arguments.id in [1, 2, 3]", true],
    ["size(arguments.list) > 10", false],
    ["arguments.x in ['a']", true],
    ["arguments.name.startsWith('x')", true],
    ["arguments.name.matches('^x(a+)+$')", true],
    ["arguments.nested.deep[0].flag", true],
    ["arguments.list.all(item, item < 4)", true],
    ["has(arguments.x)", true],
    ["has(arguments.absent)", false],
    ["has(arguments.toString)", false],
    ["arguments.constructor == 'x'", true],
    // Sent as null is sent.
    ["has(arguments.nothing)", true],
    ["'nothing' in arguments", true],
    ["arguments.nothing == null", true],
    ["arguments == arguments", true],
    ["arguments.absent == 1", "failed"],
    ["arguments.x > 1", "failed"],
    ["arguments.x", "failed"],
  ] as const)("%s is unknown before the call, and then %j", (when, expected) => {
    expect(evaluate(when)).toBe("unknown");
    expect(evaluate(when, callArguments)).toBe(expected);
  });

  test.each([
    ["tool.read_only || has(arguments.x)", true],
    ["has(arguments.x) || tool.read_only", true],
    ["tool.destructive && arguments.amount > 1", false],
    ["arguments.amount > 1 && tool.destructive", false],
    ["tool.destructive ? arguments.x == 'a' : true", true],
  ])("%s is decided without them", (when, expected) => {
    expect(evaluate(when)).toBe(expected);
    expect(evaluate(when, callArguments)).toBe(expected);
  });

  test("a verdict before the call holds for whatever the call brings", () => {
    const atoms = fc.constantFrom(
      ...[
        "tool.read_only",
        "tool.destructive",
        "has(arguments.a)",
        "!has(arguments.a.b)",
        "arguments.a == 1",
      ],
      ...["arguments.a.b > 0", "'a' in arguments", "size(arguments) > 1", "arguments == {'a': 1}", "true"],
      ...["['a', 'b'].exists(k, k in arguments)", "[1, 2].all(k, has(arguments.b) || k > 1)", "arguments.b"],
      ...[
        "(tool.read_only ? arguments.a : 1) == 1",
        "[arguments].size() == 1",
        "type(arguments.a) == double",
      ],
    );
    const { condition } = fc.letrec<{ condition: string }>((tie) => ({
      condition: fc.oneof(
        { maxDepth: 4 },
        atoms,
        tie("condition").map((inner) => `!(${inner})`),
        fc.tuple(tie("condition"), tie("condition")).map(([a, b]) => `(${a} && ${b})`),
        fc.tuple(tie("condition"), tie("condition")).map(([a, b]) => `(${a} || ${b})`),
        fc
          .tuple(tie("condition"), tie("condition"), tie("condition"))
          .map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      ),
    }));
    const value = fc.constantFrom<JsonObject[string]>(
      0,
      1,
      2,
      "a",
      true,
      false,
      null,
      [],
      { b: 1 },
      { b: "x" },
    );
    const sent = fc.record({ a: value, b: value, c: value }, { requiredKeys: [] });
    fc.assert(
      fc.property(condition, fc.array(sent, { minLength: 1, maxLength: 6 }), (when, calls) => {
        const ahead = evaluate(when);
        if (ahead === "unknown" || ahead === "failed") return;
        for (const call of calls) expect([when, evaluate(when, call)]).toEqual([when, ahead]);
      }),
      { numRuns: 1_000 },
    );
  });
});

test("what a condition reads is known", () => {
  const compiled = compilePolicy(
    "'a' in principal.roles && tool.provider == 'x' && arguments.list.exists(i, i == tool.name)",
  );
  if (!compiled.ok) throw new Error(compiled.problem);
  expect(compiled.policy.usesArguments).toBe(true);
  expect([...compiled.policy.principalMembers]).toEqual(["roles"]);
  expect([...compiled.policy.toolMembers]).toEqual(["provider", "name"]);
  const other = compilePolicy("'arguments' in principal.roles");
  expect(other.ok && other.policy.usesArguments).toBe(false);
  const provider = compilePolicy("tool.provider == 'x'");
  expect(provider.ok && provider.policy.evaluate(principal, providerSubject("x"))).toBe(true);
});

describe("refused when it is read", () => {
  test.each<[string, string, number | undefined]>([
    ["", "The condition is empty", 0],
    ["tool.name == ", "no CEL expression", 10],
    ["(tool.read_only", "`(` is not closed", 15],
    ["tool.read_only)", "`)` closes nothing", 14],
    ["tool.name == 'abc", "the text that begins with 'abc has no end", undefined],
    ["tool.name == 1 // don't\n &&", "no CEL expression", undefined],
    ["principl.name == 'x'", "Did you mean `principal`?", 0],
    ["nobody == 'x'", "There is no variable `nobody`", 0],
    ["toString == 'x'", "There is no variable `toString`", 0],
    ["tool.nam == 'x'", "Did you mean `tool.name`?", 4],
    ["principal.password == 'x'", "`principal` has no member `password`", 9],
    ["principal.constructor == 'x'", "`principal` has no member `constructor`", 9],
    ["tool == 1", "`tool` needs one of its members", 0],
    ["tool['name'] == 'x'", "`tool` needs one of its members", 0],
    ["tool.name.length > 1", "`.length` is read of a text", 9],
    ["principal.name", "The condition gives a text", undefined],
    ["1 + 1", "The condition gives a value of another type", undefined],
    ["'true'", "The condition gives a text", undefined],
    ["size(arguments.list)", "The condition gives a number", undefined],
    ["arguments.list.map(i, i)", "The condition gives a list", undefined],
    ["tool.read_only ? 1 : 2", "The condition gives a number", undefined],
    ["tool.name.mtches('a')", "Did you mean `matches`?", 9],
    ["tool.name.startsWith('a', 'b')", "it is written `x.startsWith(a)`", 9],
    ["startsWith(tool.name)", "it is written `x.startsWith(a)`", 0],
    ["unknown_value()", "There is no function `unknown_value`", 0],
    ["has(tool)", "`has(…)` asks for a member", 0],
    ["arguments.list.exists(1, 2)", "`exists` is written", 14],
    ["google.protobuf.BoolValue{value: true}", "makes a message", 0],
    ["tool.name.matches(arguments.x)", "has to be a text in quotes", 9],
    ["tool.name.matches('(')", "The pattern `(` is not usable", undefined],
    ["tool.name.matches('(a{1000}){1000}')", "it is too costly", undefined],
    ["arguments.a.all(x, x.all(y, y == 1))", "A loop inside of a loop", 20],
    ["arguments.a.map(x, arguments.b.filter(y, y == x)) == []", "A loop inside of a loop", 30],
    ["[1].exists(tool, tool == 1)", "`tool` has a meaning already", 3],
    ["[1].exists(arguments, arguments == 1)", "`arguments` has a meaning already", 3],
    [`${"true || ".repeat(600)}true`, "4000 are allowed", undefined],
    [`${"[".repeat(1_500) + "]".repeat(1_500)} == []`, "nested too deeply", undefined],
    [`${"[".repeat(210) + "]".repeat(210)} == []`, "nested too deeply", undefined],
  ])("%#: %s", (when, problem, offset) => {
    const compiled = compilePolicy(when);
    expect(compiled.ok ? "" : compiled.problem).toContain(problem);
    if (offset !== undefined) expect(compiled.ok ? undefined : compiled.offset).toBe(offset);
  });

  test("any text compiles or is refused with words", () => {
    const pieces = fc.constantFrom(
      ...[
        "tool",
        ".",
        "name",
        "principal",
        "arguments",
        "(",
        ")",
        "[",
        "]",
        "'a'",
        "&&",
        "||",
        "!",
        "==",
        " ",
      ],
      ...["exists", "x", ",", "1", "has", "matches", "?", ":", "{", "}", "\\", '"', "\n", "é", "true", "-"],
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces, { maxLength: 12 }).map((list) => list.join("")),
        ),
        (when) => {
          const compiled = compilePolicy(when);
          if (!compiled.ok) expect(compiled.problem).toMatch(/\.$|\?$/);
          else
            expect([true, false, "unknown", "failed"]).toContain(compiled.policy.evaluate(principal, tool));
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe("what callers send costs little, whatever it is", () => {
  const list = (length: number) => ({ list: Array.from({ length }, (_unused, index) => index) });

  test("loops over more than 10,000 values are not begun", () => {
    expect(evaluate("arguments.list.all(i, i >= 0)", list(9_000))).toBe(true);
    expect(evaluate("arguments.list.all(i, i >= 0)", list(10_001))).toBe("failed");
    // Other conditions look at no value in vain.
    expect(evaluate("size(arguments.list) > 10", list(90_000))).toBe(true);
    expect(evaluate("size(arguments.list) > 10", list(100_001))).toBe("failed");
    expect(evaluate("tool.read_only || size(arguments.list) > 10", list(100_001))).toBe(true);
    expect(evaluate("tool.read_only || arguments.list.all(i, i >= 0)", list(10_001))).toBe(true);
  });

  test("loops that look at all values for each go over 500", () => {
    expect(evaluate("arguments.list.all(i, i in arguments.list)", list(400))).toBe(true);
    expect(evaluate("arguments.list.all(i, i in arguments.list)", list(501))).toBe("failed");
    expect(evaluate("arguments.list.filter(i, i > 3).exists(i, i == 5)", list(400))).toBe(true);
    expect(evaluate("arguments.list.filter(i, i > 3).exists(i, i == 5)", list(501))).toBe("failed");
    const text = { ...list(400), text: "x".repeat(100_000) };
    expect(evaluate("arguments.list.exists(i, size(arguments.text) == i)", text)).toBe("failed");
  });

  test("long expressions in loops go over fewer", () => {
    const body = Array.from({ length: 150 }, (_unused, index) => `i != ${-index - 1}`).join(" && ");
    expect(evaluate(`arguments.list.all(i, ${body})`, list(500))).toBe(true);
    expect(evaluate(`arguments.list.all(i, ${body})`, list(9_000))).toBe("failed");
  });

  test("patterns meet long texts in linear time, and none beyond 100,000 characters", () => {
    expect(evaluate("arguments.text.matches('^(a+)+$')", { text: `${"a".repeat(99_999)}!` })).toBe(false);
    expect(evaluate("arguments.text.matches('^(a|a)*$')", { text: "a".repeat(100_001) })).toBe("failed");
  });

  test("texts are searched for texts of the caller's, and read as integers, up to 100,000 characters", () => {
    // 99,996 and the names of the arguments, eight characters.
    const long = { text: "ab".repeat(30_000), part: `${"ab".repeat(19_995)}b` };
    const counted = Object.entries(long).reduce((sum, [name, text]) => sum + name.length + text.length, 0);
    const more = (extra: number) => ({ ...long, text: long.text + "c".repeat(100_000 - counted + extra) });
    for (const extra of [-1, 0])
      expect(evaluate("arguments.text.contains(arguments.part)", more(extra))).toBe(false);
    expect(evaluate("arguments.text.contains(arguments.part)", more(1))).toBe("failed");
    // A text of the policy's own is short.
    expect(evaluate("arguments.text.contains('abb')", { text: "ab".repeat(400_000) })).toBe(false);
    expect(evaluate("int(arguments.text) > 5", { text: `${"0".repeat(99_995)}6` })).toBe(true);
    expect(evaluate("int(arguments.text) > 5", { text: `${"0".repeat(99_996)}6` })).toBe("failed");
  });

  test("patterns in loops meet a million characters", () => {
    const texts = (length: number) => ({ list: Array.from({ length: 100 }, () => "a".repeat(length)) });
    expect(evaluate("arguments.list.exists(i, i.matches('b$'))", texts(9_000))).toBe(false);
    expect(evaluate("arguments.list.exists(i, i.matches('b$'))", texts(11_000))).toBe("failed");
    expect(evaluate("arguments.list.exists(i, i == 'b')", texts(11_000))).toBe(false);
  });

  test("depth is no matter", () => {
    let deep: JsonObject = {};
    for (let level = 0; level < 50_000; level += 1) deep = { a: deep };
    expect(evaluate("has(arguments.a)", deep)).toBe(true);
    expect([true, "failed"]).toContain(evaluate("arguments == arguments", deep));
    expect([false, "failed"]).toContain(evaluate("arguments.a == arguments", deep));
  });
});
