import type { Finding, Rule } from "../rule.ts";

/** Settings that promise protection are refused as long as nothing keeps the promise. */
export const notAvailable: Rule = function* (file): Generator<Finding> {
  const provider = file.auth?.provider;
  if (provider === "local" || provider === "oidc") {
    yield {
      code: "not-available",
      message: `This version has no sign-in yet, so \`auth.provider\` can't be \`${provider}\`. Write \`none\`, which listens on loopback only, and put a proxy that authenticates before the gateway.`,
      path: ["auth", "provider"],
    };
  }
  if (file.auth?.trusted_issuers !== undefined) {
    yield {
      code: "not-available",
      message: "This version does not check tokens of other issuers yet. Remove `trusted_issuers`.",
      path: ["auth", "trusted_issuers"],
      target: "key",
    };
  }
};
