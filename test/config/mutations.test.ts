import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LoadedConfig } from "../../src/config/load-config.ts";
import { renderGithub } from "../../src/diagnostics/render-github.ts";
import { renderHuman } from "../../src/diagnostics/render-human.ts";
import { renderJson } from "../../src/diagnostics/render-json.ts";
import { loadText } from "./load-text.ts";

// Whatever happens to a valid file, the outcome is a configuration or located errors, and never an exception.

const valid = readFileSync(new URL("../cases/validate/valid-complete/gestalt.yaml", import.meta.url), "utf8");
const bytes = new TextEncoder().encode(valid);
const lines = valid.split("\n");
const words = [...valid.matchAll(/[\w.-]+/g)];

function expectSound({ config, diagnostics, sources }: LoadedConfig): void {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  expect(config === undefined).toBe(errors.length > 0);
  for (const { place, code, message } of diagnostics) {
    expect(message).not.toMatch(/undefined|\[object|NaN/);
    if (code === "file-unreadable") continue;
    expect(place).toBeDefined();
    const text = sources.get(place?.file ?? "")?.split("\n") ?? [];
    expect(place?.line).toBeLessThanOrEqual(text.length);
    expect(place?.column).toBeLessThanOrEqual((text[(place?.line ?? 1) - 1]?.length ?? 0) + 1);
  }
  renderHuman(diagnostics, { sources });
  renderGithub(diagnostics);
  JSON.parse(renderJson(diagnostics));
}

async function check<Values extends [unknown, ...unknown[]]>(
  property: fc.IAsyncProperty<Values>,
  runs: number,
): Promise<void> {
  await fc.assert(property, { numRuns: runs, seed: 20261120, endOnFailure: true });
}

describe("any mutation of a valid file", () => {
  test("is itself valid when nothing is mutated", async () => {
    const loaded = await loadText(valid);
    expect(loaded.config).toBeDefined();
  });

  test("lines deleted, doubled, swapped", async () => {
    const index = fc.nat({ max: lines.length - 1 });
    await check(
      fc.asyncProperty(
        index,
        index,
        fc.constantFrom("delete", "double", "swap"),
        async (one, other, kind) => {
          const mutated = [...lines];
          const [first = "", second = ""] = [lines[one], lines[other]];
          if (kind === "delete") mutated.splice(one, 1);
          else if (kind === "double") mutated.splice(one, 0, first);
          else {
            mutated[one] = second;
            mutated[other] = first;
          }
          expectSound(await loadText(mutated.join("\n")));
        },
      ),
      150,
    );
  });

  test("words renamed, removed, replaced by other values", async () => {
    const replacement = fc.oneof(
      fc.constantFrom(
        "",
        "null",
        "5",
        "[]",
        "{}",
        "true",
        "*x",
        "&x",
        "!y",
        "${X}",
        "${env:",
        "'",
        '"',
        "<<",
        "__proto__",
        "constructor",
        "- a",
        ": ",
        "\t",
      ),
      fc.string({ maxLength: 8 }),
    );
    await check(
      fc.asyncProperty(fc.nat({ max: words.length - 1 }), replacement, async (position, word) => {
        const match = words[position];
        const at = match?.index ?? 0;
        const mutated = valid.slice(0, at) + word + valid.slice(at + (match?.[0].length ?? 0));
        expectSound(await loadText(mutated));
      }),
      300,
    );
  });

  test("cut off at any byte", async () => {
    await check(
      fc.asyncProperty(fc.nat({ max: bytes.length }), async (end) => {
        expectSound(await loadText(bytes.slice(0, end)));
      }),
      150,
    );
  });

  test("random bytes put in", async () => {
    await check(
      fc.asyncProperty(fc.nat({ max: bytes.length }), fc.uint8Array({ maxLength: 12 }), async (at, noise) => {
        expectSound(await loadText(Buffer.concat([bytes.slice(0, at), noise, bytes.slice(at)])));
      }),
      150,
    );
  });

  test("any text at all", async () => {
    const text = fc.array(
      fc.constantFrom(
        "a",
        ":",
        " ",
        "\n",
        "-",
        "[",
        "]",
        "{",
        "}",
        '"',
        "'",
        "&",
        "*",
        "!",
        "|",
        ">",
        "%",
        "#",
        ",",
        "?",
        "\t",
        "$",
        "<<",
        "providers",
      ),
      { maxLength: 40 },
    );
    await check(
      fc.asyncProperty(text, async (parts) => {
        expectSound(await loadText(parts.join("")));
      }),
      400,
    );
  });
});
