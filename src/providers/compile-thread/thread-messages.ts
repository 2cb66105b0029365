import type { DocumentSource } from "../../documents/load-document.ts";
import type { ReadRelated } from "../openapi/related-documents.ts";
import type { CompileJob, CompileOutcome } from "./compile-job.ts";
import type { PackedOperations } from "./pack-operations.ts";

/** What a compile thread sends. Its last message is `done`. */
export type FromThread =
  /** Asks for a document; the answer carries the same number. */
  | { readonly kind: "read"; readonly number: number; readonly url: string }
  | { readonly kind: "pack"; readonly pack: PackedOperations }
  | { readonly kind: "done"; readonly outcome: CompileOutcome };

/** What a compile thread is sent. Nothing comes by `workerData`, which a thread holds on to until it ends. */
export type ToThread =
  /** The first message, and the only one of its kind. */
  | { readonly kind: "compile"; readonly job: CompileJob; readonly entry: DocumentSource }
  /** A document that was asked for, or why the thread does not get it. */
  | { readonly kind: "answer"; readonly number: number; readonly answer: Awaited<ReturnType<ReadRelated>> };
