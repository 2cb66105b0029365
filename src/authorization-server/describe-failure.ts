import { type ErrorCode, GatewayError } from "../errors.ts";
import { ClientProblem, type ClientRules } from "./client-rules.ts";
import { OAuthError } from "./oauth-error.ts";
import type { RequestState } from "./request-state.ts";

/** What the protocol library says of a refusal. */
interface Refusal {
  readonly error: string;
  readonly description: string;
  /** What it tells nobody but logs. */
  readonly detail: string;
  readonly status: number;
}

/** What a failure is explained by. */
export interface FailureParts {
  readonly clients: ClientRules;
  readonly state: RequestState;
}

/** Parameters of OpenID Connect whose meaning the client may rely on, and which therefore can't be left out. */
const openIdOnly = ["claims", "max_age", "id_token_hint"];

/**
 * A failure at the authorization endpoint that is told to the person, since the browser can't be sent back: `details.error` is its name in
 * OAuth.
 */
export function describeForPerson(parts: FailureParts): GatewayError {
  const { failure } = parts.state;
  if (failure instanceof GatewayError) return failure;
  if (failure instanceof ClientProblem) {
    return new GatewayError(failure.status === 429 ? "rate_limited" : "bad_request", failure.message, {
      cause: failure.cause,
      details: {
        error: failure.error,
        ...(failure.retryAfter === undefined ? {} : { retry_after: failure.retryAfter }),
      },
    });
  }
  const refusal = readRefusal(failure);
  if (refusal === undefined) return new GatewayError("internal", failed, { cause: failure });
  const code: ErrorCode = refusal.error === "access_denied" ? "forbidden" : "bad_request";
  return new GatewayError(code, describeRefusal(parts, refusal), { details: { error: refusal.error } });
}

/** A failure at the endpoints that clients ask themselves; `undefined`: nobody but the operator can do something about it. */
export function describeForClient(parts: FailureParts): OAuthError | undefined {
  const refusal = readRefusal(parts.state.failure);
  if (refusal === undefined) return oauthErrorOf(parts.state.failure);
  return new OAuthError(refusal.error, describeRefusal(parts, refusal), { status: refusal.status });
}

/** What of our own was thrown, as OAuth says it; `undefined` for all else. */
export function oauthErrorOf(thrown: unknown): OAuthError | undefined {
  if (thrown instanceof OAuthError) return thrown;
  if (thrown instanceof ClientProblem) {
    const { error, message, retryAfter } = thrown;
    const status = error === "invalid_client" ? 401 : thrown.status;
    const headers = retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
    return new OAuthError(error, message, { status, headers });
  }
  if (!(thrown instanceof GatewayError) || thrown.code !== "store_unavailable") return undefined;
  return new OAuthError("temporarily_unavailable", thrown.message, {
    status: 503,
    headers: { "retry-after": "1" },
  });
}

/** The description of an error that the browser is sent back with; `undefined`: that of the library says it. */
export function describeForRedirect(parts: FailureParts): string | undefined {
  const refusal = readRefusal(parts.state.failure);
  return refusal && describeRefusal(parts, refusal);
}

const failed = "The gateway failed to handle this request.";

/** For a browser that comes back from a question that it was not asked, or not any more. */
export const notBegunHere =
  "This sign-in has ended, was begun in another browser, or the browser keeps no cookies of this gateway. Go back to the app that sent you here, and begin there again.";

/** The library's own errors, which are told; all others are ours. */
function readRefusal(failure: unknown): Refusal | undefined {
  if (!(failure instanceof Error)) return undefined;
  const members: Readonly<Record<string, unknown>> = { ...failure };
  const { error, error_description: description, error_detail: detail, statusCode, expose } = members;
  if (expose !== true || typeof error !== "string") return undefined;
  return {
    error,
    description: typeof description === "string" ? description : "",
    detail: typeof detail === "string" ? detail : "",
    status: typeof statusCode === "number" && statusCode >= 400 ? statusCode : 400,
  };
}

function describeRefusal(parts: FailureParts, { error, description, detail }: Refusal): string {
  const { clients, state } = parts;
  const { client, parameters } = state;
  const clientId = parameters.get("client_id") ?? "";
  switch (error) {
    case "invalid_client":
      if (detail === "client not found") return clients.describeUnknown(clientId);
      if (state.secretProblem !== undefined) return state.secretProblem;
      return client === undefined
        ? description
        : clients.describeMethod(client, parameters.has("client_secret"));
    case "invalid_redirect_uri":
      return client === undefined
        ? description
        : clients.describeRedirectUri(client, parameters.get("redirect_uri") ?? "");
    case "invalid_grant":
      return describeGrantRefusal(detail);
    case "unsupported_response_type":
      return "Only response_type=code is possible here.";
    case "unsupported_response_mode":
      return "Only response_mode=query is possible here, which is what holds without the parameter.";
    case "unsupported_grant_type":
      return "Only the grant types authorization_code and refresh_token are possible here.";
    case "request_not_supported":
    case "request_uri_not_supported":
    case "registration_not_supported":
      return `The parameter ${error.slice(0, -"_not_supported".length)} is not possible here. Send each parameter of the request by itself.`;
    case "interaction_required":
      return "The person has to be asked, which prompt=none rules out. Leave prompt out.";
    case "access_denied":
      // Only where the grant is gone that the person has just made.
      return description.includes("no scope was granted")
        ? "What the person has allowed was revoked since then."
        : description;
    case "invalid_request":
      return describeInvalidRequest(description, parameters);
    default:
      return description;
  }
}

function describeInvalidRequest(description: string, parameters: URLSearchParams): string {
  if (description.includes("requires PKCE"))
    return "code_challenge is missing. Every client has to use PKCE here: send code_challenge, with code_challenge_method=S256 (RFC 7636).";
  if (description.includes("code_challenge_method"))
    return "code_challenge_method has to be S256, which is not what holds without the parameter. The method plain is not possible here.";
  if (description.includes("no client authentication"))
    return "client_id is missing. Send it in the body, or with client_secret by HTTP Basic.";
  if (description.includes("openid scope")) {
    const named = openIdOnly.filter((name) => parameters.has(name)).join(", ");
    return `${named} needs OpenID Connect, and this is an OAuth authorization server without it. Leave it out.`;
  }
  if (description === "authorization request has expired" || description.includes("session"))
    return notBegunHere;
  return description;
}

/** One text for what must not be told apart: a code of another client, and one that there never was. */
function describeGrantRefusal(detail: string): string {
  if (detail.includes("code_verifier")) {
    return detail.includes("must be provided")
      ? "code_verifier is missing. Send the one that code_challenge was made of (RFC 7636)."
      : "code_verifier does not fit the code_challenge of the authorization request. It may belong to another attempt to sign in.";
  }
  if (detail.includes("redirect_uri"))
    return "redirect_uri is not the one of the authorization request. Send the same text again.";
  if (detail.includes("account"))
    return "Whoever allowed this has been removed or disabled, or all that they had allowed was ended by a change of password or roles. Ask them again, at the authorization endpoint.";
  if (detail.includes("refresh token"))
    return "The refresh token is unknown, has expired, was revoked, or belongs to another client. Ask the person again, at the authorization endpoint.";
  if (detail.includes("grant"))
    return "What the person allowed was revoked, or has expired. Ask them again, at the authorization endpoint.";
  return "The code or token is unknown, was used, has expired, or belongs to another client. A code can be used once, within a minute. Begin again at the authorization endpoint.";
}
