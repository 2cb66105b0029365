import { UnknownVersionError } from "./handshake.ts";
import { UpstreamRefusal } from "./transport.ts";

/** What a server speaks: 2026-07-28 and later; earlier versions; earlier ones over HTTP+SSE, the transport of 2024-11-05. */
export type Finding = "modern" | "legacy" | "legacy-sse";

/** A server that is updated while the gateway runs is recognized after this time at the latest. */
const defaultKeepMilliseconds = 600_000;
/** Statuses that say something of the caller or of the moment, and nothing of what the server speaks. */
const silentStatuses: readonly number[] = [401, 403, 408, 425, 429];

/** Remembers for a while what one server was found to speak, so that further sessions with it begin without a probe. */
export class EraVerdict {
  readonly #now: () => number;
  readonly #keep: number;
  #finding: Finding | undefined;
  #until = 0;

  /**
   * @param now milliseconds of a clock that never goes back.
   * @param keep in ms; default 600,000.
   */
  constructor(now: () => number, keep = defaultKeepMilliseconds) {
    this.#now = now;
    this.#keep = keep;
  }

  /** What was found; `undefined`: nothing, or too long ago. */
  get current(): Finding | undefined {
    return this.#now() < this.#until ? this.#finding : undefined;
  }

  /** Begins the time anew: call it for what was found out, and not for what was only believed. */
  found(finding: Finding): void {
    this.#finding = finding;
    this.#until = this.#now() + this.#keep;
  }

  drop(): void {
    this.#finding = undefined;
  }
}

/**
 * True for an answer that says what a server does not speak. A refusal of the credential, of so many requests, a failure (5xx), a
 * redirect or no answer say nothing of it.
 */
export function isEvidence(error: unknown): boolean {
  if (error instanceof UnknownVersionError) return true;
  if (!(error instanceof UpstreamRefusal)) return false;
  const { status } = error;
  return status === undefined || (status >= 400 && status < 500 && !silentStatuses.includes(status));
}
