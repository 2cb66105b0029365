import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Flow, flowText, readFlow } from "../../../src/credentials/flows/flow-record.ts";
import { isPlainText, plainText } from "../../../src/credentials/flows/plain-text.ts";
import { readReturnTo } from "../../../src/credentials/flows/return-path.ts";
import { Secret } from "../../../src/secret.ts";
import { factsOf, referenceOf } from "../stored.ts";

const anyText = fc.string({ unit: "binary", maxLength: 40 });

describe("plain text", () => {
  test("is what it becomes, and holds nothing that can't be seen", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const plain = plainText(text, 20);
        expect(plain).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
        expect([...plain].length).toBeLessThanOrEqual(20);
        expect(plainText(plain, 20)).toBe(plain);
        if (plain !== "") expect(isPlainText(plain, 20)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

test("a way back never leaves our own page", () => {
  const pieces = fc.constantFrom(
    "/",
    "\\",
    ".",
    "..",
    "//",
    "@",
    "evil.example",
    "?",
    "#",
    "%2e%2e",
    "%5c",
    ":",
    "\n",
    "a",
    "&x=",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
      const path = attempt(() => readReturnTo(`/connect${parts.join("")}`));
      if (path === undefined) return;
      const url = new URL(path, "https://gw.example");
      expect(url.origin).toBe("https://gw.example");
      expect(url.pathname).toMatch(/^\/connect(\/|$)/);
    }),
    { numRuns: 2_000 },
  );
});

describe("flows as text", () => {
  const texts = fc.dictionary(
    fc.string({ minLength: 1, maxLength: 5 }).filter((name) => name !== "__proto__"),
    anyText,
    { maxKeys: 3 },
  );
  const base = fc.record({
    session: fc.option(anyText, { nil: undefined }),
    startedAt: fc.nat(),
    returnTo: anyText,
    draft: fc.tuple(texts, texts).map(([secrets, params]) => factsOf(secrets, { params })),
    reference: fc.tuple(anyText, anyText).map(([tenant, instance]) => referenceOf({ tenant, instance })),
  });
  const flow: fc.Arbitrary<Flow> = fc.oneof(
    fc
      .tuple(base, anyText, fc.option(anyText, { nil: undefined }), fc.boolean())
      .map(
        ([common, redirectUri, issuer, issuerRequired]) =>
          ({ ...common, kind: "oauth", browser: issuer, redirectUri, issuer, issuerRequired }) as const,
      ),
    fc
      .tuple(base, fc.array(fc.record({ id: anyText, label: anyText, params: texts }), { maxLength: 3 }))
      .map(([common, choices]) => ({ ...common, kind: "pending", choices }) as const),
  );

  test("are read as they were written", () => {
    fc.assert(
      fc.property(flow, (written) => {
        expect(revealed(readFlow(flowText(written)))).toEqual(revealed(written));
      }),
      { numRuns: 300 },
    );
  });

  test("are refused when anything is missing, more, or of another type", () => {
    fc.assert(
      fc.property(flow, fc.nat(), fc.constantFrom("remove", "null", "add"), (written, index, how) => {
        const value: Record<string, unknown> = JSON.parse(flowText(written).reveal());
        const names = Object.keys(value);
        const name = names[index % names.length] ?? "";
        // These may be absent.
        if (how === "remove" && ["session", "browser", "issuer"].includes(name)) return;
        if (how === "remove") delete value[name];
        else if (how === "null") value[name] = null;
        else value["more"] = 1;
        expect(() => readFlow(new Secret(JSON.stringify(value)))).toThrow(/^A flow/);
      }),
      { numRuns: 300 },
    );
  });

  test("what is no flow is refused without being quoted", () => {
    for (const text of ["", "{", "canary", "[]", "null", "1", '{"kind":"canary"}'])
      expect(() => readFlow(new Secret(text))).toThrow(/^A flow is (no JSON|of no known kind)\.$/);
  });
});

function revealed(flow: Flow): unknown {
  const secrets = Object.entries(flow.draft.secrets).map(([name, secret]) => [name, secret.reveal()]);
  return { ...flow, draft: { ...flow.draft, secrets: Object.fromEntries(secrets) } };
}

/** `undefined` for what is refused. Whatever else goes wrong is a failure of the test. */
function attempt<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch (error) {
    expect(error).toMatchObject({ code: "bad_request" });
    return undefined;
  }
}
