import { type ByKind, type Fault, failed, fault, harmless, refused, shown, tooMuch } from "./fault.ts";
import { answer, type Wire } from "./wire.ts";

const page = "<!doctype html><title>Sign in</title><script>alert(1)</script>";

/** An answer that is no answer: REST passes it on, all others need something that they can read. */
function unreadable(rest: RegExp, further: ByKind = {}): ByKind {
  return {
    REST: shown(rest),
    GraphQL: refused(/no GraphQL answer/),
    "MCP JSON": failed(/not JSON-RPC|media type|in place of JSON/),
    "MCP SSE": failed(/without a result|did not answer|no answer|not JSON-RPC/),
    "token endpoint": failed(/no token answer/),
    JWKS: failed(/no JSON object|does not call JSON/),
    ...further,
  };
}

/** A correct answer with a strange value in it. */
function spare(name: string, value: string | (() => string), expected: ByKind): Fault {
  return fault(
    `has ${name} in its answer`,
    (wire) => answer(wire, wire.body(typeof value === "string" ? value : value())),
    expected,
  );
}

/** In place of the whole body: as it is, or as the data of an event. */
function whole(name: string, json: string | Buffer, expected: ByKind): Fault {
  return fault(
    `answers with ${name}`,
    (wire) => answer(wire, typeof json === "string" ? wire.frame(json) : json),
    expected,
  );
}

const deep = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const changed = (change: (body: string) => string | Uint8Array) => (wire: Wire) =>
  answer(wire, change(wire.body()));

/** What is wrong with what an answer says. */
export const contentFaults: readonly Fault[] = [
  fault("answers with a page", (wire) => answer(wire, page, { type: "text/html; charset=utf-8" }), {
    ...unreadable(/Sign in/),
    MCP: failed(/`text\/html` in place of JSON/),
    "MCP JSON": failed(/`text\/html` in place of JSON/),
    "MCP SSE": failed(/`text\/html` in place of JSON/),
  }),
  fault(
    "answers with a page of 8 MiB",
    (wire) => answer(wire, page.padEnd(8 * 1024 * 1024), { type: "text/html" }),
    {
      ...unreadable(/Sign in/),
      "MCP JSON": failed(/`text\/html` in place of JSON/),
      "MCP SSE": failed(/`text\/html` in place of JSON/),
      OAuth: failed(/more than|no token answer|does not call JSON/, "answer_too_large"),
      "token endpoint": failed(/more than/, "answer_too_large"),
      JWKS: failed(/more than/, "answer_too_large"),
    },
  ),
  fault("answers with a page that it calls JSON", (wire) => answer(wire, page), unreadable(/Sign in/)),
  whole("text that is no JSON", "not json", unreadable(/not json/)),
  fault(
    "answers with half of a JSON text",
    (wire) =>
      answer(
        wire,
        wire.frame(
          wire
            .body()
            .replace(/^data: /, "")
            .trimEnd()
            .slice(0, -1),
        ),
      ),
    unreadable(/ok/),
  ),
  whole("null", "null", unreadable(/null/)),
  whole("a list", "[]", unreadable(/\[\]/)),
  whole("a text", '"ok"', unreadable(/ok/)),
  whole(
    "an empty object",
    "{}",
    unreadable(/\{\}/, {
      "token endpoint": failed(/without a usable access token/),
      JWKS: failed(/keys/),
    }),
  ),
  whole("bytes that are no text", Buffer.from([0xff, 0xfe, 0, 1, 2, 0x80]), unreadable(/./)),
  fault(
    "has bytes within its answer that are no UTF-8",
    (wire) => {
      const [before = "", after = ""] = wire.body('"MARK"').split("MARK");
      answer(wire, Buffer.concat([Buffer.from(before), Buffer.from([0xff, 0xc0]), Buffer.from(after)]));
    },
    {
      REST: shown(/./),
      GraphQL: shown(/./),
      MCP: harmless,
      "token endpoint": failed(/no token answer/),
      JWKS: failed(/no JSON object/),
    },
  ),
  fault(
    "answers in UTF-16",
    (wire) => answer(wire, Buffer.from(wire.body(), "utf16le"), { type: `${wire.type}; charset=utf-16le` }),
    unreadable(/ok/),
  ),
  fault(
    "begins with a byte order mark",
    changed((body) => `\ufeff${body}`),
    {
      REST: shown(/ok/),
      GraphQL: shown(/ok/),
      "MCP JSON": failed(/not JSON-RPC/),
      "MCP SSE": harmless,
      "token endpoint": harmless,
      JWKS: harmless,
    },
  ),
  fault(
    "names a charset that does not exist",
    (wire) => answer(wire, wire.body(), { type: `${wire.type}; charset=evil` }),
    { all: harmless },
  ),
  fault("names no content type", (wire) => answer(wire, wire.body(), { type: "" }), {
    HTTP: shown(/ok/),
    MCP: failed(/unknown media type/),
    "token endpoint": harmless,
    JWKS: failed(/does not call JSON/),
  }),
  fault(
    "names a content type of 10 KB",
    (wire) => answer(wire, wire.body(), { type: `application/${"x".repeat(10_000)}` }),
    {
      REST: shown(/./),
      GraphQL: shown(/ok/),
      MCP: failed(/in place of JSON/),
      "token endpoint": harmless,
      JWKS: failed(/does not call JSON/),
    },
  ),
  spare("100,000 levels", () => deep(100_000), {
    REST: shown(/ok/),
    GraphQL: refused(/no GraphQL answer/),
    "MCP JSON": failed(/not JSON-RPC|deep|levels/),
    "MCP SSE": failed(/without a result|not JSON-RPC|deep|levels/),
    OAuth: harmless,
  }),
  spare("100,000 levels without an end", () => "[".repeat(100_000), unreadable(/ok/)),
  spare("400 levels", () => deep(400), { HTTP: shown(/ok/), MCP: harmless, OAuth: harmless }),
  spare(
    "700,000 members",
    () => `{${Array.from({ length: 700_000 }, (_none, index) => `"${index}":1`).join()}}`,
    {
      REST: shown(/./),
      GraphQL: tooMuch,
      MCP: tooMuch,
      OAuth: failed(/more than/, "answer_too_large"),
    },
  ),
  spare("a text of 5 MiB", () => `"${"a".repeat(5 * 1024 * 1024)}"`, {
    // GraphQL promises a schema, which a part of the answer does not keep.
    REST: shown(/./),
    GraphQL: tooMuch,
    MCP: shown(/./),
    OAuth: failed(/more than/, "answer_too_large"),
  }),
  spare("a number of 200,000 digits", () => "9".repeat(200_000), {
    HTTP: shown(/ok/),
    MCP: shown(/ok/),
    OAuth: harmless,
  }),
  spare("numbers beyond all", "[1e999,-1e999,9007199254740993]", {
    HTTP: shown(/ok/),
    MCP: shown(/ok/),
    OAuth: harmless,
  }),
  spare("lone surrogates", '"\\ud800\\udc00\\ud800"', {
    HTTP: shown(/ok/),
    MCP: shown(/ok/),
    OAuth: harmless,
  }),
  spare("control characters", '"\\u0000\\u001b[2J\\u202e"', {
    HTTP: shown(/ok/),
    MCP: shown(/ok/),
    OAuth: harmless,
  }),
  spare("names of the prototype", '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}', {
    HTTP: shown(/ok/),
    MCP: shown(/ok/),
    OAuth: harmless,
  }),
  spare("one member a thousand times", () => `{${Array(1_000).fill('"a":1').join()}}`, {
    HTTP: shown(/ok/),
    MCP: shown(/ok/),
    OAuth: harmless,
  }),
  fault(
    "repeats what it was sent, and calls it an error",
    (wire) => answer(wire, wire.request, { status: "500 Oops", type: "text/plain" }),
    {
      // The credential of the call stands in it.
      HTTP: refused(/HTTP 500/),
      MCP: failed(/HTTP 500/),
      OAuth: failed(/500/),
    },
  ),
];
