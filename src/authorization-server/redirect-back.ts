import { asDescription } from "./oauth-error.ts";

/** What an answer of the authorization endpoint adds to a redirect URI (RFC 6749, section 4.1.2; RFC 9207). */
const added = ["code", "error", "error_description", "state", "iss"];

/**
 * Where the browser is sent back to, with the redirect URI to the letter: the protocol library writes it as browsers would, which not every
 * program that waits there takes for the same.
 *
 * @param location as the library wrote it.
 * @param description in place of the library's, for an error.
 */
export function redirectBack(location: string, redirectUri: string, description: string | undefined): string {
  const written = answerIn(location);
  const own = URL.parse(redirectUri)?.searchParams;
  if (written === undefined || own === undefined) return location;
  if (description !== undefined && written.has("error"))
    written.set("error_description", asDescription(description));
  // What the client has registered itself under such a name is replaced, as the library does.
  const isClear = added.every((name) => !own.has(name));
  const answer = new URLSearchParams();
  for (const name of added) {
    const value = written.get(name);
    if (value !== null) answer.set(name, value);
  }
  if (!isClear) {
    const replaced = new URL(location);
    for (const [name, value] of answer) replaced.searchParams.set(name, value);
    return replaced.href;
  }
  if (!redirectUri.includes("?")) return `${redirectUri}?${answer}`;
  return /[?&]$/.test(redirectUri) ? `${redirectUri}${answer}` : `${redirectUri}&${answer}`;
}

/** The library's answer; behind `#`, which no redirect URI has, for response types of the implicit flow, that are refused. */
function answerIn(location: string): URLSearchParams | undefined {
  const url = URL.parse(location);
  if (url === null) return undefined;
  return url.hash.length > 1 ? new URLSearchParams(url.hash.slice(1)) : url.searchParams;
}
