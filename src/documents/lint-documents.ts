import { once } from "node:events";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { DocumentLocation } from "../model/config.ts";
import type { LintAnswer } from "./lint-document.ts";
import type { DocumentSource } from "./load-document.ts";
import { threadPermissions } from "./thread-permissions.ts";

/** One document to be linted. */
export interface LintQuestion {
  readonly source: DocumentSource;
  /** Where the document is named. */
  readonly location: DocumentLocation;
}

/** What one document may take. */
export interface LintLimits {
  /** Larger documents are left out: they take seconds. */
  readonly bytes: number;
  /** Usual documents take a tenth of a second. */
  readonly milliseconds: number;
  /** Of the thread, in MiB. */
  readonly memory: number;
}

const defaultLimits: LintLimits = { bytes: 2_000_000, milliseconds: 15_000, memory: 512 };

/**
 * Lints OpenAPI documents one after the other in a thread of their own, with limits on time and memory; starts none without
 * documents. A document that can't be linted, for whatever reason, is an information and no more.
 */
export async function lintDocuments(
  questions: readonly LintQuestion[],
  limits: LintLimits = defaultLimits,
): Promise<readonly Diagnostic[]> {
  const diagnostics: Diagnostic[] = [];
  let worker: Worker | undefined;
  for (const question of questions) {
    if (question.source.bytes.length > limits.bytes) {
      diagnostics.push(notLinted(question, `it is larger than ${limits.bytes / 1_000_000} MB`));
      continue;
    }
    worker ??= startWorker(limits);
    const answer = await ask(worker, question, limits);
    if (answer === undefined) {
      diagnostics.push(notLinted(question, "it takes too much time or memory"));
      await worker.terminate();
      worker = undefined;
    } else if ("skipped" in answer) {
      diagnostics.push(notLinted(question, answer.skipped));
    } else {
      diagnostics.push(...answer.diagnostics);
    }
  }
  await worker?.terminate();
  return diagnostics;
}

function startWorker({ memory }: LintLimits): Worker {
  // The sources run as they are, too: the neighbour has the ending of this file.
  return new Worker(new URL(`./lint-worker${extname(import.meta.filename)}`, import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: memory },
    // Foreign documents have no use for what the process was started with.
    env: {},
    execArgv: [...threadPermissions()],
  });
}

/** `undefined`: the thread had to give up. */
async function ask(
  worker: Worker,
  question: LintQuestion,
  { milliseconds }: LintLimits,
): Promise<LintAnswer | undefined> {
  worker.postMessage(question);
  try {
    const signal = AbortSignal.timeout(milliseconds);
    const [answer]: LintAnswer[] = await once(worker, "message", { signal });
    return answer;
  } catch {
    // Too late, out of memory, or a thread that can't start: the document is as valid as before.
    return undefined;
  }
}

function notLinted({ source, location }: LintQuestion, reason: string): Diagnostic {
  return {
    severity: "information",
    code: "document-lint",
    message: `\`${source.name}\` was not linted: ${reason}.`,
    place: location.place,
  };
}
