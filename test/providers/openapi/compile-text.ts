import { createLocator } from "../../../src/documents/locate-in-document.ts";
import { parseDocument } from "../../../src/documents/parse-document.ts";
import type { OpenApiSurface } from "../../../src/model/config.ts";
import type { OwnParameters } from "../../../src/providers/http/parameter-source.ts";
import { type CompiledDocument, compileOpenApi } from "../../../src/providers/openapi/compile.ts";
import { noRelatedDocuments } from "../../../src/providers/openapi/related-documents.ts";
import { usualLimits } from "../../limits.ts";

const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };

/** A surface of a document in a file. `baseUrl: null`: the file names none. */
export function surfaceOf(name: string, baseUrl: string | null = "https://api.example.com"): OpenApiSurface {
  return {
    kind: "openapi",
    connection: "default",
    connectionNamed: false,
    place,
    document: { kind: "file", path: `/documents/${name}`, place },
    baseUrl: baseUrl ?? undefined,
    server: undefined,
    serverVariables: {},
    deprecated: "include",
    sends: ["bearer", "header:authorization"],
    schemaBudget: 32_000,
    documentLimits: usualLimits.documents,
  };
}

/** Compiles a document given as text; `undefined` when it is neither JSON nor YAML. */
export async function compileText(
  name: string,
  text: string,
  surface: OpenApiSurface = surfaceOf(name),
  provider: Partial<OwnParameters> = {},
): Promise<CompiledDocument | undefined> {
  const parsed = parseDocument(text);
  if (!parsed.ok) return undefined;
  const locate = createLocator(name, `/documents/${name}`, text);
  const location = surface.document.kind === "url" ? surface.document.url : surface.document.path;
  return compileOpenApi({
    document: { name, location, length: text.length, digest: "sha256:0", value: parsed.value, locate },
    surface,
    provider: { headers: {}, managedParameters: [], ...provider },
    related: noRelatedDocuments,
    allowedHosts: [],
  });
}

/** Compiles a document given as a value. */
export async function compileValue(
  document: unknown,
  surface?: OpenApiSurface,
  provider?: Partial<OwnParameters>,
): Promise<CompiledDocument> {
  const text = JSON.stringify(document, undefined, 2);
  const compiled = await compileText("document.json", text, surface, provider);
  if (!compiled) throw new Error("The document can't be parsed.");
  return compiled;
}
