import { GatewayError } from "../errors.ts";
import type { JsonObject } from "../model/json.ts";
import type { HttpClient } from "../upstream/http-client.ts";
import { whoNamed } from "../upstream/named-url.ts";
import { checkEndpoint } from "./check-endpoint.ts";
import { fetchJson } from "./fetch-json.ts";

/** What an issuer says of itself (OpenID Connect Discovery, RFC 8414). Every URL was checked and may be followed. */
export interface IssuerMetadata {
  /** As the operator has named it. */
  readonly issuer: string;
  readonly authorizationEndpoint: string | undefined;
  readonly tokenEndpoint: string | undefined;
  readonly jwksUri: string | undefined;
  readonly userinfoEndpoint: string | undefined;
  /** The document as it came, for members that are of no use to most; none of its other URLs was checked. */
  readonly raw: JsonObject;
  /** Who counts as having named one of its URLs, for `HttpRequest.namedBy`: the operator, where it is of the issuer's own origin. */
  namedBy(url: string): "operator" | "upstream";
}

/**
 * The metadata of an issuer that the operator's file names, kept for 10 minutes. Rejects with `upstream_failed`, `timed_out` or
 * `answer_too_large` in words for whoever runs the gateway.
 */
export type ReadIssuerMetadata = (issuer: string) => Promise<IssuerMetadata>;

/** What reading it stands on. */
export interface IssuerMetadataParts {
  readonly http: HttpClient;
  /** Milliseconds since 1970; the system's clock by default. */
  readonly now?: (() => number) | undefined;
}

interface Kept {
  /** Those who ask while it is fetched wait for the same answer. */
  readonly metadata: Promise<IssuerMetadata>;
  readonly since: number;
}

const freshMilliseconds = 600_000;
/** Issuers change with the file only; those that it names no longer give way to others. */
const mostKept = 100;

/** Makes the reader. Failures are not kept: the next one who asks tries again. */
export function createIssuerMetadata({ http, now = Date.now }: IssuerMetadataParts): ReadIssuerMetadata {
  const kept = new Map<string, Kept>();
  return (issuer) => {
    const time = now();
    const known = kept.get(issuer);
    // The clock may be set back.
    if (known !== undefined && Math.abs(time - known.since) < freshMilliseconds) return known.metadata;
    const entry = { metadata: readMetadata(http, issuer), since: time };
    kept.delete(issuer);
    kept.set(issuer, entry);
    const [oldest] = kept.keys();
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
    entry.metadata.catch(() => {
      if (kept.get(issuer) === entry) kept.delete(issuer);
    });
    return entry.metadata;
  };
}

async function readMetadata(http: HttpClient, issuer: string): Promise<IssuerMetadata> {
  const raw = await findDocument(http, issuer);
  // Compared as text: whatever normalizes takes two issuers for one (OpenID Connect Discovery, section 4.3; RFC 8414, section 3.3).
  if (raw["issuer"] !== issuer) {
    throw new GatewayError(
      "upstream_failed",
      `The metadata of the issuer ${issuer} names another issuer${spelling(raw["issuer"])}, so it is not believed. Name the issuer in the configuration exactly as its metadata does; a slash at the end counts.`,
    );
  }
  const endpoint = (name: string): string | undefined =>
    raw[name] === undefined || raw[name] === null ? undefined : checkEndpoint(raw[name], name, issuer);
  return {
    issuer,
    authorizationEndpoint: endpoint("authorization_endpoint"),
    tokenEndpoint: endpoint("token_endpoint"),
    jwksUri: endpoint("jwks_uri"),
    userinfoEndpoint: endpoint("userinfo_endpoint"),
    raw,
    namedBy: (url) => whoNamed(url, issuer),
  };
}

/** OpenID Connect Discovery has the path before the well-known part, RFC 8414 behind it. */
async function findDocument(http: HttpClient, issuer: string): Promise<JsonObject> {
  const named = URL.parse(checkEndpoint(issuer, "issuer", issuer));
  const path = named?.pathname.replace(/\/$/, "") ?? "";
  const places =
    named === null || named.search !== ""
      ? []
      : [
          `${named.origin}${path}/.well-known/openid-configuration`,
          `${named.origin}/.well-known/oauth-authorization-server${path}`,
        ];
  for (const url of places) {
    const found = await fetchJson(http, { url, namedBy: "operator", what: "the metadata of the issuer" });
    if (found !== undefined) return found.document;
  }
  throw new GatewayError(
    "upstream_failed",
    `The issuer ${issuer} publishes no metadata: there is nothing at ${places.join(" and ")}. Look whether the configuration names the right issuer.`,
  );
}

/** What it says instead, so far as that is short and plain enough to be printed. */
function spelling(issuer: unknown): string {
  return typeof issuer === "string" && /^[\x21-\x7e]{1,200}$/.test(issuer) ? ` (${issuer})` : "";
}
