import { describe, expect, test } from "vitest";
import {
  OperationPacker,
  type PackedOperations,
  unpackOperations,
} from "../../../src/providers/compile-thread/pack-operations.ts";
import { compileValue } from "../openapi/compile-text.ts";

/** Operations whose schemas hold many bytes for each character, about 40 KB for each operation. */
async function compileMany(count: number): ReturnType<typeof compileValue> {
  const enumOf = (index: number): readonly string[] =>
    Array.from({ length: 600 }, (_, item) => `${index} ${item} – “ü𝒳\ud800”`);
  const paths = Array.from({ length: count }, (_, index) => {
    const schema = { type: "string", enum: enumOf(index) };
    const parameters = [{ name: "which", in: "query", schema }];
    return [`/things/${index}`, { get: { summary: `Größe ${index}`, parameters, responses: {} } }];
  });
  return compileValue({ openapi: "3.0.3", info: {}, paths: Object.fromEntries(paths) });
}

describe("packed operations", () => {
  test("are the same after unpacking, over several packs", async () => {
    const { operations } = await compileMany(60);
    const packs: PackedOperations[] = [];
    const packer = new OperationPacker((pack) => packs.push(pack));
    for (const operation of operations) packer.add(operation);
    packer.end();
    expect(packs.length).toBeGreaterThan(1);
    const unpacked = packs.flatMap(unpackOperations).map(({ packed: _packed, ...operation }) => operation);
    expect(JSON.parse(JSON.stringify(unpacked))).toEqual(JSON.parse(JSON.stringify(operations)));
  });

  test("tell by their digests which schemas are equal", async () => {
    const { operations } = await compileMany(2);
    const packs: PackedOperations[] = [];
    const packer = new OperationPacker((pack) => packs.push(pack));
    for (const operation of [...operations, ...structuredClone(operations)]) packer.add(operation);
    packer.end();
    const digests = packs.flatMap(unpackOperations).map(({ packed }) => packed?.schemas);
    expect(new Set(digests).size).toBe(2);
    expect(digests.slice(0, 2)).toEqual(digests.slice(2));
  });

  test("nothing is handed over when there are none", () => {
    const packs: PackedOperations[] = [];
    new OperationPacker((pack) => packs.push(pack)).end();
    expect(packs).toEqual([]);
  });
});
