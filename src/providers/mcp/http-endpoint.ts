import type { ProviderConfig } from "../../model/config.ts";
import type { Credential } from "../../model/credential.ts";
import type { HttpClient } from "../../upstream/http-client.ts";

/** Where a server is reached over HTTP and what every request to it carries. */
export interface HttpEndpoint {
  readonly http: HttpClient;
  /** As the operator wrote it. */
  readonly url: string;
  /** Host and port, for messages. */
  readonly host: string;
  /** The URL that is requested for `url`, with what the credential adds to the query. */
  target(url: string): string;
  /** The provider's headers and then the credential's over `own`: nothing that a call brings can replace them. */
  headers(own: Readonly<Record<string, string>>): Record<string, string>;
}

/** Binds URL, provider headers and credential together. Secrets are revealed for each request anew and kept nowhere. */
export function createHttpEndpoint(
  http: HttpClient,
  url: string,
  provider: ProviderConfig,
  credential: Credential,
): HttpEndpoint {
  const query = Object.entries(credential.query);
  return {
    http,
    url,
    host: new URL(url).host,
    target: (base) => {
      if (query.length === 0) return base;
      const target = new URL(base);
      for (const [name, value] of query) target.searchParams.set(name, value.reveal());
      return target.href;
    },
    headers: (own) => {
      const headers: Record<string, string> = { "user-agent": "gestalt-gateway", ...own };
      for (const [name, value] of Object.entries(provider.headers)) {
        headers[name.toLowerCase()] = typeof value === "string" ? value : value.reveal();
      }
      for (const [name, value] of Object.entries(credential.headers)) headers[name] = value.reveal();
      return headers;
    },
  };
}
