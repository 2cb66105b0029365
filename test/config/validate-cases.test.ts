import { readdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { renderHuman } from "../../src/diagnostics/render-human.ts";
import { summarize } from "../../src/diagnostics/summarize.ts";

// One folder per case: `gestalt.yaml` and what it needs, `expected.txt` with what `gateway validate` prints, and optionally
// `options.json` with the variables that are set and whether references have to be. `UPDATE=1` rewrites the expectations.

const casesFolder = fileURLToPath(new URL("../cases/validate/", import.meta.url));
const update = process.env["UPDATE"] === "1";

const cases = (await readdir(casesFolder)).sort();

describe("validate", () => {
  test("has cases", () => {
    expect(cases.length).toBeGreaterThanOrEqual(70);
  });

  test.each(cases)("%s", async (name) => {
    const folder = `${casesFolder}${name}`;
    const options = JSON.parse(await readFile(`${folder}/options.json`, "utf8").catch(() => "{}"));
    const loaded = await loadConfig("gestalt.yaml", {
      environment: options.environment ?? {},
      references: options.references ?? "check",
      workingDirectory: folder,
    });
    const printed = `${renderHuman(loaded.diagnostics, { sources: loaded.sources })}\n${summarize(loaded.diagnostics, "gestalt.yaml")}\n`;
    const hasError = loaded.diagnostics.some((diagnostic) => diagnostic.severity === "error");
    expect(loaded.config === undefined).toBe(hasError);
    expect(printed).not.toContain(folder);
    if (update) await writeFile(`${folder}/expected.txt`, printed);
    else expect(printed).toBe(await readFile(`${folder}/expected.txt`, "utf8"));
  });
});
