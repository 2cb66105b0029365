import { GatewayError } from "../../errors.ts";
import type { JsonValue } from "../../model/json.ts";
import { readEvents } from "../../upstream/sse.ts";
import { parseJsonText } from "./json-part.ts";
import { essence, isJsonLinesMediaType, isJsonSequenceMediaType } from "./media-type.ts";

/** Answers that are one item after another: JSON lines, JSON text sequences (RFC 7464), event streams. */
export type SequenceKind = "lines" | "records" | "events";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const recordSeparator = 0x1e;

/** The kind of sequence that a `Content-Type` stands for; `undefined` for anything else. */
export function sequenceKind(contentType: string): SequenceKind | undefined {
  const type = essence(contentType);
  if (type === "text/event-stream") return "events";
  if (isJsonSequenceMediaType(type)) return "records";
  return isJsonLinesMediaType(type) ? "lines" : undefined;
}

/** Counts, chunk by chunk, what separates items: no fewer than there are items, save for the last. */
export function countSeparators(kind: SequenceKind): (chunk: Uint8Array) => number {
  const separator = kind === "records" ? recordSeparator : lineFeed;
  let count = 0;
  let atLineStart = false;
  let afterCarriageReturn = false;
  return (chunk) => {
    for (const byte of chunk) {
      if (kind !== "events") {
        if (byte === separator) count += 1;
        continue;
      }
      // An event ends with an empty line; lines end with CR, LF or both.
      const isSecondHalf = byte === lineFeed && afterCarriageReturn;
      afterCarriageReturn = byte === carriageReturn;
      if (isSecondHalf) continue;
      const endsLine = byte === lineFeed || byte === carriageReturn;
      if (endsLine && atLineStart) count += 1;
      atLineStart = endsLine;
    }
    return count;
  };
}

/** What the body of a sequence holds. */
export interface ParsedSequence {
  readonly items: readonly JsonValue[];
  /** An event was too large: what follows it is missing. */
  readonly isCut: boolean;
}

/**
 * The items: JSON as values with all digits of their numbers, anything else as text. An event is `{data}`, with `event` and
 * `id` where the stream has them. The last item counts only when it is `complete`, or says itself that it is.
 *
 * @param maxEventBytes of one event.
 */
export async function parseSequence(
  kind: SequenceKind,
  body: Uint8Array,
  complete: boolean,
  maxEventBytes: number,
): Promise<ParsedSequence> {
  if (kind === "events") return parseEvents(body, complete, maxEventBytes);
  const text = new TextDecoder().decode(body);
  const pieces = text.split(kind === "lines" ? "\n" : "\u001e");
  const ended =
    kind === "lines" ? pieces.length - 1 : text.endsWith("\n") ? pieces.length : pieces.length - 1;
  const items = pieces
    .slice(0, complete ? pieces.length : ended)
    .map((piece) => piece.trim())
    .filter((piece) => piece !== "")
    .map(toItem);
  return { items, isCut: false };
}

async function parseEvents(
  body: Uint8Array,
  complete: boolean,
  maxEventBytes: number,
): Promise<ParsedSequence> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield body;
    // Many servers leave out the empty line after their last event.
    if (complete) yield new Uint8Array([lineFeed, lineFeed]);
  }
  const items: JsonValue[] = [];
  let lastId = "";
  try {
    for await (const { event, data, id } of readEvents(chunks(), { maxEventBytes })) {
      items.push({
        ...(event !== "message" && { event }),
        ...(id !== lastId && { id }),
        data: toItem(data),
      });
      lastId = id;
    }
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "answer_too_large") throw error;
    return { items, isCut: true };
  }
  return { items, isCut: false };
}

function toItem(text: string): JsonValue {
  return parseJsonText(text) ?? text;
}
