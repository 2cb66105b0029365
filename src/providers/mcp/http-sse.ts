import { GatewayError } from "../../errors.ts";
import { type Message, writeMessage } from "../../mcp/messages.ts";
import { readLimited } from "../../upstream/read-limited.ts";
import { type EventEdges, readEvents } from "../../upstream/sse.ts";
import { waitFor } from "../wait.ts";
import { findAnsweredId } from "./find-answered-id.ts";
import type { EndpointAnswer, EndpointSession } from "./http-endpoint.ts";
import { takeMessages } from "./parse-message.ts";
import { readRefusal } from "./read-refusal.ts";
import type { Receiver, SendOptions, Transport } from "./transport.ts";

/**
 * HTTP+SSE of MCP 2024-11-05: one GET stream brings every message; its first event names the URL that takes the POSTs.
 * That URL has to be of the same origin, so that a credential goes nowhere else than where the operator sends it.
 */
export class HttpSse implements Transport {
  readonly kind = "http-sse";
  readonly messageBytes: number;
  readonly setAt: string;
  readonly #endpoint: EndpointSession;
  readonly #closing = new AbortController();
  #version: string | undefined;
  #messageUrl = "";
  #reading: Promise<void> | undefined;

  constructor(endpoint: EndpointSession) {
    this.#endpoint = endpoint;
    this.messageBytes = endpoint.limits.messageBytes;
    this.setAt = endpoint.limits.setAt;
  }

  async open(receiver: Receiver, signal: AbortSignal): Promise<void> {
    const giveUp = (): void => this.#closing.abort(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      const stream = await this.#endpoint.stream({
        method: "GET",
        headers: { accept: "text/event-stream" },
        signal: this.#closing.signal,
        bodyTimeout: 0,
        isLasting: true,
      });
      if (stream.status !== 200 || !/^text\/event-stream\b/i.test(stream.headers["content-type"] ?? "")) {
        throw await readRefusal(stream, stream.url);
      }
      await new Promise<void>((resolve, reject) => {
        this.#reading = this.#read(stream, receiver, resolve, reject);
      });
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  agree(version: string): void {
    this.#version = version;
  }

  async send(message: Message, options: SendOptions): Promise<"sent"> {
    const stream = await this.#endpoint.stream({
      method: "POST",
      at: this.#messageUrl,
      headers: {
        "content-type": "application/json",
        ...options.headers,
        ...(this.#version === undefined ? {} : { "mcp-protocol-version": this.#version }),
      },
      body: writeMessage(message),
      signal: options.signal,
    });
    if (stream.status < 200 || stream.status >= 300) throw await readRefusal(stream, this.#messageUrl);
    await readLimited(stream.body, this.#endpoint.limits.answerBytes);
    return "sent";
  }

  async listen(): Promise<void> {
    // The one stream stands already.
  }

  async close(): Promise<void> {
    this.#closing.abort(new GatewayError("cancelled", "The connection to the upstream was closed."));
    await this.#reading;
  }

  /** Runs as long as the stream; says by `ready` or `fail` what became of the first event. */
  async #read(
    { body, url }: EndpointAnswer,
    receiver: Receiver,
    ready: () => void,
    fail: (error: unknown) => void,
  ): Promise<void> {
    const { host } = this.#endpoint;
    let failure = new GatewayError("upstream_failed", `${host} closed its event stream.`, {
      retryable: true,
    });
    try {
      const options = {
        maxEventBytes: this.messageBytes,
        setAt: this.setAt,
        // The stream is everybody's: one answer that is too large ends one call.
        onOversized: ({ head, tail }: EventEdges) => {
          const id = findAnsweredId({ head: head.replace(/^data: ?/, ""), tail });
          if (id !== undefined) receiver.oversized(id);
        },
      };
      for await (const event of readEvents(body, options)) {
        const wait = this.#endpoint.pace.take();
        if (wait > 0) await waitFor(wait, this.#closing.signal);
        if (event.event === "endpoint" && this.#messageUrl === "") {
          this.#messageUrl = this.#resolveMessageUrl(event.data, url);
          ready();
        } else if (event.event === "message") {
          takeMessages(event.data, receiver);
        }
      }
    } catch (error) {
      failure =
        error instanceof GatewayError
          ? error
          : new GatewayError("upstream_failed", `The connection to ${host} failed.`, { cause: error });
    }
    if (this.#messageUrl === "") fail(failure);
    else if (!this.#closing.signal.aborted) receiver.closed(failure);
  }

  #resolveMessageUrl(data: string, opened: string): string {
    const url = URL.parse(data, opened);
    if (url === null || url.origin !== new URL(opened).origin) {
      throw new GatewayError(
        "upstream_failed",
        `${this.#endpoint.host} asks for its messages to be sent to another origin${url === null ? "" : ` (${url.origin})`}, which is refused: the credential is meant for ${this.#endpoint.host} alone.`,
      );
    }
    return url.href;
  }
}
