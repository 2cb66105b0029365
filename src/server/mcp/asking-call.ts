import { randomUUID } from "node:crypto";
import { GatewayError } from "../../errors.ts";
import { canAsk } from "../../mcp/askable.ts";
import { rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { ClientPeer } from "../../model/invocation.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import type { Principal } from "../../model/principal.ts";
import { cannotAsk } from "./call-peer.ts";
import type { Origin } from "./face.ts";
import type { McpLimits } from "./limits.ts";
import { isResponseTo, wrongResponse } from "./read-responses.ts";
import type { Outcome } from "./run-method.ts";

/** One request of the client on which a call goes on: the first, or one that brings answers. */
export interface Leg {
  readonly origin: Origin;
  /** What this request says that the client can be asked. */
  readonly capabilities: JsonObject;
  readonly notify: ClientPeer["notify"];
}

/** How a request ends: with that of the call, or with questions of it. */
export type Turn =
  | { readonly kind: "ended"; readonly outcome: Outcome }
  | { readonly kind: "asked"; readonly requests: JsonObject };

/** Where calls that have asked something are kept. */
export interface AskingRoom {
  /** False where there is no room for another one. */
  enter(call: AskingCall): boolean;
  /** False where there is no room for what a call came to, which is so many characters. */
  keep(call: AskingCall, characters: number): boolean;
  leave(call: AskingCall): void;
}

interface AskedQuestion {
  readonly method: string;
  readonly params: JsonObject;
  readonly resolve: (response: JsonValue) => void;
  readonly reject: (reason: unknown) => void;
}

/** What is said in place of a result that could not be kept until its client came. */
const outcomeLost: Outcome = {
  kind: "error",
  error: new RpcError(
    rpcCodes.internalError,
    "The call has ended while this client was asked, and the gateway had no room to keep its result.",
  ),
};
/** Most questions that may be open at one time. */
const mostQuestions = 64;

/**
 * A call whose client can't be asked while it is waiting for the answer: its request ends with the questions, the call stays alive, and
 * the client's next request brings the answers and takes what follows. A client that leaves in the middle, or does not come back in
 * time, has cancelled the call.
 */
export class AskingCall {
  readonly id: string = randomUUID();
  readonly principal: Principal;
  readonly #room: AskingRoom;
  readonly #limits: McpLimits;
  readonly #cancelling = new AbortController();
  readonly #questions = new Map<string, AskedQuestion>();
  /** The request that waits now; `undefined`: the call is parked. */
  #current:
    | { readonly leg: Leg; readonly turn: (turn: Turn) => void; readonly unfollow: () => void }
    | undefined;
  /** The latest request, which may have been answered. */
  #latest: Leg;
  /** What the call came to while nobody waited for it. */
  #outcome: Outcome | undefined;
  #hasEnded = false;
  #asked = 0;
  #rounds = 0;
  #collecting: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;

  constructor(principal: Principal, leg: Leg, room: AskingRoom, limits: McpLimits) {
    this.principal = principal;
    this.#latest = leg;
    this.#room = room;
    this.#limits = limits;
  }

  /** Aborts when the client has cancelled the call, or will not come back. */
  get signal(): AbortSignal {
    return this.#cancelling.signal;
  }

  /** The latest request of the client. */
  get origin(): Origin {
    return this.#latest.origin;
  }

  /** True while no request waits for it. */
  get isParked(): boolean {
    return this.#current === undefined;
  }

  /** Tells the client something, if it is listening. */
  notify(method: string, params: JsonObject): void {
    this.#current?.leg.notify(method, params);
  }

  /** See {@link ClientPeer.ask}. */
  ask(method: string, params: JsonObject, signal?: AbortSignal): Promise<JsonValue> {
    return new Promise((resolve, reject) => {
      const refusal = signal?.aborted ? takenBack() : this.#refusalOf(method, params);
      if (refusal !== undefined) return reject(refusal);
      this.#asked += 1;
      const key = `question-${this.#asked}`;
      this.#questions.set(key, { method, params, resolve, reject });
      const takeBack = (): void => {
        if (this.#questions.delete(key)) reject(takenBack());
      };
      signal?.addEventListener("abort", takeBack, { once: true });
      this.#collect();
    });
  }

  /** Throws `RpcError` (-32602) for a response that does not answer its question; the call goes on waiting for another. */
  check(responses: JsonObject): void {
    for (const [key, { method }] of this.#questions) {
      if (Object.hasOwn(responses, key) && !isResponseTo(method, responses[key]))
        throw wrongResponse(key, method);
    }
  }

  /**
   * Goes on with a request of the client, until the call has ended or has questions. What the client has left unanswered is asked
   * again; responses that answer nothing are ignored.
   */
  take(leg: Leg, responses: JsonObject = {}): Promise<Turn> {
    return new Promise((resolve) => {
      clearTimeout(this.#expiry);
      this.#latest = leg;
      const leave = (): void => {
        // A request that was answered with a question, which the client did not wait for, is as good as cancelled too.
        if (this.#latest === leg) this.cancel();
      };
      const { signal } = leg.origin;
      signal.addEventListener("abort", leave, { once: true });
      const unfollow = (): void => signal.removeEventListener("abort", leave);
      this.#current = { leg, turn: resolve, unfollow };
      if (signal.aborted) leave();
      if (this.#outcome !== undefined) return this.#end(this.#outcome);
      this.#answer(responses, leg);
      if (this.#questions.size > 0) this.#collect();
    });
  }

  /** Ends it with what it came to. */
  finish(outcome: Outcome): void {
    this.#hasEnded = true;
    clearTimeout(this.#collecting);
    this.#rejectAll(callEnded);
    if (this.#current !== undefined || this.signal.aborted) this.#end(outcome);
    else this.#outcome = this.#isKept(outcome) ? outcome : outcomeLost;
  }

  /** Cancels the call. */
  cancel(): void {
    if (this.signal.aborted) return;
    clearTimeout(this.#collecting);
    clearTimeout(this.#expiry);
    this.#cancelling.abort();
    this.#rejectAll(callEnded);
    this.#room.leave(this);
  }

  #isKept(outcome: Outcome): boolean {
    return outcome.kind !== "result" || this.#room.keep(this, outcome.text.length);
  }

  #refusalOf(method: string, params: JsonObject): GatewayError | undefined {
    if (!canAsk(this.#latest.capabilities, method, params)) return cannotAsk(method);
    if (this.#hasEnded || this.signal.aborted) return callEnded();
    if (this.#rounds >= this.#limits.parkedRounds) return askedTooOften(this.#rounds);
    if (this.#questions.size < mostQuestions && this.#room.enter(this)) return undefined;
    return new GatewayError(
      "overloaded",
      "The gateway can't wait for another client's answer now. Try again later.",
      {
        retryable: true,
      },
    );
  }

  #answer(responses: JsonObject, { capabilities }: Leg): void {
    for (const [key, { method, params, resolve, reject }] of this.#questions) {
      const response = Object.hasOwn(responses, key) ? responses[key] : undefined;
      const refusal = !canAsk(capabilities, method, params)
        ? cannotAsk(method)
        : this.#rounds >= this.#limits.parkedRounds
          ? askedTooOften(this.#rounds)
          : undefined;
      if (response === undefined && refusal === undefined) continue;
      this.#questions.delete(key);
      if (response !== undefined) resolve(response);
      else reject(refusal);
    }
  }

  /** Waits a moment for more questions, and then asks all at once; while the call is parked they wait for the next request. */
  #collect(): void {
    if (this.#current === undefined || this.#collecting !== undefined) return;
    this.#collecting = setTimeout(() => {
      this.#collecting = undefined;
      const current = this.#current;
      if (current === undefined || this.#questions.size === 0 || this.signal.aborted) return;
      this.#current = undefined;
      this.#rounds += 1;
      this.#expiry = setTimeout(() => this.cancel(), this.#limits.parkedMilliseconds).unref();
      const requests = [...this.#questions].map(([key, { method, params }]): [string, JsonObject] => [
        key,
        { method, params },
      ]);
      current.turn({ kind: "asked", requests: Object.fromEntries(requests) });
    }, this.#limits.parkedPauseMilliseconds);
  }

  #end(outcome: Outcome): void {
    clearTimeout(this.#expiry);
    this.#room.leave(this);
    this.#current?.unfollow();
    this.#current?.turn({ kind: "ended", outcome });
    this.#current = undefined;
  }

  #rejectAll(reason: () => GatewayError): void {
    for (const { reject } of this.#questions.values()) reject(reason());
    this.#questions.clear();
  }
}

function callEnded(): GatewayError {
  return new GatewayError("cancelled", "The client has left before it answered.");
}

function takenBack(): GatewayError {
  return new GatewayError("cancelled", "The question was taken back.");
}

function askedTooOften(rounds: number): GatewayError {
  return new GatewayError(
    "unsupported",
    `The client was asked ${rounds} times for one call, which is enough.`,
  );
}
