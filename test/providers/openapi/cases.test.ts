import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { bindingProblems, schemaProblems, validatorProblems } from "./check-operation.ts";
import { compileFile } from "./compile-file.ts";

const root = resolve(import.meta.dirname, "../../cases/openapi");

/** A folder holds `document.yaml`, the files that it refers to, and what it compiles to: `expected.json`. */
describe("documents and the operations they give", () => {
  test.each(readdirSync(root))("%s", async (name) => {
    const compiled = await compileFile(join(root, name, "document.yaml"));
    const operations = compiled.operations;
    const diagnostics = compiled.diagnostics.map(({ severity, code, message, place }) => ({
      problem: `${place?.file === "document.yaml" ? "" : `${place?.file}:`}${place?.line}:${place?.column} ${severity} ${code}`,
      message,
    }));
    const shown = operations.map(({ place, annotations, ...operation }) => ({
      ...operation,
      ...(place?.file !== "document.yaml" && { file: place?.file }),
      line: place?.line,
    }));
    const expected = `${JSON.stringify({ diagnostics, operations: shown }, undefined, 2)}\n`;
    await expect(expected).toMatchFileSnapshot(join(root, name, "expected.json"));
    for (const operation of operations) {
      expect([
        ...schemaProblems(operation),
        ...bindingProblems(operation),
        ...validatorProblems(operation),
      ]).toEqual([]);
    }
  });
});
