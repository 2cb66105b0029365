import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ConstValueNode,
  GraphQLInt,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  Kind,
} from "graphql";
import { describe, expect, test } from "vitest";
import { compileSchema } from "../../../src/providers/graphql/compile.ts";
import { readSchema } from "../../../src/providers/graphql/read-schema.ts";
import { surfaceOf } from "./open-surface.ts";

const cases = join(import.meta.dirname, "../../cases/graphql");

/** Each folder: `schema.graphql` compiles to `expected.json`, with the settings of `surface.json`. `vitest -u` writes what is new. */
describe("a schema compiles to operations", () => {
  test.each(readdirSync(cases))("%s", async (name) => {
    const text = readFileSync(join(cases, name, "schema.graphql"), "utf8");
    const settingsFile = join(cases, name, "surface.json");
    const settings = existsSync(settingsFile) ? JSON.parse(readFileSync(settingsFile, "utf8")) : {};
    const read = await readSchema({ name: "schema.graphql", text });
    const compiled = read.ok
      ? await compileSchema(read.schema, surfaceOf("http://graphql.test/graphql", undefined, settings))
      : { operations: [], diagnostics: read.diagnostics };
    const expected = `${JSON.stringify(compiled, undefined, 2)}\n`;
    await expect(expected).toMatchFileSnapshot(join(cases, name, "expected.json"));
  });
});

test("a field whose default value exhausts the stack is left out, and the others stay", async () => {
  let literal: ConstValueNode = { kind: Kind.NULL };
  for (let depth = 0; depth < 100_000; depth += 1) literal = { kind: Kind.LIST, values: [literal] };
  const json = new GraphQLScalarType({ name: "JSON" });
  const query = new GraphQLObjectType({
    name: "Query",
    fields: {
      fine: { type: GraphQLInt },
      deep: { type: GraphQLInt, args: { value: { type: json, default: { literal } } } },
    },
  });
  const schema = new GraphQLSchema({ query, assumeValid: true });
  const { operations, diagnostics } = await compileSchema(schema, surfaceOf("http://graphql.test/graphql"));
  expect(operations.map(({ id }) => id)).toEqual(["fine"]);
  expect(diagnostics).toMatchObject([
    { severity: "warning", code: "operation-dropped", message: expect.stringContaining("nested too deeply") },
  ]);
});
