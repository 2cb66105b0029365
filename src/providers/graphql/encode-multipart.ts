import { createHash } from "node:crypto";
import type { JsonObject } from "../../model/json.ts";
import type { ExtractedFile } from "./extract-files.ts";

/**
 * A request with files as the GraphQL multipart request specification has it: the operation, then the places of the files,
 * then the files.
 */
export function encodeMultipart(
  operation: JsonObject,
  files: readonly ExtractedFile[],
): { readonly contentType: string; readonly body: Uint8Array } {
  const map = Object.fromEntries(files.map(({ path }, index) => [String(index), [path]]));
  const parts: readonly (readonly [string, Uint8Array | string])[] = [
    [disposition("operations"), JSON.stringify(operation)],
    [disposition("map"), JSON.stringify(map)],
    ...files.map(({ bytes, mediaType = "application/octet-stream", name = "file" }, index) => {
      const head = `${disposition(String(index))}; filename="${quoted(name)}"\r\nContent-Type: ${mediaType}`;
      return [head, bytes] as const;
    }),
  ];
  // A boundary made from the content can't be foreseen by who writes only a part of it.
  const digest = createHash("sha256");
  for (const [head, content] of parts) digest.update(head).update(content);
  const boundary = `gateway-${digest.digest("hex").slice(0, 32)}`;
  const chunks = parts.flatMap(([head, content]) => [`--${boundary}\r\n${head}\r\n\r\n`, content, "\r\n"]);
  const body = Buffer.concat([...chunks, `--${boundary}--\r\n`].map((chunk) => Buffer.from(chunk)));
  return { contentType: `multipart/form-data; boundary=${boundary}`, body };
}

function disposition(name: string): string {
  return `Content-Disposition: form-data; name="${name}"`;
}

/** The escapes of the HTML standard for names in multipart/form-data. */
function quoted(text: string): string {
  return text.replace(/["\r\n]/g, (character) => encodeURIComponent(character));
}
