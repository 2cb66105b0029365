import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { operationName } from "../../src/catalog/tool-name.ts";

interface Row {
  readonly prefix: string;
  readonly id: string;
  readonly surface: string;
  readonly method: string;
  readonly path: string;
  readonly contested: boolean;
  readonly name: string;
}

test("names are an interface: the golden file never changes", async () => {
  const rows: readonly Row[] = JSON.parse(await readFile("test/golden/tool-names.json", "utf8"));
  const actual = rows.map((row) => ({
    ...row,
    name: row.prefix + operationName(row.prefix, row.id, row, row.contested),
  }));
  expect(actual).toEqual(rows);
});

describe("any id", () => {
  const prefixes = fc.constantFrom("", "a_", "provider-with-a-rather-long-name_");
  const identities = fc.record({ surface: fc.string(), method: fc.string(), path: fc.string() });

  test("gives a legal name within 64 characters", () => {
    fc.assert(
      fc.property(
        prefixes,
        fc.string({ unit: "binary" }),
        identities,
        fc.boolean(),
        (prefix, id, identity, contested) => {
          expect(prefix + operationName(prefix, id, identity, contested)).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
        },
      ),
    );
  });

  test("stays as it is when it is legal, short and alone", () => {
    fc.assert(
      fc.property(
        prefixes,
        fc.stringMatching(/^[a-zA-Z0-9_-]{1,30}$/),
        identities,
        (prefix, id, identity) => {
          expect(operationName(prefix, id, identity, false)).toBe(id);
        },
      ),
    );
  });

  test("that is altered differs by method and path", () => {
    const name = (method: string, path: string): string =>
      operationName("", "pets/list", { surface: "openapi", method, path }, false);
    expect(new Set([name("GET", "/a"), name("POST", "/a"), name("GET", "/b")]).size).toBe(3);
  });
});
