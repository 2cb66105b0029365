import type { Finding, Rule } from "../rule.ts";

/** A role that nobody can be given, be it for its name or because without sign-in everybody is of the role `anonymous`. */
export const unusedRole: Rule = function* (file): Generator<Finding> {
  const open = (file.auth?.provider ?? "none") === "none";
  for (const role of Object.keys(file.authorization?.roles ?? {})) {
    const path = ["authorization", "roles", role];
    if (!/^[a-z][a-z0-9_-]{0,62}$/.test(role)) {
      const shown = role.length > 40 ? `${role.slice(0, 39)}…` : role;
      yield {
        code: "unused-role",
        message: `Nobody can be given the role \`${shown}\`: a role's name is lower-case letters, digits, \`-\` and \`_\`, at most 63 of them, and begins with a letter.`,
        path,
        target: "key",
      };
    } else if ((role === "anonymous") !== open) {
      yield {
        severity: "warning",
        code: "unused-role",
        message: open
          ? `Nobody is of the role \`${role}\`: nobody signs in (\`auth.provider: none\`), and everybody is of the role \`anonymous\`. Write \`auth: {provider: local}\`, or call the role \`anonymous\`.`
          : "Nobody is of the role `anonymous` where everybody signs in. Remove it, or call it `member`, which users and service tokens are by default.",
        path,
        target: "key",
        dependsOn: [["auth"], ["auth", "provider"]],
      };
    }
  }
};
