import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createHttpServer } from "../../src/server/create-http-server.ts";
import { createEvictions } from "../../src/server/evict-slow-clients.ts";
import type { Exchange } from "../../src/server/exchange.ts";
import { openConnection, type RawConnection, statusesOf } from "../attack/raw.ts";
import { usualLimits } from "../limits.ts";

const limits = { bodyPauseMilliseconds: 30_000, bodyBytesPerSecond: 1_024, stalledMilliseconds: 30_000 };

/** A request that nobody answers, and rounds over its connection at whatever time it is. */
async function hold(
  bytes: string,
  answer: (exchange: Exchange) => void = () => {},
): Promise<{ client: RawConnection; exchange: Exchange; at: (seconds: number) => void }> {
  const taken = Promise.withResolvers<Exchange>();
  const { server, connections } = createHttpServer({
    limits: () => usualLimits,
    trustedProxies: [],
    handle: (exchange) => {
      answer(exchange);
      exchange.request.resume();
      taken.resolve(exchange);
    },
    log: () => {},
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    connections.closeAll();
    await closed;
  });
  const client = openConnection(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client.socket.pause();
  client.write(bytes);
  const exchange = await taken.promise;
  let time = 0;
  const evict = createEvictions({
    connections: () => connections.all(),
    limits: () => limits,
    now: () => time,
  });
  const at = (seconds: number): void => {
    time = seconds * 1_000;
    evict();
  };
  return { client, exchange, at };
}

const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
const received = (exchange: Exchange, bytes: number): Promise<void> =>
  expect.poll(() => exchange.request.socket.bytesRead, { timeout: 30_000 }).toBeGreaterThanOrEqual(bytes);

test("a body may pause for so long, and no longer", async () => {
  const { client, exchange, at } = await hold(head);
  at(0);
  client.write("a".repeat(500_000));
  await received(exchange, 500_000);
  at(10);
  at(40);
  expect(exchange.signal.aborted).toBe(false);
  at(40.001);
  expect(exchange.signal.aborted).toBe(true);
  client.socket.resume();
  expect(statusesOf(await client.closed)).toEqual([408]);
});

test("a body has to bring so many bytes in a second, after the first five", async () => {
  const { client, exchange, at } = await hold(head);
  at(0);
  client.write("a".repeat(10 * 1_024));
  await received(exchange, head.length + 10 * 1_024);
  at(15);
  expect(exchange.signal.aborted).toBe(false);
  at(15.1);
  expect(exchange.signal.aborted).toBe(true);
});

/** An answer that is more than fits into the buffers of the system, in one piece. */
const holdLarge = () =>
  hold("GET / HTTP/1.1\r\nHost: a\r\n\r\n", ({ response }) => response.write(Buffer.alloc(32 * 1024 * 1024)));

test("an answer may lie for so long, and no longer; three times that where it is large", async () => {
  const { exchange, at } = await holdLarge();
  const { socket } = exchange.request;
  await expect.poll(() => socket.writableLength, { timeout: 30_000 }).toBeGreaterThan(0);
  at(0);
  at(90);
  expect(socket.destroyed).toBe(false);
  // The system takes what it has room for, which may have been later than the first look.
  let time = 90;
  const isGone = (): boolean => {
    time += 90.001;
    at(time);
    return socket.destroyed;
  };
  await expect.poll(isGone, { timeout: 30_000 }).toBe(true);
  expect(time).toBeLessThan(10 * 90);
});

test("who takes of a large answer piece by piece may take its time for all of it", async () => {
  const { client, exchange, at } = await holdLarge();
  const { socket } = exchange.request;
  const stepBytes = 8 * 1024 * 1024;
  let taken = 0;
  client.socket.on("data", ({ length }) => {
    taken += length;
    if (taken % stepBytes < length) client.socket.pause();
  });
  for (let step = 0; step < 4; step += 1) {
    at(step * 80);
    expect(socket.destroyed).toBe(false);
    client.socket.resume();
    await expect.poll(() => taken, { timeout: 30_000 }).toBeGreaterThanOrEqual((step + 1) * stepBytes);
  }
});

test("who takes an answer, or waits for one, is left alone", async () => {
  const { client, exchange, at } = await hold("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  at(0);
  at(100_000);
  expect(exchange.request.socket.destroyed).toBe(false);
  exchange.response.end("a");
  client.socket.resume();
  await expect.poll(() => exchange.response.writableFinished, { timeout: 30_000 }).toBe(true);
  at(200_000);
  expect(exchange.request.socket.destroyed).toBe(false);
});
