import { expect, test } from "vitest";
import { usualLimits } from "../../limits.ts";
import { compileText, surfaceOf } from "./compile-text.ts";

const operations = (count: number): string =>
  JSON.stringify({
    openapi: "3.1.0",
    info: { title: "many", version: "1" },
    servers: [{ url: "https://api.example.com" }],
    paths: Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        `/p${index}`,
        { get: { operationId: `get${index}`, responses: {} } },
      ]),
    ),
  });

test.each([
  [9, true],
  [10, true],
  [11, false],
])("%i operations of at most 10", async (count, fits) => {
  const documentLimits = { ...usualLimits.documents, operations: 10 };
  const compiled = await compileText("many.json", operations(count), {
    ...surfaceOf("many.json"),
    documentLimits,
  });
  expect(compiled?.operations.length).toBe(fits ? count : 0);
  expect(compiled?.diagnostics.map(({ code, message }) => ({ code, message }))).toEqual(
    fits
      ? []
      : [
          {
            code: "document-too-large",
            message:
              "`many.json` describes more than 10 operations. Reduce it to those that are needed, or raise `limits.documents.operations`.",
          },
        ],
  );
});
