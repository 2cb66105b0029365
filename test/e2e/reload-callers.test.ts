import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sendJson, startUpstream, type Upstream } from "../attack/upstream.ts";
import { connectClient } from "./connect-clients.ts";
import { type RunningGateway, runGateway, startGateway } from "./start-gateway.ts";

const password = "a password that is long enough";
let upstream: Upstream;
/** Requests to `/slow` that wait for their answer. */
let waiting: ServerResponse[];
let folder: string;
let config: string;
let gateway: RunningGateway;

interface Parts {
  readonly auth?: string;
  readonly acme?: string;
  readonly authorization?: string;
  readonly internal?: string;
  readonly more?: string;
}

async function write({
  auth = "local",
  acme = "{}",
  authorization = "{}",
  internal = "",
  more = "",
}: Parts): Promise<void> {
  const provider = (name: string, settings: string): string => `
  ${name}:
    ${settings}
    surfaces:
      rest:
        base_url: ${upstream.url}
        operations:
          - {name: find, method: GET, path: /v1/books, description: Finds.}
          - {name: slow, method: GET, path: /slow, description: Takes long.}
`;
  await writeFile(
    config,
    `
server: {port: "\${PORT}"}
auth: {provider: ${auth}}
datastore: {provider: sqlite, config: {path: ./callers.db}}
tenants: {acme: ${acme}}
authorization: ${authorization}
providers:${provider("shop", "display_name: Shop")}${provider("internal", internal || "display_name: Internal")}${more}
`,
  );
}

async function command(...line: string[]): Promise<string> {
  const [first = "", ...rest] = line;
  const result = await runGateway([first, ...rest, "-c", config], { input: `${password}\n` });
  expect(result.status, result.stderr).toBe(0);
  return result.stdout.trim();
}

async function makeToken(): Promise<string> {
  await command("users", "create", "ada", "--tenant", "acme", "--role", "member", "--password-stdin");
  return command("tokens", "create", "ada", "--user", "ada", "--tenant", "acme");
}

const reports = (): number => gateway.told().match(/^(Reloaded|Not reloaded):/gm)?.length ?? 0;

/** Reloads; resolves to what was said of it. */
async function reload(parts: Parts): Promise<string> {
  await write(parts);
  return reloadFile();
}

async function reloadFile(): Promise<string> {
  const before = reports();
  const from = gateway.told().length;
  gateway.process.kill("SIGHUP");
  await gateway.tells(new RegExp(`(?:^(?:Reloaded|Not reloaded):[^]*?){${before + 1}}`, "m"));
  return gateway.told().slice(from);
}

async function names(headers: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const client = await connectClient("SDK v2, modern", gateway.url, headers);
  const tools = await client.listTools();
  await client.close();
  return tools.map(({ name }) => name);
}

/** Opens a session of the older era, and the stream on which it hears of changes. */
async function openStream(headers: Readonly<Record<string, string>>): Promise<Response> {
  const initialize = await fetch(`${gateway.url}/mcp`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...headers,
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: {
        protocolVersion: "2025-06-18",
        capabilities: {},
        clientInfo: { name: "test", version: "1" },
      },
    }),
  });
  await initialize.text();
  const session = { "mcp-session-id": initialize.headers.get("mcp-session-id") ?? "" };
  const common = { ...headers, ...session, "mcp-protocol-version": "2025-06-18" };
  await fetch(`${gateway.url}/mcp`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...common },
    body: JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" }),
  });
  const stream = await fetch(`${gateway.url}/mcp`, { headers: { accept: "text/event-stream", ...common } });
  expect(stream.status).toBe(200);
  return stream;
}

/** What a stream says until it says this, or ends. */
async function readUntil(stream: Response, text: string): Promise<string> {
  let heard = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream.body ?? []) {
    heard += decoder.decode(chunk, { stream: true });
    if (heard.includes(text)) return heard;
  }
  return `${heard}[ended]`;
}

async function untilCalled(count: number): Promise<void> {
  while (waiting.length < count) await new Promise((resolve) => setTimeout(resolve, 10));
}

beforeEach(async () => {
  waiting = [];
  upstream = await startUpstream((seen, response) => {
    if (seen.target.startsWith("/slow")) waiting.push(response);
    else sendJson(response, { ok: true });
  });
  folder = await mkdtemp(join(tmpdir(), "gateway-reload-"));
  config = join(folder, "gestalt.yaml");
});
afterEach(async () => {
  for (const response of waiting) response.end();
  await gateway.stop();
  await upstream[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test("tenants, roles, policies and a provider's tenants count from the reload on, and only if it is made", async () => {
  await write({});
  const ada = { authorization: `Bearer ${await makeToken()}` };
  gateway = await startGateway({ config });
  const all = ["internal_find", "internal_slow", "shop_find", "shop_slow"];
  expect(await names(ada)).toEqual(all);
  const stream = await openStream(ada);

  // All of these would take something away, and none of the files is good.
  const less: Parts = { acme: "{providers: []}" };
  expect(await reload({ ...less, more: "  broken: {typo: true}\n" })).toMatch(/^Not reloaded/m);
  expect(await names(ada)).toEqual(all);
  const uncompiled = "{policies: [{name: wrong, effect: deny, when: 'tool.name =='}]}";
  expect(await reload({ ...less, authorization: uncompiled })).toMatch(/^Not reloaded/m);
  expect(await names(ada)).toEqual(all);
  await writeFile(config, "auth: {provider: [");
  expect(await reloadFile()).toMatch(/^Not reloaded/m);
  expect(await names(ada)).toEqual(all);

  const changes: readonly (readonly [Parts, readonly string[]])[] = [
    [{ acme: "{providers: [shop]}" }, ["shop_find", "shop_slow"]],
    [{ authorization: "{roles: {member: {scopes: [internal/find]}}}" }, ["internal_find"]],
    [
      {
        authorization:
          "{policies: [{name: quick, effect: deny, when: 'tool.operation == \"slow\"', message: Too slow.}]}",
      },
      ["internal_find", "shop_find"],
    ],
    [{ internal: "tenants: [default]" }, ["shop_find", "shop_slow"]],
    [{}, all],
    [{ acme: "{providers: [], tools: []}" }, []],
  ];
  for (const [parts, expected] of changes) {
    expect(await reload(parts)).toMatch(/^Reloaded/m);
    expect(await names(ada)).toEqual(expected);
  }
  expect(await readUntil(stream, "list_changed")).toContain("notifications/tools/list_changed");
  await stream.body?.cancel().catch(() => {});
});

test("new tenants never meet old providers, nor old tenants new ones", async () => {
  await write({ acme: "{providers: [shop]}" });
  const ada = { authorization: `Bearer ${await makeToken()}` };
  gateway = await startGateway({ config });
  // Opening it takes as long as its document does not come.
  const more = `  late:
    surfaces: {openapi: {document: "${upstream.url}/slow", base_url: "${upstream.url}"}}
`;
  const reloaded = reload({ internal: "tenants: [default]", more });
  await untilCalled(1);
  for (let round = 0; round < 5; round += 1) expect(await names(ada)).toEqual(["shop_find", "shop_slow"]);
  for (const response of waiting.splice(0)) sendJson(response, { no: "document" });
  expect(await reloaded).toMatch(/^Reloaded/m);
  expect(await names(ada)).toEqual(["shop_find", "shop_slow"]);
});

test("sign-in is turned on and off again: calls that run stay, streams of others end", async () => {
  await write({ auth: "none" });
  const ada = { authorization: `Bearer ${await makeToken()}` };
  gateway = await startGateway({ config });
  const slow = (headers = {}) => fetch(`${gateway.url}/api/v1/shop/slow`, { headers });
  const open = slow();
  const stream = await openStream({});
  await untilCalled(1);

  expect(await reload({})).toMatch(/^Reloaded/m);
  expect((await fetch(`${gateway.url}/api/v1/shop/find`)).status).toBe(401);
  expect((await fetch(`${gateway.url}/api/v1/shop/find`, { headers: ada })).status).toBe(200);
  expect(await readUntil(stream, "[never]")).toMatch(/\[ended\]$/);
  const signedIn = slow(ada);
  const streamOfAda = await openStream(ada);
  await untilCalled(2);

  expect(await reload({ auth: "none" })).toMatch(/^Reloaded/m);
  expect((await fetch(`${gateway.url}/api/v1/shop/find`)).status).toBe(200);
  expect(await readUntil(streamOfAda, "[never]")).toMatch(/\[ended\]$/);
  for (const response of waiting) sendJson(response, { ok: true });
  expect([(await open).status, (await signedIn).status]).toEqual([200, 200]);
});
