import fc from "fast-check";
import { describe, expect } from "vitest";
import { parseExactJson } from "../../src/json/exact-json.ts";
import { parseJsonBytes } from "../../src/json/parse-json-bytes.ts";
import { decodeHeaderValue, encodeHeaderValue } from "../../src/mcp/header-value.ts";
import { parseMessages } from "../../src/providers/mcp/parse-message.ts";
import { EventStore } from "../../src/server/mcp/event-store.ts";
import { readMessageBytes } from "../../src/server/mcp/read-message.ts";
import { HttpRefusal } from "../../src/server/mcp/refusal.ts";
import { readEvents, type ServerSentEvent } from "../../src/upstream/sse.ts";
import { usualLimits } from "../limits.ts";
import { fuzz, soup } from "./fuzz.ts";

const jsonPieces = [
  ...[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    '"a"',
    '"A"',
    '"__proto__"',
    '"\\u0061"',
    '"\\ud800"',
    "null",
    "true",
  ],
  ...[
    "1",
    "-0",
    "1e400",
    "12345678901234567890",
    "0.1",
    "\\",
    " ",
    "\n",
    "\ufeff",
    '"id"',
    '"ID"',
    '"method"',
  ],
  ...[
    '"jsonrpc":"2.0"',
    '"method":"ping"',
    '"params":{}',
    '"result":{}',
    '"id":1',
    '"error":{"code":1}',
    "[".repeat(70),
  ],
];
const json = fc.oneof(fc.json({ maxDepth: 5 }), soup(...jsonPieces));
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("messages", () => {
  fuzz("the envelope of a caller's message: a message, or a refusal with a code of JSON-RPC", () =>
    fc.property(fc.oneof(json.map(bytesOf), fc.uint8Array({ maxLength: 60 })), (bytes) => {
      try {
        const message = readMessageBytes(bytes, usualLimits.requests, "the body");
        expect(["request", "notification", "response"]).toContain(message.kind);
      } catch (error) {
        if (!(error instanceof HttpRefusal)) throw error;
        expect(error.status).toBe(400);
      }
    }),
  );

  fuzz("the envelope of an upstream's message: messages, or none", () =>
    fc.property(json, (text) => {
      for (const { kind } of parseMessages(text))
        expect(["request", "notification", "response"]).toContain(kind);
    }),
  );

  fuzz("JSON of callers: what is taken is what JSON.parse reads, with no name twice", () =>
    fc.property(json, (text) => {
      const parsed = parseJsonBytes(bytesOf(text), usualLimits.requests);
      if (!parsed.ok) return;
      const plain: unknown = JSON.parse(text.replace(/^\ufeff/, ""));
      expect(parsed.value).toEqual(plain);
      expect(text).not.toContain('"__proto__":');
    }),
  );

  fuzz("JSON of upstreams: digits stay as they are written, and all else as it is read", () =>
    fc.property(json, (text) => {
      let plain: unknown;
      try {
        plain = JSON.parse(text);
      } catch {
        expect(() => parseExactJson(text)).toThrow(SyntaxError);
        return;
      }
      const again: unknown = JSON.parse(JSON.stringify(parseExactJson(text)));
      expect(JSON.stringify(again)).toBe(JSON.stringify(plain));
    }),
  );
});

describe("event streams", () => {
  const stream = soup(
    "data: ",
    "data",
    ":",
    " ",
    "\n",
    "\r",
    "\r\n",
    "event: x",
    "id: 1",
    "id: \0",
    "retry: 5",
    "\ufeff",
    "é💥",
  );

  fuzz("the events of an upstream: the same, however their bytes are cut", () =>
    fc.asyncProperty(stream, fc.array(fc.nat({ max: 40 }), { maxLength: 6 }), async (text, cuts) => {
      const bytes = bytesOf(text);
      const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted(
        (one, other) => one - other,
      );
      const pieces = [...places, bytes.length].map((end, index) =>
        bytes.subarray(places[index - 1] ?? 0, end),
      );
      expect(await eventsOf(pieces)).toEqual(await eventsOf([bytes]));
    }),
  );

  fuzz("ids of events: a foreign one brings nothing back, an own one only what came after it", () =>
    fc.property(
      fc.array(fc.nat({ max: 3 }), { maxLength: 12 }),
      fc.string({ maxLength: 30 }),
      (sent, foreign) => {
        const limits = {
          eventsPerSession: 5,
          eventBytesPerSession: 4_000,
          eventBytes: 9_000,
          eventMilliseconds: 1_000,
        };
        const store = new EventStore(limits, () => 0);
        const session = store.begin();
        const streams = Array.from({ length: 4 }, () => session.begin());
        const log: { readonly stream: number; readonly id: string; readonly message: string }[] = [];
        for (const stream of sent) {
          const id = streams[stream]?.nextId() ?? "";
          const message = `m${log.length}`;
          streams[stream]?.keep({ id, message });
          log.push({ stream, id, message });
        }
        expect(new Set(log.map(({ id }) => id)).size).toBe(log.length);
        for (const [index, stream] of streams.entries()) {
          if (!log.some(({ id }) => id === foreign)) expect(stream.after(foreign)).toBeUndefined();
          for (const event of log) {
            const found = stream.after(event.id);
            if (event.stream !== index) expect(found).toBeUndefined();
            const later = log.filter((other) => other.stream === index).map(({ message }) => message);
            for (const { message } of found ?? [])
              expect(later.slice(later.indexOf(event.message) + 1)).toContain(message);
          }
        }
      },
    ),
  );
});

fuzz("values of headers: each text comes back, as visible ASCII and nothing else", () =>
  fc.property(
    fc.oneof(
      fc.string({ unit: "binary" }),
      soup("=?base64?", "?=", "YQ==", " ", "\t", "\r\n", "a", "é", "\ud800"),
    ),
    (text) => {
      const decoded = decodeHeaderValue(text);
      expect(typeof decoded === "string" || decoded === undefined).toBe(true);
      if (!text.isWellFormed()) return;
      const written = encodeHeaderValue(text);
      expect(written).toMatch(/^[\t\x20-\x7e]*$/);
      expect(decodeHeaderValue(written)).toBe(text);
    },
  ),
);

async function eventsOf(pieces: readonly Uint8Array[]): Promise<readonly ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  const body = (async function* () {
    yield* pieces;
  })();
  for await (const event of readEvents(body)) events.push(event);
  return events;
}
