// The entry of a compile thread: does the one job it is sent. It has no way out: documents come from the main thread.
import { parentPort } from "node:worker_threads";
import type { ReadRelated } from "../openapi/related-documents.ts";
import { OperationPacker } from "./pack-operations.ts";
import { runJob } from "./run-job.ts";
import type { FromThread, ToThread } from "./thread-messages.ts";

/** A document, or why there is none. */
type Answer = Awaited<ReturnType<ReadRelated>>;

const port = parentPort;
if (port === null) throw new Error("This module is the entry of a thread.");

const send = (message: FromThread, transfer: readonly ArrayBuffer[] = []): void =>
  port.postMessage(message, transfer);

const waiting: ((answer: Answer) => void)[] = [];
const read: ReadRelated = (url) => {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  send({ kind: "read", number: waiting.push(resolve) - 1, url });
  return promise;
};

port.on("message", (message: ToThread) => {
  if (message.kind === "compile") void compile(message);
  else waiting[message.number]?.(message.answer);
});

async function compile({ job, entry }: Extract<ToThread, { kind: "compile" }>): Promise<void> {
  const packer = new OperationPacker((pack) =>
    send({ kind: "pack", pack }, [pack.heads.buffer, pack.rest.buffer]),
  );
  const outcome = await runJob(job, entry, read, (operation) => packer.add(operation));
  packer.end();
  send({ kind: "done", outcome });
}
