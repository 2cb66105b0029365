import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asObject } from "../../src/json-object.ts";
import { roomForCalls } from "../limits.ts";
import {
  callApi,
  callModern,
  type Outcome,
  openLegacy,
  readMcp,
  type System,
  startSystem,
} from "./system.ts";
import { plainTool, sendJson, startMcpUpstream, startUpstream, type Upstream } from "./upstream.ts";

/** A correct answer, to be spoilt. */
interface Reply {
  readonly response: ServerResponse;
  readonly socket: Socket;
  /** The body that the surface expects. */
  readonly good: string;
  readonly type: string;
}

const mebibyte = 1024 * 1024;
/** More than any answer may have, less than would hurt this process. */
const mostSent = 48 * mebibyte;

function raw(status: string, headers: readonly string[], body: string | Buffer = ""): (reply: Reply) => void {
  return ({ socket }) => {
    socket.write(`HTTP/1.1 ${status}\r\n${headers.map((line) => `${line}\r\n`).join("")}\r\n`, "latin1");
    socket.end(body);
  };
}
function whole(
  headers: Readonly<Record<string, string>>,
  change: (good: string) => string | Buffer = (good) => good,
  status = 200,
): (reply: Reply) => void {
  return ({ response, good, type }) =>
    void response.writeHead(status, { "content-type": type, ...headers }).end(change(good));
}
/** Writes a piece again and again until the other side has had enough; at the latest it breaks off at `mostSent`. */
function flood(head: string, piece: Buffer): (reply: Reply) => void {
  return ({ socket, type }) => {
    socket.write(head.replace("TYPE", type), "latin1");
    const more = (): void => {
      while (!socket.destroyed && socket.bytesWritten < mostSent && socket.write(piece));
      if (socket.bytesWritten >= mostSent) socket.destroy();
      else if (!socket.destroyed) socket.once("drain", more);
    };
    more();
  };
}
const chunk = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
const zeros = Buffer.alloc(64 * 1024, " ");
const chunked = "HTTP/1.1 200 OK\r\nContent-Type: TYPE\r\nTransfer-Encoding: chunked\r\n\r\n";
const deep = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const replaceOk =
  (text: string) =>
  (good: string): string =>
    good.replace('"ok"', () => text);

const behaviours: Readonly<Record<string, (reply: Reply) => void>> = {
  "no answer but an end": ({ socket }) => socket.end(),
  "a reset": ({ socket }) => socket.resetAndDestroy(),
  "a reset inside the headers": ({ socket }) =>
    void socket.write("HTTP/1.1 200 OK\r\nContent-", () => socket.resetAndDestroy()),
  "a reset inside the body": ({ socket, good, type }) =>
    void socket.write(
      `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${good.length}\r\n\r\n${good.slice(0, 9)}`,
      () => socket.resetAndDestroy(),
    ),
  "fewer bytes than announced": ({ socket, good, type }) =>
    void socket.end(
      `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${good.length + 99}\r\n\r\n${good}`,
    ),
  "more bytes than announced": ({ socket, good, type }) =>
    void socket.end(
      `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${good.length}\r\n\r\n${good}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`,
    ),
  "a body without end": flood(chunked, chunk(zeros)),
  "a line without end": flood(
    chunked.replace("TYPE", "text/event-stream"),
    chunk(Buffer.concat([Buffer.from("data: "), zeros.subarray(0, 60_000)])),
  ),
  "events without end": flood(
    chunked.replace("TYPE", "text/event-stream"),
    chunk(
      Buffer.from('data: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\n'.repeat(500)),
    ),
  ),
  "comments without end": flood(
    chunked.replace("TYPE", "text/event-stream"),
    chunk(Buffer.from(": x\n".repeat(9_000))),
  ),
  "headers without end": flood("HTTP/1.1 200 OK\r\n", Buffer.from(`X-A: ${"a".repeat(8_000)}\r\n`)),
  "a header line without end": flood("HTTP/1.1 200 OK\r\nX-A: ", Buffer.alloc(8_000, "a")),
  "a status line without end": flood("HTTP/1.1 200 ", Buffer.alloc(8_000, "a")),
  "interim answers without end": flood("", Buffer.from("HTTP/1.1 100 Continue\r\n\r\n".repeat(500))),
  "early hints": ({ socket, good, type }) =>
    void socket.end(
      `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(good)}\r\n\r\n${good}`,
    ),
  "an unasked switch of protocols": raw("101 Switching Protocols", ["Connection: upgrade", "Upgrade: h2c"]),
  "20 MiB announced": raw(
    "200 OK",
    ["Content-Type: application/json", `Content-Length: ${20 * mebibyte}`],
    "{",
  ),
  "a negative length": raw("200 OK", ["Content-Length: -1"], "{}"),
  "two lengths": raw("200 OK", ["Content-Length: 2", "Content-Length: 50"], "{}"),
  "length and chunks": raw(
    "200 OK",
    ["Content-Length: 2", "Transfer-Encoding: chunked"],
    "2\r\n{}\r\n0\r\n\r\n",
  ),
  "a broken chunk size": raw("200 OK", ["Transfer-Encoding: chunked"], "zz\r\n{}\r\n0\r\n\r\n"),
  "another protocol": ({ socket }) => void socket.end("SSH-2.0-OpenSSH_9.9\r\n"),
  TLS: ({ socket }) => void socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, 40])),
  "a status of two digits": raw("20 OK", []),
  "the status 0": raw("000 Nothing", ["Content-Length: 0"]),
  "the status 999": raw("999 Much", ["Content-Length: 2"], "{}"),
  "the status 304 with a body": raw("304 Not Modified", ["Content-Length: 5"], "hello"),
  "the status 204 with a body": raw("204 No Content", ["Content-Length: 5"], "hello"),
  "the status 500 with a page": whole(
    { "content-type": "text/html" },
    () => "<html><script>alert(1)</script>",
    500,
  ),
  "the status 401": whole(
    { "www-authenticate": 'Bearer resource_metadata="http://169.254.169.254/"' },
    () => "{}",
    401,
  ),
  "the status 429": whole({ "retry-after": "99999999999" }, () => "{}", 429),
  "a redirect": whole({ location: "http://169.254.169.254/" }, () => "", 302),
  "a page in place of data": whole(
    { "content-type": "text/html" },
    () => "<!doctype html><title>login</title>",
  ),
  "an empty body": whole({}, () => ""),
  "text that is no JSON": whole({}, () => "not json"),
  "half of a JSON text": whole({}, (good) => good.slice(0, -3)),
  "bytes that are no text": whole({}, () => Buffer.from([0xff, 0xfe, 0, 1, 2, 0x80])),
  null: whole({}, (good) => (good.startsWith("data:") ? "data: null\n\n" : "null")),
  "a list": whole({}, (good) => (good.startsWith("data:") ? "data: []\n\n" : "[]")),
  "100,000 levels": whole({}, replaceOk(deep(100_000))),
  "9,000 levels": whole({}, replaceOk(deep(9_000))),
  "400 levels": whole({}, replaceOk(deep(400))),
  "100,000 levels without an end": whole({}, replaceOk("[".repeat(100_000))),
  "names of the prototype": whole(
    {},
    replaceOk('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
  ),
  "500,000 members": whole(
    {},
    replaceOk(`{${Array.from({ length: 500_000 }, (_none, index) => `"${index}":1`).join()}}`),
  ),
  "numbers beyond all": whole({}, replaceOk("[1e999,-1e999,9007199254740993]")),
  "lone surrogates": whole({}, replaceOk('"\\ud800"')),
  "control characters": whole({}, replaceOk('"\\u0000\\u001b[2J\\u202e"')),
  "a gzip bomb": whole({ "content-encoding": "gzip" }, () => gzipSync(Buffer.alloc(64 * mebibyte))),
  "a brotli bomb": whole({ "content-encoding": "br" }, () => brotliCompressSync(Buffer.alloc(64 * mebibyte))),
  "gzip inside gzip": whole({ "content-encoding": "gzip, gzip" }, (good) => gzipSync(gzipSync(good))),
  "ten encodings": whole(
    { "content-encoding": Array.from({ length: 10 }, () => "gzip").join(", ") },
    (good) => gzipSync(good),
  ),
  "gzip that is cut off": whole({ "content-encoding": "gzip" }, (good) => gzipSync(good).subarray(0, 15)),
  "gzip that is none": whole({ "content-encoding": "gzip" }, (good) => good),
  "an encoding that does not exist": whole({ "content-encoding": "evil" }, (good) => good),
  "a charset that does not exist": whole(
    { "content-type": "application/json; charset=evil" },
    (good) => good,
  ),
  "UTF-16": whole({ "content-type": "application/json; charset=utf-16le" }, (good) =>
    Buffer.from(good, "utf16le"),
  ),
  "a content type of 10 KB": whole({ "content-type": `application/${"x".repeat(10_000)}` }, (good) => good),
  "a hundred cookies": ({ response, good, type }) =>
    void response
      .writeHead(200, {
        "content-type": type,
        "set-cookie": Array.from({ length: 100 }, (_none, index) => `c${index}=1`),
      })
      .end(good),
  "Connection that names content-type": whole({ connection: "close, content-type, etag" }),
};

/** What holds nothing in memory may go on until the deadline of the call. */
const endedByTime = ["a status line without end", "events without end", "comments without end"];

const upstreams: Upstream[] = [];
let system: System;
let other: Upstream;
/** The connections that the current test has spoilt. */
let spoilt: Socket[] = [];
const tolerated = new WeakSet<Socket>();

function abuse(name: unknown, response: ServerResponse, good: string, type: string): void {
  const { socket } = response;
  const behave = behaviours[String(name)];
  if (socket === null || behave === undefined) {
    sendJson(response, JSON.parse(good));
    return;
  }
  // Connections are kept for several calls.
  if (!tolerated.has(socket)) socket.on("error", () => {});
  tolerated.add(socket);
  spoilt.push(socket);
  behave({ response, socket, good, type });
}

beforeAll(async () => {
  const answer = (result: unknown): string => JSON.stringify(result);
  const mcpAnswer = (id: unknown): string =>
    answer({
      jsonrpc: "2.0",
      id,
      result: { content: [{ type: "text", text: "ok" }], structuredContent: { value: "ok" } },
    });
  const rest = await startUpstream(({ body }, response) =>
    abuse(JSON.parse(body).name, response, answer({ value: "ok" }), "application/json"),
  );
  const graph = await startUpstream(({ body }, response) =>
    abuse(
      JSON.parse(body).variables.name,
      response,
      answer({ data: { go: "ok" }, extensions: { value: "ok" } }),
      "application/json",
    ),
  );
  const json = await startMcpUpstream([plainTool("go")], ({ id, given }, response) =>
    abuse(given["name"], response, mcpAnswer(id), "application/json"),
  );
  const stream = await startMcpUpstream([plainTool("go")], ({ id, given }, response) =>
    abuse(given["name"], response, `data: ${mcpAnswer(id)}\n\n`, "text/event-stream"),
  );
  other = await startUpstream();
  upstreams.push(rest, graph, json, stream, other);
  system = await startSystem(
    {
      rest: {
        surfaces: {
          rest: {
            base_url: rest.url,
            operations: [
              { name: "go", method: "POST", path: "/go", parameters: [{ name: "name", in: "body" }] },
            ],
          },
        },
      },
      graph: { surfaces: { graphql: { url: graph.url, schema: "./schema.graphql" } } },
      json: { mcp_url: `${json.url}/mcp`, limits: { call_time: "3s" } },
      stream: { mcp_url: `${stream.url}/mcp`, limits: { call_time: "3s" } },
      other: {
        surfaces: {
          rest: {
            base_url: other.url,
            operations: [
              { name: "go", method: "POST", path: "/go", parameters: [{ name: "name", in: "body" }] },
            ],
          },
        },
      },
    },
    {
      files: { "schema.graphql": "type Query { go(name: String): String }" },
      settings: { limits: roomForCalls },
    },
  );
});
afterAll(async () => {
  await system.close();
  for (const upstream of upstreams) await upstream[Symbol.asyncDispose]();
});

const ways: Readonly<Record<string, readonly ((name: string) => Promise<Outcome>)[]>> = {
  REST: [
    async (name) => readMcp(await callModern(system.url, "rest_go", { name })),
    (name) => callApi(system.url, "rest/go", { name }),
  ],
  GraphQL: [
    async (name) => readMcp(await callModern(system.url, "graph_go", { name })),
    (name) => callApi(system.url, "graph/go", { name }),
  ],
  "MCP JSON": [
    async (name) => readMcp(await callModern(system.url, "json_go", { name })),
    async (name) =>
      readMcp(
        await (await openLegacy(system.url, "2025-03-26")).request("tools/call", {
          name: "json_go",
          arguments: { name },
        }),
      ),
  ],
  "MCP SSE": [async (name) => readMcp(await callModern(system.url, "stream_go", { name }))],
};

test.each(Object.keys(ways).flatMap((surface) => Object.keys(behaviours).map((name) => ({ surface, name }))))(
  "$surface: an upstream that answers with $name is an outcome of its own call and of nothing else",
  async ({ surface, name }) => {
    for (const way of ways[surface] ?? []) {
      spoilt = [];
      const outcome = await way(name);
      // What came as the upstream's own answer may be anything; a failure is never the gateway's own fault.
      if (outcome.kind !== "result") {
        expect(["internal", "-32603"], outcome.text.slice(0, 500)).not.toContain(outcome.code);
        expect(outcome.text.length).toBeLessThan(100_000);
        // A stack trace or the insides of a library help nobody.
        expect(outcome.text).not.toMatch(/\.(?:ts|js):\d+|UND_ERR|RangeError|TypeError/);
      }
      const sent = Math.max(0, ...spoilt.map(({ bytesWritten }) => bytesWritten));
      if (!endedByTime.includes(name)) expect(sent).toBeLessThan(mostSent);
      expect(asObject({})?.["polluted"]).toBeUndefined();
      expect((await callApi(system.url, "other/go", {})).kind).toBe("result");
    }
    expect(system.log.filter((line) => /\bfailed\./.test(line))).toEqual([]);
  },
);

test("there are at least 30 behaviours", () => {
  expect(Object.keys(behaviours).length).toBeGreaterThanOrEqual(30);
});

test.each([5_000, 20_000, 200_000])(
  "GraphQL: an answer of %i levels to a document with aliases, which has to be rewritten, is no fault of the gateway's",
  async (levels) => {
    await using upstream = await startUpstream((_seen, response) =>
      response.end(`{"data":{"go":{"__typename":"A","x":1,"any":${deep(levels)}}}}`),
    );
    await using own = await startSystem(
      { graph: { surfaces: { graphql: { url: upstream.url, schema: "./schema.graphql" } } } },
      {
        files: {
          "schema.graphql":
            "scalar Any type A { x: Int any: Any } type B { x: String any: Any } union U = A | B type Query { go: U }",
        },
      },
    );
    const outcomes = [
      readMcp(await callModern(own.url, "graph_go", {})),
      await callApi(own.url, "graph/go", {}),
    ];
    for (const { code, text } of outcomes)
      expect(["internal", "-32603"], text.slice(0, 300)).not.toContain(code);
    expect(upstream.seen[0]?.body).toContain("B_x: x");
  },
);

test("after all of it every provider is still served", async () => {
  for (const tool of ["rest_go", "graph_go", "json_go", "other_go"]) {
    expect([tool, readMcp(await callModern(system.url, tool, { name: "plain" })).kind]).toEqual([
      tool,
      "result",
    ]);
  }
  const { status } = await fetch(`${system.url}/readyz`);
  expect(status).toBe(200);
});
