import type { Socket } from "node:net";
import { type Fault, failed, fault, harmless, late, refused, waiting } from "./fault.ts";
import { answer, drip, flood, head, raw, type Wire } from "./wire.ts";

/** What lies below, for what TLS can't do. */
function reset({ socket }: Wire): void {
  if ("resetAndDestroy" in socket) (socket as Socket).resetAndDestroy();
  else socket.destroy();
}

const invalid = failed(/not valid HTTP\/1\.1/);
const lost = failed(/closed the connection before it answered/);
const tooLong = failed(/more than 16 KiB of headers/);

/** What goes wrong before the body. */
export const headFaults: readonly Fault[] = [
  fault("ends in place of an answer", ({ socket }) => void socket.end(), { all: lost }),
  fault("resets in place of an answer", reset, { all: lost }),
  fault(
    "resets inside the head",
    (wire) => void wire.socket.write("HTTP/1.1 200 OK\r\nContent-", () => reset(wire)),
    { all: lost },
  ),
  fault("ends inside the head", raw("HTTP/1.1 200 OK\r\nContent-Type: appl"), {
    all: failed(/closed the connection before it answered|not valid HTTP/),
  }),
  waiting("says nothing", () => {}, { all: late(/did not (?:answer|finish)|took longer/) }),
  waiting("drips its head", (wire) => drip(wire, "HTTP/1.1 200 OK\r\nX-Drip: ", "a", 50), {
    all: late(/did not (?:answer|finish)|took longer|too long/),
  }),
  fault(
    "sends headers without end",
    (wire) => flood(wire, "HTTP/1.1 200 OK\r\n", Buffer.from(`X-A: ${"a".repeat(8_000)}\r\n`)),
    { all: tooLong },
  ),
  fault(
    "sends a header line without end",
    (wire) => flood(wire, "HTTP/1.1 200 OK\r\nX-A: ", Buffer.alloc(8_000, "a")),
    { all: tooLong },
  ),
  fault(
    "sends 20,000 headers",
    (wire) => {
      const many = Array.from({ length: 20_000 }, (_none, index) => `X-${index}: 1`);
      answer(wire, wire.body(), { headers: many });
    },
    { all: tooLong },
  ),
  // Its parser has no limit for that, so that time is the limit.
  waiting("sends a status line without end", (wire) => drip(wire, "HTTP/1.1 200 ", "a".repeat(16_000), 5), {
    all: late(/did not (?:answer|finish)|took longer|too long/),
  }),
  fault("sends a status line that is none", raw("HTTP/1.1 OK fine\r\nContent-Length: 0\r\n\r\n"), {
    all: invalid,
  }),
  fault("sends a status of two digits", raw("HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"), {
    all: invalid,
  }),
  fault("sends the status 000", raw("HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n"), {
    all: failed(/no HTTP\/1\.1 client expects/),
  }),
  fault("sends the status 999", raw("HTTP/1.1 999 Much\r\nContent-Length: 2\r\n\r\n{}"), {
    HTTP: refused(/HTTP 999/),
    MCP: failed(/HTTP 999/),
    OAuth: failed(/999/),
  }),
  fault(
    "sends interim answers without end",
    (wire) => flood(wire, "", Buffer.from("HTTP/1.1 100 Continue\r\n\r\n".repeat(500))),
    { all: failed(/no HTTP\/1\.1 client expects|closed the connection|interim/) },
  ),
  fault(
    "sends early hints without end",
    (wire) => flood(wire, "", Buffer.from("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(500))),
    { all: failed(/before its answer|interim|hints|1xx/) },
  ),
  fault(
    "sends early hints",
    (wire) => {
      wire.socket.write(head("103 Early Hints", ["Link: </a>; rel=preload"]));
      answer(wire, wire.body());
    },
    { all: harmless },
  ),
  fault(
    "switches protocols unasked",
    raw(head("101 Switching Protocols", ["Connection: upgrade", "Upgrade: h2c"])),
    { all: failed(/no HTTP\/1\.1 client expects|not valid HTTP/) },
  ),
  fault("answers with an HTTP/2 preface", raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), { all: invalid }),
  fault("answers with HTTP/2 frames", raw(Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100])), {
    all: invalid,
  }),
  fault("answers in another protocol", raw("SSH-2.0-OpenSSH_9.9\r\n"), { all: invalid }),
  fault("answers with TLS", raw(Buffer.from([0x15, 3, 3, 0, 2, 2, 40])), { all: invalid }),
  fault("answers without a head", (wire) => raw(wire.body())(wire), { all: invalid }),
  fault("sends a header with a NUL", raw("HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 0\r\n\r\n"), {
    all: invalid,
  }),
  fault("sends a header name with a space", raw("HTTP/1.1 200 OK\r\nX A: a\r\nContent-Length: 0\r\n\r\n"), {
    all: invalid,
  }),
  fault(
    "speaks HTTP/1.0",
    (wire) => raw(`HTTP/1.0 200 OK\r\nContent-Type: ${wire.type}\r\n\r\n`, wire.body())(wire),
    { all: harmless },
  ),
  fault(
    "sends a hundred cookies of 100 bytes",
    (wire) =>
      answer(wire, wire.body(), {
        headers: Array.from(
          { length: 100 },
          (_none, index) => `Set-Cookie: c${index}=${"x".repeat(80)}; Path=/`,
        ),
      }),
    { all: harmless },
  ),
  fault(
    "names its own headers in Connection",
    (wire) => answer(wire, wire.body(), { headers: ["Connection: close, x-request-id, etag"] }),
    { all: harmless },
  ),
];
