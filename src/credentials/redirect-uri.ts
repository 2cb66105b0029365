import { hash } from "node:crypto";

/** Where authorization servers send browsers back to, below the base URL. */
const path = "/api/v1/auth/callback";
/** Hexadecimal digits: enough that nobody finds an issuer of their own for the suffix of somebody else's. */
const suffixLength = 32;

/** What the redirect URI of an issuer ends with. */
export function suffixOf(issuer: string): string {
  return hash("sha256", issuer, "hex").slice(0, suffixLength);
}

/** True for what may be such an end. */
export function isSuffix(text: string): boolean {
  return text.length === suffixLength && /^[0-9a-f]+$/.test(text);
}

/**
 * The redirect URI for answers of one authorization server, where the gateway registers itself: an answer that another server gave comes
 * back at another path, also where no server names itself (mix-up, RFC 9700, section 4.4.2).
 *
 * @param issuer `undefined`: the one that people and documents register, which servers share.
 */
export function redirectUriFor(baseUrl: string, issuer: string | undefined): string {
  return issuer === undefined ? `${baseUrl}${path}` : redirectUriOf(baseUrl, suffixOf(issuer));
}

/** The redirect URI with a suffix. */
export function redirectUriOf(baseUrl: string, suffix: string): string {
  return `${baseUrl}${path}/${suffix}`;
}

/**
 * Whether a browser that was sent to a redirect URI arrives like this.
 *
 * @param suffix what follows the common path, without the slash; `undefined`: nothing does.
 */
export function isRedirectTo(redirectUri: string, suffix: string | undefined): boolean {
  // What stands before may have changed meanwhile, by a reload.
  return redirectUri.endsWith(suffix === undefined ? path : `${path}/${suffix}`);
}
