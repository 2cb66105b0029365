import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { networkOf } from "../../src/identity/sign-in-limits.ts";
import { openConnection, statusesOf } from "../attack/raw.ts";
import { openStage } from "./stage.ts";

const alive = "GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

/** Opens connections one after the other, and says which of them are served. */
async function openMany(url: string, count: number): Promise<readonly boolean[]> {
  const served: boolean[] = [];
  const open = [];
  for (let index = 0; index < count; index += 1) {
    const connection = openConnection(url);
    open.push(connection);
    const answered = new Promise<boolean>((resolve) => {
      connection.socket.once("data", () => resolve(true));
      connection.closed.then(
        () => resolve(false),
        () => {},
      );
    });
    connection.write(alive);
    served.push(await answered);
  }
  for (const { socket } of open) socket.destroy();
  return served;
}

test("so many connections of one address are served, and further ones closed at once", async () => {
  await using stage = await openStage({ connectionLimits: { perAddress: 3 } });
  expect(await openMany(stage.server.url, 5)).toEqual([true, true, true, false, false]);
  expect(stage.log).toHaveLength(1);
  expect(stage.log[0]).toContain("limits.connections.per_address");
  // Those that have ended make room.
  await expect.poll(() => openMany(stage.server.url, 1), { timeout: 30_000 }).toEqual([true]);
});

test("so many connections are served in all, of proxies too", async () => {
  await using stage = await openStage({
    connectionLimits: { total: 4, perAddress: 2 },
    trustedProxies: ["127.0.0.0/8"],
  });
  expect(await openMany(stage.server.url, 5)).toEqual([true, true, true, true, false]);
  expect(stage.log).toHaveLength(1);
  expect(stage.log[0]).toContain("limits.connections.total");
});

describe("when all places are taken", () => {
  /** A connection from an address of this machine; gives what it was told, or that it was closed. */
  function openFrom(url: string, localAddress: string) {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), localAddress });
    onTestFinished(() => void socket.destroy());
    let closed = false;
    socket.on("error", () => {});
    socket.on("close", () => {
      closed = true;
    });
    return {
      ask: () =>
        new Promise<boolean>((resolve) => {
          socket.once("data", () => resolve(true));
          socket.once("close", () => resolve(false));
          socket.write(alive);
        }),
      isClosed: () => closed,
    };
  }

  test("one that rests makes room, of who has more than the one that asks", async () => {
    await using stage = await openStage({ connectionLimits: { total: 4 } });
    const { url } = stage.server;
    const greedy: ReturnType<typeof openFrom>[] = [];
    for (let index = 0; index < 4; index += 1) {
      const connection = openFrom(url, "127.0.0.7");
      expect(await connection.ask()).toBe(true);
      greedy.push(connection);
    }
    const others = [openFrom(url, "127.0.0.8"), openFrom(url, "127.0.0.9")];
    for (const other of others) expect(await other.ask()).toBe(true);
    // Those that have rested longest.
    await expect.poll(() => greedy.map(({ isClosed }) => isClosed())).toEqual([true, true, false, false]);
    // Nobody has so many more now that one would have to go.
    expect(await openFrom(url, "127.0.0.8").ask()).toBe(false);
    expect(await openFrom(url, "127.0.0.7").ask()).toBe(false);
    for (const one of [...greedy.slice(2), ...others]) expect(await one.ask()).toBe(true);
    expect(stage.log.join("\n")).toContain("those of 127.0.0.7 that rest make room");
  });

  test("none with a request does", async () => {
    await using stage = await openStage({ connectionLimits: { total: 2 } });
    const { url } = stage.server;
    const busy = [openConnection(url), openConnection(url)];
    for (const { socket } of busy) {
      socket.write("POST /api/v1/books/add HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n");
      onTestFinished(() => void socket.destroy());
    }
    await expect.poll(async () => openFrom(url, "127.0.0.8").ask(), { timeout: 10_000 }).toBe(false);
  });
});

test("one subscriber of IPv6 is one address, whichever of its addresses it uses", () => {
  expect(networkOf("2001:db8:1:2::1")).toBe(networkOf("2001:db8:1:2:ffff::9"));
  expect(networkOf("2001:db8:1:2::1")).not.toBe(networkOf("2001:db8:1:3::1"));
  expect(networkOf("::ffff:192.0.2.1")).toBe(networkOf("192.0.2.1"));
});

test("a connection may rest for so long between two requests", async () => {
  await using stage = await openStage({ connectionLimits: { keepAliveMilliseconds: 200 } });
  const connection = openConnection(stage.server.url);
  connection.write(alive);
  expect(statusesOf(await connection.closed)).toEqual([200]);
});
