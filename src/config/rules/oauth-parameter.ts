import type { Connection } from "../../model/config-file.generated.ts";
import { eachConnection } from "../each-connection.ts";
import type { Finding, Rule } from "../rule.ts";

type OAuth2 = Extract<NonNullable<Connection["auth"]>, { readonly type: "oauth2" }>;

/** What the gateway fills itself (RFC 6749, RFC 7636, RFC 8707), and what would replace all of it (RFC 9101). */
const ofAuthorization = [
  "response_type",
  "client_id",
  "redirect_uri",
  "state",
  "code_challenge",
  "code_challenge_method",
  "request",
  "request_uri",
];
const ofToken = [
  "grant_type",
  "code",
  "redirect_uri",
  "client_id",
  "client_secret",
  "code_verifier",
  "refresh_token",
  "client_assertion",
  "client_assertion_type",
];

/** Further parameters are further ones: they replace none of the protocol's own. */
export const oauthParameter: Rule = function* (file): Generator<Finding> {
  for (const { connection, path } of eachConnection(file)) {
    const { auth } = connection;
    if (auth?.type !== "oauth2") continue;
    const scope = auth.scope_parameter ?? "scope";
    if ([...ofAuthorization, ...ofToken, "resource"].includes(scope)) {
      yield {
        code: "oauth-parameter",
        message: `\`${scope}\` is a parameter of the protocol itself and can't carry the scopes.`,
        path: [...path, "auth", "scope_parameter"],
      };
    }
    for (const { group, name } of eachParameter(auth)) {
      const own = group === "authorization_parameters" ? ofAuthorization : ofToken;
      const instead =
        name === scope ? "Name the scopes in `scopes`" : name === "resource" ? "Name it in `resource`" : "";
      if (instead === "" && !own.includes(name)) continue;
      yield {
        code: "oauth-parameter",
        message: `\`${name}\` is a parameter of the protocol itself, which the gateway fills. ${instead === "" ? "Remove it." : `${instead} of the connection's \`auth\`, and remove it here.`}`,
        path: [...path, "auth", group, name],
        target: "key",
        dependsOn: [[...path, "auth", "scope_parameter"]],
      };
    }
  }
};

function* eachParameter(auth: OAuth2): Generator<{ readonly group: string; readonly name: string }> {
  for (const group of ["authorization_parameters", "token_parameters", "refresh_parameters"] as const) {
    for (const name of Object.keys(auth[group] ?? {})) yield { group, name };
  }
}
