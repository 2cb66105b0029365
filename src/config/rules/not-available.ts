import type { Finding, Rule } from "../rule.ts";

/** Settings that promise protection are refused as long as nothing keeps the promise. */
export const notAvailable: Rule = function* (file): Generator<Finding> {
  if (file.auth?.provider === "oidc") {
    yield {
      code: "not-available",
      message:
        "This version has no sign-in by OpenID Connect yet, so `auth.provider` can't be `oidc`. Write `local` for users and API tokens of the gateway's own, or `none`, which listens on loopback only.",
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
