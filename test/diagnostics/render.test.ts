import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import type { Diagnostic } from "../../src/diagnostics/diagnostic.ts";
import { renderGithub } from "../../src/diagnostics/render-github.ts";
import { renderHuman } from "../../src/diagnostics/render-human.ts";
import { renderJson } from "../../src/diagnostics/render-json.ts";
import { sortDiagnostics } from "../../src/diagnostics/sort-diagnostics.ts";
import { summarize } from "../../src/diagnostics/summarize.ts";
import type { Place } from "../../src/model/place.ts";

const source = "openapi:\n  document: ./github.yaml\n  conection: github-app\n";

function at(line: number, column: number, endColumn: number, file = "gestalt.yaml"): Place {
  return { file, line, column, endLine: line, endColumn };
}

const unknownKey: Diagnostic = {
  severity: "error",
  code: "unknown-key",
  message: "`conection` is not a key of a surface. Did you mean `connection`?",
  place: at(3, 3, 12),
};

const twice: Diagnostic = {
  severity: "warning",
  code: "duplicate-alias",
  message: "100% the same,\nor not: who knows",
  place: { file: "a,b:c.yaml", line: 1, column: 1, endLine: 2, endColumn: 4 },
  related: [{ message: "The first one is here.", place: at(2, 3, 11) }],
};

const placeless: Diagnostic = { severity: "information", code: "skipped-offline", message: "Not looked at." };

describe("for people", () => {
  test("a diagnostic with its code frame", () => {
    expect(renderHuman([unknownKey], { sources: new Map([["gestalt.yaml", source]]) })).toBe(
      `gestalt.yaml:3:3  error  unknown-key
  \`conection\` is not a key of a surface. Did you mean \`connection\`?

  1 | openapi:
  2 |   document: ./github.yaml
  3 |   conection: github-app
    |   ^^^^^^^^^
`,
    );
  });

  test("related places, and files whose text is not at hand", () => {
    expect(renderHuman([twice, placeless], { sources: new Map([["gestalt.yaml", source]]) })).toBe(
      `a,b:c.yaml:1:1  warning  duplicate-alias
  100% the same,�or not: who knows

  gestalt.yaml:2:3  The first one is here.

  1 | openapi:
  2 |   document: ./github.yaml
    |   ^^^^^^^^

information  skipped-offline
  Not looked at.
`,
    );
  });

  test("colours are only there when asked for", () => {
    const sources = new Map([["gestalt.yaml", source]]);
    const colored = renderHuman([unknownKey], { sources, color: true });
    expect(colored).toContain("\u001b[31merror\u001b[0m");
    expect(stripVTControlCharacters(colored)).toBe(renderHuman([unknownKey], { sources }));
  });

  test("escape sequences of a file do not reach the terminal", () => {
    const hostile: Diagnostic = {
      ...unknownKey,
      message: "`\u001b[31mred\u001b[0m\u202e`",
      place: at(1, 1, 4),
    };
    const printed = renderHuman([hostile], {
      sources: new Map([["gestalt.yaml", "\u001b]0;title\u0007: 1"]]),
    });
    for (const character of ["\u001b", "\u0007", "\u202e"]) expect(printed).not.toContain(character);
  });
});

describe("for programs", () => {
  test("a stable shape", () => {
    expect(JSON.parse(renderJson([unknownKey, twice, placeless]))).toEqual({
      diagnostics: [
        {
          severity: "error",
          code: "unknown-key",
          message: unknownKey.message,
          file: "gestalt.yaml",
          line: 3,
          column: 3,
          endLine: 3,
          endColumn: 12,
          related: [],
        },
        {
          severity: "warning",
          code: "duplicate-alias",
          message: twice.message,
          file: "a,b:c.yaml",
          line: 1,
          column: 1,
          endLine: 2,
          endColumn: 4,
          related: [
            {
              message: "The first one is here.",
              file: "gestalt.yaml",
              line: 2,
              column: 3,
              endLine: 2,
              endColumn: 11,
            },
          ],
        },
        {
          severity: "information",
          code: "skipped-offline",
          message: "Not looked at.",
          file: null,
          line: null,
          column: null,
          endLine: null,
          endColumn: null,
          related: [],
        },
      ],
      counts: { errors: 1, warnings: 1, informations: 1 },
    });
  });
});

describe("for GitHub", () => {
  test("workflow commands, escaped", () => {
    expect(renderGithub([unknownKey, twice, placeless])).toBe(
      `::error file=gestalt.yaml,line=3,col=3,endColumn=12,title=unknown-key::\`conection\` is not a key of a surface. Did you mean \`connection\`?
::warning file=a%2Cb%3Ac.yaml,line=1,endLine=2,title=duplicate-alias::100%25 the same,%0Aor not: who knows
::notice title=skipped-offline::Not looked at.
`,
    );
  });
});

describe("the summary", () => {
  test.each([
    [[], "gestalt.yaml is valid"],
    [[unknownKey, unknownKey, twice], "2 errors, 1 warning in gestalt.yaml"],
    [[placeless], "1 note in gestalt.yaml"],
  ])("%#", (diagnostics, expected) => {
    expect(summarize(diagnostics, "gestalt.yaml")).toBe(expected);
  });
});

describe("the order", () => {
  test("is by file, line and column, each said once", () => {
    const make = (file: string, line: number, column: number): Diagnostic => ({
      ...unknownKey,
      place: at(line, column, column + 1, file),
    });
    const sorted = sortDiagnostics([
      make("b", 1, 1),
      make("a", 10, 1),
      make("a", 2, 5),
      make("a", 2, 1),
      make("a", 2, 5),
      placeless,
    ]);
    expect(sorted.map(({ place }) => place && `${place.file}:${place.line}:${place.column}`)).toEqual([
      undefined,
      "a:2:1",
      "a:2:5",
      "a:10:1",
      "b:1:1",
    ]);
  });
});
