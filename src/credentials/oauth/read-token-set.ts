import { asObject } from "../../json-object.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { Secret } from "../../secret.ts";
import { valueAt } from "./read-answer.ts";
import { type OAuthClient, TokenError, type TokenSet } from "./token-client.ts";

const mostCharacters = 16_384;
/** In seconds, some three centuries: more is a mistake, and taken for never. */
const longestLife = 10_000_000_000;
/** Tokens that take more than a header: nobody here can use them. */
const otherTypes: ReadonlySet<string> = new Set(["mac", "pop", "dpop"]);

/**
 * The tokens in an answer. What belongs to the access token stands beside it; what stands at the root counts too, unless there is another
 * access token, of somebody else, there.
 *
 * Throws {@link TokenError} `transient` for an answer without a token that a header could carry, `misconfigured` for a type of token that
 * a header alone can't use. Messages hold nothing of the answer.
 *
 * @param host host and port of the endpoint, for messages.
 * @param path where the access token is.
 * @param now milliseconds since 1970 when the request was sent, which errs on the safe side.
 */
export function readTokenSet(
  answer: JsonObject,
  path: readonly string[],
  { scopeSeparator }: Pick<OAuthClient, "scopeSeparator">,
  host: string,
  now: number,
): TokenSet {
  const accessToken = valueAt(answer, path);
  if (typeof accessToken !== "string" || !isToken(accessToken, /^[\x21-\x7e]+$/))
    throw new TokenError("transient", `${host} answered the token request without a usable access token.`);
  const beside = asObject(valueAt(answer, path.slice(0, -1))) ?? answer;
  const alone = path.length === 1 || !Object.hasOwn(answer, "access_token");
  const member = (name: string): JsonValue | undefined =>
    valueAt(beside, [name]) ?? (alone ? valueAt(answer, [name]) : undefined);

  const type = member("token_type");
  if (typeof type === "string" && otherTypes.has(type.toLowerCase()))
    throw new TokenError(
      "misconfigured",
      `${host} gives out a type of access token that the gateway can't use.`,
    );
  return {
    accessToken: new Secret(accessToken),
    refreshToken: readRefreshToken(member("refresh_token"), host),
    expiresAt: readEnd(member("expires_in"), now),
    scopes: readScopes(member("scope"), scopeSeparator),
    answer,
  };
}

function isToken(text: string, form: RegExp): boolean {
  return text.length <= mostCharacters && form.test(text);
}

function readRefreshToken(value: JsonValue | undefined, host: string): Secret | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value !== "string" || !isToken(value, /^[\x20-\x7e]+$/))
    throw new TokenError(
      "transient",
      `${host} answered the token request with a refresh token that is none.`,
    );
  return new Secret(value);
}

/** A life of no seconds is how some servers say that it never ends. */
function readEnd(value: JsonValue | undefined, now: number): number | undefined {
  const text = typeof value === "string" ? value.trim() : value;
  const seconds =
    typeof text === "number" || (typeof text === "string" && text !== "") ? Number(text) : Number.NaN;
  return seconds > 0 && seconds <= longestLife ? now + Math.floor(seconds * 1000) : undefined;
}

/** Some servers give a list, and some put commas between scopes that were asked for with spaces. */
function readScopes(value: JsonValue | undefined, separator: string): readonly string[] | undefined {
  if (Array.isArray(value)) return unique(value.filter((scope) => typeof scope === "string"));
  if (typeof value !== "string") return undefined;
  const parts = value.split(separator).flatMap((part) => part.split(/\s+/));
  return unique(parts.length === 1 ? value.split(",") : parts);
}

function unique(scopes: readonly string[]): readonly string[] {
  return [...new Set(scopes.map((scope) => scope.trim()).filter((scope) => scope !== ""))];
}
