import { eachSecret } from "../each-secret.ts";
import type { Finding, Rule } from "../rule.ts";

/** Secrets stay outside of the file, which is kept, copied and shown in many places. */
export const literalSecret: Rule = function* (file, look): Generator<Finding> {
  for (const { path, variable } of eachSecret(file)) {
    if (look.isReference(path)) continue;
    const key = path.at(-1);
    yield {
      code: "literal-secret",
      message: `\`${key}\` is a secret and has to be a reference, not the secret itself. Write \`${key}: "\${env:${variable}}"\` and set that variable, or use \`\${file:PATH}\`.`,
      path,
    };
  }
};
