import { GatewayError } from "../errors.ts";
import { canonicalHost } from "./classify-address.ts";

/** A URL cut where the wire cuts it: what to connect to, and what to ask for. */
export interface RequestTarget {
  /** Scheme, host and port, as a URL's `origin`. */
  readonly origin: string;
  /** Host and port as people know them, for messages; the port is there even when it is the scheme's own. */
  readonly host: string;
  /** The host alone, in its one spelling. */
  readonly canonicalHost: string | undefined;
  /** Path and query, character for character as written; starts with `/`. */
  readonly path: string;
}

/** What one distinct spelling of an origin came to. */
type Origin = Pick<RequestTarget, "origin" | "host" | "canonicalHost">;

/** Upstreams are few; a caller that makes up origins without end only loses the cache. */
const mostOrigins = 1000;

/**
 * Cuts URLs into origin and path without normalizing the path: `%2e%2e` and `..` arrive at the upstream as they were
 * written, so that whoever built the path decides alone what it means.
 *
 * Origins are parsed once for each spelling. An origin that the URL parser would read differently than it is written
 * (a backslash, credentials, a missing host) is refused with `bad_request`.
 */
export class UrlSplitter {
  readonly #origins = new Map<string, Origin>();

  split(url: string): RequestTarget {
    const authority = url.indexOf("://") + 3;
    const end = endOfOrigin(url, authority);
    const written = url.slice(0, end);
    let origin = this.#origins.get(written);
    if (origin === undefined) {
      origin = parseOrigin(written);
      if (this.#origins.size >= mostOrigins) this.#origins.clear();
      this.#origins.set(written, origin);
    }
    return {
      origin: origin.origin,
      host: origin.host,
      canonicalHost: origin.canonicalHost,
      path: pathOf(url, end),
    };
  }
}

function endOfOrigin(url: string, authority: number): number {
  for (let index = authority; index < url.length; index++) {
    const character = url[index];
    if (character === "/" || character === "?" || character === "#") return index;
  }
  return url.length;
}

/** The fragment is never sent (RFC 9110, section 7.1); an empty path is `/`. */
function pathOf(url: string, start: number): string {
  const fragment = url.indexOf("#", start);
  const path = fragment === -1 ? url.slice(start) : url.slice(start, fragment);
  return path.startsWith("/") ? path : `/${path}`;
}

function parseOrigin(written: string): Origin {
  const url = URL.parse(written);
  if (url === null || url.hostname === "" || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new GatewayError(
      "bad_request",
      "The upstream's URL is not an absolute http or https URL. Write it like `https://api.example.com/v1`.",
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new GatewayError(
      "bad_request",
      `The URL of ${url.host} holds a user name or password. Put them into a connection instead.`,
    );
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    throw new GatewayError(
      "bad_request",
      `The host in the upstream's URL can't be read without doubt (it was understood as ${url.host}). Write the host, then a slash and the path.`,
    );
  }
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  return {
    origin: url.origin,
    host: `${url.hostname}:${port}`,
    canonicalHost: canonicalHost(url.hostname),
  };
}
