import { isLoopback } from "../loopback.ts";
import type { JsonValue } from "../model/json.ts";

const mostCharacters = 2_048;

/**
 * Who counts as having named a URL that a server announces: the operator for whatever is of the same origin as a URL of the operator's file,
 * else the server that did (docs/adr/0005).
 */
export function whoNamed(url: string, operatorUrl: string): "operator" | "upstream" {
  return originOf(url) === originOf(operatorUrl) ? "operator" : "upstream";
}

/**
 * Why a URL that a server announces may not be followed, as the end of a sentence; `undefined`: it may. It has to be absolute, printable
 * ASCII, without user and fragment, and https; http only on loopback, and where the operator's file names the very same origin by http.
 */
export function problemOfNamedUrl(value: JsonValue | undefined, operatorUrl: string): string | undefined {
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
  if (isLoopback(url.hostname) || url.origin === originOf(operatorUrl)) return undefined;
  return "is not encrypted (http)";
}

function originOf(url: string): string | undefined {
  return URL.parse(url)?.origin;
}
