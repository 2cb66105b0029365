import { GatewayError } from "../errors.ts";

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

/** Limits for reading an event stream. */
export interface ReadEventsOptions {
  /** Most bytes of one event, and of one comment; more fails with `too_large`. Default 1 MiB. */
  readonly maxEventBytes?: number;
}

const defaultMaxEventBytes = 1024 * 1024;
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
  const parser = new EventParser(options.maxEventBytes ?? defaultMaxEventBytes);
  for await (const chunk of body) {
    yield* parser.push(chunk);
  }
}

/** Lines are cut out as bytes: no byte of a multi-byte character looks like a line end, so each decodes on its own. */
class EventParser {
  readonly #maxEventBytes: number;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** The pieces of the line that is not complete yet. */
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  #eventBytes = 0;
  #afterCarriageReturn = false;
  #atStart = true;
  #event = "";
  #data: string[] = [];
  #id = "";
  #retry: number | undefined;

  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes;
  }

  *push(chunk: Uint8Array): Generator<ServerSentEvent, void, undefined> {
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
      const event = this.#endLine(this.#completeLine(chunk.subarray(start, index)));
      if (event !== undefined) yield event;
      start = index + 1;
    }
    if (start < chunk.byteLength) this.#keep(chunk.subarray(start));
  }

  #keep(piece: Uint8Array): void {
    this.#pieceBytes += piece.byteLength;
    this.#pieces.push(piece);
    this.#checkSize(this.#eventBytes + this.#pieceBytes);
  }

  #completeLine(last: Uint8Array): Uint8Array {
    if (this.#pieces.length === 0) return last;
    const line = Buffer.concat([...this.#pieces, last]);
    this.#pieces = [];
    this.#pieceBytes = 0;
    return line;
  }

  #endLine(bytes: Uint8Array): ServerSentEvent | undefined {
    let line = bytes;
    if (this.#atStart) {
      this.#atStart = false;
      if (line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf) line = line.subarray(3);
    }
    if (line.byteLength === 0) return this.#dispatch();
    this.#checkSize(this.#eventBytes + bytes.byteLength);
    // A comment is forgotten at once, so those that keep a silent stream open never add up.
    if (line[0] === colon) return undefined;
    this.#eventBytes += bytes.byteLength;
    this.#readField(this.#decoder.decode(line));
    return undefined;
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
        this.#data.push(value);
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
    this.#event = "";
    this.#data = [];
    this.#eventBytes = 0;
    if (data.length === 0) return undefined;
    const dispatched = { event, data: data.join("\n"), id: this.#id };
    return this.#retry === undefined ? dispatched : { ...dispatched, retry: this.#retry };
  }

  #checkSize(bytes: number): void {
    if (bytes > this.#maxEventBytes) {
      throw new GatewayError("too_large", "The upstream sent an event that is larger than is accepted.", {
        details: { limit: this.#maxEventBytes },
      });
    }
  }
}
