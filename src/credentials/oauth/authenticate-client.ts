import { type OAuthClient, TokenError } from "./token-client.ts";

/**
 * Puts the client's own credentials on a request to the token or revocation endpoint (RFC 6749, section 2.3.1): in the header, or as
 * parameters. Returns the headers.
 *
 * Throws {@link TokenError} `misconfigured` where a secret is needed and there is none.
 */
export function authenticateClient(
  { clientId, clientSecret, clientAuth }: OAuthClient,
  parameters: URLSearchParams,
): Readonly<Record<string, string>> {
  if (clientAuth === "none") {
    parameters.set("client_id", clientId);
    return {};
  }
  if (clientSecret === undefined)
    throw new TokenError(
      "misconfigured",
      "The client's secret is missing, and it has to authenticate itself.",
    );
  if (clientAuth === "header") return { authorization: basic(clientId, clientSecret.reveal()) };
  parameters.set("client_id", clientId);
  parameters.set("client_secret", clientSecret.reveal());
  return {};
}

/**
 * HTTP Basic with id and secret form-encoded. Letters, digits and `*-._` stay as they are, as the encoding has it (RFC 6749, appendix B):
 * most servers that forget to decode then still understand.
 */
export function basic(clientId: string, clientSecret: string): string {
  return `Basic ${Buffer.from(`${formEncode(clientId)}:${formEncode(clientSecret)}`, "ascii").toString("base64")}`;
}

function formEncode(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}
