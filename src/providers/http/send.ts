import { GatewayError } from "../../errors.ts";
import type { HttpClient, HttpRequest } from "../../upstream/http-client.ts";
import type { Clock } from "./clock.ts";
import { type Answer, type AnswerLimits, type OpenAnswer, openAnswer } from "./read-answer.ts";
import { backoff, isSafe, isWorthRetrying, retryAfter } from "./retry.ts";

/** What a call sends its requests with. */
export interface Sender {
  readonly http: HttpClient;
  readonly clock: Clock;
  /** The most repetitions; 0 also for requests that may not be repeated. */
  readonly retries: number;
  /** When the call ends, by the clock. */
  readonly endsAt: number;
}

/** The longest pause that is waited through, in ms: nobody who waits for a tool waits longer. */
const longestPause = 30_000;
/** What is kept free of a call's time for the work that follows, in ms. */
const reserve = 1_000;

/**
 * Sends a request, again where that is safe and may help, and takes the answer. The refusal of the last attempt is the answer, at
 * once where the upstream asks for more time than there is. Failures are those of `HttpClient`.
 */
export async function send(
  sender: Sender,
  request: HttpRequest,
  limits: AnswerLimits,
): Promise<Answer & { readonly attempts: number }> {
  const { http, clock, retries } = sender;
  const left = (): number => sender.endsAt - clock.now() - reserve;
  for (let attempt = 1; ; attempt += 1) {
    const isLast = attempt > retries;
    let open: OpenAnswer;
    try {
      open = await openAnswer(http, request, clock);
    } catch (error) {
      const pause = backoff(attempt, clock.random());
      if (isLast || !isLost(error) || pause > left()) throw withAttempts(error, attempt);
      await wait(pause, request.signal, clock);
      continue;
    }
    const answer = await open.read({
      ...limits,
      sequenceMilliseconds: Math.max(0, Math.min(limits.sequenceMilliseconds, left())),
    });
    if (isLast || !isWorthRetrying(answer.status, isSafe(request.method))) {
      return { ...answer, attempts: attempt };
    }
    const asked = retryAfter(answer.headers["retry-after"], clock.date());
    const pause = Math.max(asked ?? 0, backoff(attempt, clock.random()));
    if (pause > Math.min(longestPause, left())) return { ...answer, attempts: attempt };
    await wait(pause, request.signal, clock);
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
