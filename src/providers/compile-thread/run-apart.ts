import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { DocumentSource } from "../../documents/load-document.ts";
import { threadPermissions } from "../../documents/thread-permissions.ts";
import { GatewayError } from "../../errors.ts";
import { missingPermission } from "../../missing-permission.ts";
import type { ReadRelated } from "../openapi/related-documents.ts";
import type { CompileJob, CompileOutcome } from "./compile-job.ts";
import type { PackedOperations } from "./pack-operations.ts";
import type { FromThread, ToThread } from "./thread-messages.ts";

/** What one job may use. */
export interface ThreadLimits {
  /** Longest time for reading and compiling, in ms. */
  readonly milliseconds: number;
  /** Most memory for the document and what is made of it, in MiB. */
  readonly memory: number;
}

/** The largest public document, of 20 MB, takes 3 s; beyond this it is an attack, or a document that needs to be cut. */
const longestMilliseconds = 60_000;

/**
 * Memory for a document by its size. What one comes to is 10 times its bytes at most, as far as large ones are known.
 */
function limitsFor(bytes: number): ThreadLimits {
  return { milliseconds: longestMilliseconds, memory: 192 + Math.ceil(bytes / 1e6) * 12 };
}

/**
 * Does a job on a thread of its own, which ends with it. A document that takes too much time or memory takes its thread with it and
 * nothing else: that is a diagnostic.
 *
 * @param entry its bytes go over to the thread, and can't be read here any more.
 * @param take is given the operations as they come.
 */
export async function runApart(
  job: CompileJob,
  entry: DocumentSource,
  read: ReadRelated,
  take: (pack: PackedOperations) => void,
  signal: AbortSignal,
  limits: ThreadLimits = limitsFor(entry.bytes.length),
): Promise<CompileOutcome> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<CompileOutcome>();
  const bytes = ownBytes(entry.bytes);
  const worker = startThread(entry.name, limits);
  const tooMuch = (need: string): void =>
    resolve({ documents: [], diagnostics: [excess(entry.name, need, job)] });

  worker.on("message", (message: FromThread) => {
    switch (message.kind) {
      case "read":
        read(message.url).then((answer) => {
          const reply: ToThread = { kind: "answer", number: message.number, answer };
          worker.postMessage(reply);
        }, reject);
        return;
      case "pack":
        take(message.pack);
        return;
      case "done":
        resolve(message.outcome);
    }
  });
  worker.on("error", (error: unknown) => {
    const isMemory = error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
    if (isMemory) tooMuch(`more than ${limits.memory} MiB of memory`);
    else reject(error);
  });
  worker.on("exit", () => reject(new Error(`The thread that compiled \`${entry.name}\` ended early.`)));
  const order: ToThread = { kind: "compile", job, entry: { ...entry, bytes } };
  worker.postMessage(order, [bytes.buffer]);
  const timer = setTimeout(() => tooMuch(`more than ${limits.milliseconds / 1000} s`), limits.milliseconds);
  const cancel = (): void => reject(signal.reason);
  signal.addEventListener("abort", cancel);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", cancel);
    await worker.terminate();
  }
}

/** Bytes that have their memory to themselves, as they must to change threads. */
function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    ? new Uint8Array(buffer)
    : new Uint8Array(bytes);
}

function excess(name: string, need: string, { surface }: CompileJob): Diagnostic {
  return {
    severity: "error",
    code: "document-too-large",
    message: `\`${name}\` takes ${need} to compile, so it was given up. Reduce it to the operations that are needed.`,
    place: surface.document.place,
  };
}

function startThread(document: string, { memory }: ThreadLimits): Worker {
  try {
    return new Worker(new URL(`./worker${extname(import.meta.filename)}`, import.meta.url), {
      // More room for young objects is somewhat faster, and costs the process 100 MB while a large document is compiled.
      resourceLimits: { maxOldGenerationSizeMb: memory, maxYoungGenerationSizeMb: 12 },
      // Foreign documents have no use for what the process was started with.
      env: {},
      execArgv: [...threadPermissions()],
    });
  } catch (cause) {
    const permission = missingPermission(cause);
    if (permission === undefined) throw cause;
    throw new GatewayError(
      "provider_unavailable",
      `Node may not start the thread that compiles \`${document}\`. Start the gateway with ${permission}, or give it a document of less than 64 KiB.`,
      { cause },
    );
  }
}
