/**
 * Whether a code may go to `uri`: a registered one to the letter, but for the port of `http://` URIs of a loopback host, which native
 * programs get from the system at each start (RFC 8252, section 7.3). Either may be without a port. The host has to be the same
 * text: `localhost` may be somebody else's than `127.0.0.1`. What is registered was checked by `problemOfRedirectUri`.
 */
export function allowsRedirect(registered: readonly string[], uri: string): boolean {
  if (registered.includes(uri)) return true;
  const asked = withoutLoopbackPort(uri);
  return asked !== undefined && registered.some((known) => withoutLoopbackPort(known) === asked);
}

/** The URI without its port, if it is one whose port does not count. */
function withoutLoopbackPort(uri: string): string | undefined {
  const [, origin, port, rest] =
    /^(http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost))(?::([1-9]\d{0,4}))?((?:[/?].*)?)$/s.exec(uri) ?? [];
  if (origin === undefined || Number(port ?? 80) > 65_535) return undefined;
  return `${origin}${rest}`;
}

/**
 * In what a URI that is not allowed differs from the registered one that is nearest to it; for people. Assumes that `allowsRedirect` is false.
 */
export function describeMismatch(registered: readonly string[], uri: string): RedirectMismatch {
  const ranked = registered
    .map((known) => ({ nearest: known, ...difference(known, uri) }))
    .sort((one, other) => one.rank - other.rank);
  const [first] = ranked;
  return first === undefined ? { nearest: undefined, what: "the client has none" } : first;
}

/** See {@link describeMismatch}. */
export interface RedirectMismatch {
  readonly nearest: string | undefined;
  /** In what they differ, as the end of a sentence. */
  readonly what: string;
}

/** The smaller the rank, the nearer they are. */
function difference(known: string, uri: string): { readonly what: string; readonly rank: number } {
  if (uri === `${known}/`) return { what: "the request has a slash more at the end", rank: 0 };
  if (known === `${uri}/`) return { what: "the request has a slash less at the end", rank: 0 };
  if (known.toLowerCase() === uri.toLowerCase())
    return { what: "capital and small letters are not the same", rank: 1 };
  const [one, other] = [partsOf(known), partsOf(uri)];
  const parts = (["scheme", "host", "port", "path", "query"] as const).filter(
    (part) => one[part] !== other[part],
  );
  if (parts.length === 0) return { what: "the request has something more", rank: 2 };
  const hosts = [one.host, other.host];
  if (parts.includes("host") && hosts.includes("localhost") && hosts.includes("127.0.0.1"))
    return { what: "localhost and 127.0.0.1 are two hosts", rank: 2 + parts.length };
  return { what: `they differ in the ${parts.join(" and the ")}`, rank: 3 + parts.length };
}

/** As it is written; nothing is decoded, since nothing is decoded for comparing either. */
function partsOf(uri: string): Readonly<Record<"scheme" | "host" | "port" | "path" | "query", string>> {
  const [, scheme = "", authority = "", path = "", query = ""] =
    /^([^:/?#]*):(?:\/\/([^/?#]*))?([^?#]*)(.*)$/s.exec(uri) ?? [];
  const [, host = "", port = ""] = /^(.*?)(?::(\d*))?$/s.exec(authority) ?? [];
  return { scheme, host, port, path, query };
}

/** A foreign text as a part of an error's description: the characters of RFC 6749, section 5.2, and at most 200 of them. */
export function shownInDescription(text: string): string {
  const shown = text.slice(0, 200).replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "?");
  return text.length > 200 ? `${shown.slice(0, 197)}...` : shown;
}
