import { didYouMean } from "../../did-you-mean.ts";
import type { GatewayFile } from "../../model/config-file.generated.ts";
import { type ClaimSettings, eachClaimSettings } from "../each-claim-settings.ts";
import type { Finding, Look, Rule } from "../rule.ts";

/** Values of claims mean roles that somebody can have, and are looked for in a claim that is named. */
export const badClaim: Rule = function* (file, look): Generator<Finding> {
  for (const claims of eachClaimSettings(file)) {
    yield* checkClaims(claims);
    yield* checkRoles(file, claims, look);
  }
};

function* checkClaims({ settings, path }: ClaimSettings): Generator<Finding> {
  for (const [values, claim, otherwise] of [
    ["tenants", "tenant_claim", "everybody would belong to the tenant `default`"],
    ["roles", "roles_claim", "nobody would get these roles"],
  ] as const) {
    if (settings[values] !== undefined && settings[claim] === undefined) {
      yield {
        code: "bad-claim",
        message: `These are values of a claim, and \`${claim}\` does not name it: ${otherwise}. Add \`${claim}\`, or remove \`${values}\`.`,
        path: [...path, values],
        target: "key",
        dependsOn: [[...path, claim]],
      };
    }
    if (/^\.|\.\.|\.$|\s/.test(settings[claim] ?? "")) {
      yield {
        code: "bad-claim",
        message:
          "No claim has such a name. It is the name of the claim, or names with single dots between them, as in `realm_access.roles`.",
        path: [...path, claim],
      };
    }
  }
}

function* checkRoles(file: GatewayFile, { settings, path }: ClaimSettings, look: Look): Generator<Finding> {
  const declared = file.authorization?.roles && Object.keys(file.authorization.roles);
  for (const [value, role] of Object.entries(settings.roles ?? {})) {
    const rolePath = [...path, "roles", value];
    const name = look.isReference(rolePath) ? "this role" : `the role \`${look.written(rolePath)}\``;
    if (role === "anonymous" || !/^[a-z][a-z0-9_-]{0,62}$/.test(role)) {
      yield {
        code: "bad-claim",
        message:
          role === "anonymous"
            ? "Nobody who signs in is of the role `anonymous`. Name another one, such as `member`."
            : `Nobody can be given ${name}: a role's name is lower-case letters, digits, \`-\` and \`_\`, at most 63 of them, and begins with a letter.`,
        path: rolePath,
      };
    } else if (declared !== undefined && ![...declared, "operator", "admin"].includes(role)) {
      const suggestion = didYouMean(role, [...declared, "operator", "admin"]);
      yield {
        severity: "warning",
        code: "bad-claim",
        message: `\`authorization.roles\` does not declare ${name}, so that it grants nothing. ${
          suggestion === undefined ? "Declare it there." : `Did you mean \`${suggestion}\`?`
        }`,
        path: rolePath,
        dependsOn: [["authorization"], ["authorization", "roles"]],
      };
    }
  }
}
