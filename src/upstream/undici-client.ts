import { lookup } from "node:dns/promises";
import { CollectingRequest } from "./collecting-request.ts";
import { type Doors, openDoors } from "./doors.ts";
import { createAllowance } from "./egress-policy.ts";
import type { HttpClient, HttpRequest, HttpResponse, HttpStream, WayOut } from "./http-client.ts";
import { type HttpLimits, usualHttpLimits } from "./http-limits.ts";
import type { Passage } from "./pending-request.ts";
import { type AddressLookup, shareLookups } from "./share-lookups.ts";
import { type RequestTarget, UrlSplitter } from "./split-url.ts";
import { StreamingRequest } from "./streaming-request.ts";

/** How the way out is set up. */
export interface HttpClientOptions {
  /** What applies to requests that say nothing else; default: {@link usualHttpLimits}. */
  readonly limits?: Partial<HttpLimits>;
  /**
   * Most connections to one origin; further requests wait for a free one. Default 1,024: open streams of answers take one each,
   * and must not starve the calls beside them.
   */
  readonly connectionsPerOrigin?: number;
  /** PEM certificates of authorities that are trusted besides those of the system. */
  readonly certificateAuthorities?: readonly string[];
  /** Hosts that addresses named by upstreams may lead to although they are not public; asked for each request. Default none. */
  readonly allowedHosts?: () => readonly string[];
  /** Resolves names. Default: as the system does. */
  readonly lookup?: AddressLookup;
  /** Milliseconds of a clock that never goes back. Default: that of the process. */
  readonly now?: () => number;
}

const defaultConnectionsPerOrigin = 1024;

/**
 * Opens the way out: every name is resolved and every connection made by the doors behind it, which are apart by who named the address.
 * Closing ends what is still under way with `draining`.
 */
export function createHttpClient(options: HttpClientOptions = {}): WayOut {
  return new UndiciClient(new SharedDoors(options), { ...usualHttpLimits, ...options.limits });
}

/** What a client and those with other limits have in common. */
class SharedDoors {
  readonly splitter = new UrlSplitter();
  readonly isAllowed: (host: string | undefined) => boolean;
  readonly now: () => number;
  readonly #options: HttpClientOptions;
  readonly #lookup: AddressLookup;
  /** By their times, of which the operator's files name few. */
  readonly #doors = new Map<string, Doors>();
  #isOver = false;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.isAllowed = createAllowance(options.allowedHosts ?? (() => []));
    this.now = options.now ?? (() => performance.now());
    this.#lookup = shareLookups(options.lookup ?? ((hostname) => lookup(hostname, { all: true })), this.now);
  }

  /** Requests with the same times share connections. */
  withTimes({ connectMilliseconds, tlsMilliseconds }: HttpLimits): Doors {
    const key = `${connectMilliseconds} ${tlsMilliseconds}`;
    const known = this.#doors.get(key);
    if (known !== undefined) return known;
    const { certificateAuthorities, connectionsPerOrigin = defaultConnectionsPerOrigin } = this.#options;
    const doors = openDoors(
      { connectMilliseconds, tlsMilliseconds, certificateAuthorities, lookup: this.#lookup },
      connectionsPerOrigin,
    );
    if (this.#isOver) void doors.destroy();
    this.#doors.set(key, doors);
    return doors;
  }

  async destroy(): Promise<void> {
    this.#isOver = true;
    await Promise.all([...this.#doors.values()].map((doors) => doors.destroy()));
  }
}

class UndiciClient implements WayOut {
  readonly #shared: SharedDoors;
  readonly #doors: Doors;
  readonly #passage: Passage;
  readonly #isDerived: boolean;

  constructor(shared: SharedDoors, limits: HttpLimits, isDerived = false) {
    this.#shared = shared;
    this.#doors = shared.withTimes(limits);
    this.#passage = { limits, now: shared.now };
    this.#isDerived = isDerived;
  }

  request(request: HttpRequest): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const target = this.#shared.splitter.split(request.url);
      const door = this.#doorFor(request, target);
      new CollectingRequest(this.#passage, door, target, request, resolve, reject).start();
    });
  }

  stream(request: HttpRequest): Promise<HttpStream> {
    return new Promise((resolve, reject) => {
      const target = this.#shared.splitter.split(request.url);
      const door = this.#doorFor(request, target);
      new StreamingRequest(this.#passage, door, target, request, resolve, reject).start();
    });
  }

  within(limits: HttpLimits): HttpClient {
    return new UndiciClient(this.#shared, limits, true);
  }

  async close(): Promise<void> {
    if (!this.#isDerived) await this.#shared.destroy();
  }

  #doorFor({ namedBy, isLasting }: HttpRequest, target: RequestTarget): ReturnType<Doors["dispatcher"]> {
    if (namedBy !== "upstream") return this.#doors.dispatcher(isLasting === true ? "lasting" : "operator");
    return this.#doors.dispatcher(this.#shared.isAllowed(target.canonicalHost) ? "allowed" : "public");
  }
}
