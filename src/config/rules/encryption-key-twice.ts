import type { Finding, Rule } from "../rule.ts";

/** `encryption_keys` is a ring in place of the one key; with both it is open which of them seals. */
export const encryptionKeyTwice: Rule = function* (file): Generator<Finding> {
  if (file.server?.encryption_key === undefined || file.server.encryption_keys === undefined) return;
  const ring = ["server", "encryption_keys"];
  yield {
    code: "encryption-key-twice",
    message:
      "`encryption_keys` stands in place of `encryption_key`, and both are there. Make the one key a member of the ring, and remove it here.",
    path: ["server", "encryption_key"],
    target: "key",
    related: [{ message: "The ring is here.", path: ring, target: "key" }],
    dependsOn: [ring],
  };
};
