import { didYouMean } from "../../did-you-mean.ts";
import type { Finding, Rule } from "../rule.ts";

/** A rate limit of a provider that is not there limits nothing. Tenants may be created at run time. */
export const unmatchedRate: Rule = function* (file, look): Generator<Finding> {
  const providers = Object.keys(file.providers);
  const tenants = ["default", ...Object.keys(file.tenants ?? {})];
  for (const [index, { provider, tenant }] of (file.limits?.rates ?? []).entries()) {
    for (const [key, name, known] of [
      ["provider", provider, providers],
      ["tenant", tenant, tenants],
    ] as const) {
      // Patterns are for what is to come as well.
      if (name === undefined || name.includes("*") || known.includes(name)) continue;
      const suggestion = didYouMean(name, known);
      if (key === "tenant" && suggestion === undefined) continue;
      const path = ["limits", "rates", index, key];
      yield {
        severity: "warning",
        code: "unmatched-rate",
        message: `This file declares no ${key} \`${look.written(path)}\`, so the rate limits nothing. ${
          suggestion === undefined
            ? `Its ${key}s are ${known.map((each) => `\`${each}\``).join(", ")}.`
            : `Did you mean \`${suggestion}\`?`
        }`,
        path,
        dependsOn: [[`${key}s`]],
      };
    }
  }
};
