import type { Transform } from "node:stream";
import type { Dispatcher } from "undici";
import { GatewayError } from "../errors.ts";
import {
  acceptedEncodings,
  type ContentEncoding,
  createBodyDecoder,
  decodeWhole,
  readContentEncoding,
} from "./body-decoder.ts";
import { describeFailure, duration, isHangUp, type RequestStage } from "./describe-failure.ts";
import type { HttpRequest, HttpResponseHead } from "./http-client.ts";
import type { HttpLimits } from "./http-limits.ts";
import { joinChunks, tooLarge } from "./read-limited.ts";
import { foldHeaders, type RawHeaders } from "./response-headers.ts";
import type { RequestTarget } from "./split-url.ts";

/** A body may begin slowly: its rate counts from then on, in ms. */
const rateGrace = 10_000;

/** Answers before the answer (1xx): servers send one or two, and each gives them new time for the head. */
const mostInterimAnswers = 20;

/** So many pieces of an answer may be of any size; beyond them they have a least one on average, since each takes time and memory. */
const tinyPieces = { count: 20_000, bytes: 32 };

/** Idempotent (RFC 9110, section 9.2.2): sent once more when a kept connection turns out to be closed. */
const repeatableMethods: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "QUERY",
  "PUT",
  "DELETE",
  "TRACE",
]);

/** What all requests of one client have in common. */
export interface Passage {
  readonly limits: HttpLimits;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/**
 * One request and its answer: the state of the call, undici's handler and the signal's listener in one object, since
 * this is the path of every call and closures for each of these cost more than all the rest of it.
 *
 * It settles exactly once, whatever order abort, failure and end come in. Subclasses say what becomes of the body.
 */
export abstract class PendingRequest implements Dispatcher.DispatchHandler {
  protected readonly request: HttpRequest;
  protected readonly host: string;
  /** True once it is settled: whatever still comes is ignored. */
  protected done = false;
  protected readonly passage: Passage;
  readonly #dispatcher: Dispatcher;
  readonly #options: Dispatcher.DispatchOptions;
  #stage: RequestStage = "connecting";
  #repeated = false;
  #interimAnswers = 0;
  #pieces = 0;
  #pieceBytes = 0;
  #controller: Dispatcher.DispatchController | undefined;
  #encoding: ContentEncoding | undefined;
  #decoder: Transform | undefined;
  /** Encoded bytes that no decoder has taken yet. */
  readonly #encoded: Buffer[] = [];
  #encodedBytes = 0;
  #totalTimer: NodeJS.Timeout | undefined;
  /** When the head came, and the bytes of the body as sent; kept where a least rate is asked for. */
  #bodySince = 0;
  #bodyBytes = 0;

  constructor(passage: Passage, dispatcher: Dispatcher, target: RequestTarget, request: HttpRequest) {
    this.passage = passage;
    this.#dispatcher = dispatcher;
    this.request = request;
    this.host = target.host;
    this.#options = {
      origin: target.origin,
      path: target.path,
      method: request.method,
      headers: wireHeaders(request.headers),
      body: request.body ?? null,
      headersTimeout: request.headersTimeout ?? passage.limits.firstByteMilliseconds,
      bodyTimeout: request.bodyTimeout ?? passage.limits.pauseMilliseconds,
    };
  }

  /** Encoded bytes to wait for before decoding begins; 0 to decode what comes at once. */
  protected abstract readonly encodedBytesToHold: number;
  /** Most bytes of the decoded body. */
  protected abstract readonly maxBytes: number;
  /** The final head of the answer; interim ones (1xx) never come here. */
  protected abstract onHead(head: HttpResponseHead): void;
  /** A piece of the decoded body. */
  protected abstract onBytes(chunk: Uint8Array): void;
  protected abstract onEnd(): void;
  protected abstract onFailure(error: GatewayError): void;

  /** Sends it. Call once. */
  start(): void {
    const { signal, totalTimeout } = this.request;
    if (signal.aborted) {
      this.fail(cancellation(signal));
      return;
    }
    signal.addEventListener("abort", this);
    if (totalTimeout !== undefined)
      this.#totalTimer = setTimeout(() => this.#tooLong(totalTimeout), totalTimeout);
    this.#dispatcher.dispatch(this.#options, this);
  }

  /** The signal's listener. */
  handleEvent(): void {
    this.fail(cancellation(this.request.signal));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // It was aborted while it waited for a connection. Throwing takes it off the queue and leaves the connection,
    // which `controller.abort` would close, to the next request.
    if (this.done) throw cancellation(this.request.signal);
    this.#controller = controller;
    this.#stage = "waiting";
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: RawHeaders): void {
    if (this.done) return;
    if (status < 200) {
      this.#interimAnswers += 1;
      if (this.#interimAnswers > mostInterimAnswers) this.fail(this.#endlessInterim());
      return;
    }
    this.#stage = "receiving";
    if (this.request.leastRate !== undefined) this.#bodySince = this.passage.now();
    try {
      // The answer to HEAD has the headers of a body that does not come.
      const encoded = this.request.method === "HEAD" ? undefined : headers["content-encoding"];
      this.#encoding = readContentEncoding(encoded, this.host);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.onHead({ status, headers: foldHeaders(headers, this.#encoding !== undefined) });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.done) return;
    const { leastRate } = this.request;
    if (leastRate !== undefined && this.#isTooSlow(chunk.byteLength, leastRate)) return;
    this.#pieces += 1;
    this.#pieceBytes += chunk.byteLength;
    const isTiny = this.#pieces > tinyPieces.count && this.#pieceBytes < this.#pieces * tinyPieces.bytes;
    // Over days, signs of life come to as many.
    if (isTiny && this.request.isLasting !== true) {
      this.fail(this.#tinyPieces());
      return;
    }
    if (this.#encoding === undefined) {
      this.onBytes(chunk);
      return;
    }
    if (this.#decoder !== undefined) {
      if (!this.#decoder.write(chunk)) controller.pause();
      return;
    }
    this.#encoded.push(chunk);
    this.#encodedBytes += chunk.byteLength;
    if (this.#encodedBytes > this.encodedBytesToHold) this.#startDecoder(this.#encoding, controller);
  }

  onResponseEnd(): void {
    if (this.done) return;
    if (this.#decoder !== undefined) {
      this.#decoder.end();
      return;
    }
    if (this.#encoding !== undefined && this.#encodedBytes > 0) this.#decodeWhole(this.#encoding);
    if (!this.done) this.#end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#mayRepeat(error)) {
      this.#repeated = true;
      this.#stage = "connecting";
      this.#controller = undefined;
      // Not in place: undici is still clearing up the connection that broke.
      queueMicrotask(() => {
        if (!this.done) this.#dispatcher.dispatch(this.#options, this);
      });
      return;
    }
    this.fail(error);
  }

  /** Settles it with a failure and closes the connection. Does nothing when it is settled. */
  protected fail(cause: unknown): void {
    if (this.done) return;
    const { host, request } = this;
    const error = describeFailure(cause, { host, stage: this.#stage, request, limits: this.passage.limits });
    this.drop(error);
    this.onFailure(error);
  }

  /** Settles it without telling anybody and closes the connection. */
  protected drop(reason: Error): void {
    this.#settle();
    this.#decoder?.destroy();
    this.#controller?.abort(reason);
  }

  /** The error for a body of more than `maxBytes`. */
  protected tooLarge(): GatewayError {
    // Whoever asks for another limit than the client's knows where it is set.
    const setAt = this.request.maxBytes === undefined ? this.passage.limits.setAt : undefined;
    return tooLarge(this.host, this.maxBytes, setAt);
  }

  /** Makes the upstream wait. */
  protected pause(): void {
    (this.#decoder ?? this.#controller)?.pause();
  }

  protected resume(): void {
    (this.#decoder ?? this.#controller)?.resume();
  }

  #settle(): void {
    this.done = true;
    clearTimeout(this.#totalTimer);
    this.request.signal.removeEventListener("abort", this);
  }

  #end(): void {
    this.#settle();
    this.onEnd();
  }

  #tooLong(milliseconds: number): void {
    const message = `${this.host} did not finish its answer within ${duration(milliseconds)}.`;
    this.fail(new GatewayError("timed_out", message, { retryable: true }));
  }

  /** Counts the bytes; fails and says true where they are too few for the time that has passed. */
  #isTooSlow(bytes: number, leastRate: number): boolean {
    this.#bodyBytes += bytes;
    const milliseconds = this.passage.now() - this.#bodySince;
    if (milliseconds < rateGrace || this.#bodyBytes >= (leastRate * milliseconds) / 1_000) return false;
    const message = `${this.host} sends its answer too slowly: ${this.#bodyBytes} bytes in ${Math.round(milliseconds / 1_000)} s, and less than ${leastRate} in a second is not waited for.`;
    this.fail(new GatewayError("timed_out", message, { retryable: true }));
    return true;
  }

  #tinyPieces(): GatewayError {
    const { count, bytes } = tinyPieces;
    const message = `${this.host} sent more than ${count} pieces of less than ${bytes} bytes on average, which is not accepted.`;
    return new GatewayError("upstream_failed", message, { retryable: true, details: { limit: count } });
  }

  #endlessInterim(): GatewayError {
    const message = `${this.host} announced its answer more than ${mostInterimAnswers} times (HTTP 1xx) and did not give it.`;
    return new GatewayError("upstream_failed", message);
  }

  #mayRepeat(error: Error): boolean {
    return (
      this.#stage === "waiting" &&
      !this.#repeated &&
      !this.done &&
      repeatableMethods.has(this.request.method) &&
      isHangUp(error)
    );
  }

  #decodeWhole(encoding: ContentEncoding): void {
    try {
      const body = joinChunks(this.#encoded, this.#encodedBytes);
      const decoded = decodeWhole(encoding, body, this.maxBytes);
      if (decoded === undefined) this.fail(this.tooLarge());
      else this.onBytes(decoded);
    } catch (error) {
      this.#failDecoding(encoding, error);
    }
  }

  #startDecoder(encoding: ContentEncoding, controller: Dispatcher.DispatchController): void {
    const encoded = joinChunks(this.#encoded, this.#encodedBytes);
    this.#encoded.length = 0;
    const decoder = createBodyDecoder(encoding, encoded[0]);
    this.#decoder = decoder;
    decoder.on("data", (chunk: Buffer) => {
      if (!this.done) this.onBytes(chunk);
    });
    decoder.on("drain", () => controller.resume());
    decoder.on("end", () => {
      if (!this.done) this.#end();
    });
    decoder.on("error", (error) => this.#failDecoding(encoding, error));
    if (!decoder.write(encoded)) controller.pause();
  }

  #failDecoding(encoding: ContentEncoding, cause: unknown): void {
    const message = `${this.host} sent a body that is not valid ${encoding}.`;
    this.fail(
      cause instanceof GatewayError ? cause : new GatewayError("upstream_failed", message, { cause }),
    );
  }
}

/** As a flat list, the form that undici takes without a look at each entry's shape. */
function wireHeaders(headers: Readonly<Record<string, string>>): string[] {
  const list: string[] = [];
  let announced = false;
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    if (name === "accept-encoding") announced = true;
    list.push(name, value);
  }
  if (!announced) list.push("accept-encoding", acceptedEncodings);
  return list;
}

/** Who aborts may say why: a deadline aborts with an error of its own. */
function cancellation(signal: AbortSignal): GatewayError {
  const reason: unknown = signal.reason;
  if (reason instanceof GatewayError) return reason;
  if (reason instanceof DOMException && reason.name === "TimeoutError") {
    return new GatewayError("timed_out", "The call took too long and was stopped.", {
      cause: reason,
      retryable: true,
    });
  }
  return new GatewayError("cancelled", "The call was cancelled.", { cause: reason });
}
