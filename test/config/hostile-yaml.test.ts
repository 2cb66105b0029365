import { describe, expect, test } from "vitest";
import { renderHuman } from "../../src/diagnostics/render-human.ts";
import { loadText } from "./load-text.ts";

// Inputs that are too large for a folder of their own. The test's time limit is what they would exceed.

const provider = (body: string): string =>
  `providers:\n  crm:\n    mcp_url: https://crm.example.com/mcp\n${body}`;

describe("hostile files end in a diagnostic", () => {
  const deep: Readonly<Record<string, string>> = {
    "10,000 opening brackets": "[".repeat(10_000),
    "10,000 nested lists": `x: ${"[".repeat(10_000)}${"]".repeat(10_000)}`,
    "10,000 nested mappings": `${"{a: ".repeat(10_000)}1${"}".repeat(10_000)}`,
    "10,000 list items in a line": `${"- ".repeat(10_000)}a`,
    "10,000 explicit keys in a line": `${"? ".repeat(10_000)}a`,
    "1,000 levels of indentation": Array.from(
      { length: 1000 },
      (_level, index) => `${" ".repeat(index)}a:`,
    ).join("\n"),
  };

  test.each(Object.entries(deep))("%s", async (_name, text) => {
    const { config, diagnostics } = await loadText(text);
    expect(config).toBeUndefined();
    expect(diagnostics).toMatchObject([
      { code: "yaml-syntax", message: expect.stringMatching(/more than 100 levels deep/) },
    ]);
  });

  test("a bomb of mappings and merge keys", async () => {
    const levels = Array.from({ length: 30 }, (_level, index) =>
      index === 0
        ? "    l0: &l0 {a: 1, b: 2}"
        : `    l${index}: &l${index} {a: *l${index - 1}, b: *l${index - 1}, <<: *l${index - 1}}`,
    );
    const { config, diagnostics } = await loadText(`providers:\n  crm:\n${levels.join("\n")}\n`);
    expect(config).toBeUndefined();
    expect(diagnostics.some(({ code }) => code === "alias-limit")).toBe(true);
  });

  test("a mistake behind every alias is reported once", async () => {
    const aliases = Array.from({ length: 2000 }, (_alias, index) => `  p${index}: *base`).join("\n");
    const { diagnostics } = await loadText(
      `providers:\n  base: &base {mcp_url: https://crm.example.com/mcp, mcp: {enabled: maybe}}\n${aliases}\n`,
    );
    expect(diagnostics).toMatchObject([{ code: "wrong-type", place: { line: 2 } }]);
  });
});

describe("large files are read", () => {
  test("a text of a megabyte", async () => {
    const { config } = await loadText(provider(`    description: "${"x".repeat(1_000_000)}"\n`));
    expect(config?.providers[0]?.description).toHaveLength(1_000_000);
  });

  test("a megabyte of the wrong type is named by its beginning", async () => {
    const { diagnostics, sources } = await loadText(
      provider(`    mcp: {enabled: ${"x".repeat(1_000_000)}}\n`),
    );
    expect(diagnostics).toMatchObject([{ code: "wrong-type" }]);
    expect(renderHuman(diagnostics, { sources }).length).toBeLessThan(1000);
  });

  test("a key of a megabyte", async () => {
    const { diagnostics, sources } = await loadText(provider(`    "${"x".repeat(1_000_000)}": 1\n`));
    expect(diagnostics).toMatchObject([
      { code: "yaml-syntax", message: expect.stringMatching(/1,024 characters/) },
    ]);
    expect(renderHuman(diagnostics, { sources }).length).toBeLessThan(1000);
  });

  test("thousands of unknown keys are all reported", async () => {
    const keys = Array.from({ length: 5000 }, (_key, index) => `    unknown_${index}: 1`).join("\n");
    const { diagnostics } = await loadText(provider(`${keys}\n`));
    expect(diagnostics).toHaveLength(5000);
  });

  test("thousands of references without quotes do not stall", async () => {
    const { config, diagnostics } = await loadText(provider(`    headers: {${"a: ${X}, ".repeat(5000)}}\n`));
    expect(config).toBeUndefined();
    expect(diagnostics[0]?.code).toBe("unquoted-reference");
  });

  test("50 providers and 1,000 operations", async () => {
    const operation = (index: number): string =>
      `          - {name: operation-${index}, method: GET, path: "/items/{id}/${index}", parameters: [{name: id, in: path, type: string}, {name: page, in: query, type: integer, default: 1}]}`;
    const providers = Array.from(
      { length: 50 },
      (_provider, index) =>
        `  provider-${index}:\n    surfaces:\n      rest:\n        base_url: https://api.example.com\n        operations:\n${Array.from({ length: 20 }, (_operation, position) => operation(position)).join("\n")}`,
    );
    const { config } = await loadText(`providers:\n${providers.join("\n")}\n`);
    expect(config?.providers).toHaveLength(50);
  });
});
