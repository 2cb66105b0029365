import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const door = new URL("../../src/json-schema/compile-schema.ts", import.meta.url);

test("schemas are checked without generating code", async () => {
  const schema = {
    properties: { "'+process.exit(7)+'": { const: "`${process.exit(7)}`" }, name: { pattern: "^(a+)+$" } },
    unevaluatedProperties: false,
    anyOf: [{ required: ["name"] }, { required: ["other"] }],
  };
  const program = `
    const { compileSchema } = await import(${JSON.stringify(door.href)});
    const checker = compileSchema(${JSON.stringify(schema)});
    let generates = true;
    try { new Function("") } catch { generates = false }
    console.log(JSON.stringify([generates, checker.check({ name: "aa" }), checker.check({ name: "b" }).length]));
  `;
  const flags = ["--disallow-code-generation-from-strings", "--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  expect(JSON.parse(stdout)).toEqual([false, [], 1]);
});
