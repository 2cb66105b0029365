import { afterAll, beforeAll, expect, test } from "vitest";
import { sendRaw, statusesOf } from "./raw.ts";
import { type System, startSystem } from "./system.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

let upstream: Upstream;
let system: System;
beforeAll(async () => {
  upstream = await startUpstream();
  const operation = (name: string) => ({
    name,
    method: "POST",
    path: `/${name}`,
    parameters: [{ name: "text", in: "body" }],
  });
  system = await startSystem({
    shop: {
      surfaces: {
        rest: {
          base_url: upstream.url,
          operations: [operation("add"), operation("evil"), { name: "find", method: "GET", path: "/find" }],
        },
      },
    },
  });
});
afterAll(async () => {
  await system.close();
  await upstream[Symbol.asyncDispose]();
});

const host = "Host: 127.0.0.1";
const json = "Content-Type: application/json";
const good = (operation: string): string =>
  `POST /api/v1/shop/${operation} HTTP/1.1\r\n${host}\r\n${json}\r\nContent-Length: 2\r\n\r\n{}`;
const head = (...lines: readonly string[]): string =>
  `${["POST /api/v1/shop/add HTTP/1.1", ...lines].join("\r\n")}\r\n\r\n`;

type Vector = readonly [string, string, "refused" | "add"];

const targets: readonly (readonly [string, string])[] = [
  ["broken percent-encoding", "/api/v1/shop/evil%"],
  ["percent-encoding cut short", "/api/v1/shop/evil%2"],
  ["percent-encoding of other digits", "/api/v1/shop/%zzevil"],
  ["an encoded NUL", "/api/v1/shop/evil%00"],
  ["an encoded line end", "/api/v1/shop/evil%0d%0aHost:evil.example"],
  ["an encoded delete", "/api/v1/shop/evil%7F"],
  ["encoded dot segments", "/livez/%2e%2e/api/v1/shop/evil"],
  ["half encoded dot segments", "/livez/.%2E/api/v1/shop/evil"],
  ["one encoded dot", "/api/v1/shop/%2e/evil"],
  ["one dot", "/api/v1/shop/./evil"],
  ["dot segments behind encoded slashes", "/api/v1/shop%2f..%2fshop/evil"],
  ["dot segments behind encoded backslashes", "/api/v1/shop%5c..%5cshop/evil"],
  ["dot segments at the end", "/api/v1/shop/evil/.."],
  ["an encoded slash", "/api/v1/shop%2fevil"],
  ["an encoded slash, twice", "/api/v1/shop%252fevil"],
  ["two slashes", "/api/v1/shop//evil"],
  ["a slash at the end", "/api/v1/shop/evil/"],
  ["a semicolon", "/api/v1/shop/evil;a=b"],
  ["invalid UTF-8", "/api/v1/shop/%ffevil"],
  ["overlong UTF-8", "/api/v1/shop/%c0%afevil"],
  ["another scheme", "ftp://127.0.0.1/api/v1/shop/evil"],
  ["a user before the own host", "http://a@127.0.0.1/api/v1/shop/evil"],
  ["another port of the own host", "http://127.0.0.1:1/api/v1/shop/evil"],
  ["no host", "http:///api/v1/shop/evil"],
];

const chunks: readonly (readonly [string, string, Vector[2]])[] = [
  ["an extension", "2;a=b\r\n{}\r\n0\r\n\r\n", "add"],
  ["a quoted extension", '2;a="b\\"c"\r\n{}\r\n0\r\n\r\n', "add"],
  ["very long extensions", `2;${"a".repeat(100_000)}\r\n{}\r\n0\r\n\r\n`, "refused"],
  ["capital digits", "00A\r\n{        }\r\n0\r\n\r\n", "add"],
  ["a space before the size", " 2\r\n{}\r\n0\r\n\r\n", "refused"],
  ["a space behind the size", "2 \r\n{}\r\n0\r\n\r\n", "refused"],
  ["a tab behind the size", "2\t\r\n{}\r\n0\r\n\r\n", "refused"],
  ["an underscore in the size", "0_2\r\n{}\r\n0\r\n\r\n", "refused"],
  ["no size", "\r\n{}\r\n0\r\n\r\n", "refused"],
  ["a negative size", "-2\r\n{}\r\n0\r\n\r\n", "refused"],
  ["a decimal size", "2.0\r\n{}\r\n0\r\n\r\n", "refused"],
  ["no line end behind the data", "2\r\n{}0\r\n\r\n", "refused"],
  ["a bare line feed behind the data", "2\r\n{}\n0\r\n\r\n", "refused"],
  ["a bare carriage return behind the size", "2\r{}\r\n0\r\n\r\n", "refused"],
  ["a NUL in the size", "2\0\r\n{}\r\n0\r\n\r\n", "refused"],
  ["a trailer without colon", "2\r\n{}\r\n0\r\nevil\r\n\r\n", "refused"],
  ["a trailer that is folded", "2\r\n{}\r\n0\r\nX-A: b\r\n c\r\n\r\n", "refused"],
  ["a trailer that presents a token", "2\r\n{}\r\n0\r\nAuthorization: Bearer gst_api_a\r\n\r\n", "add"],
  ["a trailer that is too large", `2\r\n{}\r\n0\r\nX-A: ${"a".repeat(100_000)}\r\n\r\n`, "refused"],
];

const lines: readonly Vector[] = [
  ["a length in words", "Content-Length: two", "refused"],
  ["a transfer coding under another name", "Transfer_Encoding: chunked", "refused"],
  ["a length under another name", "Content_Length: 90", "refused"],
  ["a tenant under another name", "X_Gateway_Tenant: a", "refused"],
  ["a session under another name", "Mcp_Session_Id: a", "refused"],
  ["an address under another name", "X_Forwarded_For: 192.0.2.1", "refused"],
  ["a cookie under another name", "Coo_kie: a=b", "add"],
  ["two origins", "Origin: http://127.0.0.1\r\nOrigin: http://evil.example", "refused"],
  ["two words of a browser", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Site: same-origin", "refused"],
  ["an origin that is a list", "Origin: http://127.0.0.1, http://evil.example", "refused"],
  ["a tab before the colon", "X-A\t: b", "refused"],
  ["a vertical tab in a value", "X-A: a\x0bb", "refused"],
  ["a form feed in a value", "X-A: a\x0cb", "refused"],
  ["a delete in a value", "X-A: a\x7fb", "refused"],
  ["an escape in a value", "X-A: a\x1bb", "refused"],
  ["a name with a slash", "X/A: b", "refused"],
  ["a name with brackets", "X[A]: b", "refused"],
  ["a name with an at sign", "X@A: b", "refused"],
  ["a name in quotes", '"X-A": b', "refused"],
  ["an expectation that is met", "Expect: 100-continue", "add"],
  ["an expectation with a parameter", "Expect: 100-continue;a=b", "refused"],
  ["two expectations", "Expect: 100-continue, 200-maybe", "refused"],
  ["bytes of another character set in a value", "X-A: \xe9\xff", "add"],
  ["an announcement of trailers", "Trailer: Host", "add"],
  ["coding of a body that nobody undoes", "Content-Encoding: gzip", "refused"],
  ["no coding of a body, by its name", "Content-Encoding: identity", "add"],
];

/**
 * Raw requests. `refused`: no upstream sees anything. `add`: at most the one call that the request plainly is. Never may the
 * request that is hidden in the body of another one (`evil`) be carried out.
 */
const vectors: readonly Vector[] = [
  [
    "Content-Length and Transfer-Encoding",
    `${head(host, json, "Content-Length: 6", "Transfer-Encoding: chunked")}0\r\n\r\n${good("evil")}`,
    "refused",
  ],
  [
    "Transfer-Encoding and Content-Length",
    `${head(host, json, "Transfer-Encoding: chunked", "Content-Length: 6")}0\r\n\r\n${good("evil")}`,
    "refused",
  ],
  [
    "two lengths",
    `${head(host, json, "Content-Length: 2", "Content-Length: 90")}{}${good("evil")}`,
    "refused",
  ],
  ["two equal lengths", `${head(host, json, "Content-Length: 2", "Content-Length: 2")}{}`, "refused"],
  ["a list of lengths", `${head(host, json, "Content-Length: 2, 2")}{}`, "refused"],
  ["a length with a sign", `${head(host, json, "Content-Length: +2")}{}`, "refused"],
  ["a negative length", `${head(host, json, "Content-Length: -2")}{}`, "refused"],
  ["a hexadecimal length", `${head(host, json, "Content-Length: 0x2")}{}`, "refused"],
  ["a length with a space", `${head(host, json, "Content-Length: 2 0")}{}`, "refused"],
  ["a length beyond all", `${head(host, json, "Content-Length: 99999999999999999999999")}{}`, "refused"],
  ["a length without value", `${head(host, json, "Content-Length:")}{}`, "refused"],
  ["a space before the colon", `${head(host, json, "Content-Length : 2")}{}`, "refused"],
  ["a folded header", `${head(host, json, "X-A: b\r\n c", "Content-Length: 2")}{}`, "refused"],
  [
    "a folded Transfer-Encoding",
    `${head(host, json, "Transfer-Encoding:\r\n chunked", "Content-Length: 2")}{}`,
    "refused",
  ],
  ["bare line feeds", `${head(host, json, "Content-Length: 2").replaceAll("\r\n", "\n")}{}`, "refused"],
  ["one bare line feed", `${head(host, `${json}\nX-A: b`, "Content-Length: 2")}{}`, "refused"],
  ["a bare carriage return", `${head(host, `${json}\rX-A: b`, "Content-Length: 2")}{}`, "refused"],
  ["a NUL in a value", `${head(host, json, "X-A: a\0b", "Content-Length: 2")}{}`, "refused"],
  ["a NUL in a name", `${head(host, json, "X\0A: b", "Content-Length: 2")}{}`, "refused"],
  ["a header without a name", `${head(host, json, ": b", "Content-Length: 2")}{}`, "refused"],
  ["a header without a colon", `${head(host, json, "X-A", "Content-Length: 2")}{}`, "refused"],
  ["a name of other letters", `${head(host, json, "X-\xe9: b", "Content-Length: 2")}{}`, "refused"],
  [
    "a space before the first header",
    "POST /api/v1/shop/add HTTP/1.1\r\n Host: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}",
    "refused",
  ],
  [
    "an unknown transfer coding",
    `${head(host, json, "Transfer-Encoding: xchunked")}2\r\n{}\r\n0\r\n\r\n`,
    "refused",
  ],
  [
    "identity as transfer coding",
    `${head(host, json, "Transfer-Encoding: identity", "Content-Length: 2")}{}`,
    "refused",
  ],
  [
    "chunked twice",
    `${head(host, json, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked")}2\r\n{}\r\n0\r\n\r\n`,
    "refused",
  ],
  [
    "chunked before another coding",
    `${head(host, json, "Transfer-Encoding: chunked, gzip")}2\r\n{}\r\n0\r\n\r\n`,
    "refused",
  ],
  [
    "another coding before chunked",
    `${head(host, json, "Transfer-Encoding: gzip, chunked")}2\r\n{}\r\n0\r\n\r\n`,
    "refused",
  ],
  [
    "another coding before chunked, in a header of its own",
    `${head(host, json, "Transfer-Encoding: gzip", "Transfer-Encoding: chunked")}2\r\n{}\r\n0\r\n\r\n`,
    "refused",
  ],
  ["chunked in other case", `${head(host, json, "Transfer-Encoding: CHUNKED")}2\r\n{}\r\n0\r\n\r\n`, "add"],
  [
    "a chunk size with a sign",
    `${head(host, json, "Transfer-Encoding: chunked")}+2\r\n{}\r\n0\r\n\r\n`,
    "refused",
  ],
  [
    "a chunk size with 0x",
    `${head(host, json, "Transfer-Encoding: chunked")}0x2\r\n{}\r\n0\r\n\r\n`,
    "refused",
  ],
  [
    "a chunk size beyond all",
    `${head(host, json, "Transfer-Encoding: chunked")}fffffffffffffffff\r\n{}\r\n0\r\n\r\n`,
    "refused",
  ],
  [
    "a chunk size that overflows",
    `${head(host, json, "Transfer-Encoding: chunked")}100000002\r\n{}\r\n0\r\n\r\n${good("evil")}`,
    "refused",
  ],
  ["chunks with bare line feeds", `${head(host, json, "Transfer-Encoding: chunked")}2\n{}\n0\n\n`, "refused"],
  [
    "a chunk longer than it says",
    `${head(host, json, "Transfer-Encoding: chunked")}1\r\n{}\r\n0\r\n\r\n`,
    "refused",
  ],
  [
    "a chunk extension with a line feed",
    `${head(host, json, "Transfer-Encoding: chunked")}2;a\nb\r\n{}\r\n0\r\n\r\n`,
    "refused",
  ],
  [
    "trailers that name a Host",
    `${head(host, json, "Transfer-Encoding: chunked")}2\r\n{}\r\n0\r\nHost: evil.example\r\nContent-Length: 50\r\n\r\n`,
    "add",
  ],
  ["two Hosts", `${head(host, "Host: evil.example", json, "Content-Length: 2")}{}`, "refused"],
  [
    "two Authorizations",
    `${head(host, "Authorization: Bearer a", "Authorization: Bearer b", json, "Content-Length: 2")}{}`,
    "refused",
  ],
  ["two content types", `${head(host, json, "Content-Type: text/plain", "Content-Length: 2")}{}`, "refused"],
  [
    "two content types, the other first",
    `${head(host, "Content-Type: text/plain", json, "Content-Length: 2")}{}`,
    "refused",
  ],
  ["no Host", `${head(json, "Content-Length: 2")}{}`, "refused"],
  ["an empty Host", `${head("Host:", json, "Content-Length: 2")}{}`, "refused"],
  ["a Host with a path", `${head("Host: 127.0.0.1/evil", json, "Content-Length: 2")}{}`, "refused"],
  ["a Host with a user", `${head("Host: a@127.0.0.1", json, "Content-Length: 2")}{}`, "refused"],
  [
    "a Host with an underscore twin",
    `${head("Host: evil.example", "Ho_st: 127.0.0.1", json, "Content-Length: 2")}{}`,
    "refused",
  ],
  [
    "a content type by its underscore twin",
    `${head(host, "Content_Type: application/json", "Content-Length: 2")}{}`,
    "refused",
  ],
  [
    "the absolute form of another host",
    `POST http://evil.example/api/v1/shop/evil HTTP/1.1\r\n${host}\r\n${json}\r\nContent-Length: 2\r\n\r\n{}`,
    "refused",
  ],
  [
    "the absolute form of the own host, Host elsewhere",
    `POST http://127.0.0.1/api/v1/shop/evil HTTP/1.1\r\nHost: evil.example\r\n${json}\r\nContent-Length: 2\r\n\r\n{}`,
    "refused",
  ],
  [
    "a target with another authority",
    `POST //evil.example/api/v1/shop/evil HTTP/1.1\r\n${host}\r\n${json}\r\nContent-Length: 2\r\n\r\n{}`,
    "refused",
  ],
  [
    "a target without a slash",
    `POST api/v1/shop/evil HTTP/1.1\r\n${host}\r\n${json}\r\nContent-Length: 2\r\n\r\n{}`,
    "refused",
  ],
  [
    "a target with a fragment",
    `POST /api/v1/shop/evil#/add HTTP/1.1\r\n${host}\r\n${json}\r\nContent-Length: 2\r\n\r\n{}`,
    "refused",
  ],
  [
    "a target with a backslash",
    `POST \\api\\v1\\shop\\evil HTTP/1.1\r\n${host}\r\n${json}\r\nContent-Length: 2\r\n\r\n{}`,
    "refused",
  ],
  [
    "a target with dot segments",
    `POST /livez/../api/v1/shop/evil HTTP/1.1\r\n${host}\r\n${json}\r\nContent-Length: 2\r\n\r\n{}`,
    "refused",
  ],
  [
    "a target with a space",
    `POST /api/v1/shop/evil x HTTP/1.1\r\n${host}\r\n${json}\r\nContent-Length: 2\r\n\r\n{}`,
    "refused",
  ],
  [
    "a target with a tab",
    `POST\t/api/v1/shop/evil\tHTTP/1.1\r\n${host}\r\n${json}\r\nContent-Length: 2\r\n\r\n{}`,
    "refused",
  ],
  [
    "a target of bytes",
    `POST /api/v1/shop/\xff\xfe HTTP/1.1\r\n${host}\r\n${json}\r\nContent-Length: 2\r\n\r\n{}`,
    "refused",
  ],
  ["the asterisk", `OPTIONS * HTTP/1.1\r\n${host}\r\n\r\n`, "refused"],
  ["CONNECT", `CONNECT evil.example:80 HTTP/1.1\r\n${host}\r\n\r\n`, "refused"],
  ["TRACE", `TRACE /api/v1/shop/find HTTP/1.1\r\n${host}\r\n\r\n`, "refused"],
  ["a method that does not exist", `EVIL /api/v1/shop/find HTTP/1.1\r\n${host}\r\n\r\n`, "refused"],
  [
    "a method in small letters",
    `post /api/v1/shop/add HTTP/1.1\r\n${host}\r\n${json}\r\nContent-Length: 2\r\n\r\n{}`,
    "refused",
  ],
  [
    "a method in a header",
    `${head(host, json, "X-HTTP-Method-Override: GET", "Content-Length: 2")}{}`,
    "add",
  ],
  ["HTTP/2 without asking", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "refused"],
  ["HTTP/0.9", "GET /api/v1/shop/find\r\n\r\n", "refused"],
  [
    "HTTP/3.7",
    `POST /api/v1/shop/add HTTP/3.7\r\n${host}\r\n${json}\r\nContent-Length: 2\r\n\r\n{}`,
    "refused",
  ],
  [
    "a version with a space",
    `POST /api/v1/shop/add HTTP/ 1.1\r\n${host}\r\n${json}\r\nContent-Length: 2\r\n\r\n{}`,
    "refused",
  ],
  [
    "an upgrade to h2c",
    `${head(host, json, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA", "Content-Length: 2")}{}`,
    "add",
  ],
  [
    "an upgrade to a web socket",
    `${head(host, json, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "Content-Length: 2")}{}`,
    "add",
  ],
  [
    "Connection that names Content-Length",
    `${head(host, json, "Connection: content-length, content-type", "Content-Length: 2")}{}`,
    "add",
  ],
  ["an unknown expectation", `${head(host, json, "Expect: 200-maybe", "Content-Length: 2")}{}`, "refused"],
  [
    "GET with the body of another request",
    `GET /api/v1/shop/nothing HTTP/1.1\r\n${host}\r\nContent-Length: ${good("evil").length}\r\n\r\n${good("evil")}`,
    "refused",
  ],
  [
    "GET with a body that is chunked",
    `GET /api/v1/shop/nothing HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked\r\n\r\n${good("evil").length.toString(16)}\r\n${good("evil")}\r\n0\r\n\r\n`,
    "refused",
  ],
  [
    "a refused body that is another request",
    `POST /nothing HTTP/1.1\r\n${host}\r\nContent-Length: ${good("evil").length}\r\n\r\n${good("evil")}`,
    "refused",
  ],
  [
    "a body of the wrong type that is another request",
    `POST /api/v1/shop/add HTTP/1.1\r\n${host}\r\nContent-Type: text/plain\r\nContent-Length: ${good("evil").length}\r\n\r\n${good("evil")}`,
    "refused",
  ],
  [
    "an MCP body of the wrong type that is another request",
    `POST /mcp HTTP/1.1\r\n${host}\r\nContent-Type: text/plain\r\nContent-Length: ${good("evil").length}\r\n\r\n${good("evil")}`,
    "refused",
  ],
  [
    "a body that is too large and then another request",
    `POST /mcp HTTP/1.1\r\n${host}\r\n${json}\r\nContent-Length: 2000000\r\n\r\n${" ".repeat(2_000_000 - good("evil").length)}${good("evil")}`,
    "refused",
  ],
  [
    "a header of 100 KB",
    `${head(host, json, `X-A: ${"a".repeat(100_000)}`, "Content-Length: 2")}{}`,
    "refused",
  ],
  [
    "5,000 headers",
    `${head(host, json, ...Array.from({ length: 5_000 }, (_none, index) => `X-${index}: a`), "Content-Length: 2")}{}`,
    "refused",
  ],
  ["a target of 100 KB", `POST /${"a".repeat(100_000)} HTTP/1.1\r\n${host}\r\n\r\n`, "refused"],
  ["a request line that never ends", "POST /".padEnd(100_000, "a"), "refused"],
  ["nothing but line ends", "\r\n".repeat(1_000), "refused"],
  ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "refused"],
  ["a proxy protocol line", `PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n${good("evil")}`, "refused"],
  ["half a request", `${head(host, json, "Content-Length: 50")}{}`, "refused"],
  ...targets.map(
    ([name, target]): Vector => [
      `a target with ${name}`,
      `POST ${target} HTTP/1.1\r\n${host}\r\n${json}\r\nContent-Length: 2\r\n\r\n{}`,
      "refused",
    ],
  ),
  ...chunks.map(
    ([name, body, end]): Vector => [
      `chunks: ${name}`,
      `${head(host, json, "Transfer-Encoding: chunked")}${body}`,
      end,
    ],
  ),
  ...lines.map(
    ([name, line, end]): Vector => [name, `${head(host, json, line, "Content-Length: 2")}{}`, end],
  ),
];

test.each(vectors)("%s: refused or harmless", async (_name, bytes, end) => {
  const before = upstream.seen.length;
  const answers = await sendRaw(system.url, bytes);
  const seen = upstream.seen.slice(before).map(({ target }) => target);
  expect(seen).not.toContain("/evil");
  if (end === "refused") {
    expect(seen, answers.slice(0, 300)).toEqual([]);
    // The last answer may be that to the plain request at the end.
    for (const status of statusesOf(answers.replace(/HTTP\/1\.1 200 OK(?=.*"alive"\}$)/s, ""))) {
      expect(status).toBeGreaterThanOrEqual(400);
    }
  } else expect(seen.length).toBeLessThanOrEqual(1);
  expect(answers).not.toContain("HTTP/1.1 101");
  expect(answers).not.toMatch(/HTTP\/1\.1 5\d\d/);
});

test("there are as many vectors as there should be", () => {
  expect(new Set(vectors.map(([name]) => name)).size).toBeGreaterThanOrEqual(150);
});

const get = (target: string, ...more: readonly string[]): string =>
  `${[`GET ${target} HTTP/1.1`, ...more].join("\r\n")}\r\n\r\n`;

test.each([
  ["the absolute form of the own host", get("http://127.0.0.1/livez", host), 200],
  ["the absolute form in other case", get("HTTP://LOCALHOST/livez", "Host: localhost"), 200],
  ["the absolute form with a port", get("http://127.0.0.1:80/livez?a", "Host: 127.0.0.1:80"), 200],
  ["the absolute form without a path", get("http://127.0.0.1", host), 404],
  ["the asterisk", `OPTIONS * HTTP/1.1\r\n${host}\r\n\r\n`, 400],
  ["CONNECT", `CONNECT 127.0.0.1:80 HTTP/1.1\r\n${host}\r\n\r\n`, 405],
  ["GET with a body", `${get("/livez", host, "Content-Length: 2")}{}`, 400],
  ["GET with a chunked body", `${get("/livez", host, "Transfer-Encoding: chunked")}0\r\n\r\n`, 400],
  ["GET with no bytes of a body", get("/livez", host, "Content-Length: 0"), 200],
  ["HEAD with a body", `${get("/livez", host, "Content-Length: 2").replace("GET", "HEAD")}{}`, 400],
  ["an upgrade that nobody offers", get("/livez", host, "Connection: Upgrade", "Upgrade: h2c"), 200],
  ["an expectation that is not met", `${head(host, json, "Expect: a", "Content-Length: 2")}{}`, 417],
  [
    "a body that need not come, as it is too large",
    `${head(host, json, "Expect: 100-continue", "Content-Length: 2000000")}`,
    413,
  ],
  ["a head that is too large", get("/livez", host, `X-A: ${"a".repeat(20_000)}`), 431],
  ["no HTTP", "hello\r\n\r\n", 400],
])("%s is answered as it should be, in the form of all errors", async (_name, bytes, status) => {
  const answer = await sendRaw(system.url, bytes);
  expect(statusesOf(answer)[0]).toBe(status);
  if (status < 400 || bytes.startsWith("HEAD")) return;
  expect(answer).toMatch(/gateway-error: [a-z_]+\r\n/);
  expect(answer).toMatch(/\r\n\r\n\{"error":\{"code":"[a-z_]+","message":"/);
});

test.each([
  ["stays open where the client asks for it", "Connection: keep-alive\r\n", 2],
  ["ends otherwise", "", 1],
])("a connection of HTTP/1.0 %s", async (_name, line, count) => {
  const request = `GET /livez HTTP/1.0\r\n${host}\r\n${line}\r\n`;
  expect(statusesOf(await sendRaw(system.url, request))).toHaveLength(count);
});

test("two requests in one packet are two requests, answered in order", async () => {
  const before = upstream.seen.length;
  expect(statusesOf(await sendRaw(system.url, good("add") + good("add")))).toEqual([200, 200, 200]);
  expect(upstream.seen).toHaveLength(before + 2);
});

test("an answer is never split by what a caller or an upstream puts into it", async () => {
  await using splitting = await startUpstream((_seen, response) => {
    response.socket?.end(
      'HTTP/1.1 200 OK\r\nLocation: /a\x0bX-Evil: 1\r\nETag: "a\x01b"\r\nX-Request-Id: a\x7fb\r\nContent-Disposition: a\xffb\r\nContent-Length: 2\r\n\r\n{}',
    );
  });
  await using own = await startSystem({
    page: {
      surfaces: {
        rest: { base_url: splitting.url, operations: [{ name: "get", method: "GET", path: "/" }] },
      },
    },
  });
  const answer = await sendRaw(
    own.url,
    `GET /api/v1/page/get HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`,
  );
  expect(statusesOf(answer)).toHaveLength(1);
  expect(statusesOf(answer)[0]).not.toBe(500);
  expect(answer).not.toMatch(/^X-Evil/im);
});
