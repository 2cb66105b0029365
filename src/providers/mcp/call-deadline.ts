import { GatewayError } from "../../errors.ts";
import { settingOf } from "../../upstream/http-limits.ts";

/** How long a client may take to answer one question: people read before they answer. */
const defaultQuestionMilliseconds = 600_000;

/** How long an upstream may take, in ms. */
export interface CallLimits {
  /** Without any sign of life: an answer, progress, a question to the client. */
  readonly idle: number;
  /** In all, whatever signs of life there are. */
  readonly longest: number;
  /** How long the client may take for each question of the upstream, which counts as neither; default 600,000. */
  readonly question?: number;
  /** Where the operator's file sets the first two, such as `providers.github.limits`, for messages; absent: nowhere. */
  readonly setAt?: string;
}

/**
 * Bounds one call: it ends after a silence, or when it takes too long in all. The time in which the client is being asked something is
 * not the upstream's, and counts as neither.
 */
export class CallDeadline {
  readonly #controller = new AbortController();
  readonly #limits: CallLimits;
  readonly #outer: AbortSignal;
  readonly #aftermath: string;
  #idle: NodeJS.Timeout | undefined;
  #total: NodeJS.Timeout | undefined;
  /** Of the total, in ms, as of when it was last counted. */
  #left: number;
  #since = 0;
  #holds = 0;
  #over = false;

  /** @param aftermath what the caller should know when the time was over. */
  constructor(outer: AbortSignal, limits: CallLimits, aftermath: string) {
    this.#aftermath = aftermath;
    this.#outer = outer;
    this.#limits = limits;
    this.#left = limits.longest;
    this.#run();
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
    this.#idle = setTimeout(() => this.#expire("idle", "call_time"), this.#limits.idle);
  }

  /** Asks the client by `work`, whose time does not count. Fails with `timed_out` when the client takes too long. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    const { question = defaultQuestionMilliseconds } = this.#limits;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(unanswered(question)), question);
    });
    if (this.#holds === 0) this.#stop();
    this.#holds += 1;
    try {
      return await Promise.race([work(), late]);
    } finally {
      clearTimeout(timer);
      this.#holds -= 1;
      if (this.#holds === 0) this.#run();
    }
  }

  /** Ends the watch. Call it in every case. */
  [Symbol.dispose](): void {
    this.#over = true;
    clearTimeout(this.#idle);
    clearTimeout(this.#total);
    this.#outer.removeEventListener("abort", this.#follow);
  }

  /** The time counts from now on. */
  #run(): void {
    if (this.#over) return;
    this.#since = performance.now();
    this.#total = setTimeout(() => this.#expire("longest", "longest_call_time"), this.#left);
    this.touch();
  }

  /** The time does not count until it runs again. */
  #stop(): void {
    clearTimeout(this.#idle);
    clearTimeout(this.#total);
    this.#left = Math.max(this.#left - (performance.now() - this.#since), 0);
  }

  readonly #follow = (): void => {
    const reason: unknown = this.#outer.reason;
    this.#controller.abort(
      reason instanceof GatewayError
        ? reason
        : new GatewayError("cancelled", "The call was cancelled.", { cause: reason }),
    );
  };

  #expire(limit: "idle" | "longest", key: string): void {
    const seconds = this.#limits[limit] / 1000;
    this.#controller.abort(
      new GatewayError(
        "timed_out",
        `The upstream MCP server did not answer within ${seconds} s${settingOf(this.#limits.setAt, key)}. ${this.#aftermath}`,
        { retryable: true },
      ),
    );
  }
}

function unanswered(milliseconds: number): GatewayError {
  return new GatewayError(
    "timed_out",
    `The client did not answer a question of the upstream within ${milliseconds / 1000} s.`,
  );
}
