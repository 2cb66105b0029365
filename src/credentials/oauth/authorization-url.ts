import { calculatePKCECodeChallenge } from "oauth4webapi";
import { requestParameters, scopeParameter } from "./request-parameters.ts";
import { type AuthorizationRequest, type OAuthClient, TokenError } from "./token-client.ts";

/**
 * The URL to send a browser to (RFC 6749, section 4.1.1; PKCE with S256, RFC 7636; resource, RFC 8707). The query that the endpoint's own
 * URL has stays as it is, but for parameters of the protocol.
 *
 * Throws {@link TokenError} `misconfigured` for a client without an authorization endpoint.
 */
export async function authorizationUrl(
  client: OAuthClient,
  { redirectUri, state, scopes, codeVerifier }: AuthorizationRequest,
): Promise<string> {
  if (client.authorizationUrl === undefined)
    throw new TokenError("misconfigured", "The connection names no authorization endpoint.");
  const challenge =
    client.pkce && codeVerifier !== undefined
      ? await calculatePKCECodeChallenge(codeVerifier.reveal())
      : undefined;
  const parameters = requestParameters(
    {
      ...scopeParameter(client, scopes),
      response_type: "code",
      client_id: client.clientId,
      redirect_uri: redirectUri,
      state,
      resource: client.resource,
      code_challenge: challenge,
      code_challenge_method: challenge === undefined ? undefined : "S256",
    },
    client.authorizationParameters,
  );
  const url = new URL(client.authorizationUrl);
  url.hash = "";
  for (const name of new Set(parameters.keys()))
    if (url.searchParams.has(name)) url.searchParams.delete(name);
  // Not every server reads `+` as a space here; all of them read `%20`.
  const query = parameters.toString().replaceAll("+", "%20");
  url.search = url.search === "" ? query : `${url.search}&${query}`;
  return url.href;
}
