import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { advisories } from "./advisories.ts";
import { threatRows } from "./threat-rows.ts";

const tests = join(import.meta.dirname, "..");

test.each(advisories)(
  "$id: there is the test that shows that it does not happen here",
  ({ file, test: name }) => {
    expect(existsSync(join(tests, file)), file).toBe(true);
    expect(name).not.toBe("");
    expect(readFileSync(join(tests, file), "utf8"), file).toContain(name);
  },
);

test("there are at least 60, each once, of rows whose feature exists", () => {
  expect(advisories.length).toBeGreaterThanOrEqual(60);
  expect(new Set(advisories.map(({ row, id }) => `${row} ${id}`)).size).toBe(advisories.length);
  const built = new Set(threatRows.filter(({ notBuilt }) => notBuilt === undefined).map(({ row }) => row));
  for (const { row, id } of advisories) expect(built.has(row), id).toBe(true);
});
