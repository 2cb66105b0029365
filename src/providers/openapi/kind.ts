import { fileURLToPath } from "node:url";
import type { OpenApiSurface } from "../../model/config.ts";
import { outlineProvider } from "../compile-thread/compile-job.ts";
import { currentOf } from "../credential-source.ts";
import { createHttpExecutor } from "../http/execute.ts";
import { isReadableOffline, type ProviderContext, type ProviderKind } from "../provider-kind.ts";
import { isSameOrigin } from "../same-origin.ts";
import { createRelatedReader } from "./read-related.ts";
import { type ReadRelated, urlOf } from "./related-documents.ts";

/** Surfaces described by an OpenAPI document, version 2.0 to 3.2. */
export const openApiKind: ProviderKind<OpenApiSurface> = {
  kind: "openapi",
  compilesOffline: ({ document }) => isReadableOffline(document),
  async open(surface, provider, context) {
    const { documents, signal, allowedHosts } = context;
    const headers = await documentHeaders(surface, context);
    const files: string[] = surface.document.kind === "file" ? [surface.document.path] : [];
    const rest = {
      files,
      executor: createHttpExecutor(provider, context.http, { budget: context.retryBudget }),
      origin: "declared",
      close: async () => {},
    } as const;
    const entry = await documents.source(surface.document, {
      signal,
      headers,
      limits: surface.documentLimits,
    });
    if (!entry.ok) return { ...rest, operations: [], diagnostics: entry.diagnostics };
    const job = { surface, provider: outlineProvider(provider), allowedHosts };
    const read = createRelatedReader({
      location: surface.document,
      limits: surface.documentLimits,
      documents,
      allowedHosts,
      headers,
      signal,
    });
    const folder = new URL(".", urlOf(surface.document)).href;
    const readAndRecord: ReadRelated = (url) => {
      // One that is not there, or broken, is worth a look once it changes.
      if (url.startsWith("file:") && url.startsWith(folder)) files.push(fileURLToPath(url));
      return read(url);
    };
    const { operations, diagnostics } = await context.compile(job, entry.document, readAndRecord, signal);
    return { ...rest, operations, diagnostics };
  },
};

/** The API's credential goes along only when the document comes from the API itself. */
async function documentHeaders(
  surface: OpenApiSurface,
  context: ProviderContext,
): Promise<Readonly<Record<string, string>>> {
  const { document, baseUrl } = surface;
  const { signal } = context;
  if (document.kind === "file" || baseUrl === undefined) return {};
  if (!isSameOrigin(document.url, baseUrl)) return {};
  const { headers } = await currentOf(context.credential(surface.connection), signal);
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.reveal()]));
}
