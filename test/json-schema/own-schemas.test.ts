import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { findMetaSchemaViolations } from "../../src/json-schema/check-meta-schema.ts";
import { createViolationFinder, knownKeywords } from "../../src/json-schema/find-violations.ts";
import { readConfigSchema } from "../../src/json-schema/read-config-schema.ts";
import type { JsonSchema } from "../../src/model/json.ts";

// Our own schema and the meta-schema are checked without generating code. ajv, which generates it, says what has to come out.

const schema = readConfigSchema();
const ajv = new Ajv2020({ allErrors: true, verbose: true, discriminator: true, allowUnionTypes: true });
const validate = ajv.compile(schema);
const find = createViolationFinder(schema);
const plain = (step: string): string => step.replaceAll("~1", "/").replaceAll("~0", "~");
const stepsOf = (pointer: string): readonly string[] => pointer.split("/").slice(1).map(plain);

function expectSame(value: unknown): void {
  validate(value);
  const wanted = (validate.errors ?? []).map(({ instancePath, keyword, params }) => ({
    path: stepsOf(instancePath),
    keyword,
    // `minItems` and the like say `>=` there, which nobody reads.
    limit: params["limit"],
    key: params["additionalProperty"] ?? params["missingProperty"],
    error: params["error"],
    type: params["type"],
  }));
  const found = find(value).map(({ path, keyword, parameters }) => ({
    ...{ path, keyword },
    limit: parameters["limit"],
    key: parameters["additionalProperty"] ?? parameters["missingProperty"],
    error: parameters["error"],
    type: parameters["type"],
  }));
  expect(found).toEqual(wanted);
}

const casesFolder = fileURLToPath(new URL("../cases/validate/", import.meta.url));
const files = readdirSync(casesFolder).flatMap((name): readonly (readonly [string, unknown])[] => {
  try {
    return [[name, parse(readFileSync(`${casesFolder}${name}/gestalt.yaml`, "utf8"), { merge: true })]];
  } catch {
    return [];
  }
});

describe("the schema of the configuration file", () => {
  test("uses no keyword that is not looked at, but for those that describe", () => {
    const describing = ["$schema", "$id", "title", "description", "examples"];
    const unknown = new Set<string>();
    const look = (part: unknown): void => {
      if (typeof part !== "object" || part === null || Array.isArray(part)) return;
      for (const [key, value] of Object.entries(part)) {
        if (key === "properties" || key === "$defs") Object.values(value).forEach(look);
        else if (key === "oneOf") value.forEach(look);
        else if (key === "items" || key === "additionalProperties") look(value);
        if (!knownKeywords.has(key) && !describing.includes(key)) unknown.add(key);
      }
    };
    look(schema);
    expect([...unknown]).toEqual([]);
    expect([...knownKeywords].filter((keyword) => !JSON.stringify(schema).includes(`"${keyword}"`))).toEqual(
      [],
    );
  });

  test("has cases to compare", () => expect(files.length).toBeGreaterThan(150));

  test.each(files)("finds in %s what ajv finds", (_name, file) => expectSame(file));

  test("finds what ajv finds, whatever is put wherever", () => {
    const valid = files.find(([name]) => name === "valid-complete")?.[1];
    const replacement = fc.oneof(
      fc.constantFrom(null, true, -1, 1.5, 1e9, "", "x", "none", "1h", [], [""], ["a", "a"], {}),
      fc.record({ type: fc.constantFrom("bearer", "none", "nothing", 5) }),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const places = [...placesOf(valid, [])];
    const key = fc.constantFrom("type", "__proto__", "constructor", "items", "x");
    fc.assert(
      fc.property(fc.constantFrom(...places), replacement, fc.option(key), (place, value, added) => {
        expectSame(replaceAt(valid, place, value, added));
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("the meta-schema", () => {
  const meta = new Ajv2020({ allErrors: true });
  const keywords = [
    ...["$id", "$ref", "$anchor", "$vocabulary", "$defs", "definitions", "properties", "patternProperties"],
    ...["prefixItems", "allOf", "anyOf", "items", "contains", "additionalProperties", "not", "if", "type"],
    ...["const", "enum", "examples", "multipleOf", "maximum", "minLength", "maxItems", "required", "format"],
    ...["dependentRequired", "dependencies", "pattern", "title", "uniqueItems", "contentSchema", "unknown"],
    ...["dependentSchemas", "$comment", "default", "deprecated", "propertyNames", "$recursiveAnchor"],
  ];
  const leaf = fc.constantFrom<unknown>(
    ...[null, true, false, -1, 0, 1, 1.5, "", "string", "strng", "a#b", "#", "9x", "x", {}, [], [1]],
    ...[["a", "a"], ["string"], ["string", "string"], ["nothing", 5], { a: 1 }, { a: ["b"] }],
  );
  const { schema: foreign } = fc.letrec((tie) => ({
    operand: fc.oneof({ maxDepth: 4 }, leaf, tie("schema"), fc.array(tie("schema"), { maxLength: 2 })),
    schema: fc.dictionary(fc.constantFrom(...keywords), tie("operand"), { maxKeys: 4 }),
  }));

  test("finds what ajv finds", () => {
    fc.assert(
      fc.property(foreign, (given) => {
        // Both are told of JSON, where every key is a member.
        const value: JsonSchema = JSON.parse(JSON.stringify(given));
        expect(byPlace(findMetaSchemaViolations(value))).toEqual(byPlace(violationsByAjv(meta, value)));
      }),
      { numRuns: 5_000 },
    );
  });
});

/** The innermost places of what ajv finds. */
function violationsByAjv(meta: Ajv2020, schema: JsonSchema): ReturnType<typeof findMetaSchemaViolations> {
  if (meta.validateSchema(schema) === true) return [];
  const errors = meta.errors ?? [];
  const places = [...new Set(errors.map((error) => error.instancePath))];
  const innermost = places.filter((place) => !places.some((other) => other.startsWith(`${place}/`)));
  return innermost.map((place) => {
    const here = errors.filter((error) => error.instancePath === place);
    const allowed = here.find(({ keyword }) => keyword === "enum")?.params["allowedValues"];
    const types = here
      .filter(({ keyword }) => keyword === "type")
      .flatMap(({ params }) => [params["type"]].flat());
    return {
      path: stepsOf(place),
      allowedValues: allowed,
      types: [...new Set(types.map(String))],
    };
  });
}

function byPlace(violations: ReturnType<typeof findMetaSchemaViolations>): ReadonlyMap<string, unknown> {
  return new Map(
    violations
      .map(({ path, allowedValues, types }) => [path.join("/"), { allowedValues, types }] as const)
      .sort(([left], [right]) => (left < right ? -1 : 1)),
  );
}

function* placesOf(value: unknown, path: readonly string[]): Generator<readonly string[]> {
  yield path;
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value)) yield* placesOf(member, [...path, key]);
}

/** A copy with another value in one place, and with one more key beside it. */
function replaceAt(
  value: unknown,
  path: readonly string[],
  replacement: unknown,
  added: string | null,
): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return replacement;
  if (Array.isArray(value))
    return value.map((item, index) =>
      String(index) === key ? replaceAt(item, rest, replacement, added) : item,
    );
  const members = Object.entries(Object(value)).map(([name, member]) => [
    name,
    name === key ? replaceAt(member, rest, replacement, added) : member,
  ]);
  return Object.fromEntries(rest.length === 0 && added !== null ? [...members, [added, 5]] : members);
}
