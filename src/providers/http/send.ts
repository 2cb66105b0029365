import type { HttpClient, HttpRequest } from "../../upstream/http-client.ts";
import { type Answer, type AnswerLimits, openAnswer } from "./read-answer.ts";
import { type Repetition, repeat, reservedMilliseconds } from "./repeat.ts";
import { isSafe } from "./retry.ts";

/** What a call sends its requests with. */
export interface Sender extends Repetition {
  readonly http: HttpClient;
}

/** Sends a request, again where that is safe and may help, and takes the answer: see `repeat`. */
export async function send(
  sender: Sender,
  request: HttpRequest,
  limits: AnswerLimits,
): Promise<Answer & { readonly attempts: number }> {
  const { http, clock, endsAt } = sender;
  const { answer, attempts } = await repeat(sender, {
    isSafe: isSafe(request.method),
    signal: request.signal,
    open: async () => {
      const { head, read } = await openAnswer(http, request, clock);
      const left = (): number => endsAt - clock.now() - reservedMilliseconds;
      return {
        head,
        read: () =>
          read({
            ...limits,
            sequenceMilliseconds: Math.max(0, Math.min(limits.sequenceMilliseconds, left())),
          }),
      };
    },
  });
  return { ...answer, attempts };
}
