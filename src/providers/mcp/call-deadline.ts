import { GatewayError } from "../../errors.ts";

/** How long an upstream may take, in ms. */
export interface CallLimits {
  /** Without any sign of life: an answer, progress, a question to the client. */
  readonly idle: number;
  /** In all, whatever signs of life there are. */
  readonly longest: number;
}

/**
 * Bounds one call: it ends after a silence, or when it takes too long in all. While the client is being asked something the
 * silence is not the upstream's, and does not count.
 */
export class CallDeadline {
  readonly #controller = new AbortController();
  readonly #limits: CallLimits;
  readonly #outer: AbortSignal;
  readonly #aftermath: string;
  readonly #total: NodeJS.Timeout;
  #idle: NodeJS.Timeout | undefined;
  #holds = 0;
  #over = false;

  /** @param aftermath what the caller should know when the time was over. */
  constructor(outer: AbortSignal, limits: CallLimits, aftermath: string) {
    this.#aftermath = aftermath;
    this.#outer = outer;
    this.#limits = limits;
    this.#total = setTimeout(() => this.#expire(limits.longest), limits.longest);
    this.touch();
    if (outer.aborted) this.#follow();
    else outer.addEventListener("abort", this.#follow);
  }

  /** Aborts when the call has to end, with the `GatewayError` that says why. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** A sign of life: the silence begins anew. */
  touch(): void {
    clearTimeout(this.#idle);
    if (this.#holds > 0 || this.#over) return;
    this.#idle = setTimeout(() => this.#expire(this.#limits.idle), this.#limits.idle);
  }

  /** Runs `work` without counting the time as silence. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    this.#holds += 1;
    this.touch();
    try {
      return await work();
    } finally {
      this.#holds -= 1;
      this.touch();
    }
  }

  /** Ends the watch. Call it in every case. */
  [Symbol.dispose](): void {
    this.#over = true;
    clearTimeout(this.#idle);
    clearTimeout(this.#total);
    this.#outer.removeEventListener("abort", this.#follow);
  }

  readonly #follow = (): void => {
    const reason: unknown = this.#outer.reason;
    this.#controller.abort(
      reason instanceof GatewayError
        ? reason
        : new GatewayError("cancelled", "The call was cancelled.", { cause: reason }),
    );
  };

  #expire(milliseconds: number): void {
    const seconds = milliseconds / 1000;
    this.#controller.abort(
      new GatewayError(
        "timed_out",
        `The upstream MCP server did not answer within ${seconds} s. ${this.#aftermath}`,
        { retryable: true },
      ),
    );
  }
}
