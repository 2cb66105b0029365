import type { IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createDocumentLoader } from "../../../src/documents/load-document.ts";
import type { OpenApiSurface } from "../../../src/model/config.ts";
import { createDocumentCompiler } from "../../../src/providers/compile-thread/document-compiler.ts";
import { openApiKind } from "../../../src/providers/openapi/kind.ts";
import type { OpenSurface } from "../../../src/providers/provider-kind.ts";
import { Secret } from "../../../src/secret.ts";
import { createHttpClient } from "../../../src/upstream/undici-client.ts";
import { makeProvider } from "../../catalog/fixtures.ts";
import { startHttp } from "../../upstream/loopback.ts";
import { surfaceOf } from "./compile-text.ts";

const document = {
  openapi: "3.1.0",
  paths: {
    "/x": {
      get: {
        operationId: "x",
        parameters: [
          { name: "Acme-Version", in: "header", schema: { type: "string" } },
          { name: "q", in: "query", schema: { type: "string" } },
        ],
        responses: {},
      },
    },
  },
};

/** Opens a surface whose document is on a server; also tells what headers the document was asked for with. */
async function open(
  changes: (url: string) => Partial<OpenApiSurface>,
): Promise<[OpenSurface, IncomingHttpHeaders]> {
  let headers: IncomingHttpHeaders = {};
  await using upstream = await startHttp((request, response) => {
    headers = request.headers;
    response.end(JSON.stringify(document));
  });
  const http = createHttpClient();
  try {
    const place = surfaceOf("").place;
    const location = { kind: "url", url: `${upstream.url}/openapi.json`, place } as const;
    const surface = { ...surfaceOf("", null), document: location, ...changes(upstream.url) };
    const provider = makeProvider("acme", { headers: { "acme-version": "2" } });
    const opened = await openApiKind.open(surface, provider, {
      http,
      documents: createDocumentLoader({ http, remote: "fetch", workingDirectory: import.meta.dirname }),
      compile: createDocumentCompiler(undefined),
      allowedHosts: [],
      credential: () => ({
        reference: undefined,
        headers: { authorization: new Secret("Bearer t") },
        query: {},
      }),
      signal: new AbortController().signal,
      log: () => {},
      environment: {},
    });
    return [opened, headers];
  } finally {
    await http.close();
  }
}

test("a document on the API's own host is read with the API's credential", async () => {
  const [opened, headers] = await open((url) => ({ baseUrl: `${url}/v1` }));
  expect(headers.authorization).toBe("Bearer t");
  expect(opened).toMatchObject({ origin: "declared", diagnostics: [], operations: [{ id: "x" }] });
});

test("a document somewhere else never sees the credential, and relative servers count from it", async () => {
  let base = "";
  const [opened, headers] = await open((url) => {
    base = url;
    return {};
  });
  expect(headers.authorization).toBeUndefined();
  expect(opened.operations[0]?.binding).toMatchObject({ baseUrl: base });
});

test("headers that the provider sends itself are no arguments", async () => {
  const [opened] = await open(() => ({}));
  expect(Object.keys(Object(opened.operations[0]?.inputSchema["properties"]))).toEqual(["q"]);
});

test("a document that can't be read is reported and gives nothing", async () => {
  const [opened] = await open(() => ({
    document: { kind: "file", path: "/nowhere.yaml", place: surfaceOf("").place },
  }));
  expect(opened.operations).toEqual([]);
  expect(opened.diagnostics).toMatchObject([{ severity: "error", code: "document-not-found" }]);
});

test("a document in a file brings the files along that it refers to", async () => {
  const path = join(import.meta.dirname, "../../cases/openapi/several-files/document.yaml");
  const location = { kind: "file", path, place: surfaceOf("").place } as const;
  const [opened] = await open(() => ({ document: location, baseUrl: "https://api.example.com" }));
  expect(opened.operations).toMatchObject([{ id: "plant" }]);
});
