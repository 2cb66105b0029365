import { eachConnection } from "../each-connection.ts";
import type { Finding, Rule } from "../rule.ts";
import { isStored } from "../stored-connection.ts";

/** Credentials are stored sealed or not at all: without a key nobody can connect. */
export const noEncryptionKey: Rule = function* (file): Generator<Finding> {
  if (file.server?.encryption_key !== undefined || file.server?.encryption_keys !== undefined) return;
  const stored = [...eachConnection(file)].filter(({ connection }) => isStored(connection));
  const [first] = stored;
  if (first === undefined) return;
  const others = stored.length === 1 ? "" : ` and ${stored.length - 1} more`;
  yield {
    severity: "information",
    code: "no-encryption-key",
    message: `\`${first.name}\`${others} can't be connected: credentials are stored sealed, and the file names no key. Make one with \`gateway keys generate\`, and add \`server: {encryption_key: "\${env:GATEWAY_KEY}"}\`.`,
    path: first.path,
    target: "key",
    dependsOn: [
      ["server"],
      [...first.path, "mode"],
      [...first.path, "auth"],
      [...first.path, "auth", "type"],
    ],
  };
};
