import type { BearerCredential, ManualCredential } from "../../model/config-file.generated.ts";
import { eachConnection } from "../each-connection.ts";
import type { Finding, Rule } from "../rule.ts";

/** `mode: identity` takes its credential from the file; every other mode takes it from who connects. */
export const credentialValue: Rule = function* (file): Generator<Finding> {
  for (const { name, connection, path } of eachConnection(file)) {
    const { auth, mode } = connection;
    if (auth?.type !== "bearer" && auth?.type !== "manual") continue;
    const listPath = [...path, "auth", "credentials"];
    const dependsOn = [[...path, "mode"], listPath];
    const credentials = auth.credentials ?? [];
    if (mode === "identity" && credentials.length === 0) {
      yield {
        code: "credential-value",
        message: `\`${name}\` is the gateway's own (\`mode: identity\`), so its credential has to be in this file. Add \`credentials: [{name: token, value: "\${env:API_TOKEN}"}]\`.`,
        path: [...path, "auth"],
        target: "key",
        dependsOn,
      };
    }
    for (const [index, credential] of credentials.entries()) {
      const itemPath = [...listPath, index];
      if (mode === "identity" && credential.value === undefined) {
        yield {
          code: "credential-value",
          message: `\`${credential.name}\` is a credential of the gateway itself (\`mode: identity\`) and has no \`value\`. Give it as a reference: \`value: "\${env:API_TOKEN}"\`.`,
          path: itemPath,
          target: "key",
          dependsOn,
        };
      } else if (mode === "identity" && credential.value === "" && !mayBeEmpty(credential)) {
        yield {
          code: "credential-value",
          message: `The value of \`${credential.name}\` is empty. Set what the reference names.`,
          path: [...itemPath, "value"],
          dependsOn,
        };
      } else if (mode !== "identity" && credential.value !== undefined) {
        yield {
          code: "credential-value",
          message: `A \`value\` in the file is the gateway's own credential and belongs to \`mode: identity\`; with \`mode: ${mode}\` it comes from who connects. Remove it, or change the mode.`,
          path: [...itemPath, "value"],
          target: "key",
          dependsOn,
        };
      }
    }
  }
};

/** Some APIs take their key as the user name of basic authentication, without a password. */
function mayBeEmpty(credential: BearerCredential | ManualCredential): boolean {
  return "basic" in credential && credential.basic === "password";
}
