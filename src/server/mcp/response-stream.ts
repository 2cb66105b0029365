import type { ServerResponse } from "node:http";
import { endResponse } from "../end-response.ts";
import type { EventReply, StreamEvent } from "./face.ts";
import type { McpLimits } from "./limits.ts";

const eventStreamHeaders = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};

/**
 * The response to one request, whatever form it takes: plain JSON when the answer comes first, an event stream as soon as
 * anything has to be sent before it, be it only a sign of life (MCP, Streamable HTTP, sending messages to the server).
 */
export class ResponseStream implements EventReply {
  readonly #response: ServerResponse;
  readonly #bufferedBytes: number;
  readonly #keepAlive: NodeJS.Timeout;
  #first: { readonly event: StreamEvent; readonly begun: () => void } | undefined;
  #state: "waiting" | "streaming" | "ended" = "waiting";

  constructor(response: ServerResponse, limits: Pick<McpLimits, "bufferedBytes" | "keepAliveMilliseconds">) {
    this.#response = response;
    this.#bufferedBytes = limits.bufferedBytes;
    this.#keepAlive = setInterval(
      () => this.#write(": keep-alive\n\n"),
      limits.keepAliveMilliseconds,
    ).unref();
    response.once("close", () => this.#finish());
    if (response.destroyed) this.#finish();
  }

  get isStreaming(): boolean {
    return this.#state === "streaming";
  }

  beginWith(event: StreamEvent, begun: () => void): void {
    this.#first = { event, begun };
  }

  /** Sends the head of an event stream now, for streams that may stay silent for long. */
  open(): void {
    if (this.#state !== "waiting") return;
    this.#state = "streaming";
    this.#response.writeHead(200, eventStreamHeaders);
    if (this.#first === undefined) {
      this.#response.flushHeaders();
      return;
    }
    this.#response.write(frameOf(this.#first.event));
    this.#first.begun();
  }

  /**
   * Sends a message ahead of the answer. False when it was not sent: the stream has ended, or the client reads so slowly
   * that the buffer is full.
   */
  send(message: string): boolean {
    return this.#write(`data: ${message}\n\n`);
  }

  sendEvent(event: StreamEvent): boolean {
    return this.#write(frameOf(event));
  }

  sendRetry(milliseconds: number): void {
    this.#write(`retry: ${milliseconds}\n\n`);
  }

  /** Sends the answer and ends. The status counts only while no event has been sent. */
  answer(message: string, status = 200, headers: Readonly<Record<string, string>> = {}): void {
    if (this.#state === "ended") return;
    const isStreaming = this.#state === "streaming";
    this.#finish();
    const bytes = Buffer.from(isStreaming ? `data: ${message}\n\n` : message, "utf8");
    if (!isStreaming) {
      this.#response.writeHead(status, {
        "content-type": "application/json",
        "content-length": bytes.length,
        ...headers,
      });
    }
    endResponse(this.#response, bytes);
  }

  answerEvent(event: StreamEvent): void {
    this.open();
    if (this.#state === "ended") return;
    this.#finish();
    endResponse(this.#response, Buffer.from(frameOf(event), "utf8"));
  }

  /** Ends without an answer, as a cancelled request does. */
  close(): void {
    // There is nothing to come again for.
    this.#first = undefined;
    this.open();
    if (this.#state === "ended") return;
    this.#finish();
    this.#response.end();
  }

  /** Breaks the connection off, for a client that has stopped reading; one that was ended may still take the rest. */
  destroy(): void {
    if (this.#state !== "ended") this.#response.destroy();
  }

  /** Calls back once the connection is gone or the response complete. */
  onClose(listener: () => void): void {
    if (this.#response.destroyed) listener();
    else this.#response.once("close", listener);
  }

  #write(frame: string): boolean {
    this.open();
    if (this.#state !== "streaming" || this.#response.writableLength > this.#bufferedBytes) return false;
    this.#response.write(frame);
    return true;
  }

  #finish(): void {
    this.#state = "ended";
    clearInterval(this.#keepAlive);
  }
}

/** An event of an event stream (WHATWG HTML, server-sent events). A message is one line: JSON text has no line ends. */
function frameOf({ id, message, retry }: StreamEvent): string {
  return `id: ${id}\n${retry === undefined ? "" : `retry: ${retry}\n`}data: ${message}\n\n`;
}
