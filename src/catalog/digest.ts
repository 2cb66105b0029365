import { createHash } from "node:crypto";

/** Sixteen hexadecimal digits of SHA-256 over the values as JSON: equal data, equal digest. */
export function digestOf(values: Iterable<unknown>): string {
  const hash = createHash("sha256");
  for (const value of values) hash.update(JSON.stringify(value) ?? "").update("\n");
  return hash.digest("hex").slice(0, 16);
}
