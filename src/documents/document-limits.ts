import type { DocumentLimits } from "../model/limits.ts";

/** What a document may be where nobody says otherwise: many times what the largest real descriptions are. */
export const usualDocumentLimits: DocumentLimits = {
  bytes: 64_000_000,
  nodes: 4_000_000,
  depth: 256,
  operations: 50_000,
};

/** What a document may be that the file does not name itself: a tenth in all but depth. */
export function limitsForForeign({ bytes, nodes, depth, operations }: DocumentLimits): DocumentLimits {
  const tenth = (whole: number): number => Math.ceil(whole / 10);
  return { bytes: tenth(bytes), nodes: tenth(nodes), depth, operations: tenth(operations) };
}

/** Bytes in words: `64 MB`. */
export function describeBytes(bytes: number): string {
  if (bytes >= 1_000_000) return `${Number((bytes / 1_000_000).toFixed(1))} MB`;
  return bytes >= 1_000 ? `${Number((bytes / 1_000).toFixed(1))} KB` : `${bytes} bytes`;
}
