import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { JsonObject } from "../../src/model/json.ts";
import { openLegacy } from "../attack/system.ts";
import { sendJson, startUpstream, type Upstream } from "../attack/upstream.ts";
import { baseHeaders, modernRequest, streamMessages } from "../server/mcp/wire.ts";
import { gatewayCommand, type RunningGateway, startGateway } from "./start-gateway.ts";

let folder: string;
let config: string;
let upstream: Upstream;
let gateway: RunningGateway;
/** Requests that the upstream has not answered, by the `who` that they came with. */
const open = new Map<string, ServerResponse>();

beforeAll(async () => {
  upstream = await startUpstream(({ target }, response) => {
    open.set(new URL(target, "http://internal.invalid").searchParams.get("who") ?? "", response);
  });
  folder = await mkdtemp(join(tmpdir(), "gateway-http-backed-"));
  config = join(folder, "gestalt.yaml");
  const parameters = [{ name: "who", in: "query", required: true }];
  const operations = [{ name: "think", method: "GET", path: "/think", parameters }];
  const surfaces = { rest: { base_url: upstream.url, operations } };
  await writeFile(config, JSON.stringify({ server: { port: 0 }, providers: { slow: { surfaces } } }));
  gateway = await startGateway({ config });
});
afterAll(async () => {
  await gateway.stop();
  await upstream[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function requestOf(who: string): Promise<ServerResponse> {
  for (;;) {
    const response = open.get(who);
    if (response !== undefined) return response;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A call over HTTP whose stream is read as it comes. */
interface OpenCall {
  readonly messages: AsyncGenerator<JsonObject>;
  cancel(): Promise<void>;
}

const paramsOf = (who: string): JsonObject => ({
  name: "slow_think",
  arguments: { who },
  _meta: { progressToken: `token of ${who}` },
});

async function callLegacy(who: string): Promise<OpenCall> {
  const session = await openLegacy(gateway.url);
  const message = { jsonrpc: "2.0", id: 7, method: "tools/call", params: paramsOf(who) };
  const response = await fetch(`${gateway.url}/mcp`, {
    method: "POST",
    headers: { ...baseHeaders, ...session.headers },
    body: JSON.stringify(message),
  });
  const cancel = (): Promise<void> =>
    session.notify("notifications/cancelled", { requestId: 7 }).then(() => undefined);
  return { messages: streamMessages(response), cancel };
}

async function callModern(who: string): Promise<OpenCall> {
  const { message, headers } = modernRequest("tools/call", paramsOf(who), 7);
  const leaving = new AbortController();
  const response = await fetch(`${gateway.url}/mcp`, {
    method: "POST",
    headers: { ...baseHeaders, ...headers },
    body: JSON.stringify(message),
    signal: leaving.signal,
  });
  return { messages: streamMessages(response), cancel: async () => leaving.abort() };
}

/** The next so many messages. */
async function take(messages: AsyncGenerator<JsonObject>, count: number): Promise<readonly JsonObject[]> {
  const taken: JsonObject[] = [];
  while (taken.length < count) {
    const { value, done } = await messages.next();
    if (done === true) break;
    taken.push(value);
  }
  return taken;
}

function progressOf(messages: readonly JsonObject[]): readonly number[] {
  return messages.map(({ method, params }) => {
    expect(method).toBe("notifications/progress");
    return Number(Object(params).progress);
  });
}

const ways = { legacy: callLegacy, modern: callModern };

test.each(["legacy", "modern"] as const)(
  "%s: a long call tells that it goes on, each time with more progress, and then its answer",
  async (era) => {
    const who = `waits ${era}`;
    const calling = ways[era](who);
    const request = await requestOf(who);
    const { messages } = await calling;
    const said = await take(messages, 2);
    const [first = 0, second = 0] = progressOf(said);
    expect(second).toBeGreaterThan(first);
    expect(JSON.stringify(said)).toContain(`token of ${who}`);
    sendJson(request, { thought: 42 });
    let last: JsonObject = {};
    for await (const message of messages) last = message;
    expect(JSON.stringify(last)).toContain("42");
  },
);

test.each(["legacy", "modern"] as const)("%s: cancelling closes the upstream's request", async (era) => {
  const who = `leaves ${era}`;
  const calling = ways[era](who);
  const request = await requestOf(who);
  const closed = once(request, "close");
  // An answer that has not begun to stream is left with its request.
  const { messages, cancel } = await calling;
  await cancel();
  await closed;
  expect(request.writableFinished).toBe(false);
  await messages.return(undefined);
});

test("stdio: progress, cancelling, and the end of the client close the upstream's request", async () => {
  const transport = new StdioClientTransport({
    ...gatewayCommand(["serve", "--stdio", "-c", config]),
    stderr: "ignore",
  });
  const client = new Client({ name: "stdio", version: "1" }, { versionNegotiation: { mode: "legacy" } });
  await client.connect(transport);
  const leaving = new AbortController();
  const told: number[] = [];
  const call = client.callTool(
    { name: "slow_think", arguments: { who: "leaves stdio" } },
    { signal: leaving.signal, onprogress: ({ progress }) => told.push(progress) },
  );
  const ended = call.then(
    () => "answered",
    () => "cancelled",
  );
  const request = await requestOf("leaves stdio");
  const closed = once(request, "close");
  while (told.length < 1) await new Promise((resolve) => setTimeout(resolve, 20));
  leaving.abort();
  await closed;
  expect(request.writableFinished).toBe(false);
  expect(await ended).toBe("cancelled");

  const left = client
    .callTool({ name: "slow_think", arguments: { who: "goes away" } })
    .catch(() => undefined);
  const other = await requestOf("goes away");
  const gone = once(other, "close");
  await client.close();
  await gone;
  await left;
});
