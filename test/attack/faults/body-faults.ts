import { type Fault, failed, fault, harmless, late, refused, shown, tooMuch, waiting } from "./fault.ts";
import { answer, chunk, chunked, drip, flood, head, raw, type Wire } from "./wire.ts";

const brokenOff = failed(/in the middle of its answer|broke off its answer/);
const invalid = failed(/not valid HTTP\/1\.1|another number of bytes than it announced/);
const spaces = chunk(Buffer.alloc(64 * 1024, " "));

function announced(wire: Wire, length: number | string, body: string): string {
  return head("200 OK", [`Content-Type: ${wire.type}`, `Content-Length: ${length}`]) + body;
}

/** What goes wrong with the length of the body, and on the way. */
export const bodyFaults: readonly Fault[] = [
  fault(
    "resets inside the body",
    (wire) => {
      const { socket } = wire;
      socket.write(announced(wire, wire.body().length, wire.body().slice(0, 9)), () => {
        if ("resetAndDestroy" in socket && typeof socket.resetAndDestroy === "function")
          socket.resetAndDestroy();
        else socket.destroy();
      });
    },
    { all: brokenOff },
  ),
  fault(
    "sends fewer bytes than it announces",
    (wire) => raw(announced(wire, wire.body().length + 99, wire.body()))(wire),
    // The event with the answer was whole.
    { all: brokenOff, "MCP SSE": harmless },
  ),
  fault(
    "sends a second answer behind the first one",
    (wire) =>
      raw(
        announced(wire, Buffer.byteLength(wire.body()), wire.body()),
        head("200 OK", ["Content-Length: 4"]),
        "evil",
      )(wire),
    { all: harmless },
  ),
  fault("sends two lengths", raw(head("200 OK", ["Content-Length: 2", "Content-Length: 50"]), "{}"), {
    all: invalid,
  }),
  fault(
    "sends a length and chunks",
    raw(head("200 OK", ["Content-Length: 2", "Transfer-Encoding: chunked"]), "2\r\n{}\r\n0\r\n\r\n"),
    { all: invalid },
  ),
  fault("announces a negative length", (wire) => raw(announced(wire, -1, "{}"))(wire), { all: invalid }),
  fault("announces a length beyond all numbers", (wire) => raw(announced(wire, "9".repeat(30), "{}"))(wire), {
    all: invalid,
  }),
  fault(
    "announces 20 GiB",
    (wire) => void wire.socket.write(announced(wire, 20 * 1024 ** 3, "{")),
    // A stream is read for as long as events come: nothing does.
    { all: tooMuch, "MCP SSE": tooMuch },
  ),
  fault("sends a broken chunk size", (wire) => raw(chunked(wire.type), "zz\r\n{}\r\n0\r\n\r\n")(wire), {
    all: invalid,
  }),
  fault(
    "sends a chunk size beyond all numbers",
    (wire) => raw(chunked(wire.type), "fffffffffffffffff\r\n{}\r\n")(wire),
    { all: invalid },
  ),
  // The parser counts no extensions, so that time is the limit.
  waiting(
    "sends a chunk extension without end",
    (wire) => drip(wire, `${chunked(wire.type)}1;`, "a".repeat(16_000), 5),
    { all: late(/stopped in the middle|did not (?:answer|finish)|took longer|too long/) },
  ),
  fault(
    "sends trailers without end",
    (wire) =>
      flood(
        wire,
        `${chunked(wire.type)}${chunk(wire.body()).toString("latin1")}0\r\n`,
        Buffer.from(`X-A: ${"a".repeat(8_000)}\r\n`),
      ),
    // The event with the answer was whole before them.
    { all: failed(/KiB of headers|closed the connection|not valid HTTP/), "MCP SSE": harmless },
  ),
  fault("ends inside a chunk", (wire) => raw(chunked(wire.type), `fff\r\n${wire.body().slice(0, 9)}`)(wire), {
    all: brokenOff,
  }),
  fault("sends a body without end", (wire) => flood(wire, chunked(wire.type), spaces), {
    all: tooMuch,
  }),
  fault(
    "sends a body without end in chunks of one byte",
    (wire) => flood(wire, chunked(wire.type), Buffer.from("1\r\n \r\n".repeat(10_000))),
    { all: failed(/pieces of less than/) },
  ),
  fault(
    "sends a body of no announced length",
    (wire) => raw(head("200 OK", [`Content-Type: ${wire.type}`]), wire.body())(wire),
    { all: harmless },
  ),
  waiting(
    "stops inside the body",
    (wire) => void wire.socket.write(announced(wire, wire.body().length, wire.body().slice(0, 9))),
    { all: late(/stopped in the middle|did not (?:answer|finish)|took longer|too long/) },
  ),
  waiting("drips its body", (wire) => drip(wire, chunked(wire.type), "1\r\n \r\n", 40), {
    all: late(/did not (?:answer|finish)|took longer|too long|in time/),
  }),
  fault(
    "sends its answer a byte at a time",
    (wire) => {
      const body = wire.body();
      wire.socket.write(chunked(wire.type));
      let at = 0;
      const timer = setInterval(() => {
        if (at < body.length) wire.socket.write(chunk(body.slice(at, ++at)));
        else {
          clearInterval(timer);
          wire.socket.write("0\r\n\r\n");
        }
      }, 1);
    },
    { all: harmless },
  ),
  fault("sends the status 204 with a body", raw(head("204 No Content", ["Content-Length: 5"]), "hello"), {
    REST: shown(/204/),
    GraphQL: refused(/no GraphQL answer/),
    MCP: failed(/without a result/),
    "token endpoint": failed(/no token answer/),
    JWKS: failed(/204/),
  }),
  fault("sends the status 304 with a body", raw(head("304 Not Modified", ["Content-Length: 5"]), "hello"), {
    HTTP: refused(/HTTP 304/),
    MCP: failed(/HTTP 304/),
    OAuth: failed(/304/),
  }),
  fault("sends an empty body", (wire) => answer(wire, ""), {
    REST: shown(/without a body/),
    GraphQL: refused(/no GraphQL answer/),
    MCP: failed(/without a result/),
    "token endpoint": failed(/no token answer/),
    JWKS: failed(/no JSON object/),
  }),
];
