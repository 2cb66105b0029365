import { createHmac, hash, timingSafeEqual } from "node:crypto";
import type { Principal } from "../model/principal.ts";

/** Binds questions to the browser that they were begun in, and forms to questions and to whoever sees them. */
export interface BrowserBinding {
  /**
   * `Set-Cookie` headers for a question that begins: its own cookie, and the end of the oldest others where a browser has too many.
   *
   * @param cookies the request's `Cookie` header.
   */
  begin(id: string, cookies: string | undefined): readonly string[];
  /** `Set-Cookie` that takes a question's cookie away. */
  end(id: string): string;
  /** Whether a question was begun in the browser that sends these cookies. */
  isBegun(id: string, cookies: string | undefined): boolean;
  /** A text for the form that shows a question to somebody. */
  seal(id: string, principal: Principal): string;
  /** Whether a form was shown to the same one. */
  isSealed(id: string, principal: Principal, seal: string): boolean;
}

/** Browsers take the prefix only from this very host (RFC 6265bis, section 4.1.3.2). */
const prefix = "__Host-gateway-consent-";
const attributes = "Path=/; Secure; HttpOnly; SameSite=Lax";
/** So many questions may be open in a browser: pages elsewhere can begin them, and headers have to stay short. */
const mostOpen = 10;

/**
 * @param keys the first one signs, all verify; never none.
 * @param seconds how long a question lasts.
 */
export function createBrowserBinding(keys: () => readonly Buffer[], seconds: number): BrowserBinding {
  const sign = (key: Buffer, parts: readonly string[]): string =>
    createHmac("sha256", key).update(JSON.stringify(parts)).digest("base64url");
  const signNow = (parts: readonly string[]): string => {
    const [key] = keys();
    if (key === undefined) throw new Error("There is no key to sign with.");
    return sign(key, parts);
  };
  const isSigned = (parts: readonly string[], signature: string): boolean =>
    keys().some((key) => isSame(sign(key, parts), signature));
  return {
    begin: (id, cookies) => {
      const others = readCookies(cookies).filter(({ name }) => name !== nameOf(id));
      const surplus = others.slice(0, Math.max(0, others.length - mostOpen + 1));
      return [
        ...surplus.map(({ name }) => expire(name)),
        `${nameOf(id)}=${signNow(["browser", id])}; ${attributes}; Max-Age=${seconds}`,
      ];
    },
    end: (id) => expire(nameOf(id)),
    isBegun: (id, cookies) =>
      readCookies(cookies).some(({ name, value }) => name === nameOf(id) && isSigned(["browser", id], value)),
    seal: (id, principal) => signNow(sealed(id, principal)),
    isSealed: (id, principal, seal) => isSigned(sealed(id, principal), seal),
  };
}

function sealed(id: string, { home, id: principal, credential }: Principal): readonly string[] {
  return ["form", id, home, principal, credential?.kind ?? "", credential?.id ?? ""];
}

function nameOf(id: string): string {
  return `${prefix}${hash("sha256", id, "hex").slice(0, 16)}`;
}

function expire(name: string): string {
  return `${name}=; ${attributes}; Max-Age=0`;
}

/** Names are compared exactly, and nothing but space and tab is taken off: see `readSessionCookies` of the server. */
function readCookies(
  header: string | undefined,
): readonly { readonly name: string; readonly value: string }[] {
  return (header ?? "").split(";").flatMap((pair) => {
    const mark = pair.indexOf("=");
    const name = trimBlanks(pair.slice(0, Math.max(0, mark)));
    const isOurs = name.startsWith(prefix) && /^[0-9a-f]{16}$/.test(name.slice(prefix.length));
    return isOurs ? [{ name, value: trimBlanks(pair.slice(mark + 1)) }] : [];
  });
}

function trimBlanks(text: string): string {
  return text.replace(/^[ \t]+/, "").replace(/[ \t]+$/, "");
}

function isSame(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}
