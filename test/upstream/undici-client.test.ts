import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readLimited } from "../../src/upstream/read-limited.ts";
import { get, noAbort, startCanned, startClient, startHttp, startTcp, textOf } from "./loopback.ts";

describe("what is sent", () => {
  test("method, headers and body arrive as given, with host, content-length and accept-encoding added", async () => {
    await using upstream = await startHttp((request, response) => {
      request.setEncoding("utf8");
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => response.end(JSON.stringify([request.method, request.headers, body])));
    });
    await using client = startClient();
    const response = await client.request({
      method: "PATCH",
      url: `${upstream.url}/x`,
      headers: { "content-type": "application/json", "x-key": "1" },
      body: '{"é":1}',
      signal: noAbort(),
    });
    expect(JSON.parse(textOf(response.body))).toEqual([
      "PATCH",
      {
        host: upstream.host,
        connection: "keep-alive",
        "content-type": "application/json",
        "x-key": "1",
        "accept-encoding": "gzip, deflate, br, zstd",
        "content-length": "8",
      },
      '{"é":1}',
    ]);
  });

  test.each([
    ["/a/../b/%2e%2e/c?x=%20&y=a/b", "/a/../b/%2e%2e/c?x=%20&y=a/b"],
    ["//evil.example/x", "//evil.example/x"],
    ["/a#fragment?no", "/a"],
    ["?q=1", "/?q=1"],
    ["", "/"],
    ["/a//b/./c;v=1", "/a//b/./c;v=1"],
  ])("the path %j is asked for as %j", async (written, sent) => {
    await using upstream = await startHttp((request, response) => response.end(request.url));
    await using client = startClient();
    const response = await client.request(get(`${upstream.url}${written}`));
    expect(textOf(response.body)).toBe(sent);
  });

  test("GET and DELETE may carry a body", async () => {
    await using upstream = await startHttp((request, response) => {
      request.pipe(response);
    });
    await using client = startClient();
    for (const method of ["GET", "DELETE", "GET"]) {
      const response = await client.request({ ...get(upstream.url), method, body: "query" });
      expect(textOf(response.body)).toBe("query");
    }
  });

  test.each([
    ["a line break in a header", { headers: { "x-a": "1\r\nx-b: 2" } }, ""],
    ["a header outside Latin-1", { headers: { "x-a": "日本" } }, ""],
    ["a space in the path", {}, "/a b"],
  ])("%s is refused before anything is sent", async (_name, override, path) => {
    await using upstream = await startHttp((_request, response) => response.end());
    await using client = startClient();
    await expect(client.request({ ...get(`${upstream.url}${path}`), ...override })).rejects.toMatchObject({
      code: "bad_request",
    });
    expect(upstream.opened()).toBe(0);
  });
});

describe("what comes back", () => {
  test("headers are folded, without cookies and what ends at this hop", async () => {
    await using upstream = await startCanned(
      [
        "HTTP/1.1 418 Teapot",
        "X-Many: a",
        "x-many: b",
        "Set-Cookie: session=1",
        "Connection: close, X-Hop",
        "X-Hop: 1",
        "Keep-Alive: timeout=5",
        "Trailer: X-Later",
        "Content-Length: 2",
        "",
        "ok",
      ].join("\r\n"),
    );
    await using client = startClient();
    const response = await client.request(get(upstream.url));
    expect(response).toEqual({
      status: 418,
      headers: { "x-many": "a, b", "content-length": "2" },
      body: Buffer.from("ok"),
    });
  });

  test("redirects are answers like any other", async () => {
    await using upstream = await startHttp((_request, response) =>
      response.writeHead(302, { location: "/y" }).end(),
    );
    await using client = startClient();
    const { status, headers } = await client.request(get(`${upstream.url}/x`));
    expect([status, headers["location"]]).toEqual([302, "/y"]);
  });

  test("interim answers are passed over", async () => {
    await using upstream = await startHttp((_request, response) => {
      response.writeEarlyHints({ link: "</style.css>; rel=preload" });
      response.end("final");
    });
    await using client = startClient();
    const response = await client.request(get(upstream.url));
    expect([response.status, textOf(response.body)]).toEqual([200, "final"]);
  });

  const plain = "plain text ".repeat(1000);
  test.each([
    ["gzip", gzipSync(plain)],
    ["x-gzip", gzipSync(plain)],
    ["deflate", deflateSync(plain)],
    ["deflate", deflateRawSync(plain)],
    ["br", brotliCompressSync(plain)],
    ["zstd", zstdCompressSync(plain)],
    ["identity, GZIP", gzipSync(plain)],
  ])("a body in %s is decoded", async (encoding, encoded) => {
    await using upstream = await startHttp((_request, response) => {
      response.writeHead(200, {
        "content-encoding": encoding,
        "content-length": encoded.byteLength,
        etag: '"1"',
      });
      // In two pieces, so that the decoder has to go on where it was.
      response.write(encoded.subarray(0, 7));
      setImmediate(() => response.end(encoded.subarray(7)));
    });
    await using client = startClient();
    const whole = await client.request(get(upstream.url));
    expect(textOf(whole.body)).toBe(plain);
    expect(whole.headers).not.toHaveProperty("content-encoding");
    expect(whole.headers).not.toHaveProperty("content-length");
    const stream = await client.stream(get(upstream.url));
    expect(textOf(await readLimited(stream.body, 20_000))).toBe(plain);
  });

  test.each([1000, 16_000, 17_000, 1_000_000])(
    "%i bytes that do not compress are decoded",
    async (length) => {
      const bytes = randomBytes(length);
      const encoded = gzipSync(bytes);
      await using upstream = await startHttp((_request, response) => {
        response.writeHead(200, { "content-encoding": "gzip" }).end(encoded);
      });
      await using client = startClient();
      const response = await client.request(get(upstream.url));
      expect(Buffer.compare(response.body, bytes)).toBe(0);
    },
  );

  test("an encoding that nobody announced is left alone", async () => {
    await using upstream = await startHttp((_request, response) => {
      response.writeHead(200, { "content-encoding": "exi" }).end("raw");
    });
    await using client = startClient();
    const response = await client.request(get(upstream.url));
    expect([response.headers["content-encoding"], textOf(response.body)]).toEqual(["exi", "raw"]);
  });

  test("bodies that do not come are empty: HEAD, 204, 304, an empty gzip", async () => {
    await using upstream = await startHttp((request, response) => {
      const status = Number(request.url?.slice(1));
      response.writeHead(status, { "content-encoding": "gzip" }).end();
    });
    await using client = startClient({ connectionsPerOrigin: 1 });
    for (const [method, status] of [
      ["HEAD", 200],
      ["GET", 204],
      ["GET", 304],
      ["GET", 200],
    ] as const) {
      const response = await client.request({ ...get(`${upstream.url}/${status}`), method });
      expect([response.status, response.body.byteLength]).toEqual([status, 0]);
    }
  });
});

describe("connections", () => {
  test("1,000 calls one after the other share their connections, and closing leaves none", async () => {
    await using upstream = await startHttp((_request, response) => response.end("ok"));
    const client = startClient();
    for (let call = 0; call < 1000; call++) {
      const response = await client.request(get(upstream.url));
      expect(response.status).toBe(200);
    }
    // One rests for a turn of the event loop after each answer, so two take turns.
    expect(upstream.opened()).toBeLessThanOrEqual(2);
    await client.close();
    await expect.poll(() => upstream.connections.size).toBe(0);
  });

  test("64 calls at once use the same connections round after round", async () => {
    await using upstream = await startHttp((request, response) => response.end(request.url));
    await using client = startClient();
    for (let round = 0; round < 10; round++) {
      const calls = Array.from({ length: 64 }, (_, call) => client.request(get(`${upstream.url}/${call}`)));
      const bodies = (await Promise.all(calls)).map(({ body }) => textOf(body));
      expect(bodies).toEqual(Array.from({ length: 64 }, (_, call) => `/${call}`));
    }
    expect(upstream.opened()).toBeLessThanOrEqual(128);
  });

  test("calls beyond the limit wait for a free connection", async () => {
    await using upstream = await startHttp((_request, response) => response.end("ok"));
    await using client = startClient({ connectionsPerOrigin: 2 });
    const responses = await Promise.all(Array.from({ length: 20 }, () => client.request(get(upstream.url))));
    expect(responses.every(({ status }) => status === 200)).toBe(true);
    expect(upstream.opened()).toBeLessThanOrEqual(2);
  });

  /** Answers the first request of the first connection, and breaks it off when a second request comes on it. */
  function startStale(): ReturnType<typeof startTcp> {
    const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let first = true;
    return startTcp((socket) => {
      const stale = first;
      first = false;
      socket.once("data", () => {
        socket.write(answer);
        socket.on("data", () => (stale ? socket.destroy() : socket.write(answer)));
      });
    });
  }

  test.each(["GET", "HEAD", "PUT", "DELETE"])(
    "%s is sent again when a kept connection turns out closed",
    async (method) => {
      await using upstream = await startStale();
      await using client = startClient({ connectionsPerOrigin: 1 });
      await client.request(get(upstream.url));
      const response = await client.request({ ...get(upstream.url), method });
      expect([response.status, upstream.opened()]).toEqual([200, 2]);
    },
  );

  test("POST is not: it may have been carried out", async () => {
    await using upstream = await startStale();
    await using client = startClient({ connectionsPerOrigin: 1 });
    await client.request(get(upstream.url));
    await expect(client.request({ ...get(upstream.url), method: "POST", body: "x" })).rejects.toMatchObject({
      code: "upstream_failed",
      message: `${upstream.host} closed the connection before it answered.`,
      retryable: true,
    });
  });

  test("a kept connection that the upstream closes while it is idle is not used again", async () => {
    await using upstream = await startHttp((_request, response) => response.end("ok"));
    await using client = startClient();
    const post = { ...get(upstream.url), method: "POST", body: "x" };
    await client.request(post);
    for (const socket of upstream.connections) socket.destroy();
    await expect.poll(() => upstream.connections.size).toBe(0);
    const response = await client.request(post);
    expect([response.status, upstream.opened()]).toEqual([200, 2]);
  });
});

describe("streams", () => {
  test("the head comes before the body, and chunks come as they are sent", async () => {
    let release = (): void => {};
    await using upstream = await startHttp((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("first");
      release = () => response.end("second");
    });
    await using client = startClient();
    const stream = await client.stream(get(upstream.url));
    expect([stream.status, stream.headers["content-type"]]).toEqual([200, "text/event-stream"]);
    const chunks: string[] = [];
    for await (const chunk of stream.body) {
      chunks.push(textOf(chunk));
      if (chunks.length === 1) release();
    }
    expect(chunks).toEqual(["first", "second"]);
  });

  test("leaving the iteration closes the connection", async () => {
    const closed = Promise.withResolvers<void>();
    await using upstream = await startHttp((_request, response) => {
      response.write("first");
      response.on("close", closed.resolve);
    });
    await using client = startClient();
    const stream = await client.stream(get(upstream.url));
    for await (const chunk of stream.body) {
      expect(textOf(chunk)).toBe("first");
      break;
    }
    await closed.promise;
    await expect.poll(() => upstream.connections.size).toBe(0);
  });

  test.each([["identity"], ["gzip"]])("a slow reader makes the upstream wait (%s)", async (encoding) => {
    const body = randomBytes(32 * 1024 * 1024);
    const sent = encoding === "gzip" ? gzipSync(body, { level: 0 }) : body;
    let written = 0;
    await using upstream = await startHttp(async (_request, response) => {
      response.writeHead(200, { "content-encoding": encoding });
      for (let offset = 0; offset < sent.length && !response.destroyed; offset += 65_536) {
        const more = response.write(sent.subarray(offset, offset + 65_536));
        written = Math.min(sent.length, offset + 65_536);
        if (!more) await once(response, "drain");
      }
      response.end();
    });
    await using client = startClient();
    const stream = await client.stream(get(upstream.url));
    const reader = stream.body[Symbol.asyncIterator]();
    const first = await reader.next();
    // What was written goes no further than the buffers of both sockets, however long nobody reads.
    let before = -1;
    await expect
      .poll(
        () => {
          const settled = written === before;
          before = written;
          return settled;
        },
        { interval: 200 },
      )
      .toBe(true);
    expect(written).toBeLessThan(sent.length / 2);
    let length = first.value?.byteLength ?? 0;
    for await (const chunk of { [Symbol.asyncIterator]: () => reader }) length += chunk.byteLength;
    expect(length).toBe(body.length);
  });

  test("streams that stay open do not keep calls from their connections", async () => {
    await using upstream = await startHttp((request, response) => {
      if (request.url === "/stream") response.write("open");
      else response.end("ok");
    });
    await using client = startClient();
    const leave = new AbortController();
    await Promise.all(
      Array.from({ length: 100 }, () =>
        client.stream({ ...get(`${upstream.url}/stream`), signal: leave.signal }),
      ),
    );
    const response = await client.request(get(upstream.url));
    expect(response.status).toBe(200);
    leave.abort();
    await expect.poll(() => upstream.connections.size).toBe(1);
  });
});
