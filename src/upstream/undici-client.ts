import { lookup } from "node:dns/promises";
import { getCACertificates } from "node:tls";
import { Agent, buildConnector } from "undici";
import { CollectingRequest } from "./collecting-request.ts";
import { type AddressLookup, type ConnectorFactory, createPublicConnector } from "./egress-policy.ts";
import type { HttpClient, HttpRequest, HttpResponse, HttpStream } from "./http-client.ts";
import type { Door } from "./pending-request.ts";
import { UrlSplitter } from "./split-url.ts";
import { StreamingRequest } from "./streaming-request.ts";

/** How the way out is set up. */
export interface HttpClientOptions {
  /** Longest wait for a connection (name, TCP and TLS together), in ms. Default 10,000. */
  readonly connectTimeout?: number;
  /**
   * Most connections to one origin; further requests wait for a free one. Default 1,024: open streams of answers take one each,
   * and must not starve the calls beside them.
   */
  readonly connectionsPerOrigin?: number;
  /** PEM certificates of authorities that are trusted besides those of the system. */
  readonly certificateAuthorities?: readonly string[];
  /** Hosts that addresses named by upstreams may lead to although they are not public; asked for each connection. Default none. */
  readonly allowedHosts?: () => readonly string[];
  /** Resolves the names in addresses that upstreams name. Default: as the system does. */
  readonly lookup?: AddressLookup;
}

const defaultConnectTimeout = 10_000;
const defaultConnectionsPerOrigin = 1024;
/** Most connections to one origin for what lasts: of each session with an MCP server, one. */
const lastingConnectionsPerOrigin = 8192;

/**
 * Opens the way out: every name is resolved and every connection made by the dispatchers here, one for addresses that the operator
 * named, one for what lasts at such addresses, and one for those that upstreams named. They share no connection.
 *
 * HTTP/1.1 only: a request has its connection to itself, so aborting it closes exactly that. Idle connections are
 * kept for 4 s, or for as long as the upstream says. Closing ends what is still under way with `draining`.
 */
export function createHttpClient(options: HttpClientOptions = {}): HttpClient {
  const connectTimeout = options.connectTimeout ?? defaultConnectTimeout;
  const authorities = options.certificateAuthorities;
  const createConnector: ConnectorFactory = (own) =>
    buildConnector({
      timeout: connectTimeout,
      allowH2: false,
      ...(authorities === undefined ? {} : { ca: [...getCACertificates(), ...authorities] }),
      ...own,
    });
  const openDoor = (
    connect: buildConnector.connector,
    connections = options.connectionsPerOrigin ?? defaultConnectionsPerOrigin,
  ): Door => ({ dispatcher: new Agent({ connect, allowH2: false, connections }), connectTimeout });
  return new UndiciClient({
    operator: openDoor(createConnector({})),
    lasting: openDoor(createConnector({}), lastingConnectionsPerOrigin),
    upstream: openDoor(
      createPublicConnector(createConnector, {
        allowedHosts: options.allowedHosts ?? (() => []),
        lookup: options.lookup ?? ((hostname) => lookup(hostname, { all: true })),
      }),
    ),
  });
}

/** One door for each answer to who named the address, and one for what lasts. */
type Doors = Readonly<Record<NonNullable<HttpRequest["namedBy"]> | "lasting", Door>>;

class UndiciClient implements HttpClient {
  readonly #doors: Doors;
  readonly #splitter = new UrlSplitter();

  constructor(doors: Doors) {
    this.#doors = doors;
  }

  request(request: HttpRequest): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const target = this.#splitter.split(request.url);
      new CollectingRequest(this.#doorFor(request), target, request, resolve, reject).start();
    });
  }

  stream(request: HttpRequest): Promise<HttpStream> {
    return new Promise((resolve, reject) => {
      const target = this.#splitter.split(request.url);
      new StreamingRequest(this.#doorFor(request), target, request, resolve, reject).start();
    });
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#doors).map(({ dispatcher }) => dispatcher.destroy()));
  }

  #doorFor(request: HttpRequest): Door {
    const { namedBy = "operator", isLasting = false } = request;
    return this.#doors[isLasting && namedBy === "operator" ? "lasting" : namedBy];
  }
}
