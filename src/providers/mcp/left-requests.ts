import type { RequestId } from "../../mcp/messages.ts";

/** How long a server is thought to go on with what it was told to leave, in ms. */
const workMilliseconds = 5_000;
/** So many are remembered at most. */
const maxRemembered = 1_000;

/**
 * Requests that nobody waits for any more, while the upstream may still be at work on them: a server need not heed that a request is
 * cancelled, and answers none that is (MCP 2025-11-25, cancellation). What it says meanwhile without naming a request may be about them.
 */
export class LeftRequests {
  readonly #until = new Map<RequestId, number>();
  readonly #now: () => number;

  /** @param now milliseconds of a clock that never goes back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** True while the upstream may be at work on any of them. */
  get any(): boolean {
    for (const [id, until] of this.#until) {
      if (until > this.#now()) return true;
      this.#until.delete(id);
    }
    return false;
  }

  add(id: RequestId): void {
    const [oldest] = this.#until.keys();
    if (this.#until.size >= maxRemembered && oldest !== undefined) this.#until.delete(oldest);
    this.#until.set(id, this.#now() + workMilliseconds);
  }

  /** The upstream has answered it all the same, and is done with it. */
  answered(id: RequestId): void {
    this.#until.delete(id);
  }
}
