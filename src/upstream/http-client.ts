import type { HttpLimits } from "./http-limits.ts";

/** A request to an upstream, complete: nothing is added but `host`, `content-length` and `accept-encoding`. */
export interface HttpRequest {
  readonly method: string;
  /** Absolute http or https URL, sent as it is written. */
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly signal: AbortSignal;
  /**
   * Who named the address. What an upstream named (a redirect, a fetched document) leads to public addresses only, and
   * shares no connection with what the operator named. Default `operator`: any address.
   */
  readonly namedBy?: "operator" | "upstream";
  /**
   * True for what stays open without an end, such as a stream of notifications: it takes none of the connections that other requests
   * to the origin may have to wait for. Only for addresses that the operator named. Default false.
   */
  readonly isLasting?: boolean;
  /** Most decoded bytes of the answer; more fails with `answer_too_large`. Default: the client's limit. Not for streams. */
  readonly maxBytes?: number;
  /** Longest wait for the response headers, in ms. Default: the client's limit; 0 for as long as the signal lets it. */
  readonly headersTimeout?: number;
  /** Longest pause between two chunks of the body, in ms. Default: the client's limit; 0 for streams that may be silent. */
  readonly bodyTimeout?: number;
  /** Longest that all of it may take, in ms, connecting included; more fails with `timed_out`. Default: as long as the signal lets it. */
  readonly totalTimeout?: number;
  /**
   * Least bytes of the body in a second, as sent, on average once ten seconds of it have passed; fewer fail with `timed_out`. Default:
   * any number.
   */
  readonly leastRate?: number;
}

/** Status and headers of an answer. */
export interface HttpResponseHead {
  readonly status: number;
  /** Lower-case names; repeated headers joined by `, `. `content-encoding` and `content-length` are gone where the body was decoded. */
  readonly headers: Readonly<Record<string, string>>;
}

/** An answer, whole. */
export interface HttpResponse extends HttpResponseHead {
  readonly body: Uint8Array;
}

/**
 * An answer whose body is read as it comes. Leaving the iteration closes the connection; who does not begin it aborts
 * the request's signal.
 */
export interface HttpStream extends HttpResponseHead {
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * The only way out: every byte that leaves for an upstream goes through here.
 *
 * Redirects are answers like any other and are not followed. Failures are `GatewayError`s: `upstream_failed` (with a
 * message that names host and port and says what happened: refused, reset, unknown host, bad certificate, not public),
 * `timed_out`, `answer_too_large`, `cancelled` (or the signal's reason, where that is a `GatewayError`), `bad_request` for what
 * can't be put on the wire, `draining` after `close`.
 */
export interface HttpClient {
  /** Sends and collects the whole answer. */
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Sends and returns as soon as the headers are there. */
  stream(request: HttpRequest): Promise<HttpStream>;
  /** Ends what is still under way, and every connection. */
  close(): Promise<void>;
}

/** A client from which others come. */
export interface WayOut extends HttpClient {
  /** A client with other limits that shares everything else, and is closed with the one that it came from. */
  within(limits: HttpLimits): HttpClient;
}
