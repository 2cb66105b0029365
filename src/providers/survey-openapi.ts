import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { createDocumentLoader, type DocumentLoader } from "../documents/load-document.ts";
import { asObject } from "../json-object.ts";
import type { DocumentLocation } from "../model/config.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import { createHttpClient } from "../upstream/undici-client.ts";
import { resolveBaseUrl } from "./openapi/base-url.ts";
import { detectVersion } from "./openapi/read-document.ts";

/** What a new configuration needs to know of an OpenAPI document. */
export interface OpenApiSurvey {
  readonly title: string | undefined;
  /** The address that the document gives; `undefined` when it gives none that can be used, so that `base_url` is needed. */
  readonly baseUrl: string | undefined;
  readonly auth: SuggestedAuth | undefined;
}

/** How the API wants to be authenticated, by the first security scheme that a configuration can serve with fixed values. */
export type SuggestedAuth =
  | { readonly type: "bearer" }
  | { readonly type: "basic" }
  | { readonly type: "key"; readonly in: "header" | "query"; readonly name: string };

/** Reads a document for `gateway init`. */
export async function surveyOpenApi(
  location: DocumentLocation,
  documents: DocumentLoader,
  signal: AbortSignal,
): Promise<{ readonly survey: OpenApiSurvey } | { readonly diagnostics: readonly Diagnostic[] }> {
  const loaded = await documents.document(location, { signal });
  if (!loaded.ok) return { diagnostics: loaded.diagnostics };
  const root = asObject(loaded.document.value) ?? {};
  const version = detectVersion(root);
  if (version === undefined) {
    const message = `\`${loaded.document.name}\` is not an OpenAPI document: it has neither \`openapi: 3.x\` nor \`swagger: "2.0"\`.`;
    return { diagnostics: [{ severity: "error", code: "document-unsupported", message }] };
  }
  const title = asObject(root["info"])?.["title"];
  const base = resolveBaseUrl(
    version === "2.0" ? swaggerServer(root) : openApiServer(root),
    location.kind === "url" ? loaded.document.location : undefined,
  );
  const schemes =
    version === "2.0" ? root["securityDefinitions"] : asObject(root["components"])?.["securitySchemes"];
  return {
    survey: {
      title: typeof title === "string" ? title : undefined,
      baseUrl: base.ok ? base.url : undefined,
      auth: Object.values(asObject(schemes) ?? {})
        .map(suggestAuth)
        .find((auth) => auth !== undefined),
    },
  };
}

function suggestAuth(scheme: JsonValue): SuggestedAuth | undefined {
  const { type, scheme: httpScheme, name, in: location } = asObject(scheme) ?? {};
  if (type === "apiKey" && typeof name === "string" && (location === "header" || location === "query")) {
    return { type: "key", in: location, name };
  }
  const http = typeof httpScheme === "string" ? httpScheme.toLowerCase() : undefined;
  if (type === "basic" || (type === "http" && http === "basic")) return { type: "basic" };
  if (type === "oauth2" || type === "openIdConnect" || (type === "http" && http === "bearer"))
    return { type: "bearer" };
  return undefined;
}

function openApiServer({ servers }: JsonObject): string | undefined {
  const first = asObject(Array.isArray(servers) ? servers[0] : undefined);
  const url = first?.["url"];
  return typeof url === "string" ? url : undefined;
}

function swaggerServer({ schemes, host, basePath }: JsonObject): string | undefined {
  if (typeof host !== "string") return typeof basePath === "string" ? basePath : undefined;
  const known: readonly JsonValue[] = Array.isArray(schemes) ? schemes : [];
  return `${known.includes("http") && !known.includes("https") ? "http" : "https"}://${host}${typeof basePath === "string" ? basePath : ""}`;
}

/** Reads an OpenAPI document for `gateway init`. `source` is a URL or an absolute path. */
export async function surveyDocument(
  source: string,
  workingDirectory: string,
): ReturnType<typeof surveyOpenApi> {
  const http = createHttpClient();
  const place = { file: source, line: 1, column: 1, endLine: 1, endColumn: 1 };
  const location: DocumentLocation = /^https?:/i.test(source)
    ? { kind: "url", url: source, place }
    : { kind: "file", path: source, place };
  try {
    const documents = createDocumentLoader({ http, remote: "fetch", workingDirectory });
    return await surveyOpenApi(location, documents, new AbortController().signal);
  } finally {
    await http.close();
  }
}
