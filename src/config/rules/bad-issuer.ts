import type { NodePath } from "../../documents/located-node.ts";
import type { Finding, Look, Rule } from "../rule.ts";

/** Each issuer is one and another one than the gateway: whose tokens are whose has to be plain (RFC 9700, section 4.4). */
export const badIssuer: Rule = function* ({ server, auth }, look): Generator<Finding> {
  const own = server?.base_url;
  const basePath = ["server", "base_url"];
  const seen = new Map<string, NodePath>();
  const signIn = auth?.provider === "oidc" ? auth.config?.issuer_url : undefined;
  const signInPath = ["auth", "config", "issuer_url"];
  if (signIn !== undefined) yield* checkForm(signIn, signInPath, look);
  for (const [index, { issuer }] of (auth?.trusted_issuers ?? []).entries()) {
    const path = ["auth", "trusted_issuers", index, "issuer"];
    const name = look.isReference(path) ? "This issuer" : `\`${look.written(path)}\``;
    yield* checkForm(issuer, path, look);
    const first = seen.get(issuer);
    if (first === undefined) {
      seen.set(issuer, path);
    } else {
      yield {
        code: "bad-issuer",
        message: `${name} is in the list already, and it is open which of the two counts. Make one entry of them; \`audience\` may be a list.`,
        path,
        related: [{ message: "The first one is here.", path: first }],
        dependsOn: [first],
      };
    }
    if (own !== undefined && withoutSlash(issuer) === withoutSlash(own)) {
      yield {
        code: "bad-issuer",
        message: `${name} is the gateway itself (\`server.base_url\`), which knows its own tokens anyway. Remove the entry, or name the issuer that is meant.`,
        path,
        dependsOn: [basePath],
      };
    }
  }
  if (signIn !== undefined && own !== undefined && withoutSlash(signIn) === withoutSlash(own)) {
    const path = signInPath;
    yield {
      code: "bad-issuer",
      message: `${look.isReference(path) ? "This issuer" : `\`${look.written(path)}\``} is the gateway itself (\`server.base_url\`), and people would be sent round in circles. Name the OpenID provider.`,
      path,
      dependsOn: [basePath],
    };
  }
};

/** What providers print is often the address of their metadata, and that is no issuer (RFC 8414, section 3). */
function* checkForm(issuer: string, path: NodePath, look: Look): Generator<Finding> {
  const [, meant] =
    /^(.+?)\/\.well-known\/(?:openid-configuration|oauth-authorization-server)\/?$/.exec(issuer) ?? [];
  if (meant === undefined) return;
  yield {
    code: "bad-issuer",
    message: `This is the address of an issuer's metadata. The issuer is what stands there as \`issuer\`, most often what comes before \`/.well-known\`${look.isReference(path) ? "." : `: write \`${meant}\`.`}`,
    path,
  };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}
