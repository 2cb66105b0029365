import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readJsonBody } from "../../src/authorization-server/json-body.ts";
import { allowsRedirect, describeMismatch } from "../../src/authorization-server/redirect-uri.ts";
import { problemOfRedirectUri } from "../../src/redirect-uri-form.ts";
import { naughtyHosts } from "../attack/naughty.ts";

const schemes = ["cursor", "vscode"];
const runs = { numRuns: 2_000 };

const host = fc.oneof(
  fc.constantFrom("127.0.0.1", "[::1]", "localhost", "app.example", "LOCALHOST", "127.1", "0x7f.1", "[::]"),
  fc.constantFrom(...naughtyHosts),
  fc.string({ maxLength: 12 }),
);
const port = fc.oneof(
  fc.constantFrom(
    "",
    ":",
    ":80",
    ":080",
    ":0",
    ":65535",
    ":65536",
    ":99999",
    ":1e3",
    ":-1",
    ":80@evil.example",
  ),
  fc.integer({ min: 0, max: 99_999 }).map((number) => `:${number}`),
);
const rest = fc.oneof(
  fc.constantFrom(
    "",
    "/",
    "/cb",
    "/cb/",
    "/cb?x=1",
    "/CB",
    "/cb#x",
    "/x/../cb",
    "/%63b",
    "//cb",
    "?",
    "\\cb",
  ),
  fc.string({ maxLength: 8 }).map((text) => `/${text}`),
);
const scheme = fc.constantFrom(
  "http://",
  "https://",
  "HTTP://",
  "cursor://",
  "vscode:/",
  "http:/",
  "javascript:",
  "",
);
const uri = fc.oneof(
  fc.tuple(scheme, host, port, rest).map((parts) => parts.join("")),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 40 }),
);

/** As a browser reads it, but for the port. */
function placeOf(text: string): string {
  const { protocol, username, password, hostname, pathname, search, hash } = new URL(text);
  return JSON.stringify([protocol, username, password, hostname, pathname, search, hash]);
}

describe("redirect URIs", () => {
  test("what is allowed is what was registered, or differs from it in the port of a loopback address alone", () => {
    fc.assert(
      fc.property(fc.array(uri, { maxLength: 5 }), uri, (all, asked) => {
        const registered = all.filter((one) => problemOfRedirectUri(one, schemes) === undefined);
        if (!allowsRedirect(registered, asked)) return;
        if (registered.includes(asked)) return;
        expect(["127.0.0.1", "[::1]", "localhost"]).toContain(new URL(asked).hostname);
        expect(new URL(asked).protocol).toBe("http:");
        expect(registered.map(placeOf)).toContain(placeOf(asked));
        expect(problemOfRedirectUri(asked, schemes)).toBeUndefined();
      }),
      runs,
    );
  });

  test("a change of one character is refused, unless it is of such a port", () => {
    const good = fc.constantFrom(
      "https://app.example/oauth/cb?tenant=1",
      "cursor://anysphere.cursor-mcp/oauth/callback",
      "http://127.0.0.1:49152/callback",
      "http://[::1]/callback",
      "http://localhost/callback",
    );
    const change = fc.tuple(fc.nat(60), fc.string({ unit: "binary", maxLength: 2 }), fc.nat(2));
    fc.assert(
      fc.property(good, change, (registered, [at, put, take]) => {
        const place = at % (registered.length + 1);
        const asked = registered.slice(0, place) + put + registered.slice(place + take);
        if (asked === registered || !allowsRedirect([registered], asked)) return;
        expect(registered).toMatch(/^http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost)/);
        expect(asked.replace(/:\d+\//, "/")).toBe(registered.replace(/:\d+\//, "/"));
      }),
      runs,
    );
  });

  test("what is fit to be registered is read in one way by every parser, and told plainly where it is not", () => {
    fc.assert(
      fc.property(uri, (text) => {
        const problem = problemOfRedirectUri(text, schemes);
        if (problem === undefined) {
          const { protocol, username, hash, hostname } = new URL(text);
          expect(["https:", "http:", "cursor:", "vscode:"]).toContain(protocol);
          expect([username, hash]).toEqual(["", ""]);
          if (protocol.startsWith("http")) expect(text.startsWith(`${protocol}//${hostname}`)).toBe(true);
        } else expect(problem).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
        expect(describeMismatch([text], `${text}x`).what).toBeTypeOf("string");
      }),
      runs,
    );
  });
});

describe("bodies of JSON", () => {
  test("are what JSON.parse makes of them, with the type that says so, or are refused", () => {
    const type = fc.oneof(
      fc.constantFrom(
        "application/json",
        "application/json; charset=utf-8",
        "text/plain",
        "application/x+json",
      ),
      fc.string(),
      fc.constant(undefined),
    );
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.json().map((text) => new TextEncoder().encode(text)),
    );
    fc.assert(
      fc.property(body, type, (bytes, contentType) => {
        const read = readJsonBody(bytes, contentType);
        if (read.ok) {
          expect(contentType).toMatch(/^\s*application\/(?:json|[^;\s]+\+json)/i);
          expect(read.value).toEqual(JSON.parse(new TextDecoder().decode(bytes)));
        } else expect(read.problem).toMatch(/^[\x20-\x7e]{1,120}$/);
      }),
      runs,
    );
  });
});
