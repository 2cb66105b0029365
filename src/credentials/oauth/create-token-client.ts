import type { HttpClient } from "../../upstream/http-client.ts";
import { authorizationUrl } from "./authorization-url.ts";
import { classifyError } from "./classify-error.ts";
import { type PostLimits, postForm } from "./post-form.ts";
import { readAnswer, valueAt } from "./read-answer.ts";
import { readTokenSet } from "./read-token-set.ts";
import { requestParameters, scopeParameter } from "./request-parameters.ts";
import { type OAuthClient, type TokenClient, TokenError, type TokenSet } from "./token-client.ts";

/** How the token client is set up. */
export interface TokenClientOptions {
  /** Milliseconds since 1970; the system's clock by default. */
  readonly now?: () => number;
  /** Default: 10 s for the headers of an answer, 20 s for all of it. */
  readonly limits?: PostLimits;
}

const defaultLimits: PostLimits = { headers: 10_000, total: 20_000 };
const rootPath: readonly string[] = ["access_token"];

/**
 * The client of all authorization servers. It keeps nothing and repeats nothing.
 *
 * Where a signal is aborted, its methods throw what the HTTP client throws then; all else is a {@link TokenError}.
 */
export function createTokenClient(http: HttpClient, options: TokenClientOptions = {}): TokenClient {
  const { now = Date.now, limits = defaultLimits } = options;

  const obtain = async (
    client: OAuthClient,
    parameters: URLSearchParams,
    fallback: readonly string[] | undefined,
    signal: AbortSignal,
  ): Promise<TokenSet> => {
    const begun = now();
    const response = await postForm(http, client, client.tokenUrl, parameters, limits, signal);
    const { host } = new URL(client.tokenUrl);
    const answer = readAnswer(response);
    const error = classifyError(answer, {
      host,
      status: response.status,
      retryAfter: response.headers["retry-after"],
      now: now(),
      sent: [...parameters.values(), ...(client.clientSecret ? [client.clientSecret.reveal()] : [])],
    });
    if (error !== undefined) throw error;
    if (answer === undefined) throw new TokenError("transient", `${host} gave no token.`);
    const path =
      fallback !== undefined && valueAt(answer, client.accessTokenPath) === undefined
        ? fallback
        : client.accessTokenPath;
    return readTokenSet(answer, path, client, host, begun);
  };

  return {
    authorizationUrl,
    exchangeCode: (client, { code, redirectUri, codeVerifier }, signal) => {
      const own = {
        grant_type: "authorization_code",
        code,
        redirect_uri: redirectUri,
        code_verifier: client.pkce ? codeVerifier?.reveal() : undefined,
        resource: client.resource,
      };
      return obtain(client, requestParameters(own, client.tokenParameters), undefined, signal);
    },
    refresh: (client, refreshToken, scopes, signal) => {
      const own = {
        ...scopeParameter(client, scopes),
        grant_type: "refresh_token",
        refresh_token: refreshToken.reveal(),
        resource: client.resource,
      };
      // The answer to a refresh is about one token only, and servers that nest it elsewhere often have it at the root here.
      return obtain(client, requestParameters(own, client.refreshParameters), rootPath, signal);
    },
    clientCredentials: (client, scopes, signal) => {
      const own = {
        ...scopeParameter(client, scopes),
        grant_type: "client_credentials",
        resource: client.resource,
      };
      return obtain(client, requestParameters(own, client.tokenParameters), undefined, signal);
    },
    revoke: async (client, token, kind, signal) => {
      if (client.revocationUrl === undefined) return false;
      const parameters = new URLSearchParams({ token: token.reveal(), token_type_hint: kind });
      try {
        const response = await postForm(http, client, client.revocationUrl, parameters, limits, signal);
        const answer = readAnswer(response);
        return (
          response.status >= 200 && response.status < 300 && answer?.["ok"] !== false && !answer?.["error"]
        );
      } catch {
        // Whatever went wrong: the server has not said that the token is over.
        return false;
      }
    },
  };
}
