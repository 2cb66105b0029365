import type { LoadedDocument } from "../../documents/load-document.ts";
import type { OpenApiSurface, ProviderConfig } from "../../model/config.ts";
import { createHttpExecutor } from "../http/execute.ts";
import { isReadableOffline, type ProviderContext, type ProviderKind } from "../provider-kind.ts";
import { type CompiledDocument, compileOpenApi } from "./compile.ts";
import { loadRelatedDocuments } from "./related-documents.ts";

/** Surfaces described by an OpenAPI document, version 2.0 to 3.2. */
export const openApiKind: ProviderKind<OpenApiSurface> = {
  kind: "openapi",
  compilesOffline: ({ document }) => isReadableOffline(document),
  async open(surface, provider, context) {
    const headers = documentHeaders(surface, context);
    const loaded = await context.documents.document(surface.document, { signal: context.signal, headers });
    const compiled = loaded.ok
      ? await compileLoaded(loaded.document, surface, provider, context)
      : { operations: [], diagnostics: loaded.diagnostics };
    return {
      ...compiled,
      executor: createHttpExecutor(provider, context.http),
      origin: "declared",
      close: async () => {},
    };
  },
};

async function compileLoaded(
  document: LoadedDocument,
  surface: OpenApiSurface,
  provider: ProviderConfig,
  { documents, signal }: ProviderContext,
): Promise<CompiledDocument> {
  const related = await loadRelatedDocuments(document, surface.document, documents, signal);
  return compileOpenApi(document, surface, provider, related);
}

/** The API's credential goes along only when the document comes from the API itself. */
function documentHeaders(
  surface: OpenApiSurface,
  context: ProviderContext,
): Readonly<Record<string, string>> {
  const { document, baseUrl } = surface;
  if (document.kind === "file" || baseUrl === undefined) return {};
  if (new URL(document.url).origin !== new URL(baseUrl).origin) return {};
  const { headers } = context.credential(surface.connection);
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.reveal()]));
}
