import type { IncomingMessage } from "node:http";
import { GatewayError } from "../errors.ts";
import { isLoopback } from "../loopback.ts";
import { isNavigation } from "./check-origin.ts";

/**
 * Decides whether a request's `Host` and `Origin` belong to this gateway.
 *
 * @param use `page`: links from elsewhere may lead there. `open`: pages elsewhere may ask as well, as for what is public anyway; only `Host`
 * counts.
 */
export type HostCheck = (request: IncomingMessage, use?: "page" | "open") => void;

const loopbackNames = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Refuses requests that a web page elsewhere could make a browser send (DNS rebinding, cross-site requests): `Host` must
 * name this gateway, and so must `Origin` where there is one. MCP 2025-11-25 and 2026-07-28, Transports, Security Warning.
 *
 * @param boundTo the address that the server listens on; loopback names are accepted only when that is loopback.
 * @param allowed further host names, without ports.
 */
export function createHostCheck(boundTo: string, allowed: readonly string[]): HostCheck {
  const names = new Set(allowed.map((name) => name.toLowerCase()));
  if (isLoopback(boundTo)) for (const name of loopbackNames) names.add(name);
  else names.add(boundTo.toLowerCase());
  const refuse = (header: string, value: string): never => {
    throw new GatewayError(
      "forbidden",
      `The ${header} header \`${value.slice(0, 200)}\` does not name this gateway. Add the host to \`server.allowed_hosts\` if it should.`,
    );
  };
  return (request, use) => {
    // That there is one of each was checked before.
    const { host = "", origin } = request.headers;
    const name = hostName(host);
    if (name === undefined || !names.has(name)) refuse("Host", host);
    if (use === "open") return;
    if (origin === undefined) {
      // A page elsewhere can make a browser send a GET without Origin, as for a picture; browsers tell it by this header.
      const isLink = use === "page" && isNavigation(request);
      if (request.headers["sec-fetch-site"] === "cross-site" && !isLink)
        refuse("Sec-Fetch-Site", "cross-site");
      return;
    }
    const match = /^https?:\/\/([^/\s@?#]+)$/i.exec(origin);
    const originName = match?.[1] === undefined ? undefined : hostName(match[1]);
    if (originName === undefined || !names.has(originName)) refuse("Origin", origin);
  };
}

/** The name in `name:port`, lower case; `undefined` when it is no authority of a URL. */
function hostName(authority: string): string | undefined {
  return /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.exec(authority)?.[1]?.toLowerCase();
}
