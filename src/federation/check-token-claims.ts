import type { TrustedIssuerConfig } from "../model/auth-config.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";

/** What of a token's claims everybody needs, or why the token is refused, as the end of a sentence. */
export type CheckedClaims =
  | {
      readonly ok: true;
      readonly subject: string;
      readonly clientId: string | undefined;
      readonly scopes: readonly string[];
      /** Milliseconds since 1970, without any tolerance. */
      readonly expiresAt: number;
    }
  | { readonly ok: false; readonly problem: string };

/** Clocks of an issuer and of the gateway may differ by so many milliseconds. */
const skew = 60_000;
/** The end of the year 9999 in seconds: what lies behind it was meant to be milliseconds. */
const lastSecond = 253_402_300_799;

/**
 * Claims of tokens that are for somebody else. ID tokens tell a client who has signed in; taken for access tokens, they would let in whatever
 * client a person has ever signed in to. Events (RFC 8417) such as logout tokens authorize nothing.
 */
const foreign = ["nonce", "at_hash", "c_hash", "events"];
const foreignTypes = ["id", "refresh", "offline", "logout"];

/**
 * Checks the claims of a token whose signature is good (RFC 7519, section 4.1; RFC 9068, section 4).
 *
 * @param time milliseconds since 1970.
 */
export function checkTokenClaims(
  claims: JsonObject,
  { audiences }: Pick<TrustedIssuerConfig, "audiences">,
  time: number,
): CheckedClaims {
  const { sub, aud, exp, nbf, iat } = claims;
  if (isForeign(claims)) return no("it is no access token, but an ID token or one for another purpose");
  if (Object.hasOwn(claims, "cnf"))
    return no("it is bound to a key of its client (`cnf`), which the gateway can't check");
  if (!textsOf(aud)?.some((audience) => audiences.includes(audience)))
    return no(
      `its audience (\`aud\`) has to be one of ${audiences.map((audience) => `\`${audience}\``).join(", ")}`,
    );
  if (!isSeconds(exp)) return no("it has no end (`exp`) in seconds since 1970");
  if (time >= exp * 1000 + skew) return no("it has expired");
  if (nbf !== undefined && !(isSeconds(nbf) && time >= nbf * 1000 - skew))
    return no(
      "it is not good yet (`nbf`), or the clocks of its issuer and of the gateway differ by more than a minute",
    );
  if (iat !== undefined && !(isSeconds(iat) && time >= iat * 1000 - skew))
    return no(
      "it was issued in the future (`iat`): the clocks of its issuer and of the gateway differ by more than a minute",
    );
  if (!isPlainText(sub))
    return no("its subject (`sub`) is missing, or no plain text of up to 255 characters");
  const client = claims["client_id"] ?? claims["azp"];
  if (client !== undefined && !isPlainText(client))
    return no("its client (`client_id` or `azp`) is no plain text");
  const scopes = readScopes(claims);
  if (scopes === undefined) return no("its scopes (`scope` or `scp`) are neither a text nor a list of texts");
  return { ok: true, subject: sub, clientId: client, scopes, expiresAt: exp * 1000 };
}

function isForeign(claims: JsonObject): boolean {
  if (foreign.some((name) => Object.hasOwn(claims, name))) return true;
  // `typ` is Keycloak's, `token_use` is Amazon Cognito's.
  return ["typ", "token_use"].some((name) => {
    const use = Object.hasOwn(claims, name) ? claims[name] : undefined;
    return typeof use === "string" && foreignTypes.includes(use.toLowerCase());
  });
}

/** `scope` is a text with spaces (RFC 9068, section 2.2.3); some issuers have lists, or call it `scp`. */
function readScopes(claims: JsonObject): readonly string[] | undefined {
  const scopes: string[] = [];
  for (const name of ["scope", "scp"]) {
    if (!Object.hasOwn(claims, name)) continue;
    const texts = textsOf(claims[name]);
    if (texts === undefined) return undefined;
    scopes.push(...texts.flatMap((text) => text.split(" ")).filter((scope) => scope !== ""));
  }
  return [...new Set(scopes)];
}

/** A text as a list of one. */
function textsOf(value: JsonValue | undefined): readonly string[] | undefined {
  if (typeof value === "string") return [value];
  if (!Array.isArray(value)) return undefined;
  const texts = value.filter((text) => typeof text === "string");
  return texts.length === value.length ? texts : undefined;
}

function isSeconds(value: JsonValue | undefined): value is number {
  return typeof value === "number" && value >= 0 && value <= lastSecond;
}

/** Without control characters and others that are not seen, so that two people never look like one. */
function isPlainText(value: JsonValue | undefined): value is string {
  return typeof value === "string" && /^[^\p{Cc}\p{Cf}\p{Cs}]{1,255}$/u.test(value) && value.trim() !== "";
}

function no(problem: string): CheckedClaims {
  return { ok: false, problem };
}
