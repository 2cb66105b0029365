import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import {
  buildSchema,
  execute,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNullableType,
  isLeafType,
  isListType,
  parse,
  validate,
} from "graphql";
import { describe, expect, test } from "vitest";
import type { JsonValue } from "../../../src/model/json.ts";
import { compileSchema } from "../../../src/providers/graphql/compile.ts";
import { restoreAnswer, restoreNames } from "../../../src/providers/graphql/restore-names.ts";
import { selectFields } from "../../../src/providers/graphql/select-fields.ts";
import { surfaceOf } from "./open-surface.ts";

const ajv = new Ajv2020({ strict: false });
const limits = { ...surfaceOf("").selection, members: 16 };

function schemaOf(sdl: string): GraphQLSchema {
  return buildSchema(sdl, { assumeValid: true });
}

function selectRoot(sdl: string, changed: Partial<typeof limits> = {}): string | undefined {
  const schema = schemaOf(sdl);
  const field = schema.getQueryType()?.getFields().root;
  return field && selectFields(schema, field.type, { ...limits, ...changed })?.text;
}

describe("a budget", () => {
  const wide = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${prefix}${index}: Int`).join(" ");

  test("of bytes keeps what identifies the object, whatever its place", () => {
    const sdl = `type Query { root: Thing } type Thing { ${wide("a", 50)} name: String id: ID }`;
    expect(selectRoot(sdl, { bytes: 24 })).toBe("{ id name a0 a1 a2 a3 }");
  });

  test("of fields", () => {
    expect(selectRoot(`type Query { root: Thing } type Thing { ${wide("a", 50)} }`, { fields: 3 })).toBe(
      "{ a0 a1 a2 }",
    );
  });

  test("is shared fairly between the objects below", () => {
    const sdl = `type Query { root: Root } type Root { left: Left right: Right } type Left { ${wide("l", 100)} } type Right { ${wide("r", 100)} }`;
    const selection = selectRoot(sdl, { bytes: 500 }) ?? "";
    const [left = "", right = ""] = selection.split("right");
    expect(Math.abs(left.length - right.length)).toBeLessThan(20);
    expect(selection.length).toBeLessThanOrEqual(500);
  });

  test("leaves the last objects out rather than giving each too little", () => {
    const children = Array.from({ length: 100 }, (_, index) => `c${index}: Child`).join(" ");
    const sdl = `type Query { root: Root } type Root { ${children} } type Child { id: ID name: String ${wide("v", 40)} }`;
    const selection = selectRoot(sdl, { bytes: 700 }) ?? "";
    expect(selection).toMatch(/c0 \{ id name v0 v1 /);
    expect(selection).not.toContain("c99");
  });

  test("too small for anything still asks for the type's name", () => {
    expect(selectRoot("type Query { root: Thing } type Thing { id: ID }", { bytes: 5 })).toBe(
      "{ __typename }",
    );
  });
});

test("an interface with more members than fit keeps what they have in common; a union keeps the first of them", () => {
  const names = Array.from({ length: 20 }, (_, index) => `T${index}`);
  const types = names.map((name) => `type ${name} implements Node { id: ID own: String }`).join("\n");
  const sdl = (root: string) =>
    `type Query { root: ${root} } interface Node { id: ID } union Any = ${names.join(" | ")} ${types}`;
  expect(selectRoot(sdl("Node"))).toBe("{ __typename id }");
  expect(selectRoot(sdl("Any"))).toContain("... on T15 { id own }");
  expect(selectRoot(sdl("Any"))).not.toContain("T16");
});

/** Schemas whose few names make types meet under one key in every way. */
const schemas = fc
  .array(
    fc.dictionary(
      fc.constantFrom("a", "b", "c", "id"),
      fc.tuple(
        fc.constantFrom("Int", "String", "T0", "T1", "T2", "Any", "Named"),
        fc.constantFrom("", "!", "[]", "[!]!"),
      ),
      { minKeys: 1 },
    ),
    { minLength: 3, maxLength: 3 },
  )
  .map((types) => {
    const print = ([name, [type, wrapper]]: readonly [string, readonly [string, string]]) =>
      `${name}: ${wrapper.startsWith("[") ? wrapper.replace("[", `[${type}`) : `${type}${wrapper}`}`;
    const objects = types.map(
      (fields, index) =>
        `type T${index} implements Named { name: String ${Object.entries(fields).map(print).join(" ")} }`,
    );
    return [
      "type Query { any: Any named: [Named!] t0: T0 t1: [T1!]! t2: T2 }",
      "interface Named { name: String }",
      "union Any = T0 | T1 | T2",
      ...objects,
    ].join("\n");
  });

test("an alias is no field of any member, and no two fields share one", () => {
  const schema = schemaOf(`
    type Query { root: Any }
    union Any = First | B | A_b | A | C
    type First { x: Int c: Int b_c: Int }
    type B { x: String }
    type A_b { c: String }
    type A { b_c: String }
    type C { B_x: String x: Int }
  `);
  const type = schema.getQueryType()?.getFields().root?.type;
  const selection = type && selectFields(schema, type, limits);
  expect(selection?.text).toBe(
    "{ __typename ... on First { x c b_c } ... on B { B_x_: x } ... on A_b { A_b_c: c } ... on A { A_b_c_: b_c } ... on C { B_x x } }",
  );
  expect(validate(schema, parse(`{ root ${selection?.text} }`))).toEqual([]);
  expect(restoreNames({ B_x: "own", x: 1 }, selection?.aliases ?? {})).toEqual({ B_x: "own", x: 1 });
});

test("an error's path names the field as the schema does", () => {
  const aliases = { any: { name: "any", selection: { B_x: { name: "x", selection: undefined } } } };
  const answer = {
    errors: [{ message: "Away.", path: ["any", 0, "B_x"] }, { message: "Odd.", path: ["B_x", null] }, "odd"],
    data: { any: [{ B_x: null }] },
  };
  expect(restoreAnswer(answer, aliases)).toEqual({
    errors: [{ message: "Away.", path: ["any", 0, "x"] }, { message: "Odd.", path: ["B_x", null] }, "odd"],
    data: { any: [{ x: null }] },
  });
  expect(restoreAnswer({ errors: [{ message: "No." }] }, aliases)).toEqual({ errors: [{ message: "No." }] });
});

test("whatever types meet, every document is valid and whole, its answer gets the schema's names back, and the output schema holds", async () => {
  await fc.assert(
    fc.asyncProperty(schemas, async (sdl) => {
      const schema = schemaOf(sdl);
      const { operations, diagnostics } = await compileSchema(
        schema,
        surfaceOf("http://graphql.test/graphql"),
      );
      expect(operations).toHaveLength(5);
      expect(diagnostics).toEqual([]);
      for (const { binding, outputSchema } of operations) {
        if (binding.kind !== "graphql") throw new Error("Not a GraphQL binding.");
        expect(validate(schema, parse(binding.document))).toEqual([]);
        const { data } = await execute({
          schema,
          document: parse(binding.document),
          fieldResolver: (_source, _args, _context, { returnType }) => madeUp(returnType),
          // The members that come last are those whose fields get aliases.
          typeResolver: (_value, _context, _info, type) => schema.getPossibleTypes(type).at(-1)?.name,
        });
        const answer = JSON.parse(JSON.stringify(data)) as JsonValue;
        const named = binding.aliases ? restoreNames(answer, binding.aliases) : answer;
        const restored = JSON.stringify(named);
        const holds = ajv.compile(outputSchema ?? true);
        expect(holds({ data: named }), `${restored} ${ajv.errorsText(holds.errors)}`).toBe(true);
        expect(restored).not.toMatch(/"T\d_\w+":/);
      }
    }),
    { numRuns: 100, seed: 20_260_728 },
  );
});

/** Some value of a type. */
function madeUp(type: GraphQLOutputType): unknown {
  const nullable = getNullableType(type);
  if (isListType(nullable)) return [madeUp(nullable.ofType)];
  if (!isLeafType(nullable)) return {};
  return nullable.name === "Int" ? 1 : "text";
}
