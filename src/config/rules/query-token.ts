import type { Finding, Rule } from "../rule.ts";

/** A token in a URL is copied to wherever URLs are. */
export const queryToken: Rule = function* (file): Generator<Finding> {
  if (file.auth?.query_token === undefined || (file.auth.provider ?? "none") === "none") return;
  yield {
    severity: "warning",
    code: "query-token",
    message:
      "Tokens in URLs are kept in the logs of proxies and in histories. Take this only for clients that can't send the header `Authorization`, and give them tokens that may do little and expire soon.",
    path: ["auth", "query_token"],
    target: "key",
    dependsOn: [["auth", "provider"]],
  };
};
