import { eachConnection } from "../each-connection.ts";
import type { Finding, Rule } from "../rule.ts";

/** OAuth 2.0 needs an authorization endpoint for the one grant, and a client secret for the other; secrets and clients go together. */
export const incompleteAuth: Rule = function* (file): Generator<Finding> {
  for (const { connection, path: connectionPath } of eachConnection(file)) {
    const { auth } = connection;
    const path = [...connectionPath, "auth"];
    if (auth?.type === "mcp_oauth" && auth.client_secret !== undefined && auth.client_id === undefined) {
      yield {
        code: "incomplete-auth",
        message:
          "This is the secret of a client that was registered beforehand, and its `client_id` is missing. Add it, or remove the secret: the gateway then registers by itself.",
        path: [...path, "client_secret"],
        target: "key",
        dependsOn: [[...path, "client_id"]],
      };
    }
    if (auth?.type !== "oauth2") continue;
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
    } else if (auth.client_auth !== undefined && auth.client_secret === undefined) {
      yield {
        code: "incomplete-auth",
        message:
          'There is no `client_secret` that the gateway could send this way. Add it as a reference (`"${env:CLIENT_SECRET}"`), or remove `client_auth`.',
        path: [...path, "client_auth"],
        target: "key",
        dependsOn,
      };
    }
  }
};
