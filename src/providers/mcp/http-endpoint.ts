import type { ProviderConfig } from "../../model/config.ts";
import type { Credential } from "../../model/credential.ts";
import type { HttpClient } from "../../upstream/http-client.ts";
import { type Dressed, dressRequest } from "../dress-request.ts";

/** Where a server is reached over HTTP and what every request to it carries. */
export interface HttpEndpoint {
  readonly http: HttpClient;
  /** As the operator wrote it. */
  readonly url: string;
  /** Host and port, for messages. */
  readonly host: string;
  /** URL and headers of a request, with what the provider sends itself and the credential put on. */
  dress(url: string, headers: Readonly<Record<string, string>>): Dressed;
}

/** Binds URL, provider and credential together. */
export function createHttpEndpoint(
  http: HttpClient,
  url: string,
  provider: ProviderConfig,
  credential: Credential,
): HttpEndpoint {
  return {
    http,
    url,
    host: new URL(url).host,
    dress: (target, headers) => dressRequest({ url: target, headers }, provider, credential),
  };
}
