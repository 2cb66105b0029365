import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeBytes, limitsForForeign } from "../../src/documents/document-limits.ts";
import { createDocumentLoader } from "../../src/documents/load-document.ts";
import type { DocumentLimits } from "../../src/model/limits.ts";
import { createHttpClient } from "../../src/upstream/undici-client.ts";
import { usualLimits } from "../limits.ts";
import { noAbort } from "../upstream/loopback.ts";

let folder: string;
let bytesServed = "";
const server = createServer((_request, response) => void response.end(bytesServed));
const http = createHttpClient({ allowedHosts: () => ["127.0.0.1"] });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gateway-limits-"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  await http.close();
  server.close();
  await rm(folder, { recursive: true });
});

const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };

/** Loads a text from a file; `undefined` where it is fine, else what is wrong with it. */
async function load(text: string, limits: Partial<DocumentLimits>): Promise<string | undefined> {
  const path = join(folder, "api.json");
  await writeFile(path, text);
  const documents = createDocumentLoader({ http, remote: "fetch", workingDirectory: folder });
  const settings = { ...usualLimits.documents, ...limits };
  const loaded = await documents.document(
    { kind: "file", path, place },
    { signal: noAbort(), limits: settings },
  );
  return loaded.ok ? undefined : loaded.diagnostics[0]?.message;
}

async function fetchAs(namedBy: "operator" | "document", bytes: number): Promise<string | undefined> {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server does not listen.");
  bytesServed = `{"a":"${"x".repeat(bytes - 8)}"}`;
  const documents = createDocumentLoader({ http, remote: "fetch", workingDirectory: folder });
  const loaded = await documents.document(
    { kind: "url", url: `http://127.0.0.1:${address.port}/api.json`, place },
    { signal: noAbort(), namedBy, limits: { ...usualLimits.documents, bytes: 1_000 } },
  );
  return loaded.ok ? undefined : loaded.diagnostics[0]?.message;
}

describe("limits of documents", () => {
  test.each([
    [999, true],
    [1_000, true],
    [1_001, false],
  ])("%i of at most 1,000 bytes", async (bytes, fits) => {
    const message = await load(`{"a":"${"x".repeat(bytes - 8)}"}`, { bytes: 1_000 });
    if (fits) expect(message).toBeUndefined();
    else expect(message).toContain("is larger than 1 KB");
  });

  test.each([
    [99, true],
    [100, true],
    [101, false],
  ])("%i of at most 100 values", async (values, fits) => {
    const message = await load(JSON.stringify(Array(values - 1).fill(1)), { nodes: 100 });
    if (fits) expect(message).toBeUndefined();
    else expect(message).toContain("has more than 100 values");
  });

  test.each([
    [9, true],
    [10, true],
    [11, false],
  ])("%i of at most 10 levels", async (levels, fits) => {
    const message = await load("[".repeat(levels) + "]".repeat(levels), { depth: 10 });
    if (fits) expect(message).toBeUndefined();
    else expect(message).toContain("more than 10 levels");
  });

  test.each([
    ["operator", 1_000, true],
    ["operator", 1_001, false],
    ["document", 99, true],
    ["document", 100, true],
    ["document", 101, false],
  ] as const)(
    "a document that the %s named may have a tenth of it where it is not the operator: %i bytes",
    async (namedBy, bytes, fits) => {
      const message = await fetchAs(namedBy, bytes);
      if (fits) expect(message).toBeUndefined();
      else expect(message).toContain("is larger than");
    },
  );

  test("a tenth of everything but depth, and sizes in words", () => {
    expect(limitsForForeign(usualLimits.documents)).toEqual({
      bytes: 6_400_000,
      nodes: 400_000,
      depth: 256,
      operations: 5_000,
    });
    expect([64_000_000, 1_500_000, 1_000, 999].map(describeBytes)).toEqual([
      "64 MB",
      "1.5 MB",
      "1 KB",
      "999 bytes",
    ]);
  });
});
