import { describe, expect, test } from "vitest";
import type { Operation } from "../../../src/model/catalog.ts";
import { outlineProvider } from "../../../src/providers/compile-thread/compile-job.ts";
import {
  type CompiledDocuments,
  createDocumentCompiler,
} from "../../../src/providers/compile-thread/document-compiler.ts";
import { runApart } from "../../../src/providers/compile-thread/run-apart.ts";
import { runJob } from "../../../src/providers/compile-thread/run-job.ts";
import { Secret } from "../../../src/secret.ts";
import { noAbort } from "../../upstream/loopback.ts";
import { corpusFiles, corpusNote, hasCorpus, readCorpusFile } from "../openapi/corpus.ts";
import { largeDocument, plainJob, readNothing, sourceOf } from "./jobs.ts";

const compile = createDocumentCompiler(undefined);

/** What JSON says of operations: a missing member is one that is `undefined`. */
function plain(operations: readonly Operation[]): unknown {
  return JSON.parse(JSON.stringify(operations.map(({ packed, ...facts }) => facts)));
}

/** The same on this thread. */
async function compileHere(
  document: unknown,
): Promise<Pick<CompiledDocuments, "operations" | "diagnostics">> {
  const operations: Operation[] = [];
  const source = sourceOf(document);
  const { diagnostics } = await runJob(plainJob, source, readNothing, (operation) =>
    operations.push(operation),
  );
  return { operations, diagnostics };
}

describe("a large document", () => {
  test("comes to the same on a thread of its own", async () => {
    const broken = { "/broken": { get: { parameters: [{ $ref: "#/nowhere" }], responses: {} } } };
    const apart = await compile(plainJob, sourceOf(largeDocument(broken)), readNothing, noAbort());
    const here = await compileHere(largeDocument(broken));
    expect(apart.operations).toHaveLength(401);
    expect(plain(apart.operations)).toEqual(plain(here.operations));
    expect(apart.diagnostics).toEqual(here.diagnostics);
    expect(apart.diagnostics).not.toEqual([]);
  });

  test.skipIf(!hasCorpus)(`of the real world does, too${corpusNote}`, { timeout: 60_000 }, async () => {
    for (const name of corpusFiles("openapi/real").filter((file) => /stripe|rebilly/.test(file))) {
      const text = readCorpusFile(name).toString();
      const apart = await compile(plainJob, sourceOf(text), readNothing, noAbort());
      expect(plain(apart.operations)).toEqual(plain((await compileHere(text)).operations));
    }
  });

  test("tells equal schemas by their digests, and is read again whenever it is asked for", async () => {
    const { operations } = await compile(plainJob, sourceOf(largeDocument()), readNothing, noAbort());
    const [first, second] = operations;
    expect(first?.packed?.schemas).toBe(second?.packed?.schemas);
    expect(first?.packed?.binding).not.toBe(second?.packed?.binding);
    expect(first?.inputSchema).toEqual(second?.inputSchema);
    expect(first?.binding).toMatchObject({ kind: "http", path: "/things/0/{id}" });
    expect(first?.outputSchema).toMatchObject({ type: "object" });
  });

  test("that is none is a diagnostic at its place", async () => {
    const text = JSON.stringify(largeDocument()).slice(0, -1);
    const { operations, diagnostics } = await compile(plainJob, sourceOf(text), readNothing, noAbort());
    expect(operations).toEqual([]);
    expect(diagnostics).toMatchObject([{ severity: "error", code: "document-syntax" }]);
  });

  test("gets what it refers to from the thread that asks, which may refuse", async () => {
    const asked: string[] = [];
    const extra = {
      "/here": { $ref: "./beside.json" },
      "/there": { $ref: "https://elsewhere.example.com/x.json" },
    };
    const beside = { get: { operationId: "beside", responses: {} } };
    const compiled = await compile(
      plainJob,
      sourceOf(largeDocument(extra)),
      async (url) => {
        asked.push(url);
        return url.startsWith("file:")
          ? { ok: true, source: sourceOf(beside, "beside.json") }
          : { ok: false, reason: "nobody goes there." };
      },
      noAbort(),
    );
    expect(asked.toSorted()).toEqual([
      "file:///documents/beside.json",
      "https://elsewhere.example.com/x.json",
    ]);
    expect(compiled.operations.map(({ id }) => id)).toContain("beside");
    expect(compiled.documents.map(({ url }) => url)).toEqual([
      "file:///documents/acme.json",
      "file:///documents/beside.json",
    ]);
    expect(compiled.diagnostics).toMatchObject([{ code: "operation-dropped" }]);
    expect(compiled.diagnostics[0]?.message).toContain("nobody goes there.");
  });

  test("fails as reading what it refers to fails", async () => {
    const extra = { "/here": { $ref: "./beside.json" } };
    const away = new Error("The server is away.");
    const compiling = compile(
      plainJob,
      sourceOf(largeDocument(extra)),
      () => Promise.reject(away),
      noAbort(),
    );
    await expect(compiling).rejects.toBe(away);
  });
});

describe("a thread", () => {
  test("never sees the values that the provider sends", () => {
    const provider = {
      headers: { "X-Key": new Secret("s3cret"), "X-Plain": "visible" },
      managedParameters: [
        { name: "key", in: "query", value: new Secret("s3cret"), place: plainJob.surface.place },
      ],
    } as const;
    const outline = structuredClone(outlineProvider(provider));
    expect(JSON.stringify(outline)).not.toMatch(/s3cret|visible/);
    expect(outline.headers).toEqual([
      { name: "X-Key", isSecret: true },
      { name: "X-Plain", isSecret: false },
    ]);
  });

  test("that takes too long is ended, and that is a diagnostic", async () => {
    const limits = { milliseconds: 0, memory: 512 };
    const source = sourceOf(largeDocument());
    const outcome = await runApart(plainJob, source, readNothing, () => {}, noAbort(), limits);
    expect(outcome.diagnostics).toMatchObject([{ severity: "error", code: "document-too-large" }]);
    expect(outcome.diagnostics[0]?.message).toContain("more than 0 s");
  });

  test("that takes too much memory ends alone, and that is a diagnostic", { timeout: 60_000 }, async () => {
    const limits = { milliseconds: 50_000, memory: 24 };
    const source = sourceOf(`{"openapi":"3.1.0","x":[${"{},".repeat(1_500_000)}0]}`);
    const outcome = await runApart(plainJob, source, readNothing, () => {}, noAbort(), limits);
    expect(outcome.diagnostics).toMatchObject([{ code: "document-too-large" }]);
    expect(outcome.diagnostics[0]?.message).toContain("24 MiB of memory");
  });

  test("ends with the call that wanted it", async () => {
    const cancelled = new Error("No longer wanted.");
    const controller = new AbortController();
    const compiling = compile(plainJob, sourceOf(largeDocument()), readNothing, controller.signal);
    controller.abort(cancelled);
    await expect(compiling).rejects.toBe(cancelled);
    const next = await compile(plainJob, sourceOf(largeDocument()), readNothing, noAbort());
    expect(next.operations).toHaveLength(400);
  });
});
