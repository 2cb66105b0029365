import { createHash } from "node:crypto";

/** Eight hexadecimal digits that depend on the text alone, for names that must be told apart. */
export function stableHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
