import type { Finding, Rule } from "../rule.ts";

/** The parameter is taken away before a call is made: it must not be one that means something else. */
export const badQueryToken: Rule = function* (file, look): Generator<Finding> {
  const name = file.auth?.query_token;
  if (name === undefined) return;
  const path = ["auth", "query_token"];
  // Whoever mistakes the key puts a token here, which nobody else should read.
  const message = name.includes("gst_api_")
    ? "This is a token, and what belongs here is the name of the parameter that carries one, such as `api_key`. Revoke the token if anybody else could read this file."
    : refusal(name, look.written(path));
  if (message !== undefined) yield { code: "bad-query-token", message, path };
};

function refusal(name: string, written: string): string | undefined {
  const instead = "Write another name, such as `api_key`.";
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) {
    return `\`${written}\` can't carry tokens: the name of the parameter is letters, digits, \`.\`, \`_\` and \`-\`, at most 64 of them.`;
  }
  if (name === "customer_id") {
    return `\`${written}\` can't carry tokens: it names the tenant that a request is for. ${instead}`;
  }
  return name.startsWith("_")
    ? `\`${written}\` can't carry tokens: parameters that begin with \`_\` are the gateway's own. ${instead}`
    : undefined;
}
