import { dirname } from "node:path";
import { createDocumentLoader } from "../../../src/documents/load-document.ts";
import { type CompiledDocument, compileOpenApi } from "../../../src/providers/openapi/compile.ts";
import { createRelatedReader } from "../../../src/providers/openapi/read-related.ts";
import { loadRelatedDocuments } from "../../../src/providers/openapi/related-documents.ts";
import type { HttpClient } from "../../../src/upstream/http-client.ts";
import { noAbort } from "../../upstream/loopback.ts";
import { surfaceOf } from "./compile-text.ts";

const refuse = (): never => {
  throw new Error("A document in a file must not reach for the network.");
};
const noNetwork: HttpClient = { request: refuse, stream: refuse, close: async () => {} };

/** Compiles a document in a file, with the files that it refers to; names are relative to its folder. */
export async function compileFile(path: string): Promise<CompiledDocument> {
  const workingDirectory = dirname(path);
  const documents = createDocumentLoader({ http: noNetwork, remote: "fetch", workingDirectory });
  const base = surfaceOf("");
  const location = { kind: "file", path, place: base.document.place } as const;
  const loaded = await documents.document(location, { signal: noAbort() });
  if (!loaded.ok) return { operations: [], diagnostics: loaded.diagnostics };
  const { document } = loaded;
  const read = createRelatedReader({
    location,
    limits: base.documentLimits,
    documents,
    allowedHosts: [],
    headers: {},
    signal: noAbort(),
  });
  const surface = { ...base, document: location };
  const related = await loadRelatedDocuments(document, surface, read);
  const provider = { headers: {}, managedParameters: [] };
  return compileOpenApi({ document, surface, provider, related, allowedHosts: [] });
}
