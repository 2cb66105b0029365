import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type CachedCompilation,
  createCompileCache,
} from "../../../src/providers/compile-thread/compile-cache.ts";
import { createDocumentCompiler } from "../../../src/providers/compile-thread/document-compiler.ts";
import { noAbort } from "../../upstream/loopback.ts";
import { largeDocument, plainJob, readNothing, sourceOf } from "./jobs.ts";

let outer: string;
let folder: string;
let logged: string[];

beforeEach(async () => {
  outer = await mkdtemp(join(tmpdir(), "compile-cache-"));
  folder = join(outer, "gestalt.db-cache");
  logged = [];
});

afterEach(() => rm(outer, { recursive: true }));

const openCache = (at = folder): ReturnType<typeof createCompileCache> =>
  createCompileCache(at, (message) => logged.push(message));

const kept: CachedCompilation = {
  outcome: {
    diagnostics: [
      {
        severity: "warning",
        code: "unresolved-reference",
        message: "It is gone.",
        place: plainJob.surface.place,
      },
    ],
    documents: [{ url: "file:///documents/acme.json", digest: "sha256:1" }],
  },
  packs: [
    { heads: new Uint8Array([1, 2, 3]), rest: new Uint8Array([4]) },
    { heads: new Uint8Array([10, 10]), rest: new Uint8Array([]) },
  ],
};

function plain(compilation: CachedCompilation | undefined): unknown {
  return (
    compilation && {
      outcome: compilation.outcome,
      packs: compilation.packs.map(({ heads, rest }) => [[...heads], [...rest]]),
    }
  );
}

test("what is written is read, by another process too", async () => {
  await openCache().write("key", kept);
  expect(plain(await openCache().read("key", readNothing))).toEqual(plain(kept));
  expect(await openCache().read("other", readNothing)).toBeUndefined();
  expect(logged).toEqual([]);
});

test("only the gateway's own user can look into it", async () => {
  await openCache().write("key", kept);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, "key.compiled"))).mode & 0o777).toBe(0o600);
});

test("another document, another setting and another name have another key", async () => {
  const cache = openCache();
  const other = { ...plainJob, surface: { ...plainJob.surface, baseUrl: "https://other.example.com" } };
  const keys = await Promise.all([
    cache.keyOf(plainJob, sourceOf("{}")),
    cache.keyOf(plainJob, sourceOf("{ }")),
    cache.keyOf(other, sourceOf("{}")),
    cache.keyOf(plainJob, sourceOf("{}", "other.json")),
  ]);
  expect(new Set(keys).size).toBe(4);
  expect(await openCache().keyOf(plainJob, sourceOf("{}"))).toBe(keys[0]);
});

test("a document that it refers to and that has changed makes it void", async () => {
  const beside = sourceOf({ get: {} }, "beside.json");
  const digest = "sha256:7cd6a2e0b1ff3e4d1ddd1a3a1f1d0a0c0e1e1b1a191817161514131211100f0e";
  const outcome = {
    ...kept.outcome,
    documents: [...kept.outcome.documents, { url: "file:///documents/beside.json", digest }],
  };
  await openCache().write("key", { ...kept, outcome });
  expect(await openCache().read("key", async () => ({ ok: true, source: beside }))).toBeUndefined();
  expect(await openCache().read("key", async () => ({ ok: false, reason: "it is gone." }))).toBeUndefined();
});

test("a file that was cut or changed is not used", async () => {
  await openCache().write("key", kept);
  const path = join(folder, "key.compiled");
  const bytes = await readFile(path);
  for (const broken of [
    bytes.subarray(0, -1),
    bytes.subarray(0, 20),
    Buffer.concat([bytes, bytes]),
    Buffer.from("\n"),
  ]) {
    await writeFile(path, broken);
    expect(await openCache().read("key", readNothing)).toBeUndefined();
  }
  bytes[bytes.length - 1] = 255;
  await writeFile(path, bytes);
  expect(await openCache().read("key", readNothing)).toBeUndefined();
});

test("a folder that can't be written costs a line in the log", async () => {
  await writeFile(folder, "a file in its place");
  await openCache().write("key", kept);
  expect(logged).toEqual(["A compiled document can't be kept for the next start."]);
});

test("of many files the last used stay", async () => {
  const cache = openCache();
  for (let index = 0; index < 64; index += 1) {
    await cache.write(`key-${index}`, kept);
    const used = new Date(1_700_000_000_000 + index * 1000);
    await utimes(join(folder, `key-${index}.compiled`), used, used);
  }
  await cache.read("key-0", readNothing);
  await cache.write("key-64", kept);
  const names = await readdir(folder);
  expect(names).toHaveLength(64);
  expect(names).toContain("key-0.compiled");
  expect(names).not.toContain("key-1.compiled");
});

test("a second start takes from the cache what the first one compiled, with what it refers to", async () => {
  const extra = { "/here": { $ref: "./beside.json" } };
  const beside = { get: { operationId: "beside", responses: {} } };
  const asked: string[] = [];
  const start = async (): Promise<readonly string[]> => {
    const compile = createDocumentCompiler(openCache());
    const compiled = await compile(
      plainJob,
      sourceOf(largeDocument(extra)),
      async (url) => {
        asked.push(url);
        return { ok: true, source: sourceOf(beside, "beside.json") };
      },
      noAbort(),
    );
    return compiled.operations.map(({ id, inputSchema }) => `${id} ${JSON.stringify(inputSchema)}`);
  };
  const first = await start();
  const [name = ""] = await readdir(folder);
  const written = await stat(join(folder, name));
  expect(await start()).toEqual(first);
  expect(await readdir(folder)).toEqual([name]);
  // It was used, and not written anew.
  expect((await stat(join(folder, name))).ino).toBe(written.ino);
  expect(asked).toHaveLength(2);
});
