import { readFile, writeFile } from "node:fs/promises";
import { compile, type JSONSchema } from "json-schema-to-typescript";
import { readConfigSchema } from "../src/json-schema/read-config-schema.ts";

// Writes src/model/config-file.generated.ts from schemas/gateway.schema.json; with `--check` only says whether it is current.

const target = new URL("../src/model/config-file.generated.ts", import.meta.url);
const source = JSON.stringify(readConfigSchema());
// A described key without a type may hold any JSON value; the library would take it for an object.
const withUnknown = (_key: string, value: unknown): unknown =>
  isUnshaped(value) ? { ...value, tsType: "unknown" } : value;
const schema: JSONSchema = JSON.parse(JSON.stringify(JSON.parse(source, withUnknown)));

const generated = await compile(schema, "GatewayFile", {
  additionalProperties: true,
  bannerComment:
    "/* Generated from schemas/gateway.schema.json by scripts/generate-config-types.ts. Do not edit. */",
  ignoreMinAndMaxItems: true,
});

if (!process.argv.includes("--check")) {
  await writeFile(target, generated);
} else if (generated !== (await readFile(target, "utf8").catch(() => ""))) {
  console.error(
    "src/model/config-file.generated.ts is not what schemas/gateway.schema.json says. Run `node scripts/generate-config-types.ts`.",
  );
  process.exitCode = 1;
}

function isUnshaped(value: unknown): value is object {
  return (
    typeof value === "object" &&
    value !== null &&
    "description" in value &&
    typeof value.description === "string" &&
    !["type", "const", "oneOf", "$ref", "properties"].some((keyword) => keyword in value)
  );
}
