import { readFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { connect } from "node:net";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { usualHttpLimits } from "../../src/upstream/http-limits.ts";
import { get, listen, startClient, startHttp, startTcp, textOf } from "./loopback.ts";

const setAt = "providers.acme.limits";
const pem = (name: string): string =>
  readFileSync(new URL(`./certificates/${name}.pem`, import.meta.url), "utf8");

/** What a request fails with; it has to. */
async function failureOf(work: Promise<unknown>): Promise<GatewayError> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failure instanceof GatewayError) return failure;
  throw new Error(`not a failure: ${String(failure)}`);
}

const later = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Passes on to a server after a pause, as a slow network would. */
async function startSlow(port: number, milliseconds: number) {
  return startTcp(async (socket) => {
    await later(milliseconds);
    const onward = connect(port, "127.0.0.1");
    onward.on("error", () => socket.destroy());
    socket.on("close", () => onward.destroy());
    socket.pipe(onward).pipe(socket);
  });
}

describe("times, shortly below and above", () => {
  test("the usual ones are 3 s for name and TCP, 5 s for TLS, 30 s for the head, 60 s for a pause", () => {
    expect(usualHttpLimits).toEqual({
      connectMilliseconds: 3_000,
      tlsMilliseconds: 5_000,
      firstByteMilliseconds: 30_000,
      pauseMilliseconds: 60_000,
      answerBytes: 10_485_760,
    });
  });

  test("of name and TCP", async () => {
    await using upstream = await startHttp((_request, response) => response.end("ok"));
    const { port } = new URL(upstream.url);
    let pause = 50;
    await using client = startClient({
      limits: { connectMilliseconds: 400, setAt },
      lookup: async () => {
        await later(pause);
        return [{ address: "127.0.0.1", family: 4 }];
      },
    });
    const url = `http://slow.example:${port}/`;
    expect((await client.request(get(url))).status).toBe(200);
    pause = 6_000;
    await expect.poll(() => upstream.connections.size, { timeout: 20_000 }).toBe(0);
    expect(await failureOf(client.request(get(url)))).toMatchObject({
      code: "timed_out",
      retryable: true,
      message: `Could not connect to slow.example:${port} within 400 ms (\`${setAt}.connect_time\`). Is it reachable from here?`,
    });
    expect(upstream.opened()).toBe(1);
  });

  test("of TLS, which does not count as connecting", async () => {
    const server = createTlsServer({ key: pem("key"), cert: pem("self-signed") }, (_request, response) => {
      response.end("ok");
    });
    await using upstream = await listen(server, "https");
    const port = Number(new URL(upstream.url).port);
    await using prompt = await startSlow(port, 1_200);
    await using late = await startTcp((socket) => void socket.resume());
    const certificateAuthorities = [pem("self-signed")];
    await using patient = startClient({
      certificateAuthorities,
      limits: { connectMilliseconds: 500, tlsMilliseconds: 20_000, setAt },
    });
    // Longer than connecting may take.
    expect((await patient.request(get(`https://${prompt.host}/`))).status).toBe(200);
    await using hasty = startClient({ certificateAuthorities, limits: { tlsMilliseconds: 300, setAt } });
    expect(await failureOf(hasty.request(get(`https://${late.host}/`)))).toMatchObject({
      code: "timed_out",
      message: `${late.host} took the connection and did not finish the TLS handshake within 300 ms (\`${setAt}.tls_time\`). Does it speak TLS there?`,
    });
    await expect.poll(() => late.connections.size).toBe(0);
  });

  test("of the head", async () => {
    await using upstream = await startHttp(async (request, response) => {
      if (request.url === "/late") return;
      await later(50);
      response.end("ok");
    });
    await using client = startClient({ limits: { firstByteMilliseconds: 500, setAt } });
    expect((await client.request(get(`${upstream.url}/`))).status).toBe(200);
    expect(await failureOf(client.request(get(`${upstream.url}/late`)))).toMatchObject({
      code: "timed_out",
      message: `${upstream.host} did not answer within 500 ms (\`${setAt}.first_byte_time\`).`,
    });
    // Who says itself how long it waits gets no advice on the file.
    expect(
      await failureOf(client.request({ ...get(`${upstream.url}/late`), headersTimeout: 100 })),
    ).toMatchObject({ message: `${upstream.host} did not answer within 100 ms.` });
  });

  test("of a pause", async () => {
    await using upstream = await startHttp(async (request, response) => {
      response.write("begin");
      if (request.url === "/late") return;
      await later(50);
      response.end("end");
    });
    await using client = startClient({ limits: { pauseMilliseconds: 500, setAt } });
    expect(textOf((await client.request(get(`${upstream.url}/`))).body)).toBe("beginend");
    expect(await failureOf(client.request(get(`${upstream.url}/late`)))).toMatchObject({
      code: "timed_out",
      message: `${upstream.host} stopped in the middle of its answer: nothing came for 500 ms (\`${setAt}.pause\`).`,
    });
  });

  test.each(["before it answers", "in the middle of its answer"])("of all of it, %s", async (when) => {
    await using upstream = await startHttp((request, response) => {
      if (request.url === "/prompt") return void response.end("ok");
      if (when === "before it answers") return;
      const drip = setInterval(() => response.write("."), 20);
      response.on("close", () => clearInterval(drip));
    });
    await using client = startClient();
    const limited = { ...get(upstream.url), totalTimeout: 300 };
    expect((await client.request({ ...limited, url: `${upstream.url}/prompt` })).status).toBe(200);
    expect(await failureOf(client.request(limited))).toMatchObject({
      code: "timed_out",
      retryable: true,
      message: `${upstream.host} did not finish its answer within 300 ms.`,
    });
    await expect.poll(() => upstream.connections.size).toBe(1);
  });

  test.each([
    [9_999, "any"],
    [10_000, "1024"],
  ])("of a drip: after %i ms of a body %s bytes in a second are enough", async (passed, least) => {
    let time = 0;
    await using upstream = await startHttp(async (request, response) => {
      response.write("begin");
      await later(50);
      time = passed;
      // With the five bytes before.
      response.write("x".repeat(request.url === "/enough" ? 10_235 : 10_234));
      await later(50);
      response.end();
    });
    await using client = startClient({ now: () => time });
    const limited = { ...get(`${upstream.url}/enough`), leastRate: 1024 };
    expect((await client.request(limited)).body.byteLength).toBe(10_240);
    time = 0;
    const next = client.request({ ...limited, url: `${upstream.url}/less` });
    if (least === "any") expect((await next).body.byteLength).toBe(10_239);
    else {
      expect(await failureOf(next)).toMatchObject({
        code: "timed_out",
        message: `${upstream.host} sends its answer too slowly: 10239 bytes in 10 s, and less than 1024 in a second is not waited for.`,
      });
    }
  });
});

describe("decoded bytes, by what they are encoded as", () => {
  const encodings = {
    identity: (body: Buffer) => body,
    gzip: (body: Buffer) => gzipSync(body),
    "x-gzip": (body: Buffer) => gzipSync(body),
    deflate: (body: Buffer) => deflateSync(body),
    "deflate without its header": (body: Buffer) => deflateRawSync(body),
    br: (body: Buffer) => brotliCompressSync(body),
    zstd: (body: Buffer) => zstdCompressSync(body),
  };
  // What is small is decoded in one go, the rest as it comes; what repeats itself is small when it is encoded.
  const limits = { "in one go": 2_000, "as it comes": 200_000 };
  const noise = Buffer.from(
    Array.from({ length: 200_001 }, (_, index) => (Math.imul(index, 2_654_435_761) >>> 13) & 0xff),
  );

  test.each(
    Object.entries(encodings).flatMap(([encoding, encode]) =>
      Object.entries(limits).map(([how, limit]) => ({ encoding, encode, how, limit })),
    ),
  )("$encoding, $how: a byte fewer, all and one more", async ({ encoding, encode, how, limit }) => {
    const make = (bytes: number): Buffer =>
      encode(how === "in one go" ? Buffer.alloc(bytes, "x") : noise.subarray(0, bytes));
    await using upstream = await startHttp((request, response) => {
      const name = encoding.split(" ", 1)[0] ?? "";
      response.writeHead(200, name === "identity" ? {} : { "content-encoding": name });
      response.end(make(Number(request.url?.slice(1))));
    });
    await using client = startClient({ limits: { answerBytes: limit, setAt } });
    for (const bytes of [limit - 1, limit]) {
      const { body } = await client.request(get(`${upstream.url}/${bytes}`));
      expect(body.byteLength).toBe(bytes);
    }
    expect(await failureOf(client.request(get(`${upstream.url}/${limit + 1}`)))).toMatchObject({
      code: "answer_too_large",
      details: { limit },
      message: `${upstream.host} answered with more than ${limit} bytes (\`${setAt}.answer_size\`). Ask for less, for example with a filter or a smaller page.`,
    });
  });

  test.each([
    "gzip, gzip",
    "gzip,br",
    "identity, gzip, deflate",
    "GZIP, x-gzip",
    "br\r\nContent-Encoding: br",
    "foo, gzip",
  ])("several of them (%j) are refused", async (encoding) => {
    await using upstream = await startTcp((socket) => {
      socket.once("data", () => {
        socket.end(`HTTP/1.1 200 OK\r\nContent-Encoding: ${encoding}\r\nContent-Length: 3\r\n\r\nabc`);
      });
    });
    await using client = startClient();
    expect(await failureOf(client.request(get(upstream.url)))).toMatchObject({
      code: "upstream_failed",
      message: `${upstream.host} sent a body that is compressed more than once, which is not accepted.`,
    });
  });

  test.each(["identity", "", "identity, identity", "aes128gcm", "compress"])(
    "what is none of them (%j) is passed on as it is, and counted",
    async (encoding) => {
      await using upstream = await startHttp((_request, response) => {
        response.writeHead(200, { "content-encoding": encoding }).end("x".repeat(100));
      });
      await using client = startClient();
      const request = get(upstream.url);
      expect((await client.request({ ...request, maxBytes: 100 })).body.byteLength).toBe(100);
      expect(await failureOf(client.request({ ...request, maxBytes: 99 }))).toMatchObject({
        code: "answer_too_large",
      });
    },
  );
});

describe("what is around a body", () => {
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n";

  test.each([
    ["one long header", (bytes: number) => `X: ${"x".repeat(bytes)}\r\n`],
    ["many headers", (bytes: number) => `A: ${"b".repeat(91)}\r\n`.repeat(bytes / 96)],
  ])("%s: a little less and a little more than 16 KiB", async (_name, make) => {
    await using upstream = await startTcp((socket) => {
      socket.once("data", (chunk) => {
        const bytes = Number(/^GET \/(\d+)/.exec(chunk.toString("latin1"))?.[1]);
        socket.end(`${head}${make(bytes)}\r\nok`);
      });
    });
    await using client = startClient();
    expect((await client.request(get(`${upstream.url}/${12 * 1024}`))).status).toBe(200);
    expect(await failureOf(client.request(get(`${upstream.url}/${24 * 1024}`)))).toMatchObject({
      code: "upstream_failed",
      message: `${upstream.host} answered with more than 16 KiB of headers, which is not accepted.`,
    });
  });

  test.each([
    ["interim answers", "", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"],
    ["headers", "HTTP/1.1 200 OK\r\n", "A: b\r\n"],
    ["a header", "HTTP/1.1 200 OK\r\nA: ", "b"],
    ["empty lines", "", "\r\n"],
    ["a chunk's extension", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=", "b"],
    ["a chunk's size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "0"],
    ["trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n", "A: b\r\n"],
  ])("%s without an end, dripping: the request ends in time", async (_name, start, drop) => {
    await using upstream = await startTcp((socket) => {
      socket.once("data", () => {
        socket.write(start);
        const drip = setInterval(() => socket.write(drop), 50);
        socket.on("close", () => clearInterval(drip));
      });
    });
    await using client = startClient({ limits: { firstByteMilliseconds: 600, pauseMilliseconds: 600 } });
    const failure = await failureOf(client.request({ ...get(upstream.url), totalTimeout: 15_000 }));
    expect(failure.message).not.toContain("15 s");
    await expect.poll(() => upstream.connections.size).toBe(0);
  });

  test.each([
    ["interim answers", "", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"],
    ["headers", "HTTP/1.1 200 OK\r\n", "A: b\r\n"],
    ["a header", "HTTP/1.1 200 OK\r\nA: ", "b".repeat(64)],
    ["a chunk's extension", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=", "b".repeat(64)],
    ["a chunk's size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "0".repeat(64)],
    ["trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n", "A: b\r\n"],
  ])("%s without an end, as fast as they come: little is read and kept", async (_name, start, drop) => {
    const block = drop.repeat(1_000);
    await using upstream = await startTcp((socket) => {
      socket.once("data", () => {
        socket.write(start);
        const pour = (): void => {
          while (!socket.destroyed && socket.write(block));
        };
        socket.on("drain", pour);
        pour();
      });
    });
    await using client = startClient({ limits: { firstByteMilliseconds: 500, pauseMilliseconds: 500 } });
    const before = process.memoryUsage().rss;
    await failureOf(client.request({ ...get(upstream.url), totalTimeout: 20_000 }));
    await expect.poll(() => upstream.connections.size).toBe(0);
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024);
  });
});
