import type { Dispatcher } from "undici";
import type { GatewayError } from "../errors.ts";
import type { HttpRequest, HttpResponse, HttpResponseHead } from "./http-client.ts";
import { type Passage, PendingRequest } from "./pending-request.ts";
import { addChunk, joinChunks } from "./read-limited.ts";
import type { RequestTarget } from "./split-url.ts";

/** Encoded bodies up to this size are decoded in one go: fast, and too short to hold up other calls for long. */
const wholeEncodedBytes = 16 * 1024;

/** A request whose answer is collected whole. */
export class CollectingRequest extends PendingRequest {
  readonly #resolve: (response: HttpResponse) => void;
  readonly #reject: (error: GatewayError) => void;
  protected override readonly encodedBytesToHold = wholeEncodedBytes;
  protected override readonly maxBytes: number;
  readonly #chunks: Uint8Array[] = [];
  #length = 0;
  #head: HttpResponseHead = { status: 0, headers: {} };

  constructor(
    passage: Passage,
    dispatcher: Dispatcher,
    target: RequestTarget,
    request: HttpRequest,
    resolve: (response: HttpResponse) => void,
    reject: (error: GatewayError) => void,
  ) {
    super(passage, dispatcher, target, request);
    this.#resolve = resolve;
    this.#reject = reject;
    this.maxBytes = request.maxBytes ?? passage.limits.answerBytes;
  }

  protected override onHead(head: HttpResponseHead): void {
    this.#head = head;
    const announced = head.headers["content-length"];
    if (announced !== undefined && Number(announced) > this.maxBytes && this.request.method !== "HEAD") {
      this.fail(this.tooLarge());
    }
  }

  protected override onBytes(chunk: Uint8Array): void {
    this.#length += chunk.byteLength;
    if (this.#length > this.maxBytes) {
      this.#chunks.length = 0;
      this.fail(this.tooLarge());
      return;
    }
    addChunk(this.#chunks, chunk);
  }

  protected override onEnd(): void {
    const { status, headers } = this.#head;
    this.#resolve({ status, headers, body: joinChunks(this.#chunks, this.#length) });
  }

  protected override onFailure(error: GatewayError): void {
    this.#reject(error);
  }
}
