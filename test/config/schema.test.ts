import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";

const schema = JSON.parse(
  readFileSync(new URL("../../schemas/gateway.schema.json", import.meta.url), "utf8"),
);

interface Described {
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly additionalProperties?: unknown;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly $ref?: string;
}

/** Every schema of the file under the pointer to it. */
function* eachSchema(
  value: unknown,
  pointer = "#",
  isSchema = true,
): Generator<readonly [string, Described]> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    const inside = `${pointer}/${key}`;
    const isContainer = isSchema && (key === "properties" || key === "$defs");
    if (isSchema && key === "examples") continue;
    if (!isSchema) yield [inside, part];
    yield* eachSchema(part, inside, !isContainer);
  }
}

const schemas = [...eachSchema(schema)].filter(([, part]) => part.$ref === undefined);

describe("the schema of the configuration file", () => {
  test.each(schemas)("%s has a description and examples", (_pointer, part) => {
    expect(part.description).toMatch(/\.$/);
    expect(part.examples?.length).toBeGreaterThan(0);
  });

  test.each(schemas)("%s holds its own examples", (pointer, part) => {
    const ajv = new Ajv2020({ discriminator: true, allowUnionTypes: true });
    ajv.addSchema(schema, "gateway");
    const validate = ajv.getSchema(`gateway${pointer}`);
    for (const example of part.examples ?? []) {
      expect(validate?.(example), JSON.stringify(validate?.errors)).toBe(true);
    }
  });

  test.each(schemas.filter(([, part]) => part.properties !== undefined))("%s is closed", (_pointer, part) => {
    expect(part.additionalProperties).toBe(false);
  });

  test("is what the committed types were generated from", () => {
    const script = fileURLToPath(new URL("../../scripts/generate-config-types.ts", import.meta.url));
    expect(() => execFileSync(process.execPath, [script, "--check"], { stdio: "pipe" })).not.toThrow();
  });
});

test("editors, which see the file as it is written, may find a reference where a number or a boolean belongs", () => {
  const validate = new Ajv2020({ discriminator: true, allowUnionTypes: true }).compile(schema);
  const file = (port: unknown): object => ({ server: { port }, providers: {} });
  expect([8080, "${env:PORT:-8080}", "8080", true].map((port) => validate(file(port)))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
