import { connect } from "node:net";
import { expect, test } from "vitest";
import { besideSlowSockets, ratioOf } from "../load/guard-scenarios.ts";
import { startGuardStage } from "../load/guard-stage.ts";
import { median } from "../load/measure.ts";
import { startHttp } from "../upstream/loopback.ts";
import { callModern, startSystem } from "./system.ts";

const isFull = process.env["ATTACK_FULL"] === "1";
const sockets = isFull ? 2_000 : 200;

test(`${sockets} clients that send a byte in a second of a head or a body are cut off, and good traffic goes on`, async () => {
  await using stage = await startGuardStage();
  const ratios: number[] = [];
  for (let round = 0; round < (isFull ? 3 : 1); round += 1) {
    const load = { sockets, milliseconds: isFull ? 12_000 : 5_000, requestsPerSecond: isFull ? 200 : 50 };
    const { lasted, ...compared } = await besideSlowSockets(stage, load);
    for (const { failed, ok } of [compared.without, compared.beside]) {
      expect([...failed]).toEqual([]);
      expect(ok).toBe((load.milliseconds * load.requestsPerSecond) / 1_000);
    }
    // 10 s for a head and 5 s of grace for a body, and a round of looking; wide where the machine has other things to do.
    expect(lasted.heads).toBeGreaterThan(9_000);
    expect(lasted.heads).toBeLessThan(30_000);
    expect(lasted.bodies).toBeGreaterThan(4_000);
    expect(lasted.bodies).toBeLessThan(30_000);
    ratios.push(ratioOf(compared));
  }
  // `npm run bench:guard` prints the figure itself, which is to be 2 at most on a machine of its own.
  if (isFull) expect(median(ratios)).toBeLessThan(8);
}, 180_000);

test("clients that take nothing of a large answer are cut off, and good traffic goes on", async () => {
  const large = `"${"x".repeat(8 * 1024 * 1024)}"`;
  await using api = await startHttp(({ url }, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(url === "/large" ? large : "{}");
  });
  const operations = ["large", "small"].map((name) => ({ name, method: "GET", path: `/${name}` }));
  await using system = await startSystem(
    { shop: { surfaces: { rest: { base_url: api.url, operations } } } },
    { settings: { limits: { connections: { stalled: "500ms" } } } },
  );
  const { hostname, port, host } = new URL(system.url);
  const readers = Array.from({ length: 12 }, () => {
    const socket = connect(Number(port), hostname).pause();
    socket.on("error", () => {});
    socket.write(
      `POST /api/v1/shop/large HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`,
    );
    return socket;
  });
  // Who reads nothing learns by writing that the connection is gone.
  const gone = readers.map(async (socket) => {
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    const writing = setInterval(() => socket.write("\r\n"), 100);
    await closed;
    clearInterval(writing);
  });
  const all = Promise.all(gone).then(() => true);
  let good = 0;
  while (!(await Promise.race([all, new Promise<false>((resolve) => setTimeout(resolve, 20, false))]))) {
    const answer = await callModern(system.url, "shop_small", {});
    expect(answer.message["result"]).toMatchObject({ isError: false });
    good += 1;
  }
  expect(good).toBeGreaterThan(5);
});
