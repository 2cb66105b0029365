import type { DocumentSource } from "../../documents/load-document.ts";
import type { Operation } from "../../model/catalog.ts";
import type { ReadRelated } from "../openapi/related-documents.ts";
import { shareThread } from "../share-thread.ts";
import type { CompileCache } from "./compile-cache.ts";
import type { CompileJob, CompileOutcome } from "./compile-job.ts";
import { type PackedOperations, unpackOperations } from "./pack-operations.ts";
import { runApart } from "./run-apart.ts";
import { runJob } from "./run-job.ts";

/**
 * Compiles a document that was read, with those that it refers to.
 *
 * @param entry not to be used any more afterwards.
 */
export type CompileDocument = (
  job: CompileJob,
  entry: DocumentSource,
  read: ReadRelated,
  signal: AbortSignal,
) => Promise<CompiledDocuments>;

/** What a job came to. */
export interface CompiledDocuments extends CompileOutcome {
  readonly operations: readonly Operation[];
}

/**
 * Bytes from which a document gets a thread of its own. What a smaller one can be made to cost, at worst, is some 70 ms without a turn for
 * them; a thread takes as long to start.
 */
const largeDocument = 64 * 1024;

/**
 * Makes the compiler of a gateway. Small documents are compiled on the spot; a large one has a thread of its own, one after the other,
 * because memory is what they take most of, and comes from the cache where that has it.
 */
export function createDocumentCompiler(cache: CompileCache | undefined): CompileDocument {
  let last: Promise<unknown> = Promise.resolve();

  async function compileApart(
    ...[job, entry, read, signal]: Parameters<CompileDocument>
  ): Promise<CompiledDocuments> {
    const key = await cache?.keyOf(job, entry);
    const cached = key === undefined ? undefined : await cache?.read(key, read);
    if (cached !== undefined) return unpack(cached.packs, cached.outcome);
    const packs: PackedOperations[] = [];
    const operations: Operation[] = [];
    const take = (pack: PackedOperations): void => {
      if (key !== undefined) packs.push(pack);
      operations.push(...unpackOperations(pack));
    };
    const outcome = await runApart(job, entry, read, take, signal);
    if (key !== undefined && outcome.documents.length > 0) await cache?.write(key, { packs, outcome });
    return { ...outcome, operations };
  }

  return async (job, entry, read, signal) => {
    if (entry.bytes.length < largeDocument) {
      const operations: Operation[] = [];
      const outcome = await runJob(job, entry, read, (operation) => operations.push(operation));
      return { ...outcome, operations };
    }
    const running = last.then(() => compileApart(job, entry, read, signal));
    last = running.catch(() => {});
    return running;
  };
}

async function unpack(
  packs: readonly PackedOperations[],
  outcome: CompileOutcome,
): Promise<CompiledDocuments> {
  const giveWay = shareThread();
  const operations: Operation[] = [];
  for (const pack of packs) {
    operations.push(...unpackOperations(pack));
    await giveWay();
  }
  return { ...outcome, operations };
}
