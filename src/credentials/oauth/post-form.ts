import { GatewayError } from "../../errors.ts";
import { isLoopback } from "../../loopback.ts";
import type { HttpClient, HttpResponse } from "../../upstream/http-client.ts";
import { authenticateClient } from "./authenticate-client.ts";
import { type OAuthClient, TokenError } from "./token-client.ts";

/** The longest that requests to an authorization server may take, in milliseconds. */
export interface PostLimits {
  readonly headers: number;
  readonly total: number;
}

const maxBytes = 262_144;

/**
 * Sends parameters with the client's credentials to an endpoint of its authorization server, as a form or as JSON. Redirects are answers.
 *
 * Throws {@link TokenError} `transient` when no whole answer came, `misconfigured` for what can't or must not be sent; once `signal` is
 * aborted, what the HTTP client throws then.
 */
export async function postForm(
  http: HttpClient,
  client: OAuthClient,
  endpoint: string,
  parameters: URLSearchParams,
  limits: PostLimits,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const url = checkedUrl(endpoint, client);
  const credentials = authenticateClient(client, parameters);
  const limit = AbortSignal.timeout(limits.total);
  try {
    return await http.request({
      method: "POST",
      url: url.href,
      headers: {
        accept: "application/json",
        "content-type":
          client.exchange === "json" ? "application/json" : "application/x-www-form-urlencoded;charset=UTF-8",
        ...credentials,
      },
      body:
        client.exchange === "json" ? JSON.stringify(Object.fromEntries(parameters)) : parameters.toString(),
      signal: AbortSignal.any([signal, limit]),
      namedBy: client.namedBy,
      maxBytes,
      headersTimeout: limits.headers,
      bodyTimeout: limits.headers,
    });
  } catch (cause) {
    if (signal.aborted) throw cause;
    if (limit.aborted)
      throw new TokenError(
        "transient",
        `${url.host} did not finish its answer within ${limits.total / 1000} s.`,
        {
          cause,
        },
      );
    throw describe(cause, url.host);
  }
}

/** Secrets go over TLS, but for this machine's own addresses, and for those that the operator's file names otherwise. */
function checkedUrl(endpoint: string, { namedBy }: OAuthClient): URL {
  const url = URL.parse(endpoint);
  if (url === null) throw new TokenError("misconfigured", "The address of the token endpoint is no URL.");
  if (url.protocol !== "https:" && namedBy === "upstream" && !isLoopback(url.hostname))
    throw new TokenError(
      "misconfigured",
      `${url.host} has no encrypted token endpoint, so nothing is sent there.`,
    );
  url.hash = "";
  return url;
}

/** Messages of the HTTP client name the host and what happened, and nothing of the request. */
function describe(cause: unknown, host: string): TokenError {
  if (!(cause instanceof GatewayError))
    return new TokenError("transient", `The token request to ${host} failed.`, { cause });
  return new TokenError(cause.code === "bad_request" ? "misconfigured" : "transient", cause.message, {
    cause,
  });
}
