import type { LocatedNode, LocatedScalar } from "../documents/located-node.ts";

/** Keys of the file whose values are secrets, whatever stands around them. */
const secretKeys = new Set(["client_secret", "encryption_key", "key", "value"]);

/** Keys of the file that sound like a secret, and hold only the name or the place of what carries one. */
const plainKeys = new Set(["from_token", "query_token"]);

/** Whether a header or a variable of this name carries a secret, as far as names tell. */
export function isSecretName(name: string): boolean {
  return /(^|[-_])(authorization|cookie|api-?key|key|token|secret|password)$/i.test(name);
}

/** Whether what stands under a key is a secret, or looks like one. */
export function isSecretKey(key: string): boolean {
  return secretKeys.has(key.toLowerCase()) || (isSecretName(key) && !plainKeys.has(key));
}

/** Every scalar of a tree that stands where a secret belongs. */
export function* eachSecretScalar(root: LocatedNode): Generator<LocatedScalar> {
  const seen = new Set<LocatedNode>();
  const waiting = [root];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    // Aliases share nodes.
    if (seen.has(node) || node.kind === "scalar") continue;
    seen.add(node);
    if (node.kind === "list") {
      waiting.push(...node.items);
      continue;
    }
    for (const [key, { node: child }] of node.entries) {
      if (child.kind !== "scalar") waiting.push(child);
      else if (isSecretKey(key)) yield child;
    }
  }
}
