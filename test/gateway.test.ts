import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "../src/config/load-config.ts";
import { Gateway } from "../src/gateway.ts";
import type { GatewayConfig } from "../src/model/config.ts";
import { principalOf } from "./principals.ts";

const document = JSON.stringify({
  openapi: "3.1.0",
  paths: { "/books": { get: { operationId: "list", responses: {} } } },
});
const inline = `
  inline:
    surfaces:
      rest:
        base_url: http://127.0.0.1:9
        operations: [{name: ping, description: Ping., method: GET, path: /}]
`;

let upstream: Server;
let url: string;
let status: number;
let asked: number;
let gateway: Gateway | undefined;
const log: string[] = [];

beforeEach(async () => {
  status = 200;
  asked = 0;
  log.length = 0;
  upstream = createServer((request, response) => {
    asked += 1;
    // The MCP server at /hangs never answers.
    if (request.url === "/hangs") return;
    response.writeHead(status).end(status === 200 ? document : "");
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const address = upstream.address();
  url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
});

afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream.close(resolve));
});

async function parse(providers: string): Promise<GatewayConfig> {
  const { config, diagnostics } = await loadConfig("/config/gestalt.yaml", {
    environment: {},
    references: "resolve",
    workingDirectory: "/config",
    readFile: async () => Buffer.from(`providers:${providers}`),
  });
  if (config === undefined) throw new Error(JSON.stringify(diagnostics));
  return config;
}

async function start(providers: string): Promise<Gateway> {
  gateway = new Gateway(await parse(providers), {
    workingDirectory: "/config",
    environment: {},
    log: (message) => log.push(message),
  });
  await gateway.start();
  return gateway;
}

function names({ snapshot }: Gateway): readonly string[] {
  return snapshot.catalog.tools.map(({ name }) => name);
}

const remote = (extra = ""): string => `
  remote:
    ${extra}
    surfaces: {openapi: {document: "${url}/api.json", base_url: "${url}"}}
`;

describe("reload", () => {
  test("swaps in what is new and lets go of what is gone", async () => {
    const running = await start(`${inline}${remote()}`);
    expect(names(running)).toEqual(["inline_ping", "remote_list"]);
    await running.reload(await parse(remote()));
    expect(names(running)).toEqual(["remote_list"]);
  });

  test("a change that is only shown is published too", async () => {
    const running = await start(inline);
    await running.reload(await parse(inline.replace("surfaces:", "display_name: Inline\n    surfaces:")));
    expect(running.snapshot.catalog.providers[0]?.displayName).toBe("Inline");
  });

  test("a scope that fits nothing any more is told of", async () => {
    const running = await start(inline);
    const found = await running.reload(
      await parse(`${inline}authorization: {roles: {a: {scopes: [inline/pong]}}}\n`),
    );
    expect(found).toMatchObject([{ severity: "warning", code: "unmatched-grant" }]);
    expect(running.diagnostics()).toEqual(found);
  });

  test("a provider that can't be opened anew goes on as it was", async () => {
    const running = await start(`${inline}${remote()}`);
    status = 503;
    await running.reload(await parse(remote()));
    expect(names(running)).toEqual(["remote_list"]);
    expect(log.join()).toContain("goes on as it was");
  });

  test("a provider whose configuration has changed does not", async () => {
    const running = await start(`${inline}${remote()}`);
    status = 503;
    await running.reload(await parse(`${inline}${remote("description: Changed.")}`));
    expect(names(running)).toEqual(["inline_ping"]);
  });

  test("a provider that follows its upstream and did not change is left alone", async () => {
    const running = await start(inline);
    const before = running.snapshot.catalog.tools[0];
    await running.reload(await parse(`${inline}${remote()}`));
    expect(running.snapshot.view("api").findTool("inline_ping")).toBe(before);
  });

  test("closing during a reload ends both", async () => {
    const running = await start(inline);
    const hanging = await parse(`${inline}  hanging: {mcp_url: "${url}/hangs"}\n`);
    const before = asked;
    const reloading = running.reload(hanging);
    while (asked === before) await new Promise((resolve) => setImmediate(resolve));
    await running.close();
    await reloading;
    expect(names(running)).toEqual(["inline_ping"]);
  });
});

describe("the first lists after a start", () => {
  const anybody = principalOf("anonymous");

  test("wait for what is just being opened, and never again", async () => {
    const opened = Promise.withResolvers<void>();
    upstream.removeAllListeners("request").on("request", async (_request, response) => {
      await opened.promise;
      response.end(document);
    });
    gateway = new Gateway(await parse(`${inline}${remote()}`), {
      workingDirectory: "/config",
      environment: {},
      log: (message) => log.push(message),
    });
    expect(gateway.arrival(anybody)).toBeUndefined();
    const started = gateway.start();
    const prepared = gateway.arrival(anybody);
    expect(prepared).toBeDefined();
    opened.resolve();
    await prepared;
    expect(gateway.view(anybody, "mcp").tools.map(({ name }) => name)).toEqual([
      "inline_ping",
      "remote_list",
    ]);
    expect(gateway.arrival(anybody)).toBeUndefined();
    await started;
  });

  test("wait for nobody whom the caller may not know of", async () => {
    const roles = "{anonymous: {scopes: [inline]}}";
    const config = await parse(
      `${inline}  hanging: {mcp_url: "${url}/hangs"}\nauthorization: {roles: ${roles}}\n`,
    );
    gateway = new Gateway(config, { workingDirectory: "/config", environment: {}, log: () => {} });
    const started = gateway.start();
    // The other one is tried a turn later.
    await expect.poll(() => gateway?.arrival(anybody), { timeout: 60_000 }).toBeUndefined();
    expect(gateway.view(anybody, "mcp").tools.map(({ name }) => name)).toEqual(["inline_ping"]);
    await gateway.close();
    await started;
  });
});

test("where nobody signs in, everybody gets the same lists", async () => {
  const running = await start(inline);
  expect(running.view(principalOf("anonymous"), "mcp").freshness).toEqual({ ttlMs: 60_000, scope: "public" });
});

test("a document whose server is away at the start is fetched once it is back", async () => {
  status = 503;
  const running = await start(`${inline}${remote()}`);
  expect(names(running)).toEqual(["inline_ping"]);
  const arrived = new Promise<void>((resolve) => {
    running.snapshot.subscribe(() => names(running).includes("remote_list") && resolve());
  });
  status = 200;
  await arrived;
});

test("what a provider that is away may have is unavailable, not unknown", async () => {
  status = 503;
  const running = await start(remote());
  const call = (name: string): Promise<unknown> =>
    running.broker.invoke({
      principal: principalOf("anonymous"),
      via: "mcp",
      target: { kind: "tool", name },
      arguments: {},
      peer: { capabilities: {}, ask: async () => null, notify: () => {} },
      signal: new AbortController().signal,
    });
  await expect(call("remote_list")).rejects.toMatchObject({ code: "provider_unavailable", retryable: true });
  await expect(call("other_list")).rejects.toMatchObject({ code: "not_found" });
});

test("the files behind documents are told, also those of a document that a reload could not take", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gestalt-gateway-"));
  const providers = `
  books:
    surfaces: {openapi: {document: ${folder}/api.json, base_url: http://127.0.0.1:9}}
`;
  const refer = (part: string): Promise<void> =>
    writeFile(
      join(folder, "api.json"),
      JSON.stringify({ openapi: "3.1.0", paths: { "/x": { $ref: part } } }),
    );
  try {
    await refer("./one.json");
    await writeFile(join(folder, "one.json"), JSON.stringify({ get: { operationId: "x", responses: {} } }));
    const running = await start(providers);
    expect(names(running)).toEqual(["books_x"]);
    expect(running.watchedFiles()).toEqual([join(folder, "api.json"), join(folder, "one.json")]);
    await refer("./two.json#/item");
    await writeFile(join(folder, "two.json"), "{}");
    await running.reload(await parse(providers));
    expect(names(running)).toEqual(["books_x"]);
    expect(running.watchedFiles()).toContain(join(folder, "one.json"));
    expect(running.watchedFiles()).toContain(join(folder, "two.json"));
    const item = { get: { operationId: "y", responses: {} } };
    await writeFile(join(folder, "two.json"), JSON.stringify({ item }));
    await running.reload(await parse(providers));
    expect(names(running)).toEqual(["books_y"]);
    expect(running.watchedFiles()).toEqual([join(folder, "api.json"), join(folder, "two.json")]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
