import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Client as ModernClient } from "@modelcontextprotocol/client";
import { StdioClientTransport as ModernPipes } from "@modelcontextprotocol/client/stdio";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createToken, revokeToken } from "../../src/cli/tokens.ts";
import { makeWorkplace, outcomeOf, type TestWorkplace } from "./workplace.ts";

const entry = fileURLToPath(new URL("../../src/bin.ts", import.meta.url));

let workplace: TestWorkplace;
let upstream: ReturnType<typeof createServer>;
let upstreamUrl: string;
let arrived: PromiseWithResolvers<void>;
let release: PromiseWithResolvers<void>;
const children = new Set<ChildProcess>();

beforeEach(async () => {
  arrived = Promise.withResolvers();
  release = Promise.withResolvers();
  upstream = createServer((_request, response) => {
    arrived.resolve();
    void release.promise.then(() => {
      response.writeHead(200, { "content-type": "application/json" }).end('{"found":"it"}');
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an AddressInfo.
  upstreamUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
});
afterEach(async () => {
  release.resolve();
  for (const child of children) child.kill("SIGKILL");
  children.clear();
  const closed = once(upstream, "close");
  upstream.close();
  upstream.closeAllConnections();
  await closed;
  await workplace.remove();
});

function configuration(auth: "none" | "local", port = 0): string {
  return `
auth: {provider: ${auth}}
server: {port: ${port}}
providers:
  shop:
    surfaces:
      rest:
        base_url: ${upstreamUrl}
        operations:
          - {name: find, description: Finds it., method: GET, path: /find}
`;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  send(...messages: readonly object[]): void;
  /** The next message on stdout. */
  next(): Promise<Record<string, unknown>>;
  /** All of stderr so far. */
  told(): string;
}

function start(environment: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, [entry, "serve", "--stdio", "-c", workplace.config], {
    env: { ...process.env, GATEWAY_TOKEN: "", ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  children.add(child);
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let told = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    told += text;
  });
  return {
    child,
    ended,
    send: (...messages) =>
      void child.stdin.write(messages.map((message) => `${JSON.stringify(message)}\n`).join("")),
    next: async () => {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`It said nothing more:\n${told}`);
      return JSON.parse(value);
    },
    told: () => told,
  };
}

const opening = [
  {
    jsonrpc: "2.0",
    id: 0,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "x", version: "1" } },
  },
  { jsonrpc: "2.0", method: "notifications/initialized" },
];
const list = { jsonrpc: "2.0", id: "list", method: "tools/list" };
const find = { jsonrpc: "2.0", id: "find", method: "tools/call", params: { name: "shop_find" } };

/** The answer to a request, past what the client is told unasked. */
async function answerTo(id: string | number, next: Running["next"]): Promise<Record<string, unknown>> {
  for (;;) {
    const message = await next();
    if (message["id"] === id) return message;
  }
}

describe("a client that starts the gateway", () => {
  test("gets the tools with its first question, calls them, and ends it by leaving", async () => {
    workplace = await makeWorkplace(configuration("none"));
    const { child, send, next, told, ended } = start();
    send(...opening, list);
    expect(await next()).toMatchObject({ id: 0, result: { serverInfo: { name: "gestalt-gateway" } } });
    expect(await answerTo("list", next)).toMatchObject({ result: { tools: [{ name: "shop_find" }] } });
    send(find);
    await arrived.promise;
    child.stdin?.end();
    release.resolve();
    expect(await answerTo("find", next)).toMatchObject({ result: { structuredContent: { found: "it" } } });
    await ended;
    expect(child.exitCode).toBe(0);
    expect(told()).toContain("gateway stopped.");
    await expect(next()).rejects.toThrow("It said nothing more");
  }, 60_000);

  test("is answered while a provider is still starting, and its lists wait for that", async () => {
    workplace = await makeWorkplace(`${configuration("none")}
  slow: {surfaces: {mcp: {url: ${upstreamUrl}/mcp}}}
`);
    const { child, send, next, told, ended } = start();
    send(...opening, list);
    expect(await next()).toMatchObject({ id: 0, result: {} });
    // The summary of what there is waits two seconds for providers.
    expect(told()).not.toContain("HTTP API on");
    await arrived.promise;
    release.resolve();
    const listed = await answerTo("list", next);
    expect(listed["result"]).toMatchObject({
      tools: [{ name: "shop_find" }],
      _meta: { "io.gestalt/unavailable": [{ provider: "slow" }] },
    });
    child.stdin?.end();
    await ended;
    expect(child.exitCode).toBe(0);
  }, 60_000);

  test("ends it by a signal as well", async () => {
    workplace = await makeWorkplace(configuration("none"));
    const { child, send, next, ended } = start();
    send(...opening);
    await next();
    child.kill("SIGTERM");
    await ended;
    expect(child.exitCode).toBe(0);
  }, 60_000);

  test("that leaves and then insists waits for nothing", async () => {
    workplace = await makeWorkplace(configuration("none"));
    const { child, send, next, ended } = start();
    send(...opening, find);
    await next();
    await arrived.promise;
    child.stdin?.end();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(child.exitCode).toBeNull();
    child.kill("SIGTERM");
    await ended;
    expect(child.exitCode).toBe(0);
  }, 60_000);

  test("may be an official one, of either era", async () => {
    workplace = await makeWorkplace(configuration("none"));
    release.resolve();
    const server = {
      command: process.execPath,
      args: [entry, "serve", "--stdio", "-c", workplace.config],
      stderr: "ignore" as const,
    };
    const first = new Client({ name: "first", version: "1" });
    await first.connect(new StdioClientTransport(server));
    expect((await first.listTools()).tools.map(({ name }) => name)).toEqual(["shop_find"]);
    expect(await first.callTool({ name: "shop_find" })).toMatchObject({
      structuredContent: { found: "it" },
    });
    await first.close();
    const second = new ModernClient(
      { name: "second", version: "1" },
      { versionNegotiation: { mode: "auto" } },
    );
    await second.connect(new ModernPipes(server));
    expect(second.getNegotiatedProtocolVersion()).toBe("2026-07-28");
    expect((await second.listTools()).tools.map(({ name }) => name)).toEqual(["shop_find"]);
    expect(await second.callTool({ name: "shop_find" })).toMatchObject({
      structuredContent: { found: "it" },
    });
    await second.close();
  }, 120_000);
});

test("HTTP is served beside it, on a free port where the configured one is taken", async () => {
  const taken = Number(new URL(upstreamUrl).port);
  workplace = await makeWorkplace(configuration("none", taken));
  const { child, send, next, told, ended } = start();
  send(...opening);
  await next();
  expect(told()).toContain(`Port ${taken}`);
  const url = /listens on (http:\S+)/.exec(told())?.[1];
  expect((await fetch(`${url}/livez`)).status).toBe(200);
  child.stdin?.end();
  await ended;
  expect(child.exitCode).toBe(0);
}, 60_000);

describe("where callers sign in", () => {
  test("a token says who it is, at every message", async () => {
    workplace = await makeWorkplace(configuration("local"));
    const details = {
      scopes: [],
      readOnly: false,
      user: undefined,
      roles: [],
      actsFor: [],
      expires: undefined,
    };
    const service = { ...workplace.place({ json: true }), ...details, service: true };
    const created = await outcomeOf((console) => createToken("desk", service, console));
    const { id, token: secret }: { id: string; token: string } = created.json();
    release.resolve();
    const { child, send, next, told, ended } = start({ GATEWAY_TOKEN: secret });
    send(...opening, find);
    expect(await next()).toMatchObject({ id: 0, result: {} });
    expect(await answerTo("find", next)).toMatchObject({ result: { structuredContent: { found: "it" } } });
    await outcomeOf((console) => revokeToken(id, workplace.place(), console));
    await expect
      .poll(
        async () => {
          send(list);
          return (await next())["error"];
        },
        { timeout: 30_000 },
      )
      .toMatchObject({ data: { code: "unauthenticated" } });
    expect(told()).not.toContain(secret);
    child.stdin?.end();
    await ended;
    expect(child.exitCode).toBe(0);
  }, 60_000);

  test.each([
    { environment: {}, says: /needs an API token in the variable GATEWAY_TOKEN/ },
    { environment: { GATEWAY_TOKEN: "gwt_wrong" }, says: /variable GATEWAY_TOKEN is refused/ },
    { environment: { GATEWAY_TOKEN: "not a token\u0007" }, says: /variable GATEWAY_TOKEN is refused/ },
    { environment: { GATEWAY_TOKEN: `gst_oat_${"x".repeat(43)}` }, says: /holds an access token/ },
  ])(
    "it does not begin otherwise: $environment",
    async ({ environment, says }) => {
      workplace = await makeWorkplace(configuration("local"));
      const { child, told, ended } = start(environment);
      await ended;
      expect(child.exitCode).toBe(1);
      expect(told()).toMatch(says);
    },
    60_000,
  );
});
