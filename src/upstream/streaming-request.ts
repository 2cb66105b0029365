import type { Dispatcher } from "undici";
import { GatewayError } from "../errors.ts";
import type { HttpRequest, HttpResponseHead, HttpStream } from "./http-client.ts";
import { type Passage, PendingRequest } from "./pending-request.ts";
import type { RequestTarget } from "./split-url.ts";

/** A stream holds no more than this before the upstream is made to wait. */
const streamBufferBytes = 64 * 1024;

/** A request whose answer is read as it comes. */
export class StreamingRequest extends PendingRequest {
  protected override readonly encodedBytesToHold = 0;
  protected override readonly maxBytes = Number.POSITIVE_INFINITY;
  readonly #resolve: (stream: HttpStream) => void;
  readonly #reject: (error: GatewayError) => void;
  readonly #chunks: Uint8Array[] = [];
  #buffered = 0;
  #paused = false;
  #error: GatewayError | undefined;
  #wake: (() => void) | undefined;

  constructor(
    passage: Passage,
    dispatcher: Dispatcher,
    target: RequestTarget,
    request: HttpRequest,
    resolve: (stream: HttpStream) => void,
    reject: (error: GatewayError) => void,
  ) {
    super(passage, dispatcher, target, request);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  protected override onHead(head: HttpResponseHead): void {
    this.#resolve({ status: head.status, headers: head.headers, body: this.#read() });
  }

  protected override onBytes(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#buffered += chunk.byteLength;
    if (this.#buffered > streamBufferBytes && !this.#paused) {
      this.#paused = true;
      this.pause();
    }
    this.#wake?.();
  }

  protected override onEnd(): void {
    this.#wake?.();
  }

  protected override onFailure(error: GatewayError): void {
    this.#error = error;
    // What came before a failure is still worth reading; who cancels wants nothing more.
    if (error.code === "cancelled") this.#chunks.length = 0;
    this.#wake?.();
    // Without effect once the head was handed over.
    this.#reject(error);
  }

  async *#read(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk !== undefined) {
          this.#take(chunk.byteLength);
          yield chunk;
        } else if (this.#error !== undefined) {
          throw this.#error;
        } else if (this.done) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          this.#wake = undefined;
        }
      }
    } finally {
      if (!this.done) this.drop(new GatewayError("cancelled", "The reader left the stream."));
    }
  }

  #take(length: number): void {
    this.#buffered -= length;
    if (this.#paused && this.#buffered === 0) {
      this.#paused = false;
      this.resume();
    }
  }
}
