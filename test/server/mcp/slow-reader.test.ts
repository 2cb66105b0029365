import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { jsonAnswer, startEndpoint, type TestEndpoint } from "./harness.ts";
import { modern, modernRequest } from "./wire.ts";

let endpoint: TestEndpoint;
async function start(stalledMilliseconds: number): Promise<void> {
  endpoint = await startEndpoint(
    {
      large: {
        run: ({ peer, arguments: given }) => {
          if (given["streamed"] === true) peer.notify("notifications/progress", { progress: 1 });
          return jsonAnswer("y".repeat(16 * 1024 * 1024));
        },
      },
    },
    { connectionLimits: { stalledMilliseconds }, limits: { resultBytes: 64 * 1024 * 1024 } },
  );
}
afterEach(() => endpoint.close());

/** Calls `large` on a socket that nobody reads. */
function callWithoutReading(streamed: boolean): Socket {
  const { hostname, port } = new URL(endpoint.url);
  const params = { name: "large", arguments: { streamed }, _meta: { progressToken: 1 } };
  const { message, headers } = modernRequest("tools/call", params);
  const body = JSON.stringify(message);
  const lines = Object.entries({
    ...headers,
    host: `${hostname}:${port}`,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "content-length": String(Buffer.byteLength(body)),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = connect(Number(port), hostname);
  socket.pause();
  socket.write(`POST /mcp HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
  return socket;
}

/** Resolves when the other side has broken the connection off, which who does not read learns by writing. */
function brokenOff(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const writing = setInterval(() => socket.write("\r\n"), 20);
    socket.on("error", () => {});
    socket.once("close", () => {
      clearInterval(writing);
      resolve();
    });
  });
}

test.each([false, true])(
  "who does not read a large answer loses the connection (event stream: %s)",
  async (streamed) => {
    await start(200);
    await brokenOff(callWithoutReading(streamed));
  },
);

test.each([false, true])(
  "who reads it gets all of it, and the connection stays (event stream: %s)",
  async (streamed) => {
    // Reading takes its time on a busy machine.
    await start(30_000);
    const params = { name: "large", arguments: { streamed }, _meta: { progressToken: 1 } };
    for (const id of [1, 2]) {
      const { message } = await modern(endpoint.url, "tools/call", params, id);
      expect(message["result"]).toMatchObject({ structuredContent: "y".repeat(16 * 1024 * 1024) });
    }
  },
);
