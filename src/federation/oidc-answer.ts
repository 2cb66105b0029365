import { validateAuthResponse } from "oauth4webapi";
import { GatewayError } from "../errors.ts";
import type { RelyingParty } from "./oidc-relying-party.ts";

const trouble = "It has trouble at the moment. Try again later.";
const misconfigured =
  "It does not accept how this gateway asks it. That is for whoever runs the gateway to mend: look at `auth.config` and at the client's registration at the provider.";

/** What the codes of RFC 6749, section 4.1.2.1, and OpenID Connect Core, section 3.1.2.6, mean for people; its own words are never shown. */
const meanings: Readonly<Record<string, string>> = {
  access_denied: "You, or somebody who decides about it there, did not allow it.",
  login_required: "You were not signed in there. Begin again.",
  interaction_required: "Something was left to do there. Begin again.",
  account_selection_required: "You have to choose an account there. Begin again.",
  consent_required: "You have to allow it there. Begin again.",
  server_error: trouble,
  temporarily_unavailable: trouble,
  invalid_scope: misconfigured,
  invalid_request: misconfigured,
  unauthorized_client: misconfigured,
  unsupported_response_type: misconfigured,
};

/** A code with all that the library needs to know of it. */
export type CheckedAnswer = ReturnType<typeof validateAuthResponse>;

/** The state in a callback's query; `undefined`: there is none, or several. */
export function stateOf(query: string): string | undefined {
  const [state, ...more] = new URLSearchParams(query).getAll("state");
  return more.length === 0 ? state : undefined;
}

/**
 * Looks at what a browser comes back with, once the attempt is found by its state. It has to come from the provider that was asked
 * (RFC 9207): an issuer in it is compared to the letter before anything else of it is believed.
 *
 * Throws `GatewayError`: `bad_request` for an answer of somebody else and one that is none, `forbidden` when the provider refused.
 *
 * @param name what people call the provider.
 */
export function checkAnswer(
  { server, client }: RelyingParty,
  query: string,
  state: string,
  name: string,
): CheckedAnswer {
  const parameters = new URLSearchParams(query);
  const issuers = parameters.getAll("iss");
  if (issuers.some((issuer) => issuer !== server.issuer))
    throw refusal(`The answer comes from somebody else than ${name}, so it is not believed. Begin again.`);
  if (issuers.length === 0 && server.authorization_response_iss_parameter_supported === true)
    throw refusal(
      `The answer does not say that it comes from ${name}, which always says so. It is not believed. Begin again.`,
    );
  const [error] = parameters.getAll("error");
  if (error !== undefined) {
    const known = Object.hasOwn(meanings, error) ? meanings[error] : undefined;
    const code = known === undefined ? "" : ` (\`${error}\`)`;
    throw new GatewayError("forbidden", `${name} did not sign you in${code}. ${known ?? "Try again."}`);
  }
  try {
    const answer = validateAuthResponse(server, client, parameters, state);
    const [code = ""] = answer.getAll("code");
    // RFC 6749, appendix A.11.
    if (/^[\x20-\x7e]{1,4096}$/.test(code) && answer.getAll("code").length === 1) return answer;
  } catch {
    // The library's words are for programmers; they come to the same.
  }
  throw refusal(`This is not how ${name} answers: a parameter is missing or there twice. Begin again.`);
}

function refusal(message: string): GatewayError {
  return new GatewayError("bad_request", message);
}
