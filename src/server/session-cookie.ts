import type { Secret } from "../secret.ts";

/**
 * Name of the session's cookie. Browsers take the prefix only from this very host, with `Secure`, `Path=/` and no `Domain`
 * (RFC 6265bis, section 4.1.3.2), so that no other site, however near, can set one.
 */
export const sessionCookie = "__Host-gateway-session";

/**
 * The values of all session cookies in a `Cookie` header. Names are compared exactly, and nothing but space and tab is taken
 * off around them: every kinder reading would find the name in cookies that anybody may set.
 */
export function readSessionCookies(header: string | undefined): readonly string[] {
  if (header === undefined || !header.includes(sessionCookie)) return [];
  return header.split(";").flatMap((pair) => {
    const mark = pair.indexOf("=");
    if (mark === -1 || trimBlanks(pair.slice(0, mark)) !== sessionCookie) return [];
    return [trimBlanks(pair.slice(mark + 1))];
  });
}

/** `Set-Cookie` for a session that has begun. `Lax`: links from elsewhere lead in, forms and frames from elsewhere don't. */
export function writeSessionCookie(session: Secret, milliseconds: number): string {
  const seconds = Math.max(1, Math.floor(milliseconds / 1_000));
  return `${sessionCookie}=${session.reveal()}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${seconds}`;
}

/**
 * Headers that take it away, and with it what the browser has kept of the gateway's answers: Chromium shows pages that it kept
 * whole for the back button, `no-store` or not (Clear Site Data, section 3.1).
 */
export const signedOutHeaders: Readonly<Record<string, string>> = {
  "set-cookie": `${sessionCookie}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`,
  "clear-site-data": '"cache"',
};

function trimBlanks(text: string): string {
  return text.replace(/^[ \t]+/, "").replace(/[ \t]+$/, "");
}
