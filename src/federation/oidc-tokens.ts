import {
  authorizationCodeGrantRequest,
  processAuthorizationCodeResponse,
  processUserInfoResponse,
  ResponseBodyError,
  userInfoRequest,
  validateApplicationLevelSignature,
  WWWAuthenticateChallengeError,
} from "oauth4webapi";
import { GatewayError } from "../errors.ts";
import type { VerifiedAccount } from "../identity/identity.ts";
import type { OidcConfig } from "../model/auth-config.ts";
import type { JsonObject } from "../model/json.ts";
import type { CheckedAnswer } from "./oidc-answer.ts";
import type { SignInAttempt } from "./oidc-attempts.ts";
import type { RelyingParty } from "./oidc-relying-party.ts";
import { parseStrictObject } from "./parse-strict-json.ts";

/** Of `sub` (OpenID Connect Core, section 2). */
const longestSubject = 255;

/**
 * Redeems a code and says who it stands for: by the ID token, with its signature, issuer, audience, authorized party, nonce and times
 * checked (OpenID Connect Core, section 3.1.3.7), and by the UserInfo endpoint for claims that are looked at and not in it.
 *
 * Throws `GatewayError` `upstream_failed` and `timed_out`, in words for the person; why is in the cause.
 */
export async function redeemCode(
  party: RelyingParty,
  config: OidcConfig,
  answer: CheckedAnswer,
  { redirectUri, verifier, nonce }: SignInAttempt,
): Promise<VerifiedAccount> {
  const { server, client, authentication, options } = party;
  try {
    const response = await authorizationCodeGrantRequest(
      ...([server, client, authentication, answer, redirectUri, verifier] as const),
      options,
    );
    const tokens = await processAuthorizationCodeResponse(server, client, response, {
      ...{ expectedNonce: nonce, requireIdToken: true },
    });
    await validateApplicationLevelSignature(server, response, options);
    const claims = readClaims(tokens.id_token);
    const { sub: subject, azp: authorizedParty = config.clientId } = claims;
    // The library looks at it where there are several audiences only.
    if (authorizedParty !== config.clientId)
      throw new TypeError("The ID token was asked for by another client.");
    if (typeof subject !== "string" || subject === "" || subject.length > longestSubject)
      throw new TypeError("The ID token has a subject that can't be one.");
    const further = isComplete(claims, config) ? {} : await askFurther(party, tokens.access_token, subject);
    return { issuer: server.issuer, subject, claims: withFurther(claims, further) };
  } catch (error) {
    throw inWords(error, config.displayName);
  }
}

/** The library has checked these claims; here they are read so that nobody can read them otherwise. */
function readClaims(idToken: string | undefined): JsonObject {
  const payload = Buffer.from(idToken?.split(".")[1] ?? "", "base64url");
  const claims = parseStrictObject(payload);
  if (claims === undefined) throw new TypeError("The ID token can be understood in several ways.");
  return claims;
}

/** Whether all is there that is looked at; some providers have part of it at their UserInfo endpoint only. */
function isComplete(claims: JsonObject, { claims: { tenant, roles } }: OidcConfig): boolean {
  const own = (name: string): boolean => Object.hasOwn(claims, name);
  const isThere = (claim: string): boolean => own(claim) || own(claim.split(".")[0] ?? "");
  const ruled = [tenant, roles].flatMap((rule) => (rule === undefined ? [] : [rule.claim]));
  return own("email") && own("email_verified") && ruled.every(isThere);
}

/** What the UserInfo endpoint says of the same subject; nothing where the provider has none. */
async function askFurther(party: RelyingParty, accessToken: string, subject: string): Promise<JsonObject> {
  const { server, client, options } = party;
  if (server.userinfo_endpoint === undefined) return {};
  const response = await userInfoRequest(server, client, accessToken, options);
  if (/^application\/jwt\b/i.test(response.headers.get("content-type") ?? ""))
    throw new TypeError("The UserInfo endpoint answers with a signed token, which was not asked for.");
  const copy = response.clone();
  try {
    await processUserInfoResponse(server, client, subject, response);
  } catch (error) {
    // Told apart from the token endpoint, where a challenge is about the gateway itself.
    if (error instanceof WWWAuthenticateChallengeError)
      throw new TypeError("The UserInfo endpoint does not accept the access token.");
    throw error;
  }
  const claims = parseStrictObject(new Uint8Array(await copy.arrayBuffer()));
  if (claims?.["sub"] !== subject)
    throw new TypeError("The UserInfo answer can be understood in several ways.");
  return claims;
}

/** The ID token counts first. An address and whether it is verified belong together, so both come from one of the two. */
function withFurther(claims: JsonObject, further: JsonObject): JsonObject {
  const isWhole = Object.hasOwn(claims, "email") && Object.hasOwn(claims, "email_verified");
  if (isWhole || !Object.hasOwn(further, "email")) {
    const { email_verified: _, ...rest } = further;
    return { ...rest, ...claims };
  }
  const { email: _email, email_verified: _verified, ...own } = claims;
  return { ...further, ...own };
}

function inWords(error: unknown, name: string): GatewayError {
  const options = { cause: withoutSecrets(error) };
  if (error instanceof GatewayError) {
    const code = error.code === "timed_out" ? error.code : "upstream_failed";
    return new GatewayError(code, `${name} can't be asked at the moment who you are. Try again later.`, {
      ...options,
      retryable: true,
    });
  }
  if (error instanceof ResponseBodyError || error instanceof WWWAuthenticateChallengeError) {
    const advice = isAboutClient(error)
      ? "It does not know this gateway by its client id and secret. That is for whoever runs the gateway to mend, in `auth.config`."
      : "The sign-in may have taken too long. Begin again; if it stays so, tell whoever runs the gateway.";
    return new GatewayError("upstream_failed", `${name} did not say who you are. ${advice}`, options);
  }
  return new GatewayError(
    "upstream_failed",
    `What ${name} says of you can't be believed, so you are not signed in. Begin again; if it stays so, tell whoever runs the gateway: its log says more.`,
    options,
  );
}

/** Who comes by HTTP Basic with a wrong secret is answered with a challenge, and what else is said is not read then (RFC 6749, section 5.2). */
function isAboutClient(error: ResponseBodyError | WWWAuthenticateChallengeError): boolean {
  if (error instanceof WWWAuthenticateChallengeError) return true;
  return error.error === "invalid_client" || error.error === "unauthorized_client";
}

/** What went wrong, for the log. The library's errors hold tokens and codes in their causes; their messages are fixed texts. */
function withoutSecrets(error: unknown): Error {
  if (error instanceof GatewayError) return error;
  if (!(error instanceof Error)) return new Error("Something failed that says nothing of itself.");
  if (error instanceof WWWAuthenticateChallengeError)
    return new Error(
      `The token endpoint does not accept the client id and secret of \`auth.config\` (status ${error.status}).`,
    );
  if (!(error instanceof ResponseBodyError)) return new Error(error.message);
  const code = /^[a-z_]{1,64}$/.test(error.error) ? ` \`${error.error}\`` : "";
  return new Error(`The token endpoint answered with status ${error.status} and the error${code}.`);
}
