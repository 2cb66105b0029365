import type { IncomingMessage } from "node:http";
import { GatewayError } from "../errors.ts";
import { isLoopback } from "../loopback.ts";

/** Tells requests of the gateway's own pages from those that a page elsewhere makes a browser send (CSRF). */
export interface OriginCheck {
  /**
   * Throws `forbidden` for a request that another page has caused, whatever its method. Where a browser says nothing of its
   * page it is none, or none that could do harm: all of them send one of the two headers with every method that changes
   * something. For requests that browsers add the session cookie to.
   *
   * @param use `page`: somebody who follows a link from elsewhere is let in; the page must change nothing.
   */
  check(request: IncomingMessage, use?: "page"): void;
  /** The same for a form of our own pages: who is no browser has no business there, so one of the two has to say so. */
  checkForm(request: IncomingMessage): void;
}

/**
 * After Go's `CrossOriginProtection`, but stricter: `Sec-Fetch-Site` and `Origin` have to agree, the scheme counts, other
 * subdomains are foreign, and reading is checked like writing.
 *
 * @param baseUrl the URL that clients use, when the file names it.
 */
export function createOriginCheck(baseUrl: string | undefined): OriginCheck {
  const base = baseUrl === undefined ? undefined : URL.parse(baseUrl)?.origin;
  const isOwn = (origin: string, host: string): boolean => {
    if (origin === base) return true;
    if (origin === originOf("https", host)) return true;
    // Whoever can pretend to be `http://NAME` on the network must not speak for `https://NAME`.
    const isPlainOwn = base === undefined || base.startsWith("http:") || isLoopback(nameOf(host));
    return isPlainOwn && origin === originOf("http", host);
  };
  const check = (request: IncomingMessage, use?: "page"): void => {
    const { origin, host = "" } = request.headers;
    const site = request.headers["sec-fetch-site"];
    if (origin !== undefined && !isOwn(origin, host)) throw foreign("Origin", origin);
    if (site === undefined || site === "same-origin" || site === "none") return;
    if (use === "page" && isNavigation(request)) return;
    throw foreign("Sec-Fetch-Site", String(site));
  };
  return {
    check,
    checkForm: (request) => {
      check(request);
      if (request.headers.origin === undefined && request.headers["sec-fetch-site"] !== "same-origin") {
        throw new GatewayError(
          "forbidden",
          "This form is for browsers, which tell where it was filled in. Programs use POST /api/v1/auth/login.",
        );
      }
    },
  };
}

/** Whether a browser shows the answer as a page of its own, which no other page can look into. */
export function isNavigation({ method, headers }: IncomingMessage): boolean {
  return (
    (method === "GET" || method === "HEAD") &&
    headers["sec-fetch-mode"] === "navigate" &&
    headers["sec-fetch-dest"] === "document"
  );
}

function originOf(scheme: string, host: string): string | undefined {
  return URL.parse(`${scheme}://${host}`)?.origin;
}

function nameOf(host: string): string {
  return host.replace(/:\d+$/, "");
}

function foreign(header: string, value: string): GatewayError {
  return new GatewayError(
    "forbidden",
    `The session cookie counts only for pages of the gateway itself, and the ${header} header says \`${value.slice(0, 200)}\`. Programs use an API token.`,
  );
}
