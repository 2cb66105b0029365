import { GatewayError } from "../errors.ts";
import { isLoopback } from "../loopback.ts";
import type { JsonValue } from "../model/json.ts";

const mostCharacters = 2048;

/** Who counts as having named a URL: the operator for whatever is of the issuer's own origin, else the issuer's metadata. */
export function whoNamed(url: string, issuer: string): "operator" | "upstream" {
  return originOf(url) === originOf(issuer) ? "operator" : "upstream";
}

/**
 * A URL that an issuer's metadata names, as it is written, once it is one that may be followed: absolute, printable ASCII, without user
 * and fragment, and https. http only on loopback, and where the operator's file names the very same origin by http.
 *
 * @param what names it in the error, such as `token_endpoint`.
 * @throws GatewayError `upstream_failed`.
 */
export function checkEndpoint(value: JsonValue | undefined, what: string, issuer: string): string {
  const problem = findProblem(value, issuer);
  if (typeof value === "string" && problem === undefined) return value;
  throw new GatewayError(
    "upstream_failed",
    `The metadata of the issuer ${issuer} can't be used: its \`${what}\` ${problem}. That is for whoever runs the issuer to mend.`,
  );
}

function findProblem(value: JsonValue | undefined, issuer: string): string | undefined {
  if (typeof value !== "string" || value === "") return "is missing or no text";
  if (value.length > mostCharacters) return `is longer than ${mostCharacters} characters`;
  // A parser drops tabs and line breaks in silence, and reads `\` as `/`: what is compared and what is sent must be the same.
  if (!/^[\x21-\x5b\x5d-\x7e]+$/.test(value)) return "has characters that no URL has";
  const url = URL.parse(value);
  if (url === null) return "is no absolute URL";
  if (url.username !== "" || url.password !== "") return "has a user or a password in it";
  if (value.includes("#")) return "has a fragment";
  if (url.protocol === "https:") return undefined;
  if (url.protocol !== "http:") return "is neither https nor http";
  if (isLoopback(url.hostname) || url.origin === originOf(issuer)) return undefined;
  return "is not encrypted (http)";
}

function originOf(url: string): string | undefined {
  return URL.parse(url)?.origin;
}
