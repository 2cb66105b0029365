import type { IncomingMessage } from "node:http";
import { GatewayError } from "../errors.ts";

/** What a request asks for. */
export interface Target {
  /** Without query, percent-encoding as sent. */
  readonly path: string;
  /** What follows `?`; empty when nothing does. */
  readonly query: string;
}

/** `http://HOST` in front of a path, as clients send it to proxies (RFC 9112, section 3.2.2). */
const absoluteForm = /^https?:\/\/([^/?#]*)/i;

/** Reads the target as it is; whether it may be like that says {@link checkTarget}. */
export function readTarget({ url = "" }: IncomingMessage): Target {
  const authority = url.startsWith("/") ? undefined : absoluteForm.exec(url)?.[0];
  const target = authority === undefined ? url : withSlash(url.slice(authority.length));
  const mark = target.indexOf("?");
  return mark === -1
    ? { path: target, query: "" }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/**
 * Refuses targets that what stands in front of the gateway may have read otherwise: of another host than `Host` names, no path of this
 * server (`OPTIONS *`), with dot segments, control characters, or broken percent-encoding. Throws `bad_request`.
 */
export function checkTarget({ url = "", headers }: IncomingMessage, path: string): void {
  if (!url.startsWith("/")) {
    const named = absoluteForm.exec(url)?.[1];
    if (named === undefined) throw refusal("is not a path that begins with a slash");
    // Host counts everywhere else, and RFC 9112 (section 3.2.2) would have it ignored: where they agree it does not matter.
    if (named.toLowerCase() !== headers.host?.toLowerCase())
      throw refusal("names another host than the Host header");
  }
  if (path.includes("%")) {
    if (/%(?![0-9a-f]{2})/i.test(path)) throw refusal("has a percent sign that encodes nothing; write `%25`");
    if (/%(?:[01][0-9a-f]|7f)/i.test(path)) throw refusal("has control characters");
  }
  if (/(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:$|[/\\]|%2f|%5c)/i.test(path))
    throw refusal("has segments of dots alone");
}

function refusal(problem: string): GatewayError {
  return new GatewayError("bad_request", `The target of the request ${problem}.`);
}

function withSlash(rest: string): string {
  return rest.startsWith("/") ? rest : `/${rest}`;
}
