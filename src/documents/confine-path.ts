import { realpath, stat } from "node:fs/promises";
import { isAbsolute, relative, sep } from "node:path";
import type { DocumentBytes } from "./document-bytes.ts";
import { describeFileError } from "./read-document-file.ts";

/** The path that may be read, or why there is none. */
export type ConfinedPath =
  | { readonly ok: true; readonly path: string }
  | Extract<DocumentBytes, { ok: false }>;

const outside = {
  ok: false,
  code: "document-unreadable",
  message:
    "lies outside of the folder of the document that it belongs to, and references don't lead out of that folder (a symbolic link counts as what it points to). Move the file into the folder, or bundle the document into one file.",
} as const satisfies ConfinedPath;

/**
 * Where the file at `path` really is, symbolic links followed, when that is inside `folder`; both absolute. A path that
 * leads out as it is written is refused without a look at what is there.
 */
export async function confinePath(path: string, folder: string): Promise<ConfinedPath> {
  if (!isInside(path, folder)) return outside;
  try {
    const real = await realpath(path);
    if (!isInside(real, await realpath(folder))) return outside;
    // Reading a pipe or a device may never end; folders have their own message when they are read.
    const status = await stat(real);
    if (status.isFile() || status.isDirectory()) return { ok: true, path: real };
    return { ok: false, code: "document-unreadable", message: "is not a regular file." };
  } catch (error) {
    return { ok: false, ...describeFileError(error) };
  }
}

function isInside(path: string, folder: string): boolean {
  const steps = relative(folder, path);
  return steps !== ".." && !steps.startsWith(`..${sep}`) && !isAbsolute(steps);
}
