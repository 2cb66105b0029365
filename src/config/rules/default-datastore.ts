import type { Finding, Rule } from "../rule.ts";

/** A file that appears by itself is told of. */
export const defaultDatastore: Rule = function* (file): Generator<Finding> {
  const hasUsers = (file.auth?.provider ?? "none") !== "none";
  const key = (["encryption_key", "encryption_keys"] as const).find(
    (name) => file.server?.[name] !== undefined,
  );
  if ((!hasUsers && key === undefined) || file.datastore !== undefined) return;
  const what = [
    ...(hasUsers ? ["users, tokens and sessions"] : []),
    ...(key === undefined ? [] : ["what is connected"]),
  ].join(", and ");
  yield {
    severity: "information",
    code: "default-datastore",
    message: `${what.charAt(0).toUpperCase()}${what.slice(1)} ${hasUsers ? "are" : "is"} kept in \`gestalt.db\` beside this file. Another place is named by \`datastore: {provider: sqlite, config: {path: …}}\`.`,
    ...(hasUsers || key === undefined
      ? { path: ["auth", "provider"] }
      : { path: ["server", key], target: "key" }),
  };
};
