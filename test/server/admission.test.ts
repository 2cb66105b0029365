import { once } from "node:events";
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { OverloadReason } from "../../src/limits/load-monitor.ts";
import type { OverloadLimits } from "../../src/model/limits.ts";
import { createAdmission } from "../../src/server/admission.ts";
import { createHttpServer } from "../../src/server/create-http-server.ts";
import type { Exchange } from "../../src/server/exchange.ts";
import { createOverloadRefusal } from "../../src/server/refuse-overloaded.ts";
import { usualLimits } from "../limits.ts";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Door {
  readonly port: number;
  /** Those that were begun and have no answer yet, in order. */
  readonly begun: Exchange[];
  readonly refused: OverloadReason[];
  /** Resolves once so many have arrived, by whatever way. */
  readonly arrived: (count: number) => Promise<void>;
  send(sent?: Sent): Promise<Answer>;
  pass(milliseconds: number): void;
  /** The next turn of a door whose turns come by hand. */
  turn(): void;
  scarce(isScarce: boolean): void;
}

const call: Sent = { path: "/mcp", headers: { "mcp-method": "tools/call" }, body: "{}" };

/** A real server with a door whose clock and memory the test moves; what is let in is answered when the test says so. */
async function open(
  given: Partial<OverloadLimits> = {},
  turns: "by themselves" | "by hand" = "by themselves",
): Promise<Door> {
  const limits: OverloadLimits = { ...usualLimits.overload, ...given };
  const begun: Exchange[] = [];
  const refused: OverloadReason[] = [];
  let time = 0;
  let isScarce = false;
  let arrivals = 0;
  let due: (() => void) | undefined;
  const admission = createAdmission({
    limits: () => limits,
    monitor: {
      look: () => {},
      isMemoryScarce: () => isScarce,
      refused: (reason) => refused.push(reason),
      overload: () => undefined,
    },
    serve: (exchange) => begun.push(exchange),
    refuse: createOverloadRefusal(
      () => limits,
      (path) => path === "/token",
    ),
    now: () => time,
    ...(turns === "by hand" && {
      afterTurn: (callback: () => void) => {
        due = callback;
      },
    }),
  });
  const { server } = createHttpServer({
    limits: () => usualLimits,
    trustedProxies: [],
    handle: (exchange) => {
      arrivals += 1;
      admission.enter(exchange);
    },
    log: () => {},
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  onTestFinished(async () => {
    agent.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const send = ({ method = "POST", path = "/api/v1/a/b", headers = {}, body = "" }: Sent = {}) =>
    new Promise<Answer>((resolve, reject) => {
      const outgoing = request({ port, host: "127.0.0.1", agent, method, path, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (piece: string) => {
          text += piece;
        });
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      });
      outgoing.on("error", reject);
      outgoing.end(method === "POST" ? body : undefined);
    });
  return {
    ...{ port, begun, refused, send },
    arrived: async (count) => {
      while (arrivals < count) await new Promise((resolve) => setImmediate(resolve));
      // Whoever is let in in one of the next turns is by now.
      for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    },
    pass: (milliseconds) => {
      time += milliseconds;
    },
    turn: () => {
      const callback = due;
      due = undefined;
      callback?.();
    },
    scarce: (is) => {
      isScarce = is;
    },
  };
}

function answerAll({ begun }: Door): void {
  for (const { response } of begun.splice(0)) response.writeHead(200).end("done");
}

/** As many as are let in where memory is scarce are under way, and it is. */
async function fill(door: Door): Promise<void> {
  const running = Promise.all(Array.from({ length: few }, () => door.send()));
  await door.arrived(few);
  door.scarce(true);
  // They end with the door.
  running.catch(() => {});
}

const few = 8;

test("where memory is scarce a few are let in at a time, so that it is given back", async () => {
  const door = await open();
  door.scarce(true);
  const first = Array.from({ length: few }, () => door.send());
  await door.arrived(few);
  expect(door.begun).toHaveLength(few);
  const { status, headers } = await door.send();
  expect([status, headers["retry-after"]]).toEqual([503, "5"]);
  expect((await door.send({ method: "GET", path: "/mcp" })).status).toBe(503);
  answerAll(door);
  await Promise.all(first);
  const next = door.send();
  await door.arrived(few + 3);
  expect(door.begun).toHaveLength(1);
  answerAll(door);
  expect((await next).status).toBe(200);
});

test("as many requests are under way as may be, and one more is refused", async () => {
  const door = await open({ requests: 3 });
  const first = [door.send(), door.send(), door.send()];
  await door.arrived(3);
  expect(door.begun).toHaveLength(3);
  const { status, headers, text } = await door.send();
  expect(status).toBe(503);
  expect(headers).toMatchObject({
    "gateway-error": "overloaded",
    "retry-after": "1",
    "cache-control": "no-store",
  });
  expect(JSON.parse(text)).toEqual({
    error: {
      code: "overloaded",
      message:
        "The gateway is overloaded: 3 requests are under way (`limits.overload.requests`). Nothing was done; try again in 1 s.",
      retry_after: 1,
    },
  });
  answerAll(door);
  await Promise.all(first);
  const next = door.send();
  await door.arrived(5);
  door.pass(10);
  answerAll(door);
  expect((await next).status).toBe(200);
  expect(door.refused).toEqual(["requests"]);
});

test.each([
  ["GET", "/livez"],
  ["GET", "/health"],
  ["GET", "/readyz"],
  ["GET", "/ready"],
  ["GET", "/startupz"],
  ["DELETE", "/mcp"],
])("%s %s is let in whatever the load is", async (method, path) => {
  const door = await open({ requests: 1 });
  const running = door.send();
  await door.arrived(1);
  door.scarce(true);
  const health = door.send({ method, path });
  await door.arrived(2);
  expect(door.begun).toHaveLength(2);
  answerAll(door);
  expect((await health).status).toBe(200);
  await running;
});

const inSession = { "mcp-session-id": "s", "content-type": "application/json" };
const answer = JSON.stringify({ jsonrpc: "2.0", id: 7, result: { action: "accept", content: {} } });
const legacyCall = JSON.stringify({ method: "tools/call", params: { name: "x" }, jsonrpc: "2.0", id: 1 });
test.each([
  ["a client's answer", answer, true],
  ["a client's error", JSON.stringify({ jsonrpc: "2.0", id: 7, error: { code: 1, message: "" } }), true],
  ["a cancellation", JSON.stringify({ jsonrpc: "2.0", method: "notifications/cancelled" }), true],
  ["a call", legacyCall, false],
  ["no body", "", false],
])("of what comes in a session, %s is let in: by its body", async (_name, body, isIn) => {
  const door = await open();
  await fill(door);
  const sent = door.send({ path: "/mcp", headers: inSession, body });
  await door.arrived(few + 1);
  if (isIn) {
    while (door.begun.length === few) await new Promise((resolve) => setTimeout(resolve, 5));
    // The body is still all there.
    let text = "";
    for await (const piece of door.begun[few]?.request ?? []) text += String(piece);
    expect(text).toBe(body);
    answerAll(door);
  }
  expect((await sent).status).toBe(isIn ? 200 : 503);
  expect(door.refused).toHaveLength(isIn ? 0 : 1);
});

test("an answer whose body comes after its head is waited for", async () => {
  const door = await open({ delayMilliseconds: 60_000 });
  await fill(door);
  const socket = connect(door.port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.write(
    `POST /mcp HTTP/1.1\r\nhost: x\r\nmcp-session-id: s\r\ncontent-length: ${answer.length}\r\n\r\n`,
  );
  await door.arrived(few + 1);
  expect(door.begun).toHaveLength(few);
  socket.write(answer);
  while (door.begun.length === few) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(door.refused).toEqual([]);
});

test("streams on which clients wait for news, and slow senders, do not count", async () => {
  const door = await open({ requests: 2 });
  const streams = [
    door.send({ method: "GET", path: "/mcp" }),
    door.send({ path: "/mcp", headers: { "mcp-method": "subscriptions/listen" }, body: "{}" }),
  ];
  const slow = Array.from({ length: 5 }, () => connect(door.port, "127.0.0.1"));
  onTestFinished(() => {
    for (const socket of slow) socket.destroy();
  });
  for (const [index, socket] of slow.entries()) {
    socket.write("POST /api/v1/a/b HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf");
    await door.arrived(index + 3);
    door.pass(10);
  }
  const calls = [door.send(), door.send()];
  await door.arrived(9);
  expect(door.refused).toEqual([]);
  door.pass(10);
  expect((await door.send()).status).toBe(503);
  answerAll(door);
  await Promise.all([...streams, ...calls]);
});

/** Fills the door: 64 run, and others wait from then on. */
async function crowd(door: Door, waiting: number): Promise<readonly Promise<Answer>[]> {
  const sent = Array.from({ length: 64 + waiting }, () => door.send(call));
  await door.arrived(64);
  return sent;
}

test("a crowd is begun in turns, all of it", async () => {
  const door = await open();
  const sent = await crowd(door, 300);
  await door.arrived(364);
  while (door.begun.length < 364) await new Promise((resolve) => setImmediate(resolve));
  answerAll(door);
  for (const { status } of await Promise.all(sent)) expect(status).toBe(200);
});

test.each([
  ["less than the delay", 199, 0],
  ["the delay", 200, 64],
  ["more than the delay", 201, 64],
])(
  "where somebody has waited for long, those are refused that have waited %s",
  async (_name, wait, refusals) => {
    const door = await open({ delayMilliseconds: 200 }, "by hand");
    const first = await crowd(door, 300);
    await door.arrived(364);
    // 300 wait, and with each turn fewer; those who come last have waited as long as the test says.
    door.pass(2_000 - wait);
    const last = Array.from({ length: 64 }, () => door.send({ ...call, headers: { authorization: "last" } }));
    await door.arrived(428);
    door.pass(wait);
    door.turn();
    expect(door.refused).toEqual(Array.from({ length: 300 + refusals }, () => "delay"));
    while (door.begun.length < 428 - door.refused.length) door.turn();
    answerAll(door);
    const statuses = async (sent: readonly Promise<Answer>[]) =>
      (await Promise.all(sent)).map((one) => one.status);
    expect((await statuses(first)).filter((status) => status === 503)).toHaveLength(300);
    expect((await statuses(last)).filter((status) => status === 503)).toHaveLength(refusals);
  },
);

test("a burst is worked off, however long that takes, and nobody of it is refused", async () => {
  const door = await open({ delayMilliseconds: 200 }, "by hand");
  const sent = await crowd(door, 500);
  await door.arrived(564);
  for (let turn = 0; door.begun.length < 564; turn += 1) {
    door.pass(turn === 0 ? 1_999 : 0);
    door.turn();
  }
  answerAll(door);
  for (const { status } of await Promise.all(sent)) expect(status).toBe(200);
  expect(door.refused).toEqual([]);
});

test("who sends little is begun before the rest of who sends much", async () => {
  const door = await open({}, "by hand");
  const noisy = await crowd(door, 1_000);
  await door.arrived(1_064);
  const quiet = door.send({ ...call, headers: { authorization: "Bearer quiet" } });
  await door.arrived(1_065);
  door.turn();
  const isQuiet = ({ request }: Exchange): boolean => request.headers.authorization === "Bearer quiet";
  expect(door.begun.some(isQuiet)).toBe(true);
  while (door.begun.length < 1_065) door.turn();
  answerAll(door);
  await Promise.all([...noisy, quiet]);
});

test("nothing is done for a client that has left while it waited", async () => {
  const door = await open({}, "by hand");
  const sent = await crowd(door, 0);
  const socket = connect(door.port, "127.0.0.1");
  socket.write("GET /api/v1 HTTP/1.1\r\nhost: x\r\n\r\n");
  await door.arrived(65);
  socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, 50));
  door.turn();
  expect(door.begun).toHaveLength(64);
  answerAll(door);
  await Promise.all(sent);
});

test("a refused connection is not read from for a moment, and then as before", async () => {
  const door = await open();
  await fill(door);
  const socket = connect(door.port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.write("GET /api/v1 HTTP/1.1\r\nhost: x\r\n\r\n");
  await once(socket, "data");
  door.scarce(false);
  socket.write("GET /api/v1 HTTP/1.1\r\nhost: x\r\n\r\n");
  await door.arrived(few + 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(door.begun).toHaveLength(few);
  await door.arrived(few + 2);
  expect(door.begun).toHaveLength(few + 1);
});

test.each(["Via: 1.1 proxy", "Forwarded: for=192.0.2.1", "X-Forwarded-For: 192.0.2.1"])(
  "that of a proxy is, whether or not the file names it: the next request may be somebody else's (%s)",
  async (header) => {
    const door = await open();
    await fill(door);
    const socket = connect(door.port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    const ask = `GET /api/v1 HTTP/1.1\r\nhost: x\r\n${header}\r\n\r\n`;
    socket.write(ask);
    await once(socket, "data");
    const refusedAt = performance.now();
    door.scarce(false);
    socket.write(ask);
    await door.arrived(few + 2);
    // It would rest for 500 ms; on a machine that is that late nothing is shown.
    expect(performance.now() - refusedAt).toBeLessThan(490);
  },
);

test("OAuth's clients are refused in OAuth's words", async () => {
  const door = await open();
  await fill(door);
  const { status, headers, text } = await door.send({ path: "/token", body: "a=b" });
  expect([status, headers["retry-after"]]).toEqual([503, "5"]);
  expect(JSON.parse(text)).toMatchObject({ error: "temporarily_unavailable" });
});

test("what is left of a long body is not waited for", async () => {
  const door = await open();
  await fill(door);
  const socket = connect(door.port, "127.0.0.1");
  socket.write("POST /api/v1/a/b HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n");
  const closed = once(socket, "close");
  const [answer] = await once(socket.setEncoding("utf8"), "data");
  expect(answer).toMatch(/^HTTP\/1.1 503 [\s\S]*connection: close/i);
  await closed;
});
