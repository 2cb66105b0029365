import { describe, expect, test } from "vitest";
import type { Operation } from "../../../src/model/catalog.ts";
import { bindingProblems, schemaProblems, validatorProblems } from "./check-operation.ts";
import { compileText, compileValue, surfaceOf } from "./compile-text.ts";
import { corpusFiles, corpusNote, hasCorpus, readCorpusFile } from "./corpus.ts";

/** Declared operations, counted independently of the compiler. */
function countOperations(text: string): number | undefined {
  if (!text.startsWith("{")) return undefined;
  const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, unknown>> };
  const methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
  return Object.values(paths).flatMap((item) => Object.keys(item).filter((key) => methods.includes(key)))
    .length;
}

/** Compiling with ajv takes 99 % of the time, so of a large document only so many operations are. */
const mostCompiled = 15;

function problemsOf(operations: readonly Operation[]): readonly string[] {
  const step = Math.ceil(operations.length / mostCompiled);
  return operations.flatMap((operation, index) =>
    [
      ...schemaProblems(operation),
      ...bindingProblems(operation),
      ...(index % step === 0 ? validatorProblems(operation) : []),
    ].map((problem) => `${operation.id}: ${problem}`),
  );
}

describe.skipIf(!hasCorpus)(`real API descriptions${corpusNote}`, () => {
  test.each(corpusFiles("openapi/real"))("%s: every operation gives a valid tool", async (name) => {
    const text = readCorpusFile(name);
    const compiled = await compileText(name, text);
    const operations = compiled?.operations ?? [];
    expect(operations.length).toBeGreaterThan(0);
    const expected = countOperations(text);
    if (expected !== undefined) expect(operations).toHaveLength(expected);
    expect(problemsOf(operations)).toEqual([]);
    expect(compiled?.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  });
});

test.skipIf(!hasCorpus).each(["stripe", "bitbucket", "argo-workflows.v2"])(
  `%s: schemas do not depend on the order of operations${corpusNote}`,
  async (name) => {
    const document = JSON.parse(readCorpusFile(`openapi/real/${name}.json.gz`)) as { readonly paths: object };
    const reversed = { ...document, paths: Object.fromEntries(Object.entries(document.paths).reverse()) };
    const schemasOf = async (value: unknown): Promise<readonly string[]> => {
      const { operations } = await compileValue(value);
      return operations
        .map(({ id, path, inputSchema, outputSchema }) =>
          JSON.stringify([id, path, inputSchema, outputSchema]),
        )
        .sort();
    };
    expect(await schemasOf(reversed)).toEqual(await schemasOf(document));
  },
);

describe.skipIf(!hasCorpus)(`odd and broken API descriptions${corpusNote}`, () => {
  const names = ["openapi/edge", "openapi/multi", "openapi/oai-tests"].flatMap(corpusFiles);
  test.each(names)("%s: whatever compiles is valid, the rest is a diagnostic", async (name) => {
    const text = readCorpusFile(name);
    for (const baseUrl of ["https://api.example.com", null]) {
      const compiled = await compileText(name, text, surfaceOf(name, baseUrl));
      expect(problemsOf(compiled?.operations ?? [])).toEqual([]);
      for (const diagnostic of compiled?.diagnostics ?? []) expect(diagnostic.place).toBeDefined();
    }
  });
});
