import { GatewayError } from "../../errors.ts";
import { isLoopback } from "../../loopback.ts";
import type { JsonValue } from "../../model/json.ts";

const mostCharacters = 2048;

/** Who counts as having named a URL: the operator for whatever is of the MCP URL's own origin, else the server that did. */
export function whoNamed(url: string, mcpUrl: string): "operator" | "upstream" {
  return new URL(url).origin === new URL(mcpUrl).origin ? "operator" : "upstream";
}

/**
 * A URL that a server names, as it is written, once it is one that may be followed: absolute, printable ASCII, without user and fragment,
 * and https. http only on loopback, and where the operator's file names the very same origin by http.
 *
 * @param what names it in the error, such as `token endpoint`.
 * @throws GatewayError `upstream_failed`.
 */
export function checkEndpoint(value: JsonValue | undefined, what: string, mcpUrl: string): string {
  const problem = findProblem(value, mcpUrl);
  if (typeof value === "string" && problem === undefined) return value;
  throw new GatewayError(
    "upstream_failed",
    `The URL that was announced as ${what} ${problem}, so it is not followed. That is for whoever runs the server to mend.`,
  );
}

function findProblem(value: JsonValue | undefined, mcpUrl: string): string | undefined {
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
  if (isLoopback(url.hostname) || url.origin === new URL(mcpUrl).origin) return undefined;
  return "is not encrypted (http)";
}
