import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDocumentLoader } from "../../../src/documents/load-document.ts";
import type { DocumentLocation, OpenApiSurface } from "../../../src/model/config.ts";
import { createDocumentCompiler } from "../../../src/providers/compile-thread/document-compiler.ts";
import { openApiKind } from "../../../src/providers/openapi/kind.ts";
import type { OpenSurface } from "../../../src/providers/provider-kind.ts";
import { Secret } from "../../../src/secret.ts";
import { createHttpClient } from "../../../src/upstream/undici-client.ts";
import { makeProvider } from "../../catalog/fixtures.ts";
import { type Loopback, startHttp } from "../../upstream/loopback.ts";
import { surfaceOf } from "./compile-text.ts";

/** A server of documents that keeps what it was asked for. */
interface DocumentServer extends Loopback {
  readonly requests: readonly IncomingMessage[];
}

const pathItem = { get: { operationId: "found", responses: {} } };
const { place } = surfaceOf("");
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "read-related-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Serves documents by path; a text is where to redirect to. */
async function serveDocuments(
  documents: (url: string) => Readonly<Record<string, unknown>>,
): Promise<DocumentServer> {
  const requests: IncomingMessage[] = [];
  const server: Loopback = await startHttp((request, response) => {
    requests.push(request);
    const found = documents(server.url)[request.url ?? ""];
    if (typeof found === "string") response.writeHead(302, { location: found }).end();
    else if (found === undefined) response.writeHead(404).end();
    else response.end(JSON.stringify(found));
  });
  return Object.assign(server, { requests });
}

async function open(
  document: DocumentLocation,
  allowedHosts: readonly string[],
  changes: Partial<OpenApiSurface> = {},
): Promise<OpenSurface> {
  const http = createHttpClient({ allowedHosts: () => allowedHosts });
  try {
    const surface = { ...surfaceOf("", null), document, baseUrl: "https://api.example.com", ...changes };
    return await openApiKind.open(surface, makeProvider("acme", { surfaces: [surface] }), {
      http,
      documents: createDocumentLoader({ http, remote: "fetch", workingDirectory: folder }),
      compile: createDocumentCompiler(undefined),
      allowedHosts,
      credential: () => ({
        reference: undefined,
        headers: { authorization: new Secret("Bearer t") },
        query: {},
      }),
      signal: AbortSignal.timeout(20_000),
      log: () => {},
      environment: {},
    });
  } finally {
    await http.close();
  }
}

/** A document in a file whose only path is elsewhere. */
async function openFile(reference: string, allowedHosts: readonly string[]): Promise<OpenSurface> {
  const path = join(folder, "openapi.json");
  await writeFile(path, JSON.stringify({ openapi: "3.1.0", paths: { "/x": { $ref: reference } } }));
  return open({ kind: "file", path, place }, allowedHosts);
}

function idsOf({ operations }: OpenSurface): readonly string[] {
  return operations.map(({ id }) => id);
}

function reasonOf({ diagnostics }: OpenSurface): string {
  return diagnostics.map(({ message }) => message).join("\n");
}

describe("references of a document in a file to other servers", () => {
  test("are followed to allowed hosts, private ones too, without a credential", async () => {
    await using server = await serveDocuments(() => ({ "/shared/x.json": pathItem }));
    const opened = await openFile(`${server.url}/shared/x.json`, ["127.0.0.1"]);
    expect(reasonOf(opened)).toBe("");
    expect(idsOf(opened)).toEqual(["found"]);
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  test("are not even asked for when the host is not allowed, and the message says how to allow it", async () => {
    await using server = await serveDocuments(() => ({ "/shared/x.json": pathItem }));
    const opened = await openFile(`${server.url}/shared/x.json`, ["other.example.com"]);
    expect(idsOf(opened)).toEqual([]);
    expect(reasonOf(opened)).toContain("Add `127.0.0.1` to `egress.allowed_hosts`");
    expect(server.opened()).toBe(0);
  });

  test("do not leave the allowed host by a redirect", async () => {
    await using other = await serveDocuments(() => ({ "/x.json": pathItem }));
    await using server = await serveDocuments(() => ({ "/x.json": `${other.url}/x.json` }));
    const opened = await openFile(`${server.url}/x.json`, ["127.0.0.1"]);
    expect(reasonOf(opened)).toContain("redirects to another server");
    expect(other.opened()).toBe(0);
  });

  test("lead on to other documents of allowed hosts, and never to files", async () => {
    await writeFile(join(folder, "secret.json"), JSON.stringify(pathItem));
    await using server = await serveDocuments((url) => ({
      "/x.json": { $ref: `${url}/y.json` },
      "/y.json": pathItem,
      "/z.json": { $ref: `file://${folder}/secret.json` },
    }));
    expect(idsOf(await openFile(`${server.url}/x.json`, ["127.0.0.1"]))).toEqual(["found"]);
    const stolen = await openFile(`${server.url}/z.json`, ["127.0.0.1"]);
    expect(idsOf(stolen)).toEqual([]);
    expect(reasonOf(stolen)).toContain("may not lead to files of this machine");
  });

  test("may end in a circle", async () => {
    await using server = await serveDocuments((url) => ({
      "/x.json": { $ref: `${url}/y.json` },
      "/y.json": { $ref: "./x.json" },
    }));
    expect(reasonOf(await openFile(`${server.url}/x.json`, ["127.0.0.1"]))).toContain("leads back to itself");
    expect(server.requests).toHaveLength(2);
  });
});

describe("references of a document that was fetched", () => {
  const entry = (reference: string): object => ({ openapi: "3.1.0", paths: { "/x": { $ref: reference } } });

  test("are followed to what lies beside it, with the credential that it was fetched with", async () => {
    await using server = await serveDocuments(() => ({
      "/api/openapi.json": entry("./paths/x.json"),
      "/api/paths/x.json": pathItem,
    }));
    const location = { kind: "url", url: `${server.url}/api/openapi.json`, place } as const;
    const opened = await open(location, [], { baseUrl: server.url });
    expect(idsOf(opened)).toEqual(["found"]);
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(["Bearer t", "Bearer t"]);
  });

  test("are not followed above it, to other servers or to files", async () => {
    await writeFile(join(folder, "x.json"), JSON.stringify(pathItem));
    await using other = await serveDocuments(() => ({ "/x.json": pathItem }));
    for (const reference of [
      "../x.json",
      `${other.url}/x.json`,
      `file://${folder}/x.json`,
      "//[::1]/x.json",
    ]) {
      await using server = await serveDocuments(() => ({
        "/api/openapi.json": entry(reference),
        "/x.json": pathItem,
      }));
      const opened = await open({ kind: "url", url: `${server.url}/api/openapi.json`, place }, []);
      expect(idsOf(opened)).toEqual([]);
      expect(opened.diagnostics).toMatchObject([{ code: "operation-dropped" }]);
      expect(server.requests).toHaveLength(1);
    }
    expect(other.opened()).toBe(0);
  });
});

test("a surface tells the files that it was made from", async () => {
  await writeFile(join(folder, "x.json"), JSON.stringify(pathItem));
  const opened = await openFile("./x.json", []);
  expect(opened.files).toEqual([join(folder, "openapi.json"), join(folder, "x.json")]);
});
