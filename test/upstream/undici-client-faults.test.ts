import { once } from "node:events";
import { createGzip, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import type { HttpRequest } from "../../src/upstream/http-client.ts";
import { readLimited } from "../../src/upstream/read-limited.ts";
import { get, startCanned, startClient, startHttp, startTcp, unusedHost } from "./loopback.ts";

/** Runs a request that has to fail, both ways of reading, and returns what callers see. */
async function failuresOf(request: HttpRequest): Promise<{ code: string; message: string }[]> {
  await using client = startClient({ limits: { connectMilliseconds: 300, tlsMilliseconds: 300 } });
  const whole = client.request(request).catch((error: unknown) => error);
  const streamed = client
    .stream(request)
    .then(({ body }) => readLimited(body, 1_000_000))
    .catch((error: unknown) => error);
  return (await Promise.all([whole, streamed])).map((error) => {
    if (!(error instanceof GatewayError)) throw new Error(`not a failure: ${String(error)}`);
    expect(error.cause).toBeDefined();
    return { code: error.code, message: error.message };
  });
}

function twice(code: string, message: string): { code: string; message: string }[] {
  return [
    { code, message },
    { code, message },
  ];
}

describe("each way to fail has its own message", () => {
  test("nobody listens", async () => {
    const host = await unusedHost();
    expect(await failuresOf(get(`http://${host}/`))).toEqual(
      twice("upstream_failed", `Could not connect to ${host}: connection refused. Is the upstream running?`),
    );
  });

  test("no such host", async () => {
    const [failure] = await failuresOf(get("http://no-such-host.invalid/"));
    expect(failure?.code).toBe("upstream_failed");
    // A machine without a network can't tell whether the name exists.
    expect(failure?.message).toMatch(
      /^Could not connect to no-such-host\.invalid:80: (there is no host of this name|the name server does not answer)/,
    );
  });

  test("the TLS handshake never comes", async () => {
    await using upstream = await startTcp(() => {});
    expect(await failuresOf(get(`https://${upstream.host}/`))).toEqual(
      twice(
        "timed_out",
        `${upstream.host} took the connection and did not finish the TLS handshake within 300 ms. Does it speak TLS there?`,
      ),
    );
  });

  test("https to a server that speaks plain HTTP", async () => {
    await using upstream = await startHttp((_request, response) => response.end());
    expect(await failuresOf(get(`https://${upstream.host}/`))).toEqual(
      twice(
        "upstream_failed",
        `Could not connect to ${upstream.host}: it does not speak TLS. Should the URL start with http://?`,
      ),
    );
  });

  test("reset before the answer", async () => {
    await using upstream = await startTcp((socket) => socket.once("data", () => socket.resetAndDestroy()));
    expect(await failuresOf(get(upstream.url))).toEqual(
      twice("upstream_failed", `${upstream.host} closed the connection before it answered.`),
    );
  });

  test.each([
    ["reset in the middle of the body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", true],
    [
      "closed in the middle of a body of known length",
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
      false,
    ],
    [
      "closed in the middle of a chunked body",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
      false,
    ],
  ])("%s", async (_name, answer, reset) => {
    await using upstream = await startTcp((socket) => {
      socket.once("data", () =>
        socket.write(answer, () => (reset ? socket.resetAndDestroy() : socket.end())),
      );
    });
    const failures = await failuresOf(get(upstream.url));
    for (const failure of failures) {
      expect(failure.code).toBe("upstream_failed");
      // A reset may overtake the head that was sent before it.
      expect(failure.message).toMatch(
        /closed the connection (in the middle of its answer|before it answered)\.$|broke off its answer/,
      );
    }
  });

  test.each([
    ["not HTTP", "220 ftp.example.com ready\r\n"],
    ["a header without a name", "HTTP/1.1 200 OK\r\n: x\r\n\r\n"],
    ["a bad chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"],
  ])("malformed: %s", async (_name, answer) => {
    await using upstream = await startCanned(answer);
    expect(await failuresOf(get(upstream.url))).toEqual(
      twice(
        "upstream_failed",
        `${upstream.host} answered with something that is not valid HTTP/1.1. Is an HTTP server listening there, and is the scheme of the URL right?`,
      ),
    );
  });

  test.each([
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc"],
    [
      "a length and chunks",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
  ])("contradicting: %s", async (_name, answer) => {
    await using upstream = await startCanned(answer);
    expect(await failuresOf(get(upstream.url))).toEqual(
      twice(
        "upstream_failed",
        `${upstream.host} broke off its answer: it sent another number of bytes than it announced.`,
      ),
    );
  });

  test("an upgrade that nobody asked for", async () => {
    await using upstream = await startCanned(
      "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    );
    expect(await failuresOf(get(upstream.url))).toEqual(
      twice(
        "upstream_failed",
        `${upstream.host} answered with something that no HTTP/1.1 client expects here.`,
      ),
    );
  });

  test("headers without end", async () => {
    await using upstream = await startCanned(`HTTP/1.1 200 OK\r\nX-Long: ${"x".repeat(100_000)}\r\n\r\n`);
    expect(await failuresOf(get(upstream.url))).toEqual(
      twice(
        "upstream_failed",
        `${upstream.host} answered with more than 16 KiB of headers, which is not accepted.`,
      ),
    );
  });

  test("no answer in time", async () => {
    await using upstream = await startHttp(() => {});
    expect(await failuresOf({ ...get(upstream.url), headersTimeout: 100 })).toEqual(
      twice("timed_out", `${upstream.host} did not answer within 100 ms.`),
    );
  });

  test("a body that stops coming", async () => {
    await using upstream = await startHttp((_request, response) => response.write("begin"));
    expect(await failuresOf({ ...get(upstream.url), bodyTimeout: 100 })).toEqual(
      twice("timed_out", `${upstream.host} stopped in the middle of its answer: nothing came for 100 ms.`),
    );
  });

  test("a body that comes slowly but steadily is no failure", async () => {
    await using upstream = await startHttp((_request, response) => {
      let drops = 0;
      const drip = setInterval(() => {
        drops += 1;
        if (drops < 30) response.write(".");
        else response.end(".");
      }, 50);
      response.on("close", () => clearInterval(drip));
    });
    await using client = startClient();
    const response = await client.request({ ...get(upstream.url), bodyTimeout: 1000 });
    expect(response.body.byteLength).toBe(30);
  });

  test.each(["gzip", "deflate", "br", "zstd"])("a body that is not what it says (%s)", async (encoding) => {
    await using upstream = await startHttp((_request, response) => {
      response.writeHead(200, { "content-encoding": encoding }).end("this is not compressed");
    });
    expect(await failuresOf(get(upstream.url))).toEqual(
      twice("upstream_failed", `${upstream.host} sent a body that is not valid ${encoding}.`),
    );
  });

  test("a compressed body that breaks off", async () => {
    await using upstream = await startHttp((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("x".repeat(1000)).subarray(0, 20));
    });
    expect(await failuresOf(get(upstream.url))).toEqual(
      twice("upstream_failed", `${upstream.host} sent a body that is not valid gzip.`),
    );
  });

  test("a body that is compressed twice", async () => {
    await using upstream = await startHttp((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip, gzip" }).end(gzipSync(gzipSync("x")));
    });
    await using client = startClient();
    await expect(client.request(get(upstream.url))).rejects.toMatchObject({
      code: "upstream_failed",
      message: `${upstream.host} sent a body that is compressed more than once, which is not accepted.`,
    });
    await expect.poll(() => upstream.connections.size).toBe(0);
  });

  test("a client that was closed", async () => {
    await using upstream = await startHttp(() => {});
    const client = startClient();
    const pending = client.request(get(upstream.url)).catch((error: unknown) => error);
    await expect.poll(() => upstream.connections.size).toBe(1);
    await client.close();
    expect(await pending).toMatchObject({ code: "draining" });
    await expect(client.request(get(upstream.url))).rejects.toMatchObject({ code: "draining" });
  });
});

describe("too much", () => {
  test("an announced length above the limit fails at the head", async () => {
    await using upstream = await startHttp((_request, response) => {
      response.writeHead(200, { "content-length": 5000 });
      response.flushHeaders();
    });
    await using client = startClient();
    await expect(client.request({ ...get(upstream.url), maxBytes: 4096 })).rejects.toMatchObject({
      code: "answer_too_large",
      message: `${upstream.host} answered with more than 4 KiB. Ask for less, for example with a filter or a smaller page.`,
    });
    await expect.poll(() => upstream.connections.size).toBe(0);
  });

  test("the limit itself is allowed, one more byte is not", async () => {
    await using upstream = await startHttp((request, response) => {
      response.write("x");
      response.end("x".repeat(Number(request.url?.slice(1)) - 1));
    });
    await using client = startClient();
    const response = await client.request({ ...get(`${upstream.url}/100`), maxBytes: 100 });
    expect(response.body.byteLength).toBe(100);
    await expect(client.request({ ...get(`${upstream.url}/101`), maxBytes: 100 })).rejects.toMatchObject({
      code: "answer_too_large",
      message: expect.stringContaining("more than 100 bytes"),
    });
  });

  test("a body without end is cut, and the upstream sees the connection close", async () => {
    let written = 0;
    const closed = Promise.withResolvers<void>();
    await using upstream = await startHttp(async (_request, response) => {
      response.on("close", closed.resolve);
      const block = Buffer.alloc(65_536);
      while (!response.destroyed) {
        written += block.length;
        if (!response.write(block)) await Promise.race([once(response, "drain"), closed.promise]);
      }
    });
    await using client = startClient();
    await expect(client.request({ ...get(upstream.url), maxBytes: 1_000_000 })).rejects.toMatchObject({
      code: "answer_too_large",
    });
    await closed.promise;
    expect(written).toBeLessThan(20_000_000);
  });

  test("a gzip bomb is cut by its decoded size, in bounded memory", async () => {
    const decodedBytes = 1024 * 1024 * 1024;
    let offered = 0;
    const closed = Promise.withResolvers<void>();
    await using upstream = await startHttp(async (_request, response) => {
      response.on("close", closed.resolve);
      response.writeHead(200, { "content-encoding": "gzip" });
      const zeros = Buffer.alloc(1024 * 1024);
      const gzip = createGzip();
      gzip.pipe(response);
      while (!response.destroyed && offered < decodedBytes) {
        offered += zeros.length;
        if (!gzip.write(zeros)) await Promise.race([once(gzip, "drain"), closed.promise]);
      }
      gzip.destroy();
    });
    await using client = startClient();
    const before = process.memoryUsage().rss;
    await expect(client.request({ ...get(upstream.url), maxBytes: 4 * 1024 * 1024 })).rejects.toMatchObject({
      code: "answer_too_large",
    });
    await closed.promise;
    expect(offered).toBeLessThan(decodedBytes / 4);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });

  test.each([8, 64])("a whole bomb of %i MiB is cut too", async (mebibytes) => {
    const bomb = gzipSync(Buffer.alloc(mebibytes * 1024 * 1024));
    await using upstream = await startHttp((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end(bomb);
    });
    await using client = startClient();
    await expect(client.request({ ...get(upstream.url), maxBytes: 100_000 })).rejects.toMatchObject({
      code: "answer_too_large",
    });
  });
});

describe("abort", () => {
  const cancelled = { code: "cancelled", message: "The call was cancelled." };

  test("before it starts: nothing is sent", async () => {
    await using upstream = await startHttp((_request, response) => response.end());
    await using client = startClient();
    const request = { ...get(upstream.url), signal: AbortSignal.abort() };
    await expect(client.request(request)).rejects.toMatchObject(cancelled);
    await expect(client.stream(request)).rejects.toMatchObject(cancelled);
    expect(upstream.opened()).toBe(0);
  });

  test("while it connects", async () => {
    await using upstream = await startTcp(() => {});
    await using client = startClient({ limits: { connectMilliseconds: 300, tlsMilliseconds: 300 } });
    const leave = new AbortController();
    const pending = client.request({ ...get(`https://${upstream.host}`), signal: leave.signal });
    leave.abort();
    await expect(pending).rejects.toMatchObject(cancelled);
  });

  test("while it waits for a connection: the one in use is left alone", async () => {
    let asked = 0;
    const answers: (() => void)[] = [];
    await using upstream = await startHttp((_request, response) => {
      asked += 1;
      answers.push(() => response.end("ok"));
    });
    await using client = startClient({ connectionsPerOrigin: 1 });
    const leave = new AbortController();
    const first = client.request(get(upstream.url));
    await expect.poll(() => asked).toBe(1);
    const second = client.request({ ...get(upstream.url), signal: leave.signal });
    leave.abort();
    await expect(second).rejects.toMatchObject(cancelled);
    answers[0]?.();
    expect((await first).status).toBe(200);
    const third = client.request(get(upstream.url));
    await expect.poll(() => asked).toBe(2);
    answers[1]?.();
    expect((await third).status).toBe(200);
    expect([asked, upstream.opened()]).toEqual([2, 1]);
  });

  test("behind a stream that lasts: nothing waits for its connection", async () => {
    await using upstream = await startHttp((request, response) => {
      response.writeHead(200).flushHeaders();
      if (request.url !== "/stream") response.end("ok");
    });
    await using client = startClient({ connectionsPerOrigin: 1 });
    const leave = new AbortController();
    const open = async (): Promise<void> => {
      await client.stream({ ...get(`${upstream.url}/stream`), signal: leave.signal, isLasting: true });
    };
    await Promise.all([open(), open()]);
    expect((await client.request(get(upstream.url))).status).toBe(200);
    leave.abort();
    await expect.poll(() => upstream.connections.size).toBe(1);
  });

  test("before the headers: the upstream sees the connection close", async () => {
    await using upstream = await startHttp(() => {});
    await using client = startClient();
    const leave = new AbortController();
    const pending = client
      .request({ ...get(upstream.url), signal: leave.signal })
      .catch((error: unknown) => error);
    await expect.poll(() => upstream.connections.size).toBe(1);
    leave.abort();
    expect(await pending).toMatchObject(cancelled);
    await expect.poll(() => upstream.connections.size).toBe(0);
  });

  test.each(["identity", "gzip"])("in the middle of the body (%s)", async (encoding) => {
    await using upstream = await startHttp((_request, response) => {
      response.writeHead(200, { "content-encoding": encoding });
      if (encoding === "identity") {
        response.write("begin");
        return;
      }
      const gzip = createGzip();
      gzip.pipe(response);
      gzip.write("begin");
      gzip.flush();
    });
    await using client = startClient();
    const leave = new AbortController();
    const request = { ...get(upstream.url), signal: leave.signal };
    const whole = client.request(request).catch((error: unknown) => error);
    const stream = await client.stream(request);
    const reader = stream.body[Symbol.asyncIterator]();
    expect((await reader.next()).value?.toString()).toBe("begin");
    const next = reader.next().catch((error: unknown) => error);
    leave.abort();
    expect(await whole).toMatchObject(cancelled);
    expect(await next).toMatchObject(cancelled);
    await expect.poll(() => upstream.connections.size).toBe(0);
  });

  test("after the end: without effect, and no listener is left behind", async () => {
    await using upstream = await startHttp((_request, response) => response.end("ok"));
    await using client = startClient({ connectionsPerOrigin: 1 });
    const leave = new AbortController();
    let listeners = 0;
    const { signal } = leave;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...parameters: Parameters<typeof add>) => {
      listeners += 1;
      add(...parameters);
    };
    signal.removeEventListener = (...parameters: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...parameters);
    };
    const response = await client.request({ ...get(upstream.url), signal });
    expect(listeners).toBe(0);
    leave.abort();
    expect(response.status).toBe(200);
    expect((await client.request(get(upstream.url))).status).toBe(200);
    expect(upstream.opened()).toBe(1);
  });

  test("the reason of the abort is the failure when it is one of ours, or a timeout", async () => {
    await using upstream = await startHttp(() => {});
    await using client = startClient();
    const deadline = new GatewayError("timed_out", "The deadline of the call passed.");
    const leave = new AbortController();
    const pending = client.request({ ...get(upstream.url), signal: leave.signal });
    leave.abort(deadline);
    await expect(pending).rejects.toBe(deadline);
    await expect(
      client.request({ ...get(upstream.url), signal: AbortSignal.timeout(50) }),
    ).rejects.toMatchObject({
      code: "timed_out",
    });
  });

  test("200 aborted calls leave no connection open", async () => {
    await using upstream = await startHttp((request, response) => {
      if (request.url === "/ok") response.end("ok");
      else response.write("begin");
    });
    await using client = startClient();
    const calls = Array.from({ length: 200 }, async () => {
      const leave = new AbortController();
      const pending = client
        .request({ ...get(upstream.url), signal: leave.signal })
        .catch((error: unknown) => error);
      setImmediate(() => leave.abort());
      return pending;
    });
    for (const failure of await Promise.all(calls)) expect(failure).toMatchObject(cancelled);
    expect((await client.request(get(`${upstream.url}/ok`))).status).toBe(200);
    await expect.poll(() => upstream.connections.size).toBeLessThanOrEqual(2);
  });
});
