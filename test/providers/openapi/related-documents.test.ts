import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CompiledDocument } from "../../../src/providers/openapi/compile.ts";
import { bindingProblems, schemaProblems, validatorProblems } from "./check-operation.ts";
import { compileFile } from "./compile-file.ts";
import { corpusNote, hasCorpus } from "./corpus.ts";

let outer: string;
let folder: string;

beforeEach(async () => {
  outer = await mkdtemp(join(tmpdir(), "related-"));
  folder = join(outer, "api");
});

afterEach(() => rm(outer, { recursive: true }));

/** Writes files next to an entry document that refers to `reference` for its only path, and compiles that. */
async function compilePath(
  reference: string,
  files: Readonly<Record<string, unknown>> = {},
): Promise<CompiledDocument> {
  return compile({
    "openapi.json": { openapi: "3.1.0", paths: { "/x": { $ref: reference } } },
    ...files,
  });
}

async function compile(files: Readonly<Record<string, unknown>>): Promise<CompiledDocument> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === "string" ? content : JSON.stringify(content, undefined, 2));
  }
  return compileFile(join(folder, "openapi.json"));
}

/** A path item whose only operation takes a parameter of the given schema. */
function pathWith(schema: unknown): object {
  return { get: { operationId: "x", parameters: [{ name: "q", in: "query", schema }], responses: {} } };
}

function schemaOf({ operations }: CompiledDocument): unknown {
  return Object(operations[0]?.inputSchema["properties"])["q"];
}

function messagesOf({ diagnostics }: CompiledDocument): readonly string[] {
  return diagnostics.map(({ message }) => message);
}

describe("references to other files", () => {
  test("count from the file in which they stand, in JSON and in YAML", async () => {
    const compiled = await compilePath("./paths/x.json", {
      "paths/x.json": pathWith({ $ref: "../schemas/name.yaml#/name" }),
      "schemas/name.yaml": "name: {$ref: parts/text.json}\n",
      "schemas/parts/text.json": { $ref: "#/$defs/text", $defs: { text: { type: "string", maxLength: 3 } } },
    });
    expect(compiled.diagnostics).toEqual([]);
    expect(schemaOf(compiled)).toEqual({ type: "string", maxLength: 3 });
  });

  test("the same words in two files mean two things", async () => {
    const response = { content: { "application/json": { schema: { $ref: "./it.json" } } } };
    const one = { type: "object", properties: { one: { type: "string" } } };
    const two = { type: "object", properties: { two: { type: "string" } } };
    const compiled = await compile({
      "openapi.json": {
        openapi: "3.1.0",
        paths: {
          "/x": { get: { responses: { 200: { $ref: "a/answer.json" }, 201: { $ref: "b/answer.json" } } } },
          "/y": { get: { responses: { 200: { $ref: "a/answer.json" } } } },
        },
      },
      "a/answer.json": response,
      "a/it.json": one,
      "b/answer.json": response,
      "b/it.json": two,
    });
    expect(compiled.operations[0]?.outputSchema).toBeUndefined();
    expect(Object.keys(Object(compiled.operations[1]?.outputSchema?.["properties"]))).toEqual(["one"]);
  });

  test("a list of schemas in a file of its own is looked into", async () => {
    const compiled = await compile({
      "openapi.json": {
        openapi: "3.1.0",
        paths: { "/x": pathWith({ $ref: "#/components/schemas/Name" }) },
        components: { schemas: { $ref: "schemas/index.yaml" } },
      },
      "schemas/index.yaml": "$ref: more.yaml\n",
      "schemas/more.yaml": "Name: {$ref: name.yaml}\n",
      "schemas/name.yaml": "type: string\n",
    });
    expect(compiled.diagnostics).toEqual([]);
    expect(schemaOf(compiled)).toEqual({ type: "string" });
  });

  test("names of files may hold what URLs escape", async () => {
    const compiled = await compilePath("./paths/x {id} %24.json", { "paths/x {id} $.json": pathWith({}) });
    expect(compiled.operations).toHaveLength(1);
  });

  test("circles through files become definitions", async () => {
    const compiled = await compilePath("x.json", {
      "x.json": pathWith({ $ref: "parent.yaml" }),
      "parent.yaml": "{properties: {children: {type: array, items: {$ref: child.yaml}}}}",
      "child.yaml": "{properties: {parents: {type: array, items: {$ref: ./parent.yaml}}}}",
    });
    expect(compiled.diagnostics).toEqual([]);
    const definitions = Object.keys(Object(compiled.operations[0]?.inputSchema["$defs"]));
    expect(definitions.map((name) => name.replace(/_\w+$/, "")).sort()).toEqual(["child", "parent"]);
    expect(compiled.operations.flatMap(validatorProblems)).toEqual([]);
  });

  test("a file is the same however it is spelt", async () => {
    const compiled = await compilePath("../api/%78.json", {
      "x.json": pathWith({ $ref: "./tree%2eyaml?version=2#/tree" }),
      "tree.yaml": "tree: {properties: {left: {$ref: '../%61pi/tree.yaml#/tree'}}}",
    });
    expect(compiled.diagnostics).toEqual([]);
    expect(Object.keys(Object(compiled.operations[0]?.inputSchema["$defs"]))).toHaveLength(1);
  });

  test("files that only refer to each other are told as such", async () => {
    const compiled = await compilePath("a.json", {
      "a.json": { $ref: "b.json" },
      "b.json": { $ref: "a.json" },
    });
    expect(messagesOf(compiled)).toEqual([expect.stringContaining("it leads back to itself")]);
  });

  test("problems and operations in a file have their place there", async () => {
    const compiled = await compilePath("./paths/x.yaml", {
      "paths/x.yaml": "get:\n  operationId: x\n  parameters:\n    - {in: query}\n  responses: {}\n",
    });
    expect(compiled.operations).toMatchObject([
      { id: "x", place: { file: join("paths", "x.yaml"), line: 1 } },
    ]);
    expect(compiled.diagnostics).toMatchObject([
      { code: "operation-degraded", place: { file: join("paths", "x.yaml"), line: 4 } },
    ]);
  });
});

describe("what is not read", () => {
  test.each(["../secret.json", "paths/../../secret.json", "%2e%2e/secret.json"])(
    "%s is outside of the folder",
    async (reference) => {
      await writeFile(join(outer, "secret.json"), JSON.stringify(pathWith({})));
      const compiled = await compilePath(reference);
      expect(compiled.operations).toEqual([]);
      expect(compiled.diagnostics).toMatchObject([
        {
          severity: "error",
          code: "operation-dropped",
          message: expect.stringContaining("lies outside of the folder"),
          place: { file: "openapi.json", line: 5 },
        },
      ]);
    },
  );

  test("what is outside is not even looked for", async () => {
    const compiled = await compilePath("../nothing.json");
    expect(messagesOf(compiled)).toEqual([expect.stringContaining("lies outside of the folder")]);
  });

  test("an absolute path is outside too", async () => {
    await writeFile(join(outer, "secret.json"), JSON.stringify(pathWith({})));
    const compiled = await compilePath(`file://${join(outer, "secret.json")}`);
    expect(messagesOf(compiled)).toEqual([expect.stringContaining("lies outside of the folder")]);
  });

  test("a symbolic link counts as what it points to", async () => {
    await writeFile(join(outer, "secret.json"), JSON.stringify(pathWith({})));
    await mkdir(folder);
    await symlink(join(outer, "secret.json"), join(folder, "link.json"));
    await symlink(outer, join(folder, "up"));
    for (const reference of ["link.json", "up/secret.json"]) {
      const compiled = await compilePath(reference);
      expect(messagesOf(compiled)).toEqual([expect.stringContaining("lies outside of the folder")]);
    }
    const inside = await compilePath("up/api/x.json", { "x.json": pathWith({}) });
    expect(inside.operations).toHaveLength(1);
  });

  test.each([
    ["https://api.example/x.json", "fetched only from hosts that the configuration allows"],
    ["//api.example/x.json", "it names no file"],
    ["urn:example:x", "it names no file"],
    ["a%2fb.json", "hides a slash"],
    ["nowhere.json", "`nowhere.json` does not exist"],
    ["paths", "is a folder, not a file"],
    ["openapi.json#/nothing", "it points to nothing in the document"],
    ["x.json#/nothing", "it points to nothing in `x.json`"],
    ["x.json#anchor", "no schema has that name as its `$anchor`"],
  ])("%s: the reason is told", async (reference, reason) => {
    const compiled = await compilePath(reference, { "x.json": {}, "paths/y.json": {} });
    expect(compiled.operations).toEqual([]);
    expect(messagesOf(compiled)).toEqual([expect.stringContaining(reason)]);
  });

  test("a broken file is told where it is used, and where it is broken", async () => {
    const compiled = await compilePath("x.json", {
      "x.json": pathWith({ $ref: "y.yaml" }),
      "y.yaml": "a: [\n",
    });
    expect(compiled.operations).toHaveLength(1);
    expect(compiled.diagnostics).toMatchObject([
      {
        severity: "warning",
        code: "unresolved-reference",
        message: expect.stringContaining("`y.yaml` is not valid YAML"),
        place: { file: "x.json" },
        related: [{ place: { file: "y.yaml" } }],
      },
    ]);
  });

  test("what is broken or missing where no tool needs it is no problem", async () => {
    const compiled = await compile({
      "openapi.json": {
        openapi: "3.1.0",
        paths: { "/x": pathWith({ examples: [{ $ref: "example.json" }] }) },
        components: { schemas: { Unused: { $ref: "missing.json" } } },
      },
    });
    expect(compiled.operations).toHaveLength(1);
    expect(compiled.diagnostics).toEqual([]);
  });

  test("there is an end to the number of files", async () => {
    const chain = Object.fromEntries(
      Array.from({ length: 210 }, (_, index) => [`${index}.json`, { $ref: `${index + 1}.json` }]),
    );
    const compiled = await compilePath("0.json", chain);
    expect(messagesOf(compiled)).toEqual([expect.stringContaining("more than 200 files")]);
  });

  test("there is an end to the number of values, aliases counted each time", async () => {
    const lists = Array.from({ length: 6 }, (_, level) => {
      const items = Array.from({ length: 10 }, () => (level === 0 ? "0" : `*l${level - 1}`));
      return `l${level}: &l${level} [${items.join(", ")}]\n`;
    });
    const text = `${lists.join("")}get: {responses: {}}\n`;
    const bombs = Array.from({ length: 5 }, (_, index) => [`${index}.yaml`, text] as const);
    const compiled = await compile({
      "openapi.json": {
        openapi: "3.1.0",
        paths: Object.fromEntries(bombs.map(([name]) => [`/${name}`, { $ref: name }])),
      },
      ...Object.fromEntries(bombs),
    });
    expect(compiled.operations).toHaveLength(3);
    expect(messagesOf(compiled)).toEqual([expect.stringContaining("more than 4,000,000 values together")]);
  });
});

describe.skipIf(!hasCorpus)(`real descriptions in several files${corpusNote}`, () => {
  const multi = resolve(import.meta.dirname, "../../../../shared/corpus/openapi/multi");

  test.each([
    ["cafe-split/cafe.yaml", 12],
    ["nested-files/openapi.yaml", 3],
    ["petstore-separate/spec/swagger.yaml", 4],
    ["swagger-parser-circular/circular.yaml", 4],
    ["swagger-parser-deep-circular/deep-circular.yaml", 1],
    ["remote-refs/openapi.yaml", 1],
  ])("%s gives all of its operations", async (name, count) => {
    const { operations } = await compileFile(join(multi, name));
    expect(operations).toHaveLength(count);
    const problems = operations.flatMap((operation) => [
      ...schemaProblems(operation),
      ...bindingProblems(operation),
      ...validatorProblems(operation),
    ]);
    expect(problems).toEqual([]);
  });
});
