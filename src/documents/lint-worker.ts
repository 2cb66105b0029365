import { parentPort } from "node:worker_threads";
import { type LintAnswer, lintDocument } from "./lint-document.ts";
import type { LintQuestion } from "./lint-documents.ts";

// The thread in which `lint-documents.ts` has documents compared.
parentPort?.on("message", async ({ source, location }: LintQuestion) => {
  const answer = await lintDocument(source, location).catch(
    (error: unknown): LintAnswer => ({ skipped: error instanceof Error ? error.message : String(error) }),
  );
  parentPort?.postMessage(answer);
});
