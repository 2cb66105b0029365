import { getCACertificates } from "node:tls";
import { Agent, buildConnector } from "undici";
import { CollectingRequest } from "./collecting-request.ts";
import type { HttpClient, HttpRequest, HttpResponse, HttpStream } from "./http-client.ts";
import type { Door } from "./pending-request.ts";
import { UrlSplitter } from "./split-url.ts";
import { StreamingRequest } from "./streaming-request.ts";

/** How the way out is set up. */
export interface HttpClientOptions {
  /** Longest wait for a connection (name, TCP and TLS together), in ms. Default 10,000. */
  readonly connectTimeout?: number;
  /**
   * Most connections to one origin; further requests wait for a free one. Default 1,024: open streams take one each,
   * and must not starve the calls beside them.
   */
  readonly connectionsPerOrigin?: number;
  /** PEM certificates of authorities that are trusted besides those of the system. */
  readonly certificateAuthorities?: readonly string[];
}

const defaultConnectTimeout = 10_000;
const defaultConnectionsPerOrigin = 1024;

/**
 * Opens the way out: the one dispatcher through which every name is resolved and every connection is made.
 *
 * HTTP/1.1 only: a request has its connection to itself, so aborting it closes exactly that. Idle connections are
 * kept for 4 s, or for as long as the upstream says. Closing ends what is still under way with `draining`.
 */
export function createHttpClient(options: HttpClientOptions = {}): HttpClient {
  const connectTimeout = options.connectTimeout ?? defaultConnectTimeout;
  const authorities = options.certificateAuthorities;
  // Every socket is opened by this one function; a policy on where calls may go belongs around it.
  const connect = buildConnector({
    timeout: connectTimeout,
    allowH2: false,
    ...(authorities === undefined ? {} : { ca: [...getCACertificates(), ...authorities] }),
  });
  const dispatcher = new Agent({
    connect,
    allowH2: false,
    connections: options.connectionsPerOrigin ?? defaultConnectionsPerOrigin,
  });
  return new UndiciClient({ dispatcher, connectTimeout });
}

class UndiciClient implements HttpClient {
  readonly #door: Door;
  readonly #splitter = new UrlSplitter();

  constructor(door: Door) {
    this.#door = door;
  }

  request(request: HttpRequest): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      new CollectingRequest(this.#door, this.#splitter.split(request.url), request, resolve, reject).start();
    });
  }

  stream(request: HttpRequest): Promise<HttpStream> {
    return new Promise((resolve, reject) => {
      new StreamingRequest(this.#door, this.#splitter.split(request.url), request, resolve, reject).start();
    });
  }

  async close(): Promise<void> {
    await this.#door.dispatcher.destroy();
  }
}
