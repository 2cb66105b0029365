import { GatewayError } from "../../errors.ts";
import type { RetryBudget } from "../../limits/retry-budget.ts";
import type { HttpResponseHead } from "../../upstream/http-client.ts";
import type { Clock } from "./clock.ts";
import { backoff, isWorthRetrying, retryAfter } from "./retry.ts";

/** How often requests may be repeated, and until when. */
export interface Repetition {
  readonly clock: Clock;
  /** The most repetitions; 0 also for requests that may not be repeated. */
  readonly retries: number;
  /** What those of all calls of the provider have to come out of. */
  readonly budget: RetryBudget;
  /** Whose call it is: its repetitions come out of its tenant's calls. */
  readonly tenant: string;
  /** When the call ends, by the clock. */
  readonly endsAt: number;
}

/** A request as `repeat` sees it. */
export interface RepeatableRequest<Answer> {
  /** True for what only reads: it is also repeated where something between here and the upstream refuses it. */
  readonly isSafe: boolean;
  readonly signal: AbortSignal;
  /** Sends it. What it fails with is about a request that was not answered. */
  readonly open: () => Promise<{ readonly head: HttpResponseHead; read(): Promise<Answer> }>;
}

/** The longest pause that is waited through, in ms: nobody who waits for a tool waits longer. */
const longestPause = 30_000;
/** What is kept free of a call's time for the work that follows, in ms. */
export const reservedMilliseconds = 1_000;

/**
 * Sends a request, again where that may help, and takes the answer. The refusal of the last attempt is the answer, at once where the
 * upstream asks for more time than there is, or the budget is used up. Failures are those of `HttpClient`.
 */
export async function repeat<Answer>(
  { clock, retries, budget, tenant, endsAt }: Repetition,
  { isSafe, signal, open }: RepeatableRequest<Answer>,
): Promise<{ readonly answer: Answer; readonly attempts: number }> {
  const left = (): number => endsAt - clock.now() - reservedMilliseconds;
  budget.called(tenant);
  for (let attempt = 1; ; attempt += 1) {
    const isLast = attempt > retries;
    let opened: Awaited<ReturnType<typeof open>>;
    try {
      opened = await open();
    } catch (error) {
      const pause = backoff(attempt, clock.random());
      if (isLast || !isLost(error) || pause > left() || !budget.take(tenant))
        throw withAttempts(error, attempt);
      await wait(pause, signal, clock);
      continue;
    }
    const { status, headers } = opened.head;
    const answer = await opened.read();
    if (isLast || !isWorthRetrying(status, isSafe)) return { answer, attempts: attempt };
    const asked = retryAfter(headers["retry-after"], clock.date());
    const pause = Math.max(asked ?? 0, backoff(attempt, clock.random()));
    if (pause > Math.min(longestPause, left()) || !budget.take(tenant)) return { answer, attempts: attempt };
    await wait(pause, signal, clock);
  }
}

/** True when no answer came, and the upstream may be there again in a moment. */
function isLost(error: unknown): boolean {
  return error instanceof GatewayError && error.code === "upstream_failed" && error.retryable;
}

function withAttempts(error: unknown, attempts: number): unknown {
  if (!(error instanceof GatewayError) || attempts === 1) return error;
  const { code, message, cause, details, retryable } = error;
  return new GatewayError(code, message, { cause, retryable, details: { ...details, attempts } });
}

async function wait(milliseconds: number, signal: AbortSignal, clock: Clock): Promise<void> {
  if (await clock.wait(milliseconds, signal)) return;
  throw signal.reason instanceof GatewayError
    ? signal.reason
    : new GatewayError("cancelled", "The call was cancelled.", { cause: signal.reason });
}
