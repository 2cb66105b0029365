import type { DocumentSource } from "../../../src/documents/load-document.ts";
import type { CompileJob } from "../../../src/providers/compile-thread/compile-job.ts";
import type { ReadRelated } from "../../../src/providers/openapi/related-documents.ts";
import { surfaceOf } from "../openapi/compile-text.ts";

/** A job as the gateway has it for a surface without any options. */
export const plainJob: CompileJob = {
  surface: surfaceOf("acme.json"),
  provider: { headers: [], managedParameters: [] },
  allowedHosts: [],
};

/** The bytes of a document, in memory of their own as a file's are. */
export function sourceOf(document: unknown, name = "acme.json"): DocumentSource {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  return { name, location: `/documents/${name}`, bytes: new TextEncoder().encode(text) };
}

/** A document of some hundred operations, large enough for a thread of its own. */
export function largeDocument(extra: Readonly<Record<string, unknown>> = {}): object {
  const count = 400;
  const paths = Array.from({ length: count }, (_, index) => [
    `/things/${index}/{id}`,
    {
      post: {
        operationId: `change-${index}`,
        summary: `Changes thing ${index}. ${"It is described at length. ".repeat(12)}`,
        parameters: [
          { name: "id", in: "path", required: true, schema: { type: "string" } },
          { name: "X-Trace", in: "header", schema: { type: "string" } },
        ],
        requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/Thing" } } } },
        responses: {
          200: { content: { "application/json": { schema: { $ref: "#/components/schemas/Thing" } } } },
        },
      },
    },
  ]);
  return {
    openapi: "3.1.0",
    paths: { ...Object.fromEntries(paths), ...extra },
    components: {
      schemas: {
        Thing: { type: "object", properties: { name: { type: "string" }, size: { type: "integer" } } },
      },
    },
  };
}

/** For documents that refer to no others. */
export const readNothing: ReadRelated = async (url) => {
  throw new Error(`Nobody should ask for ${url}.`);
};
