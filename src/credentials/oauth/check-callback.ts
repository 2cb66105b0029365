import { GatewayError } from "../../errors.ts";
import type { OAuthCallback } from "../../model/connections.ts";
import { plainText } from "../flows/plain-text.ts";
import type { OAuthClient } from "./token-client.ts";

const mostCode = 4096;
const mostWords = 200;

const rejected =
  "The authorization server does not accept the gateway's request. The operator has to look at the connection's OAuth settings.";
const unknown = "The authorization server answered with an error.";

/** What the codes of RFC 6749, section 4.1.2.1, mean for people. */
const meanings: Readonly<Record<string, string>> = {
  access_denied: "The authorization was denied.",
  invalid_scope: "The authorization server does not give the scopes that the connection asks for.",
  invalid_target: "The authorization server does not know the resource that the connection asks for.",
  invalid_request: rejected,
  unauthorized_client: rejected,
  unsupported_response_type: rejected,
  server_error: "The authorization server has trouble. Try again later.",
  temporarily_unavailable: "The authorization server is not available now. Try again later.",
};

/**
 * Looks at what an authorization server sent a browser back with, once the flow is found by its state, and gives the code.
 *
 * The answer has to come from the server that was asked (RFC 9207, section 2.4): where it names an issuer it is compared exactly, and
 * before anything else of it is believed.
 *
 * Throws `GatewayError` `bad_request` for an answer of somebody else, for an error of the server (in words, with what it said marked as
 * its own and cut short), and for one without a code that can be one.
 */
export function checkCallback(
  { issuer, issuerRequired }: Pick<OAuthClient, "issuer" | "issuerRequired">,
  callback: Pick<OAuthCallback, "code" | "issuer" | "error" | "errorDescription">,
): string {
  if (callback.issuer === undefined ? issuerRequired : issuer !== undefined && callback.issuer !== issuer)
    throw refusal(
      callback.issuer === undefined
        ? "The answer does not say which authorization server it comes from, so it is not believed. Start again."
        : "The answer comes from another authorization server than the one that was asked, so it is not believed. Start again.",
    );
  if (callback.error !== undefined) throw refusal(describe(callback.error, callback.errorDescription));
  const { code } = callback;
  // RFC 6749, appendix A.11.
  if (code === undefined || code.length > mostCode || !/^[\x20-\x7e]+$/.test(code))
    throw refusal("The authorization server sent no code that can be one. Start again.");
  return code;
}

function describe(error: string, description: string | undefined): string {
  const meaning = (Object.hasOwn(meanings, error) ? meanings[error] : undefined) ?? unknown;
  const code = /^[a-z0-9_.-]{1,64}$/.test(error) ? ` (\`${error}\`)` : "";
  const words = plainText(description ?? "", mostWords).replaceAll('"', "'");
  return `${meaning}${code}${words === "" ? "" : ` The server's own words: "${words}"`}`;
}

function refusal(message: string): GatewayError {
  return new GatewayError("bad_request", message);
}
