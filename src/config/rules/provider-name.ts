import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** First segments of the HTTP API's own routes. */
const reserved = new Set([
  "auth",
  "connections",
  "events",
  "flows",
  "integrations",
  "runs",
  "sessions",
  "tenants",
  "tokens",
  "usage",
  "users",
]);

/** Provider names are part of tool names and of the routes of the HTTP API. */
export const providerName: Rule = function* (file): Generator<Finding> {
  for (const { name, path } of eachProvider(file)) {
    const reason = refuseProviderName(name);
    if (reason !== undefined) yield { code: "provider-name", message: reason, path, target: "key" };
  }
};

/** Why a text can't be the name of a provider, for people; `undefined` when it can. */
export function refuseProviderName(name: string): string | undefined {
  const shown = name.length > 40 ? `${name.slice(0, 39)}…` : name;
  if (reserved.has(name)) {
    return `\`${shown}\` is a route of the HTTP API and can't name a provider. Choose another name, such as \`${name}-api\`.`;
  }
  if (name.length > 32)
    return `The name \`${shown}\` has ${name.length} characters, and 32 is the most. Shorten it.`;
  if (name.includes("__")) {
    return `The name \`${shown}\` holds \`__\`, which separates names elsewhere. Write \`${name.replaceAll(/_{2,}/g, "_")}\`.`;
  }
  if (/^[a-z0-9][a-z0-9_-]*$/.test(name)) return undefined;
  return `The name \`${shown}\` can't be used: a provider's name is lower-case letters, digits, \`-\` and \`_\`, and begins with a letter or a digit.`;
}
