import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Ajv2020 } from "ajv/dist/2020.js";
import { type GraphQLSchema, parse, specifiedRules, validate } from "graphql";
import { describe, expect, test } from "vitest";
import { isJsonObject } from "../../../src/json-object.ts";
import type { JsonValue } from "../../../src/model/json.ts";
import { compileSchema } from "../../../src/providers/graphql/compile.ts";
import { inputSchemaBytes } from "../../../src/providers/graphql/input-schema.ts";
import { outputSchemaBytes } from "../../../src/providers/graphql/output-schema.ts";
import { replaceSelection } from "../../../src/providers/graphql/print-document.ts";
import { readSchema } from "../../../src/providers/graphql/read-schema.ts";
import { surfaceOf } from "./open-surface.ts";
import { asGraphql, countFields, rootFields, selectionOf } from "./survey-tools.ts";

const corpus = join(import.meta.dirname, "../../../../shared/corpus/graphql");
const files = existsSync(corpus) ? readdirSync(corpus) : [];

if (files.length === 0) test.skip("the corpus of real schemas (../shared/corpus/graphql) is not here");

/** Root fields that are operations, by name, as the schemas stand. */
const operationCounts: Readonly<Record<string, number>> = {
  "cosmo-test1.graphqls": 15,
  "gatsby.graphql.gz": 58,
  "github.graphql.gz": 278,
  "linear.graphql.gz": 535,
  "saleor.graphql.gz": 419,
  "shopify-storefront.introspection.json.gz": 75,
  "swapi.graphql": 13,
};

describe.each(files)("%s", async (file) => {
  const schema = await readCorpusFile(file);
  const { operations, diagnostics } = await compileSchema(schema, surfaceOf("http://graphql.test/graphql"));

  test("every root field is an operation, and none had to be reduced", () => {
    expect(operations.map(({ method, id }) => `${method} ${id}`)).toEqual(rootFields(schema));
    expect(operations).toHaveLength(operationCounts[file] ?? operations.length);
    expect(diagnostics).toEqual([]);
  });

  test("every document is valid", () => {
    const invalid = operations.filter(
      ({ binding }) => validate(schema, parse(asGraphql(binding).document), specifiedRules).length > 0,
    );
    expect(invalid.map(({ id }) => id)).toEqual([]);
  });

  test("every default selection keeps to its budget", () => {
    const limits = surfaceOf("").selection;
    const wrong = operations.filter(({ binding }) => {
      const { document } = asGraphql(binding);
      const selection = selectionOf(document);
      return Buffer.byteLength(selection) > limits.bytes || countFields(document) - 1 > limits.fields;
    });
    expect(wrong.map(({ id }) => id)).toEqual([]);
  });

  test("every input schema is valid, small, and of the form that clients take", () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    for (const { id, inputSchema } of operations) {
      expect(() => ajv.compile(inputSchema), id).not.toThrow();
      expect(Buffer.byteLength(JSON.stringify(inputSchema)), id).toBeLessThanOrEqual(inputSchemaBytes);
      expect(faultsOf(inputSchema), id).toEqual([]);
    }
  });

  test("every output schema is valid and small", () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    for (const { id, inputSchema, outputSchema } of operations) {
      if (outputSchema === undefined) continue;
      expect(() => ajv.compile(outputSchema), id).not.toThrow();
      expect(Buffer.byteLength(JSON.stringify(outputSchema)), id).toBeLessThanOrEqual(outputSchemaBytes);
      const bytes = Buffer.byteLength(JSON.stringify([inputSchema, outputSchema]));
      expect(bytes, id).toBeLessThanOrEqual(inputSchemaBytes + 10);
    }
    const described = operations.filter(({ outputSchema }) => outputSchema !== undefined);
    expect(described.length).toBeGreaterThanOrEqual(operations.length * 0.9);
  });

  test("with a selection argument all of that holds too", async () => {
    const surface = surfaceOf("http://graphql.test/graphql", undefined, { selectArgument: true });
    const compiled = await compileSchema(schema, surface);
    expect(compiled.operations.map(({ id }) => id)).toEqual(operations.map(({ id }) => id));
    for (const { id, inputSchema, binding } of compiled.operations) {
      const { document, select } = asGraphql(binding);
      if (select === undefined) continue;
      expect(inputSchema["properties"], id).toHaveProperty(select.argument);
      const chosen = replaceSelection(document, select.start, "{__typename}");
      expect(validate(schema, parse(chosen), specifiedRules), id).toEqual([]);
    }
  });
});

async function readCorpusFile(name: string): Promise<GraphQLSchema> {
  const bytes = readFileSync(join(corpus, name));
  const text = (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
  const read = await readSchema({ name, text });
  if (!read.ok) throw new Error(JSON.stringify(read.diagnostics));
  return read.schema;
}

/** Forms that some clients refuse a whole list of tools for. */
function faultsOf(value: JsonValue, path = "#"): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((element, index) => faultsOf(element, `${path}/${index}`));
  if (!isJsonObject(value)) return [];
  const isSchema = !/\/(?:properties|\$defs)$/.test(path);
  const faults: string[] = [];
  if (isSchema && "$ref" in value && Object.keys(value).length > 1)
    faults.push(`${path} has siblings of $ref`);
  if (isSchema && [value.type].flat().includes("array") && !("items" in value))
    faults.push(`${path} has no items`);
  const members = Object.entries(value).filter(([key]) => !isSchema || (key !== "default" && key !== "enum"));
  return [...faults, ...members.flatMap(([key, member]) => faultsOf(member, `${path}/${key}`))];
}
