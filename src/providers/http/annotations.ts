import type { ToolAnnotations } from "../../model/catalog.ts";

/** What an HTTP method promises of a call (RFC 9110 section 9.2), as hints to clients. */
export function annotationsOf(method: string): ToolAnnotations {
  const readOnlyHint = ["GET", "HEAD", "OPTIONS", "QUERY", "TRACE"].includes(method);
  return {
    readOnlyHint,
    destructiveHint: method === "DELETE",
    idempotentHint: readOnlyHint || method === "PUT" || method === "DELETE",
    openWorldHint: true,
  };
}
