import type { Finding, Rule } from "../rule.ts";

/** A file that appears by itself is told of. */
export const defaultDatastore: Rule = function* (file): Generator<Finding> {
  if (file.auth?.provider !== "local" || file.datastore !== undefined) return;
  yield {
    severity: "information",
    code: "default-datastore",
    message:
      "Users, tokens and sessions are kept in `gestalt.db` beside this file. Another place is named by `datastore: {provider: sqlite, config: {path: …}}`.",
    path: ["auth", "provider"],
  };
};
