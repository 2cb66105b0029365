import { setImmediate } from "node:timers/promises";
import { GatewayError } from "../errors.ts";
import { settingOf } from "./http-limits.ts";

/** One dispatched event of an event stream. */
export interface ServerSentEvent {
  /** `message` unless the stream names another. */
  readonly event: string;
  readonly data: string;
  /** The last event id that the stream has set so far, here or earlier; empty before the first. */
  readonly id: string;
  /** The reconnection time that the stream has last asked for, in ms. */
  readonly retry?: number;
}

/** How an event stream is read. */
export interface ReadEventsOptions {
  /** Most bytes of one event, and of one comment. Default 1 MiB. */
  readonly maxEventBytes?: number;
  /** Most bytes of the whole stream, each line counted with 64 more; beyond them it fails with `upstream_failed`, as nothing that large is an answer. Default: any number. */
  readonly maxBytes?: number | undefined;
  /** Where the operator's file sets `event_size`, for messages; absent: nowhere. */
  readonly setAt?: string | undefined;
  /** Is given what is left of an event that is larger, and the stream goes on; without it such an event fails with `answer_too_large`. */
  readonly onOversized?: (edges: EventEdges) => void;
  /** Is given each last event id that the stream sets, also by events without data, which are not delivered. */
  readonly onLastEventId?: (id: string) => void;
}

/** How the line that made an event too large begins and ends, field name and all. */
export interface EventEdges {
  readonly head: string;
  readonly tail: string;
}

const defaultMaxEventBytes = 1024 * 1024;
const edgeBytes = 256;
/** Milliseconds after which a stream that does not let up lets other work go first. */
const longestTurn = 10;
/** What one line takes beside its own bytes: an event, or a stream, of a million short lines is not small. */
const lineCost = 64;
/** Lines of one event that cost nothing, so that the limit of usual events is exact. */
const freeLines = 4_096;
const nothing = new Uint8Array();
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const colon = 0x3a;

/**
 * Reads an event stream (HTML Living Standard, section 9.2) as its bytes come, however they are cut.
 *
 * Leaving the iteration leaves the body. An event that the stream breaks off is not delivered.
 */
export async function* readEvents(
  body: AsyncIterable<Uint8Array>,
  options: ReadEventsOptions = {},
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const parser = new EventParser(options);
  let turn = performance.now();
  for await (const chunk of body) {
    // What has come already is read without a pause, and may be megabytes of small events: others have their turn in between.
    if (performance.now() - turn > longestTurn) {
      await setImmediate();
      turn = performance.now();
    }
    yield* parser.push(chunk);
  }
}

/** Lines are cut out as bytes: no byte of a multi-byte character looks like a line end, so each decodes on its own. */
class EventParser {
  readonly #maxEventBytes: number;
  readonly #maxBytes: number;
  readonly #setAt: string | undefined;
  readonly #onOversized: ReadEventsOptions["onOversized"];
  readonly #onLastEventId: ReadEventsOptions["onLastEventId"];
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** The pieces of the line that is not complete yet. */
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  #eventBytes = 0;
  /** Of all events and comments so far, with what their lines cost. */
  #streamBytes = 0;
  /** Begin and end of the first line beyond the limit; the event that it belongs to is skipped. */
  #oversized:
    | { readonly head: Uint8Array; readonly tail: Uint8Array; readonly complete: boolean }
    | undefined;
  #afterCarriageReturn = false;
  #atStart = true;
  #event = "";
  #data: string[] = [];
  #id = "";
  #lastEventId = "";
  #retry: number | undefined;

  constructor(options: ReadEventsOptions) {
    this.#maxEventBytes = options.maxEventBytes ?? defaultMaxEventBytes;
    this.#maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
    this.#setAt = options.setAt;
    this.#onOversized = options.onOversized;
    this.#onLastEventId = options.onLastEventId;
  }

  *push(chunk: Uint8Array): Generator<ServerSentEvent, void, undefined> {
    this.#spend(chunk.byteLength);
    let start = 0;
    for (let index = 0; index < chunk.byteLength; index++) {
      const byte = chunk[index];
      if (byte === lineFeed && this.#afterCarriageReturn) {
        this.#afterCarriageReturn = false;
        start = index + 1;
        continue;
      }
      this.#afterCarriageReturn = byte === carriageReturn;
      if (byte !== lineFeed && byte !== carriageReturn) continue;
      this.#spend(lineCost);
      this.#keep(chunk.subarray(start, index));
      const event = this.#endLine();
      if (event !== undefined) yield event;
      start = index + 1;
    }
    if (start < chunk.byteLength) this.#keep(chunk.subarray(start));
  }

  #spend(bytes: number): void {
    this.#streamBytes += bytes;
    if (this.#streamBytes > this.#maxBytes) throw streamTooLong(this.#maxBytes, this.#setAt);
  }

  #keep(piece: Uint8Array): void {
    this.#pieceBytes += piece.byteLength;
    if (this.#eventBytes + this.#pieceBytes <= this.#maxEventBytes) {
      this.#pieces.push(piece);
      return;
    }
    if (this.#onOversized === undefined) throw this.#tooLarge();
    const { head, tail, complete } = this.#oversized ?? { head: nothing, tail: nothing, complete: false };
    if (!complete) {
      const line = Buffer.concat([...this.#pieces, piece]);
      // Copies, so that what they are cut from can go.
      this.#oversized = {
        head: Buffer.concat([head, line.subarray(0, edgeBytes - head.byteLength)]),
        tail: Buffer.concat([tail, line.subarray(-edgeBytes)]).subarray(-edgeBytes),
        complete,
      };
    }
    this.#pieces = [];
  }

  #endLine(): ServerSentEvent | undefined {
    const [only = nothing, ...more] = this.#pieces;
    const bytes = more.length === 0 ? only : Buffer.concat(this.#pieces);
    const isCut = this.#pieceBytes > bytes.byteLength;
    this.#pieces = [];
    this.#pieceBytes = 0;
    if (isCut) {
      this.#skip();
      return undefined;
    }
    let line = bytes;
    if (this.#atStart) {
      this.#atStart = false;
      if (line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf) line = line.subarray(3);
    }
    if (line.byteLength === 0) return this.#dispatch();
    // A comment is forgotten at once, so those that keep a silent stream open never add up.
    if (line[0] === colon) return undefined;
    if (this.#oversized === undefined)
      this.#eventBytes += bytes.byteLength + (this.#data.length < freeLines ? 0 : lineCost);
    this.#readField(this.#decoder.decode(line));
    return undefined;
  }

  /** After a line that is too large: what came of its event before is not needed any more. */
  #skip(): void {
    if (this.#oversized?.head[0] === colon) {
      this.#oversized = undefined;
      return;
    }
    if (this.#oversized !== undefined) this.#oversized = { ...this.#oversized, complete: true };
    this.#data = [];
    this.#eventBytes = 0;
  }

  #readField(line: string): void {
    const end = line.indexOf(":");
    const field = end === -1 ? line : line.slice(0, end);
    const value = end === -1 ? "" : line.slice(line[end + 1] === " " ? end + 2 : end + 1);
    switch (field) {
      case "event":
        this.#event = value;
        break;
      case "data":
        if (this.#oversized === undefined) this.#data.push(value);
        break;
      case "id":
        if (!value.includes("\0")) this.#id = value;
        break;
      case "retry":
        if (/^[0-9]+$/.test(value)) this.#retry = Number(value);
        break;
      default:
      // Other fields are ignored, as the standard demands.
    }
  }

  #dispatch(): ServerSentEvent | undefined {
    const data = this.#data;
    const event = this.#event === "" ? "message" : this.#event;
    const oversized = this.#oversized;
    this.#event = "";
    this.#data = [];
    this.#eventBytes = 0;
    this.#oversized = undefined;
    if (this.#id !== this.#lastEventId) {
      this.#lastEventId = this.#id;
      this.#onLastEventId?.(this.#id);
    }
    if (oversized !== undefined) {
      const { head, tail } = oversized;
      this.#onOversized?.({ head: this.#decoder.decode(head), tail: this.#decoder.decode(tail) });
      return undefined;
    }
    if (data.length === 0) return undefined;
    const dispatched = { event, data: data.join("\n"), id: this.#id };
    return this.#retry === undefined ? dispatched : { ...dispatched, retry: this.#retry };
  }

  #tooLarge(): GatewayError {
    return new GatewayError(
      "answer_too_large",
      `The upstream sent an event of more than ${this.#maxEventBytes} bytes${settingOf(this.#setAt, "event_size")}, which is not accepted. Ask for less, for example with a filter or a smaller page.`,
      { details: { limit: this.#maxEventBytes } },
    );
  }
}

function streamTooLong(limit: number, setAt: string | undefined): GatewayError {
  return new GatewayError(
    "upstream_failed",
    `The upstream sent more than ${limit} bytes of events for one call${setAt === undefined ? "" : `, twice \`${setAt}.event_size\`,`} without coming to an end, which is not accepted.`,
    { details: { limit }, retryable: true },
  );
}
