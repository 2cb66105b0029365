import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Ajv2020 } from "ajv/dist/2020.js";
import { type GraphQLSchema, parse, specifiedRules, validate, visit } from "graphql";
import { describe, expect, test } from "vitest";
import { isJsonObject } from "../../../src/json-object.ts";
import type { GraphqlBinding, Operation } from "../../../src/model/catalog.ts";
import type { JsonValue } from "../../../src/model/json.ts";
import { compileSchema, selectionLimits } from "../../../src/providers/graphql/compile.ts";
import { inputSchemaBytes } from "../../../src/providers/graphql/input-schema.ts";
import { readSchema } from "../../../src/providers/graphql/read-schema.ts";
import { surfaceOf } from "./open-surface.ts";

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
  const schema = readCorpusFile(file);
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
    const [limits] = selectionLimits;
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
});

function readCorpusFile(name: string): GraphQLSchema {
  const bytes = readFileSync(join(corpus, name));
  const text = (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
  const read = readSchema({ name, text });
  if (!read.ok) throw new Error(JSON.stringify(read.diagnostics));
  return read.schema;
}

function rootFields(schema: GraphQLSchema): readonly string[] {
  const queries = Object.keys(schema.getQueryType()?.getFields() ?? {}).map((name) => `query ${name}`);
  const mutations = Object.keys(schema.getMutationType()?.getFields() ?? {}).map(
    (name) => `mutation ${name}`,
  );
  return [...queries, ...mutations].filter((name) => !/ _(?:service|entities)$/.test(name));
}

function asGraphql(binding: Operation["binding"]): GraphqlBinding {
  if (binding.kind !== "graphql") throw new Error("Not a GraphQL binding.");
  return binding;
}

/** What stands behind the root field and its arguments; nothing for a leaf. */
function selectionOf(document: string): string {
  const body = document.slice(document.indexOf("{") + 1, -1);
  return body.includes("{") ? body.slice(body.indexOf("{")).trim() : "";
}

function countFields(document: string): number {
  let fields = 0;
  visit(parse(document), {
    Field: () => {
      fields += 1;
    },
  });
  return fields;
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
