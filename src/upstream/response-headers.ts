/** Headers as undici hands them over: lower-case names, a list for a header that came more than once. */
export type RawHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** They speak of one connection (RFC 9110, section 7.6.1), or set state that belongs to nobody behind a gateway. */
const dropped: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "set-cookie",
  "set-cookie2",
]);

/**
 * Folds the headers of an answer into one string each, without those that end at this hop (also the ones that
 * `Connection` names) and without cookies. `decoded`: also without those that described the encoded body.
 */
export function foldHeaders(raw: RawHeaders, decoded: boolean): Record<string, string> {
  const connection = raw["connection"];
  const named = connection === undefined ? undefined : namedByConnection(connection);
  const folded: Record<string, string> = {};
  for (const name in raw) {
    if (dropped.has(name) || named?.has(name) === true) continue;
    if (decoded && (name === "content-encoding" || name === "content-length")) continue;
    const value = raw[name];
    if (value !== undefined) folded[name] = typeof value === "string" ? value : value.join(", ");
  }
  return folded;
}

/** `undefined` for the two values that nearly every answer has. */
function namedByConnection(connection: string | string[]): ReadonlySet<string> | undefined {
  if (connection === "keep-alive" || connection === "close") return undefined;
  const list = typeof connection === "string" ? connection : connection.join(",");
  return new Set(list.split(",").map((name) => name.trim().toLowerCase()));
}
