import { createReadStream } from "node:fs";
import { relative } from "node:path";
import { GatewayError } from "../errors.ts";
import { missingPermission } from "../missing-permission.ts";
import { readLimited } from "../upstream/read-limited.ts";
import { type DocumentBytes, documentTooLarge } from "./document-bytes.ts";
import { usualDocumentLimits } from "./document-limits.ts";

/** Reads a file whole, and never more of it than a document may have, whatever the file says of its own size. */
export async function readDocumentFile(
  path: string,
  signal: AbortSignal,
  mostBytes = usualDocumentLimits.bytes,
): Promise<DocumentBytes> {
  try {
    const bytes = await readLimited(createReadStream(path, { signal }), mostBytes);
    return { ok: true, bytes };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof GatewayError && error.code === "answer_too_large")
      return documentTooLarge(mostBytes);
    return { ok: false, ...describeFileError(error) };
  }
}

/** The path as people should read it: relative to the working directory where that is shorter. */
export function nameOfFile(path: string, workingDirectory: string): string {
  const name = relative(workingDirectory, path);
  return name.length < path.length ? name || "." : path;
}

/** What an error of the file system means for a document. */
export function describeFileError(
  error: unknown,
): Pick<Extract<DocumentBytes, { ok: false }>, "code" | "message"> {
  const permission = missingPermission(error);
  if (permission !== undefined)
    return { code: "document-unreadable", message: `can't be read. Start Node with ${permission}.` };
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return { code: "document-not-found", message: "does not exist." };
    case "EISDIR":
      return { code: "document-unreadable", message: "is a folder, not a file. Name the document in it." };
    case "EACCES":
    case "EPERM":
      return { code: "document-unreadable", message: "can't be read: permission denied." };
    default:
      return { code: "document-unreadable", message: `can't be read (${String(code ?? "unknown reason")}).` };
  }
}
