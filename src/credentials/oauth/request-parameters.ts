/** Parameters that the protocol itself gives a meaning: no further ones of a configuration take their place. */
const reserved: ReadonlySet<string> = new Set([
  "grant_type",
  "response_type",
  "code",
  "redirect_uri",
  "state",
  "client_id",
  "client_secret",
  "refresh_token",
  "code_verifier",
  "code_challenge",
  "code_challenge_method",
  // Other ways to say who the client is, or what it asks for (RFC 7523, RFC 9101).
  "client_assertion",
  "client_assertion_type",
  "request",
  "request_uri",
]);

/**
 * The parameters of a request: the protocol's own, and further ones beside them, of which those that would take the place of the
 * protocol's are left out.
 *
 * @param own those that are `undefined` are not sent.
 */
export function requestParameters(
  own: Readonly<Record<string, string | undefined>>,
  further: Readonly<Record<string, string>>,
): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(further)) if (!reserved.has(name)) parameters.set(name, value);
  for (const [name, value] of Object.entries(own)) if (value !== undefined) parameters.set(name, value);
  return parameters;
}

/** The parameter that asks for scopes, as the server wants it; none where there are no scopes. */
export function scopeParameter(
  client: { readonly scopeParameter: string; readonly scopeSeparator: string },
  scopes: readonly string[] | undefined,
): Readonly<Record<string, string>> {
  if (scopes === undefined || scopes.length === 0) return {};
  return { [client.scopeParameter]: scopes.join(client.scopeSeparator) };
}
