import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDocument } from "../../../src/documents/parse-document.ts";
import { bindingProblems, schemaProblems, validatorProblems } from "./check-operation.ts";
import { compileValue, surfaceOf } from "./compile-text.ts";
import { corpusFiles, corpusNote, hasCorpus, readCorpusFile } from "./corpus.ts";

const cases = resolve(import.meta.dirname, "../../cases/openapi");
/** Longer documents take too long to be compiled hundreds of times. */
const longest = 40_000;
/** Trying a schema on the reference validator takes most of the time. */
const mostValidated = 4;

/** So many documents of each sort; `FUZZ_RUNS` for a longer search. */
const numRuns = Number(process.env["FUZZ_RUNS"] ?? 150);

/** One change of a document: a place, chosen by numbers, and what is done there. */
interface Mutation {
  readonly steps: readonly number[];
  readonly kind: "replace" | "remove" | "refer" | "copy" | "rename" | "wrap";
  readonly value: unknown;
  readonly other: readonly number[];
}

type Holder = Record<string, unknown> | unknown[];

const keywords = [
  ...[
    "$ref",
    "$id",
    "$anchor",
    "$dynamicRef",
    "$defs",
    "type",
    "properties",
    "required",
    "items",
    "allOf",
    "anyOf",
    "oneOf",
  ],
  ...[
    "not",
    "enum",
    "const",
    "default",
    "nullable",
    "readOnly",
    "discriminator",
    "mapping",
    "propertyName",
    "pattern",
  ],
  ...[
    "additionalProperties",
    "prefixItems",
    "schema",
    "content",
    "in",
    "name",
    "style",
    "explode",
    "parameters",
  ],
  ...[
    "requestBody",
    "responses",
    "security",
    "servers",
    "url",
    "variables",
    "deprecated",
    "format",
    "__proto__",
    "constructor",
  ],
];
const scalars: readonly unknown[] = [
  ...[
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e300,
    "",
    "a",
    "#",
    "#/",
    "#a",
    "string",
    "object",
    "array",
    "null",
    "integer",
  ],
  ...[
    "#/components/schemas",
    "{x}",
    "*/*",
    "[",
    "(?i)x",
    "\u0000",
    "\ud800",
    "path",
    "query",
    "header",
    "cookie",
    "body",
  ],
  ...[
    "multipart/form-data",
    "application/json",
    "text/plain",
    [],
    {},
    [[]],
    [null],
    { type: [] },
    { $ref: 5 },
    { allOf: [{}] },
  ],
];

const mutation: fc.Arbitrary<Mutation> = fc.record({
  steps: fc.array(fc.nat(1_000), { minLength: 1, maxLength: 14 }),
  kind: fc.constantFrom("replace", "remove", "refer", "copy", "rename", "wrap"),
  value: fc.constantFrom(...scalars),
  other: fc.array(fc.nat(1_000), { minLength: 1, maxLength: 14 }),
});

function isHolder(value: unknown): value is Holder {
  return value !== null && typeof value === "object";
}

/** Walks into a document, a step for each number, as far as it goes: the last holder on the way, and the key in it. */
function find(
  root: Holder,
  steps: readonly number[],
): { readonly holder: Holder; readonly path: readonly string[] } {
  let holder = root;
  const path: string[] = [];
  for (const step of steps) {
    const keys = Object.keys(holder);
    if (keys.length === 0) break;
    const key = keys[step % keys.length] ?? "";
    path.push(key);
    const child: unknown = Reflect.get(holder, key);
    if (!isHolder(child) || Object.keys(child).length === 0 || path.length === steps.length) break;
    holder = child;
  }
  return { holder, path };
}

function mutate(root: Holder, { steps, kind, value, other }: Mutation): void {
  const { holder, path } = find(root, steps);
  const key = path.at(-1);
  if (key === undefined) return;
  const set = (name: string, content: unknown): void => {
    Object.defineProperty(holder, name, {
      value: content,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  };
  const elsewhere = find(root, other);
  const found: unknown = Reflect.get(elsewhere.holder, elsewhere.path.at(-1) ?? "");
  const old: unknown = Reflect.get(holder, key);
  switch (kind) {
    case "replace":
      set(key, structuredClone(value));
      break;
    case "remove":
      Reflect.deleteProperty(holder, key);
      break;
    case "refer": {
      const pointer = elsewhere.path
        .map((step) => step.replaceAll("~", "~0").replaceAll("/", "~1"))
        .join("/");
      set(key, { $ref: `#/${pointer}` });
      break;
    }
    case "copy":
      set(key, structuredClone(found));
      break;
    case "rename":
      if (Array.isArray(holder)) return;
      Reflect.deleteProperty(holder, key);
      set(keywords[(other[0] ?? 0) % keywords.length] ?? "type", old);
      break;
    case "wrap":
      set(key, { [keywords[(other[0] ?? 0) % keywords.length] ?? "allOf"]: [old] });
      break;
  }
}

async function expectValid(document: unknown): Promise<void> {
  const surface = { ...surfaceOf("document.json"), serverVariables: {}, schemaBudget: 8_000 };
  const { operations, diagnostics } = await compileValue(document, surface);
  const problems = operations.flatMap((operation, index) => [
    ...schemaProblems(operation),
    ...bindingProblems(operation),
    ...(index < mostValidated ? validatorProblems(operation) : []),
    ...(operation.notes && operation.notes.length > 10 ? ["too many notes"] : []),
  ]);
  expect(problems).toEqual([]);
  for (const diagnostic of diagnostics) expect(diagnostic.place).toBeDefined();
}

function documentsOf(texts: readonly string[]): readonly Holder[] {
  return texts.flatMap((text) => {
    const parsed = text.length <= longest ? parseDocument(text) : undefined;
    return parsed?.ok && isHolder(parsed.value) ? [parsed.value as Holder] : [];
  });
}

const ours = documentsOf(
  readdirSync(cases).map((name) => readFileSync(join(cases, name, "document.yaml"), "utf8")),
);
const known = hasCorpus
  ? documentsOf(["openapi/edge", "openapi/oai-tests"].flatMap(corpusFiles).map(readCorpusFile))
  : [];

describe("whatever a document says, compiling ends, and what comes out can be used", () => {
  test.each([
    ["the cases of this project", ours],
    [`public documents${corpusNote}`, known],
  ])("%s, changed in a few places", { timeout: 120_000 }, async (_name, documents) => {
    if (documents.length === 0) return;
    const changed = fc.tuple(
      fc.nat(documents.length - 1),
      fc.array(mutation, { minLength: 1, maxLength: 6 }),
    );
    await fc.assert(
      fc.asyncProperty(changed, async ([index, mutations]) => {
        const document = structuredClone(documents[index] ?? {});
        for (const one of mutations) mutate(document, one);
        await expectValid(document);
      }),
      { numRuns },
    );
  });

  const name = fc.constantFrom("S0", "S1", "S2", "S3", "S4");
  const reference = name.map((text): unknown => ({ $ref: `#/components/schemas/${text}` }));
  const { schema } = fc.letrec<{ schema: unknown }>((tie) => {
    const part = fc.oneof({ maxDepth: 3, withCrossShrink: true }, reference, tie("schema"));
    const parts = fc.array(part, { maxLength: 3 });
    const member = fc.constantFrom("a", "b", "kind", "$ref", "type", "x y");
    return {
      schema: fc.record(
        {
          type: fc.constantFrom<unknown>(
            "object",
            "object",
            "array",
            "string",
            "integer",
            ["string", "null"],
            "file",
            null,
          ),
          properties: fc.dictionary(member, part, { maxKeys: 3 }),
          required: fc.array(member, { maxLength: 2 }),
          items: fc.oneof(part, fc.constant([])),
          additionalProperties: fc.oneof(fc.boolean(), part),
          allOf: parts,
          oneOf: parts,
          anyOf: parts,
          not: part,
          enum: fc.array(fc.constantFrom<unknown>("u", 1, null, true, [1], { $ref: "#/nope" }), {
            maxLength: 3,
          }),
          default: fc.constantFrom<unknown>("u", 1, { $ref: "#/$defs/S9" }),
          nullable: fc.boolean(),
          readOnly: fc.boolean(),
          $anchor: fc.constantFrom("one", "two"),
          $id: fc.constantFrom("https://schemas.example/one", "two"),
          $dynamicRef: fc.constantFrom("#one", "two#one", "#nope"),
          discriminator: fc.oneof(
            fc.constant("kind"),
            fc.record(
              { propertyName: fc.constant("kind"), mapping: fc.dictionary(fc.constantFrom("u", "v"), name) },
              { requiredKeys: ["propertyName"] },
            ),
          ),
          pattern: fc.constantFrom("^a$", "[", "(?i)x"),
          format: fc.constantFrom("binary", "uint", "date"),
        },
        { requiredKeys: [] },
      ),
    };
  });

  test("schemas of all keywords that refer to each other", { timeout: 120_000 }, async () => {
    const document = fc.record({
      version: fc.constantFrom("3.0.0", "3.1.0"),
      schemas: fc.tuple(schema, schema, schema, schema, schema),
      types: fc.uniqueArray(
        fc.constantFrom(
          "application/json",
          "multipart/form-data",
          "application/x-www-form-urlencoded",
          "text/csv",
          "application/octet-stream",
          "application/json-patch+json",
          "application/x-ndjson",
        ),
        { minLength: 1, maxLength: 3 },
      ),
      required: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(document, async ({ version, schemas, types, required }) => {
        const named = Object.fromEntries(schemas.map((one, index) => [`S${index}`, one]));
        const content = Object.fromEntries(
          types.map((type, index) => [type, { schema: { $ref: `#/components/schemas/S${index}` } }]),
        );
        const answer = { content: { "application/json": { schema: schemas[3] } } };
        const parameters = [{ name: "a", in: "query", schema: schemas[4] }];
        const operation = { parameters, requestBody: { required, content }, responses: { 200: answer } };
        await expectValid({
          openapi: version,
          paths: { "/x": { post: operation } },
          components: { schemas: named },
        });
      }),
      { numRuns },
    );
  });
});
