import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compileSchema } from "../../../src/providers/graphql/compile.ts";
import { readSchema } from "../../../src/providers/graphql/read-schema.ts";
import { surfaceOf } from "./open-surface.ts";

const cases = join(import.meta.dirname, "../../cases/graphql");

/** Each folder: `schema.graphql` compiles to `expected.json`. `vitest -u` writes what is new. */
describe("a schema compiles to operations", () => {
  test.each(readdirSync(cases))("%s", async (name) => {
    const text = readFileSync(join(cases, name, "schema.graphql"), "utf8");
    const read = readSchema({ name: "schema.graphql", text });
    const compiled = read.ok
      ? await compileSchema(read.schema, surfaceOf("http://graphql.test/graphql"))
      : { operations: [], diagnostics: read.diagnostics };
    const expected = `${JSON.stringify(compiled, undefined, 2)}\n`;
    await expect(expected).toMatchFileSnapshot(join(cases, name, "expected.json"));
  });
});
