import { didYouMean } from "../../did-you-mean.ts";
import { problemOfRedirectScheme, problemOfRedirectUri } from "../../redirect-uri-form.ts";
import { knownRedirectSchemes } from "../normalize-sign-in.ts";
import type { Finding, Rule } from "../rule.ts";

/** Codes go only to addresses that nobody can mistake (RFC 9700, section 4.1; RFC 8252, section 7). */
export const badRedirect: Rule = function* ({ auth }): Generator<Finding> {
  const server = auth?.authorization_server;
  const schemes = server?.redirect_schemes ?? knownRedirectSchemes;
  for (const [index, scheme] of schemes.entries()) {
    if (server?.redirect_schemes === undefined) break;
    const message = problemOfRedirectScheme(scheme);
    const path = ["auth", "authorization_server", "redirect_schemes", index];
    if (message !== undefined) yield { code: "bad-redirect", message, path };
  }
  for (const [id, { redirect_uris: uris }] of Object.entries(server?.clients ?? {})) {
    for (const [index, uri] of uris.entries()) {
      const problem = problemOfRedirectUri(uri, schemes);
      if (problem === undefined) continue;
      const scheme = /^([a-z][a-z0-9+.-]*):/.exec(uri)?.[1];
      const isUnlisted =
        scheme !== undefined && problemOfRedirectUri(uri, [...schemes, scheme]) === undefined;
      const suggestion = isUnlisted ? didYouMean(scheme, schemes) : undefined;
      yield {
        code: "bad-redirect",
        message: isUnlisted
          ? `The scheme \`${scheme}\` is not among \`redirect_schemes\`. ${suggestion === undefined ? "Add it there, if a program on people's machines has it." : `Did you mean \`${suggestion}\`?`}`
          : problem,
        path: ["auth", "authorization_server", "clients", id, "redirect_uris", index],
        dependsOn: [["auth", "authorization_server", "redirect_schemes"]],
      };
    }
  }
};
