import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Diagnostic } from "../../src/diagnostics/diagnostic.ts";
import { createDocumentLoader, type DocumentLoader } from "../../src/documents/load-document.ts";
import type { DocumentLocation } from "../../src/model/config.ts";
import { noAbort, startClient, startHttp, unusedHost } from "../upstream/loopback.ts";

const place = { file: "gestalt.yaml", line: 3, column: 17, endLine: 3, endColumn: 30 };
const client = startClient();
/** Follows redirects to other ports of this machine too. */
const lenient = startClient({ allowedHosts: () => ["127.0.0.1"] });
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "documents-"));
});

afterAll(async () => {
  await Promise.all([client.close(), lenient.close()]);
  await rm(folder, { recursive: true });
});

function loader(remote: "fetch" | "skip" = "fetch", http = client): DocumentLoader {
  return createDocumentLoader({ http, remote, workingDirectory: folder });
}

const file = (name: string): DocumentLocation => ({ kind: "file", path: join(folder, name), place });
const url = (address: string): DocumentLocation => ({ kind: "url", url: address, place });

async function written(content: string | Uint8Array): Promise<DocumentLocation> {
  await writeFile(join(folder, "api.yaml"), content);
  return file("api.yaml");
}

async function parsedValue(location: DocumentLocation): Promise<unknown> {
  const loaded = await loader().document(location, { signal: noAbort() });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return loaded.document.value;
}

async function diagnosticOf(location: DocumentLocation): Promise<Diagnostic> {
  const loaded = await loader().document(location, { signal: noAbort() });
  if (loaded.ok) throw new Error("it loaded");
  expect(loaded.diagnostics).toHaveLength(1);
  const [diagnostic] = loaded.diagnostics;
  if (diagnostic === undefined) throw new Error("no diagnostic");
  return diagnostic;
}

describe("files", () => {
  test("a document has its name, its digest, its length and its value", async () => {
    const content = '\uFEFF{"openapi": "3.1.0"}';
    const loaded = await loader().document(await written(content), { signal: noAbort() });
    expect(loaded).toEqual({
      ok: true,
      document: {
        name: "api.yaml",
        location: join(folder, "api.yaml"),
        length: 20,
        digest: `sha256:${createHash("sha256").update(content).digest("hex")}`,
        value: { openapi: "3.1.0" },
        locate: expect.any(Function),
      },
    });
  });

  test("a text is taken as it is", async () => {
    const loaded = await loader().text(await written("type Query { a: Int }"), { signal: noAbort() });
    expect(loaded).toMatchObject({ ok: true, document: { name: "api.yaml", text: "type Query { a: Int }" } });
  });

  test("UTF-16 with a byte order mark is read", async () => {
    const little = Buffer.from("\uFEFFa: é", "utf16le");
    expect(await parsedValue(await written(little))).toEqual({ a: "é" });
    expect(await parsedValue(await written(Buffer.from(little).swap16()))).toEqual({ a: "é" });
  });

  test("a stray byte does not cost the document", async () => {
    expect(await parsedValue(await written(Buffer.from("a: caf\xe9\nb: 1", "latin1")))).toEqual({
      a: "caf\uFFFD",
      b: 1,
    });
  });

  test("a file that is not there", async () => {
    expect(await diagnosticOf(file("missing.yaml"))).toEqual({
      severity: "error",
      code: "document-not-found",
      message: "`missing.yaml` does not exist. Paths are relative to the file that names them.",
      place,
    });
  });

  test("a file that is not there, named by no other file", async () => {
    const path = `${folder}/missing.yaml`;
    const itself = { ...place, file: path };
    expect(await diagnosticOf({ kind: "file", path, place: itself })).toMatchObject({
      message: "`missing.yaml` does not exist.",
    });
  });

  test("a folder", async () => {
    expect(await diagnosticOf({ kind: "file", path: folder, place })).toMatchObject({
      code: "document-unreadable",
      message: expect.stringContaining("is a folder, not a file"),
      place,
    });
  });

  test("more than 64 MB", async () => {
    expect(await diagnosticOf(await written(Buffer.alloc(64_000_001, "x")))).toMatchObject({
      code: "document-too-large",
      message:
        "`api.yaml` is larger than 64 MB. Reduce it to the operations that are needed, or raise `limits.documents.size`.",
      place,
    });
  });

  test.each([
    ["gzip", Uint8Array.of(0x1f, 0x8b, 8, 0)],
    ["zeros", new Uint8Array(100)],
  ])("no text: %s", async (_name, bytes) => {
    expect(await diagnosticOf(await written(bytes))).toMatchObject({
      code: "document-syntax",
      message: expect.stringContaining("is compressed or binary"),
      place,
    });
  });

  test.each(["<!DOCTYPE html><html></html>", "\n  <html lang=en>", "<!-- moved -->\n<html>"])(
    "a web page: %j",
    async (page) => {
      expect(await diagnosticOf(await written(page))).toMatchObject({
        code: "document-syntax",
        message: expect.stringContaining("`api.yaml` is a web page (HTML), not a document."),
        place,
      });
    },
  );

  test("a syntax error is shown in the document, with the place that names it", async () => {
    expect(await diagnosticOf(await written("openapi: 3.1.0\ninfo:\n  title: a: b\n"))).toEqual({
      severity: "error",
      code: "document-syntax",
      message: "`api.yaml` is not valid YAML: bad indentation of a mapping entry.",
      place: { file: "api.yaml", line: 3, column: 11, endLine: 3, endColumn: 12 },
      related: [{ message: "The document is named here.", place }],
    });
  });

  test("broken JSON is called JSON", async () => {
    expect(await diagnosticOf(await written('{"a": 1,\n "b" 2}'))).toMatchObject({
      message: "`api.yaml` is not valid JSON: a comma or a closing bracket is missing before this.",
      place: { file: "api.yaml", line: 2, column: 6 },
    });
  });

  test("a value that contains itself is shown at its alias's value", async () => {
    expect(await diagnosticOf(await written("openapi: 3.1.0\ninfo: &a\n  x: *a\n"))).toMatchObject({
      code: "document-syntax",
      message:
        "`api.yaml` contains itself: the YAML alias at `info.x` stands inside the value that it names.",
      place: { file: "api.yaml", line: 3, column: 6 },
    });
  });

  test("a load that is cancelled throws", async () => {
    const reading = loader().document(await written("a: 1"), { signal: AbortSignal.abort() });
    await expect(reading).rejects.toThrow();
  });
});

describe("URLs", () => {
  test("a document is fetched with the headers given, whatever media type it claims", async () => {
    await using upstream = await startHttp((request, response) => {
      response.setHeader("content-type", "text/html");
      response.end(`seen: ${request.headers["x-key"]} ${request.url}`);
    });
    const address = `${upstream.url}/api.yaml?token=secret`;
    const loaded = await loader().document(url(address), { signal: noAbort(), headers: { "x-key": "k" } });
    expect(loaded).toMatchObject({
      ok: true,
      document: {
        name: `${upstream.url}/api.yaml?…`,
        location: address,
        value: { seen: "k /api.yaml?token=secret" },
      },
    });
  });

  test.each([
    [404, "document-not-found", "does not exist (HTTP 404)."],
    [410, "document-not-found", "does not exist (HTTP 410)."],
    [401, "document-unreadable", "may not be read without a login (HTTP 401)."],
    [304, "document-unreadable", "can't be fetched: the server answered with HTTP 304."],
  ])("status %i", async (status, code, message) => {
    await using upstream = await startHttp((_request, response) => response.writeHead(status).end());
    expect(await diagnosticOf(url(`${upstream.url}/api.yaml?token=secret`))).toEqual({
      severity: "error",
      code,
      message: `\`${upstream.url}/api.yaml?…\` ${message}`,
      place,
    });
  });

  test.each([429, 500, 503])("status %i is worth another attempt", async (status) => {
    await using upstream = await startHttp((_request, response) => response.writeHead(status).end());
    await expect(diagnosticOf(url(`${upstream.url}/api.yaml?token=secret`))).rejects.toMatchObject({
      code: "provider_unavailable",
      retryable: true,
      message: `\`${upstream.url}/api.yaml?…\` can't be fetched: the server answered with HTTP ${status}.`,
    });
  });

  test("an upstream that is away is worth another attempt", async () => {
    const host = await unusedHost();
    await expect(diagnosticOf(url(`http://${host}/api.yaml`))).rejects.toMatchObject({
      code: "provider_unavailable",
      retryable: true,
      message: `\`http://${host}/api.yaml\` can't be fetched. Could not connect to ${host}: connection refused. Is the upstream running?`,
    });
  });

  test("what is larger than 64 MB is not fetched to its end", async () => {
    await using upstream = await startHttp((_request, response) => {
      response.writeHead(200, { "content-length": 64_000_001 });
      response.flushHeaders();
    });
    expect(await diagnosticOf(url(upstream.url))).toMatchObject({ code: "document-too-large" });
  });

  test("`skip` fetches nothing and says so", async () => {
    await using upstream = await startHttp((_request, response) => response.end("{}"));
    const loaded = await loader("skip").document(url(upstream.url), { signal: noAbort() });
    expect(loaded).toEqual({
      ok: false,
      diagnostics: [
        {
          severity: "information",
          code: "skipped-offline",
          message: `\`${upstream.url}/\` was not fetched, so what depends on it was not checked. Use \`--online\` to check it.`,
          place,
        },
      ],
    });
    expect(upstream.opened()).toBe(0);
  });

  test("a cancelled fetch throws", async () => {
    await using upstream = await startHttp(() => {});
    const leave = new AbortController();
    const pending = loader()
      .document(url(upstream.url), { signal: leave.signal })
      .catch((error: unknown) => error);
    await expect.poll(() => upstream.opened()).toBe(1);
    leave.abort();
    expect(await pending).toMatchObject({ code: "cancelled" });
  });

  describe("redirects", () => {
    test.each([301, 302, 303, 307, 308])(
      "%i is followed, relative too, and the headers stay within the origin",
      async (status) => {
        await using other = await startHttp((request, response) => {
          response.end(JSON.stringify({ key: request.headers["x-key"] ?? "none" }));
        });
        await using upstream = await startHttp((request, response) => {
          if (request.url === "/end") response.end(JSON.stringify({ key: request.headers["x-key"] }));
          else response.writeHead(status, { location: request.url === "/here" ? "end" : other.url }).end();
        });
        const headers = { "x-key": "k" };
        const follow = loader("fetch", lenient);
        const here = await follow.document(url(`${upstream.url}/here`), { signal: noAbort(), headers });
        expect(here).toMatchObject({
          ok: true,
          document: { location: `${upstream.url}/here`, value: { key: "k" } },
        });
        const away = await follow.document(url(`${upstream.url}/away`), { signal: noAbort(), headers });
        expect(away).toMatchObject({ ok: true, document: { value: { key: "none" } } });
      },
    );

    test.each([301, 302, 303, 307, 308])(
      "%i to another origin that is not public is not followed, in any spelling",
      async (status) => {
        await using other = await startHttp((_request, response) => response.end("{}"));
        const { port } = new URL(other.url);
        for (const location of [
          other.url,
          `//${other.host}/`,
          `http://2130706433:${port}/`,
          `http://localhost:${port}`,
        ]) {
          await using upstream = await startHttp((_request, response) =>
            response.writeHead(status, { location }).end(),
          );
          const diagnostic = await diagnosticOf(url(upstream.url));
          expect(diagnostic.code).toBe("document-unreadable");
          expect(diagnostic.message).toContain("is no public address. If calls shall go there, name it");
        }
        expect(other.opened()).toBe(0);
      },
    );

    test("the operator named the first origin, so a way back to it is followed", async () => {
      const asked: (readonly [string, string | undefined])[] = [];
      const locations = ["https://cdn.example/x", "https://a.example/end"];
      const observed = loader("fetch", {
        ...client,
        async request({ url: address, namedBy }) {
          asked.push([address, namedBy]);
          const location = locations.shift();
          return location === undefined
            ? { status: 200, headers: {}, body: Buffer.from("{}") }
            : { status: 302, headers: { location }, body: new Uint8Array() };
        },
      });
      expect(await observed.document(url("https://a.example/x"), { signal: noAbort() })).toMatchObject({
        ok: true,
      });
      expect(asked).toEqual([
        ["https://a.example/x", "operator"],
        ["https://cdn.example/x", "upstream"],
        ["https://a.example/end", "operator"],
      ]);
    });

    test("three are followed, not four", async () => {
      await using upstream = await startHttp((request, response) => {
        const left = Number(request.url?.slice(1));
        if (left === 0) response.end("{}");
        else response.writeHead(302, { location: `/${left - 1}` }).end();
      });
      expect(await parsedValue(url(`${upstream.url}/3`))).toEqual({});
      expect(await diagnosticOf(url(`${upstream.url}/4`))).toMatchObject({
        code: "document-unreadable",
        message: `\`${upstream.url}/4\` was redirected more than 3 times, last to ${upstream.url}/0.`,
      });
    });

    test("never to another kind of address", async () => {
      await using upstream = await startHttp((_request, response) =>
        response.writeHead(302, { location: "file:///etc/passwd" }).end(),
      );
      expect(await diagnosticOf(url(upstream.url))).toMatchObject({ code: "document-unreadable" });
    });

    test("never from https to http", async () => {
      let asked = "";
      const secure = createDocumentLoader({
        remote: "fetch",
        workingDirectory: folder,
        http: {
          ...client,
          async request({ url }) {
            asked += url;
            return { status: 302, headers: { location: "http://a.example/x?key=1" }, body: new Uint8Array() };
          },
        },
      });
      expect(await secure.document(url("https://a.example/x"), { signal: noAbort() })).toMatchObject({
        diagnostics: [
          {
            message:
              "`https://a.example/x` redirects to an address that is not https (http://a.example/x?…), which is not followed.",
          },
        ],
      });
      expect(asked).toBe("https://a.example/x");
    });
  });
});
