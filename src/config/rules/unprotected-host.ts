import { isLoopback } from "../../loopback.ts";
import type { Finding, Rule } from "../rule.ts";

/** Without sign-in everyone who reaches the address may call everything, so only this machine may reach it. */
export const unprotectedHost: Rule = function* (file, look): Generator<Finding> {
  const host = file.server?.host;
  if (host === undefined || isLoopback(host) || (file.auth?.provider ?? "none") !== "none") return;
  const path = ["server", "host"];
  yield {
    code: "unprotected-host",
    message: `\`${look.written(path)}\` can be reached from other machines, and nobody has to sign in (\`auth.provider: none\`). Listen on \`127.0.0.1\`, or let callers sign in: \`auth: {provider: local}\`.`,
    path,
    dependsOn: [["auth"], ["auth", "provider"]],
  };
};
