import { isLoopback } from "../../loopback.ts";
import type { Connection } from "../../model/config-file.generated.ts";
import { eachConnection } from "../each-connection.ts";
import { eachIssuerUrl } from "../each-issuer-url.ts";
import type { Finding, Rule } from "../rule.ts";

/**
 * Whatever takes codes, secrets and tokens is reached over TLS (RFC 6749, sections 3.1.2.1 and 3.2), and so is the document by which
 * others know the gateway. Only what stays on this machine may do without.
 */
export const insecureUrl: Rule = function* (file, look): Generator<Finding> {
  for (const { connection, path } of eachConnection(file)) {
    for (const { key, value, isDocument } of urlsOf(connection)) {
      const urlPath = [...path, "auth", key];
      const message = refusal(
        value,
        isDocument,
        look.isReference(urlPath) ? "This" : `\`${look.written(urlPath)}\``,
      );
      if (message !== undefined) yield { code: "insecure-url", message, path: urlPath };
    }
  }
  for (const { value, path } of eachIssuerUrl(file)) {
    const url = URL.parse(value);
    if (url?.protocol !== "http:" || isLoopback(url.hostname)) continue;
    yield {
      code: "insecure-url",
      message: `${look.isReference(path) ? "This" : `\`${look.written(path)}\``} is not encrypted: whoever stands in between could say who somebody is. Write \`https://\`; \`http://\` is for addresses of this machine only.`,
      path,
    };
  }
};

function refusal(value: string, isDocument: boolean, name: string): string | undefined {
  // What is no URL at all is another rule's.
  if (!URL.canParse(value)) return undefined;
  const { protocol, hostname, pathname } = new URL(value);
  if (protocol === "http:" && (isDocument || !isLoopback(hostname))) {
    return isDocument
      ? `${name} is not encrypted, and authorization servers read this document over \`https://\` only.`
      : `${name} is not encrypted, and secrets would travel in the open. Write \`https://\`; \`http://\` is for addresses of this machine only.`;
  }
  if (isDocument && protocol === "https:" && pathname === "/") {
    return `${name} has no path, and the address of such a document needs one, as in \`https://gw.example.com/oauth/client.json\`.`;
  }
  return undefined;
}

function* urlsOf({
  auth,
}: Connection): Generator<{ readonly key: string; readonly value: string; readonly isDocument: boolean }> {
  if (auth?.type === "mcp_oauth" && auth.client_metadata_url !== undefined) {
    yield { key: "client_metadata_url", value: auth.client_metadata_url, isDocument: true };
  }
  if (auth?.type !== "oauth2") return;
  for (const key of ["authorization_url", "token_url", "revocation_url"] as const) {
    const value = auth[key];
    if (value !== undefined) yield { key, value, isDocument: false };
  }
}
