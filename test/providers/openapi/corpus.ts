import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";

const root = resolve(import.meta.dirname, "../../../../shared/corpus");

/** True when the collection of API descriptions lies beside the project. */
export const hasCorpus = existsSync(join(root, "openapi"));

/** Shown by suites that are skipped without it. */
export const corpusNote = hasCorpus ? "" : " (skipped: no ../shared/corpus beside the project)";

/** Names of all documents in a folder of the collection and below it. */
export function corpusFiles(folder: string): readonly string[] {
  if (!hasCorpus) return [];
  const files = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile() && /\.(?:json|ya?ml)(?:\.gz)?$/.test(file.name))
    .map((file) => join(file.parentPath, file.name).slice(root.length + 1))
    .sort();
}

/** A document's text, unpacked. */
export function readCorpusFile(name: string): string {
  const bytes = readFileSync(join(root, name));
  return (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
}
