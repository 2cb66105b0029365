import { eachConnection } from "../each-connection.ts";
import type { Finding, Rule } from "../rule.ts";

/** OAuth 2.0 needs an authorization endpoint for the one grant, and a client secret for the other. */
export const incompleteAuth: Rule = function* (file): Generator<Finding> {
  for (const { connection, path: connectionPath } of eachConnection(file)) {
    const { auth } = connection;
    if (auth?.type !== "oauth2") continue;
    const path = [...connectionPath, "auth"];
    const dependsOn = [
      [...path, "grant"],
      [...path, "authorization_url"],
      [...path, "client_secret"],
    ];
    if (auth.grant !== "client_credentials" && auth.authorization_url === undefined) {
      yield {
        code: "incomplete-auth",
        message:
          "People sign in at the `authorization_url`, and it is missing. Add it, or write `grant: client_credentials` if nobody signs in.",
        path,
        target: "key",
        dependsOn,
      };
    }
    if (auth.grant === "client_credentials" && auth.client_secret === undefined) {
      yield {
        code: "incomplete-auth",
        message:
          'The grant `client_credentials` proves who the gateway is by a `client_secret`, and it is missing. Add it as a reference: `"${env:CLIENT_SECRET}"`.',
        path,
        target: "key",
        dependsOn,
      };
    }
  }
};
