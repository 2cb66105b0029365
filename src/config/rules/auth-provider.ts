import type { AuthSettings } from "../../model/config-file.generated.ts";
import type { Finding, Rule } from "../rule.ts";

/** What one provider of `auth` needs, another one has no use for: a setting that is silently ignored would be taken for a protection. */
export const authProvider: Rule = function* ({ auth }): Generator<Finding> {
  if (auth === undefined) return;
  const { provider = "none", config } = auth;
  const dependsOn = [
    ["auth", "provider"],
    ["auth", "config"],
  ];
  if (provider === "oidc" && config === undefined) {
    yield {
      code: "auth-provider",
      message:
        'With `oidc` people sign in at an OpenID provider, and `auth.config` has to name it: `config: {issuer_url: https://accounts.google.com, client_id: …, client_secret: "${env:OIDC_CLIENT_SECRET}"}`.',
      path: ["auth", "provider"],
      dependsOn,
    };
  } else if (provider !== "oidc" && config !== undefined) {
    yield {
      code: "auth-provider",
      message: `This names an OpenID provider, and nobody would sign in there with \`auth.provider: ${provider}\`. Write \`provider: oidc\`, or remove \`config\`.`,
      path: ["auth", "config"],
      target: "key",
      dependsOn,
    };
  }
  if (provider === "none") yield* withoutSignIn(auth);
  if (provider === "oidc" && config?.allowed_domains !== undefined && asksNoAddress(config.scopes)) {
    yield {
      severity: "warning",
      code: "auth-provider",
      message:
        "`allowed_domains` looks at the e-mail address, and most providers tell it only where the scope `email` is asked for. Add `email` to `scopes`.",
      path: ["auth", "config", "scopes"],
      target: "key",
      dependsOn,
    };
  }
};

/** Both give access to what somebody may use; without sign-in everybody is the same. */
function* withoutSignIn({
  trusted_issuers: issuers = [],
  authorization_server: server,
}: AuthSettings): Generator<Finding> {
  const refusal = (key: string, why: string): Finding => ({
    code: "auth-provider",
    message: `${why} (\`auth.provider: none\`). Write \`provider: local\` for users of the gateway's own, or \`provider: oidc\` for those of an OpenID provider.`,
    path: ["auth", key],
    target: "key",
    dependsOn: [
      ["auth", "provider"],
      ["auth", key, "enabled"],
    ],
  });
  if (issuers.length > 0) {
    yield refusal("trusted_issuers", "Tokens of other issuers are not looked at while everybody is let in");
  }
  if (server !== undefined && server.enabled !== false) {
    yield refusal("authorization_server", "Clients have nobody to act for while nobody signs in");
  }
}

function asksNoAddress(scopes: readonly string[] | undefined): boolean {
  return scopes?.includes("email") === false;
}
