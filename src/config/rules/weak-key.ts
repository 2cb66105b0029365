import type { NodePath } from "../../documents/located-node.ts";
import { describeKeyFault, howToMakeKey, parseKey } from "../../key-form.ts";
import type { Finding, Rule } from "../rule.ts";

/** A key that can be guessed seals nothing, and one that stands in two places is one key. Looks at those only that are set. */
export const weakKey: Rule = function* (file, look): Generator<Finding> {
  const one = file.server?.encryption_key;
  const keys: readonly (readonly [string, NodePath])[] = [
    ...(one === undefined ? [] : [[one, ["server", "encryption_key"]] as const]),
    ...(file.server?.encryption_keys ?? []).map(
      ({ key }, index) => [key, ["server", "encryption_keys", index, "key"]] as const,
    ),
  ];
  const seen = new Map<string, NodePath>();
  for (const [text, path] of keys) {
    // One that stands in the file itself is refused for that.
    if (!look.isReference(path)) continue;
    const fault = describeKeyFault(text);
    if (fault !== undefined) {
      yield { code: "weak-key", message: `The key ${fault}. ${howToMakeKey}`, path };
      continue;
    }
    const bytes = parseKey(text)?.toString("hex") ?? "";
    const first = seen.get(bytes);
    if (first === undefined) {
      seen.set(bytes, path);
      continue;
    }
    yield {
      code: "weak-key",
      message: `The key is in the ring already. Each member of a ring is a key of its own: remove one of the two. ${howToMakeKey}`,
      path,
      related: [{ message: "The same key is here.", path: first, target: "value" }],
      dependsOn: [first],
    };
  }
};
