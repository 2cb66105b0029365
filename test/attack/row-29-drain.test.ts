import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, get, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePort } from "../e2e/free-port.ts";
import { type RunningGateway, startGateway } from "../e2e/start-gateway.ts";
import { sendJson, startUpstream, type Upstream } from "./upstream.ts";

let upstream: Upstream;
/** Requests to `/slow` that wait for their answer. */
let waiting: ServerResponse[];
let folder: string;
let config: string;
const gateways: RunningGateway[] = [];

beforeEach(async () => {
  waiting = [];
  upstream = await startUpstream((seen, response) => {
    if (seen.target.startsWith("/slow")) waiting.push(response);
    else sendJson(response, { ok: true });
  });
  folder = await mkdtemp(join(tmpdir(), "gateway-drain-"));
  config = join(folder, "gestalt.yaml");
});
afterEach(async () => {
  for (const gateway of gateways.splice(0)) gateway.process.kill("SIGKILL");
  await upstream[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function start(server: string, port = 0): Promise<RunningGateway> {
  await writeFile(
    config,
    `
server: {port: "\${PORT}"${server}}
providers:
  shop:
    surfaces:
      rest:
        base_url: ${upstream.url}
        operations:
          - {name: find, method: GET, path: /books, description: Finds.}
          - {name: slow, method: GET, path: /slow, description: Takes long.}
`,
  );
  const gateway = await startGateway({ config, environment: { PORT: String(port) } });
  gateways.push(gateway);
  return gateway;
}

function ask(
  url: string,
  agent: Agent,
): Promise<{ readonly answer: IncomingMessage; readonly text: string }> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("end", () => resolve({ answer, text }));
    }).on("error", reject);
  });
}

async function untilWaiting(count: number): Promise<void> {
  while (waiting.length < count) await new Promise((resolve) => setTimeout(resolve, 10));
}

const statusOf = async (url: string): Promise<readonly [number, string]> => {
  const response = await fetch(`${url}/readyz`);
  const { status } = JSON.parse(await response.text());
  return [response.status, status];
};

test("with a delay: /readyz says so at once, everything is served, and each answer ends its connection", {
  timeout: 60_000,
}, async () => {
  const gateway = await start(", shutdown: {delay: 1h, grace: 20s}");
  expect(await statusOf(gateway.url)).toEqual([200, "ready"]);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const before = await ask(`${gateway.url}/api/v1/shop/find`, agent);
  expect(before.answer.headers.connection).toBe("keep-alive");
  const slow = ask(`${gateway.url}/api/v1/shop/slow`, new Agent({ keepAlive: true }));
  await untilWaiting(1);
  gateway.process.kill("SIGTERM");
  await gateway.tells(/SIGTERM: stopping/);
  await expect.poll(() => statusOf(gateway.url), { timeout: 20_000 }).toEqual([503, "draining"]);
  expect((await fetch(`${gateway.url}/livez`)).status).toBe(200);
  // The connection that rested is still there, and goes with its next answer.
  const after = await ask(`${gateway.url}/api/v1/shop/find`, agent);
  expect([after.answer.statusCode, after.answer.headers.connection]).toEqual([200, "close"]);
  // What came before the signal is answered after it, and says the same of its connection.
  for (const response of waiting) sendJson(response, { ok: "slowly" });
  const answered = await slow;
  expect([answered.text, answered.answer.headers.connection]).toEqual([
    expect.stringContaining("slowly"),
    "close",
  ]);
});

test("calls that run at SIGTERM are all answered, new ones are told to come again", {
  timeout: 60_000,
}, async () => {
  const gateway = await start(", shutdown: {grace: 20s}");
  const calls = Array.from({ length: 20 }, () => ask(`${gateway.url}/api/v1/shop/slow`, new Agent()));
  await untilWaiting(20);
  const ended = once(gateway.process, "close");
  gateway.process.kill("SIGTERM");
  await gateway.tells(/SIGTERM: stopping/);
  const refused = await ask(`${gateway.url}/api/v1/shop/find`, new Agent());
  expect([refused.answer.statusCode, refused.answer.headers["retry-after"]]).toEqual([503, "1"]);
  expect(JSON.parse(refused.text).error.code).toBe("draining");
  for (const response of waiting) sendJson(response, { ok: true });
  const answers = await Promise.all(calls);
  expect(answers.map(({ answer }) => answer.statusCode)).toEqual(answers.map(() => 200));
  await ended;
  expect(gateway.process.exitCode).toBe(0);
});

test("what outlasts the grace is broken off", { timeout: 60_000 }, async () => {
  const gateway = await start(", shutdown: {grace: 300ms}");
  const slow = ask(`${gateway.url}/api/v1/shop/slow`, new Agent()).then(
    () => "answered",
    () => "broken off",
  );
  await untilWaiting(1);
  expect(await gateway.stop()).toBe(0);
  expect(await slow).toBe("broken off");
});

test("a second signal ends it at once, also while it waits to be noticed", { timeout: 60_000 }, async () => {
  const gateway = await start(", shutdown: {delay: 1h, grace: 1h}");
  const ended = once(gateway.process, "close");
  gateway.process.kill("SIGTERM");
  await gateway.tells(/SIGTERM: stopping/);
  gateway.process.kill("SIGTERM");
  await ended;
  expect(gateway.process.exitCode).toBe(1);
});

test("a stream on which a client waits ends with the time after which it may come again", {
  timeout: 60_000,
}, async () => {
  const gateway = await start("");
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "c", version: "1" } };
  const begun = await fetch(`${gateway.url}/mcp`, {
    method: "POST",
    headers,
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params }),
  });
  const session = { ...headers, "mcp-session-id": begun.headers.get("mcp-session-id") ?? "" };
  await begun.text();
  const stream = await fetch(`${gateway.url}/mcp`, { headers: session });
  expect(stream.status).toBe(200);
  const text = stream.text();
  expect(await gateway.stop()).toBe(0);
  expect(await text).toMatch(/retry: [1-5]000\n\n$/);
});

test.runIf(process.platform === "linux")(
  "processes share a port only if all of them say so",
  {
    timeout: 60_000,
  },
  async () => {
    const port = await freePort();
    const first = await start(", reuse_port: true, shutdown: {delay: 300ms}", port);
    const second = await start(", reuse_port: true, shutdown: {delay: 300ms}", port);
    expect(second.url).toBe(first.url);
    expect(await first.stop()).toBe(0);
    expect(await statusOf(second.url)).toEqual([200, "ready"]);
    await expect(start("", port)).rejects.toThrow(`Port ${port} on 127.0.0.1 is taken by another process.`);
    expect(await second.stop()).toBe(0);
    await start("", port);
    await expect(start(", reuse_port: true", port)).rejects.toThrow(/has no `server.reuse_port`/);
  },
);
