import { GatewayError } from "../../errors.ts";
import { followAbort } from "../../follow-abort.ts";
import type { JsonValue } from "../../model/json.ts";
import type { HttpClient, HttpRequest, HttpStream } from "../../upstream/http-client.ts";
import { settingOf } from "../../upstream/http-limits.ts";
import { addChunk, joinChunks, tooLarge } from "../../upstream/read-limited.ts";
import { UrlSplitter } from "../../upstream/split-url.ts";
import type { Clock } from "./clock.ts";
import { countSeparators, parseSequence, type SequenceKind, sequenceKind } from "./sequence.ts";

/** How much of an answer is taken. */
export interface AnswerLimits {
  /** Decoded bytes; a sequence ends there, any other answer fails. */
  readonly bytes: number;
  /** Of one event of an event stream, as sent; the sequence ends before a larger one. */
  readonly eventBytes: number;
  /** Items of a sequence. */
  readonly items: number;
  /** Ms that a sequence may go on. */
  readonly sequenceMilliseconds: number;
  /** Where the operator's file sets the sizes, for messages; absent: nowhere. */
  readonly setAt?: string | undefined;
}

/** Limits that no answer for a reader, be it a model or a program, comes near: 10 MiB, events of 1 MiB, 10,000 items, 30 s. */
export const usualLimits: AnswerLimits = {
  bytes: 10 * 1024 * 1024,
  eventBytes: 1024 * 1024,
  items: 10_000,
  sequenceMilliseconds: 30_000,
};

/** Bytes of a refusal; enough for its message. */
const mostRefusalBytes = 1024 * 1024;

/** An upstream's answer, as much of it as was taken. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The items of a sequence. */
  readonly sequence?: readonly JsonValue[];
  /** What is missing of it. */
  readonly note?: string;
}

/** An answer whose head is there. */
export interface OpenAnswer {
  readonly head: Pick<HttpStream, "status" | "headers">;
  /** Takes the body: whole, or of a sequence what came until a limit. Call once. */
  read(limits: AnswerLimits): Promise<Answer>;
}

/** Sends a request; the head of the answer decides how the rest is read. Fails as `HttpClient` does. */
export async function openAnswer(http: HttpClient, request: HttpRequest, clock: Clock): Promise<OpenAnswer> {
  const ending = new AbortController();
  const unfollow = followAbort(ending, request.signal);
  const stream = await http.stream({ ...request, signal: ending.signal }).catch((error: unknown) => {
    unfollow();
    throw error;
  });
  const { status, headers } = stream;
  const kind = status < 300 ? sequenceKind(headers["content-type"] ?? "") : undefined;
  return {
    head: { status, headers },
    read: (limits) => {
      const answer =
        kind === undefined
          ? readWhole(stream, request, limits, ending)
          : readSequence(stream, kind, limits, ending, clock);
      return answer.finally(unfollow);
    },
  };
}

async function readWhole(
  stream: HttpStream,
  request: HttpRequest,
  { bytes: maxBytes, setAt }: AnswerLimits,
  ending: AbortController,
): Promise<Answer> {
  const { status, headers } = stream;
  if (status >= 300) return readRefusal(stream, Math.min(maxBytes, mostRefusalBytes));
  const refuse = (): GatewayError => tooLarge(new UrlSplitter().split(request.url).host, maxBytes, setAt);
  if (request.method !== "HEAD" && Number(headers["content-length"] ?? 0) > maxBytes) {
    // Nobody has begun to read, so leaving would not end it.
    ending.abort();
    throw refuse();
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream.body) {
    length += chunk.byteLength;
    if (length > maxBytes) throw refuse();
    addChunk(chunks, chunk);
  }
  return { status, headers, body: joinChunks(chunks, length) };
}

/** Of a refusal the beginning is enough, however long it is. */
async function readRefusal({ status, headers, body }: HttpStream, maxBytes: number): Promise<Answer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    addChunk(chunks, chunk);
    length += chunk.byteLength;
    if (length > maxBytes) break;
  }
  const whole = joinChunks(chunks, length);
  if (length <= maxBytes) return { status, headers, body: whole };
  let end = maxBytes;
  // Not within a character of UTF-8.
  while (end > 0 && ((whole[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  const note = `This is only the beginning of the upstream's refusal: ${end} bytes. What follows is missing.`;
  return { status, headers, body: whole.subarray(0, end), note };
}

/** A stream may never end: what has come when a limit is met is the answer, with a note that says so. */
async function readSequence(
  stream: HttpStream,
  kind: SequenceKind,
  limits: AnswerLimits,
  ending: AbortController,
  clock: Clock,
): Promise<Answer> {
  const { status, headers } = stream;
  const over = new GatewayError("timed_out", "The stream goes on longer than the gateway listens.");
  const read = new AbortController();
  void clock.wait(limits.sequenceMilliseconds, read.signal).then((isOver) => {
    // With an error that says more than "cancelled", so that what has come stays readable.
    if (isOver) ending.abort(over);
  });
  const count = countSeparators(kind);
  const chunks: Uint8Array[] = [];
  let length = 0;
  let stopped: string | undefined;
  try {
    for await (const chunk of stream.body) {
      const room = limits.bytes - length;
      addChunk(chunks, chunk.subarray(0, room));
      length += Math.min(chunk.byteLength, room);
      if (chunk.byteLength > room)
        stopped = `it is longer than ${limits.bytes} bytes${settingOf(limits.setAt, "answer_size")}`;
      else if (count(chunk) > limits.items) stopped = `it has more than ${limits.items} items`;
      if (stopped !== undefined) break;
    }
  } catch (error) {
    const isWorthless = !(error instanceof GatewayError) || error.code === "cancelled" || length === 0;
    if (error === over) stopped = `it went on for ${Math.round(limits.sequenceMilliseconds / 1000)} s`;
    else if (isWorthless) throw error;
    else stopped = `it broke off (${error.message.replace(/\.$/, "")})`;
  } finally {
    read.abort();
  }
  const body = joinChunks(chunks, length);
  const { items, isCut } = await parseSequence(kind, body, stopped === undefined, limits.eventBytes);
  const sequence = items.slice(0, limits.items);
  if (isCut)
    stopped = `the next one has more than ${limits.eventBytes} bytes${settingOf(limits.setAt, "event_size")}`;
  if (stopped === undefined && items.length > sequence.length)
    stopped = `it has more than ${limits.items} items`;
  return {
    status,
    headers,
    body,
    sequence,
    ...(stopped !== undefined && {
      note: `This is only the beginning of the upstream's stream: ${sequence.length} items; ${stopped}. What follows is missing.`,
    }),
  };
}
