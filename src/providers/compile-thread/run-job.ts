import { type DocumentSource, readDocument } from "../../documents/load-document.ts";
import type { Operation } from "../../model/catalog.ts";
import { compileEach } from "../openapi/compile.ts";
import { loadRelatedDocuments, type ReadRelated, urlOf } from "../openapi/related-documents.ts";
import { type CompileJob, type CompileOutcome, fromOutline } from "./compile-job.ts";

/**
 * Does a job on the thread that calls it. Gives way to other work of the thread between operations, but not while it parses.
 *
 * @param entry the bytes of the document that the surface names.
 * @param read gets the documents that it refers to.
 * @param take is given the operations, in the order of the document.
 */
export async function runJob(
  { surface, provider, allowedHosts }: CompileJob,
  entry: DocumentSource,
  read: ReadRelated,
  take: (operation: Operation) => void,
): Promise<CompileOutcome> {
  const loaded = readDocument(entry, surface.document, surface.documentLimits);
  if (!loaded.ok) return { diagnostics: loaded.diagnostics, documents: [] };
  const { document } = loaded;
  const related = await loadRelatedDocuments(document, surface, read);
  const facts = { document, surface, provider: fromOutline(provider), related, allowedHosts, isUsedUp: true };
  const diagnostics = await compileEach(facts, take);
  const documents = [
    { url: urlOf(surface.document), digest: document.digest },
    ...related.files.map((file) => ({ url: file.url, digest: file.document.digest })),
  ];
  return { diagnostics, documents };
}
