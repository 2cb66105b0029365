import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type RunningGateway, startGateway } from "../e2e/start-gateway.ts";
import { startSteadyLoad } from "./steady-load.ts";
import { openLegacy } from "./system.ts";
import { plainTool, sendJson, startMcpUpstream, startUpstream, type Upstream } from "./upstream.ts";

/** A local server that says who it is. */
const local = `
const send = (id, result) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", id, result }) + "\\n");
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method } = JSON.parse(line);
  if (method === "initialize")
    send(id, { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "s", version: "1" } });
  else if (method === "tools/list") send(id, { tools: [{ name: "pid", inputSchema: { type: "object" } }] });
  else if (method === "tools/call") send(id, { content: [{ type: "text", text: String(process.pid) }] });
});
`;

let books: Upstream;
let mcp: Upstream;
let document: { content: string };
let documents: Upstream;
let folder: string;
let config: string;
let gateway: RunningGateway;

interface Parts {
  /** A line of the provider `other`. */
  readonly other?: string;
  /** Below the file. */
  readonly limits?: string;
  readonly server?: string;
  readonly more?: string;
}

function fileOf({ other = "{}", limits = "{}", server = "", more = "" }: Parts): string {
  const operations = "[{name: find, method: GET, path: /books, description: Finds.}]";
  return `
server: {port: "\${PORT}"${server}}
limits: ${limits}
providers:
  shop: {surfaces: {rest: {base_url: "${books.url}", operations: ${operations}}}}
  remote: {surfaces: {mcp: {url: "${mcp.url}/mcp"}}}
  local: {surfaces: {mcp: {command: ["${process.execPath}", "${join(folder, "local.cjs")}"]}}}
  described: {surfaces: {openapi: {document: "${documents.url}/openapi.json", base_url: "${books.url}"}}}
  other: {surfaces: {rest: {base_url: "${books.url}", operations: ${operations}}}, limits: ${other}}
${more}`;
}

const reports = (): number => gateway.told().match(/^(?:Reloaded|Not reloaded)/gm)?.length ?? 0;

/** Reloads; resolves to what was said of it. */
async function reload(): Promise<string> {
  const before = reports();
  const from = gateway.told().length;
  gateway.process.kill("SIGHUP");
  while (reports() === before) await new Promise((resolve) => setTimeout(resolve, 5));
  return gateway.told().slice(from);
}

const asked = (upstream: Upstream, method: string): number =>
  upstream.seen.filter(({ body }) => body.includes(`"${method}"`)).length;

beforeEach(async () => {
  document = {
    content: JSON.stringify({
      openapi: "3.1.0",
      info: { title: "Described", version: "1" },
      paths: { "/books": { get: { operationId: "list", responses: { 200: { description: "All." } } } } },
    }),
  };
  books = await startUpstream((_seen, response) => sendJson(response, { ok: true }));
  mcp = await startMcpUpstream([plainTool("echo")]);
  documents = await startUpstream((_seen, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(document.content);
  });
  folder = await mkdtemp(join(tmpdir(), "gateway-reloads-"));
  config = join(folder, "gestalt.yaml");
  await writeFile(join(folder, "local.cjs"), local);
  await writeFile(config, fileOf({}));
  gateway = await startGateway({ config });
});
afterEach(async () => {
  await gateway.stop();
  for (const upstream of [books, mcp, documents]) await upstream[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test("100 reloads under load: no request fails, and what has not changed keeps its connections", {
  timeout: 240_000,
}, async () => {
  const session = await openLegacy(gateway.url);
  const call = async (name: string): Promise<string> =>
    (await session.request("tools/call", { name, arguments: {} })).text;
  const pid = await call("local_pid");
  expect(await call("remote_echo")).toContain("ok");
  const [begun, sockets] = [asked(mcp, "initialize"), mcp.opened()];
  const steady = startSteadyLoad({ url: gateway.url, tool: ["shop", "find"], right: "ok" });
  const steadyRemote = startSteadyLoad({
    url: gateway.url,
    tool: ["remote", "echo"],
    right: "ok",
    callers: 1,
    api: false,
  });
  const versions: readonly (readonly [string, RegExp])[] = [
    [fileOf({}), /^Reloaded/m],
    [fileOf({ other: "{concurrency: 7, breaker: {failures: 9}}" }), /^Reloaded/m],
    [
      fileOf({ other: "{call_time: 7s}", limits: "{calls: {per_tenant: 50}, results: {size: 2MB}}" }),
      /^Reloaded/m,
    ],
    [fileOf({}).slice(0, -60), /^Not reloaded/m],
    [
      fileOf({ more: `  added: {surfaces: {rest: {base_url: "${books.url}", operations: []}}}` }),
      /^Reloaded/m,
    ],
  ];
  for (let round = 0; round < 100; round += 1) {
    const [content, outcome] = versions[round % versions.length] ?? ["", /never/];
    await writeFile(config, content);
    expect(await reload()).toMatch(outcome);
  }
  expect(await steady.stop()).toEqual([]);
  expect(await steadyRemote.stop()).toEqual([]);
  expect(steady.answered()).toBeGreaterThan(200);
  // Sessions of clients are those that they began with.
  expect(steady.begunAgain() + steadyRemote.begunAgain()).toBe(0);
  expect(await call("local_pid")).toBe(pid);
  // One session for each client with a session, one for those without: however often the file was read.
  expect(asked(mcp, "initialize")).toBeLessThanOrEqual(begun + 3);
  expect(mcp.opened() - sockets).toBeLessThanOrEqual(10);
  expect(books.opened()).toBeLessThanOrEqual(15);
});

test("no bad configuration replaces a good one, and the file may come back", {
  timeout: 120_000,
}, async () => {
  const good = fileOf({});
  const bad: readonly (readonly [what: string, make: () => Promise<void>])[] = [
    ["a syntax error", () => writeFile(config, "providers: {shop: [")],
    ["a half-written file", () => writeFile(config, good.slice(0, good.length / 2))],
    ["an empty file", () => writeFile(config, "")],
    ["bytes that are no text", () => writeFile(config, Buffer.from([0xff, 0xfe, 0x00, 0x80]))],
    [
      "an unset variable",
      () => writeFile(config, `${good}\ntenants: {acme: {display_name: "\${env:NEVER_SET}"}}`),
    ],
    ["a port that is none", () => writeFile(config, good.replace('"${PORT}"', "99999"))],
    ["an unknown key", () => writeFile(config, `${good}\nlimit: {}`)],
    ["a limit that is none", () => writeFile(config, fileOf({ limits: "{calls: {total: -1}}" }))],
    ["no file", () => rm(config)],
    [
      "a folder in place of the file",
      async () => {
        await rm(config, { force: true });
        await mkdir(config);
      },
    ],
  ];
  const steady = startSteadyLoad({ url: gateway.url, tool: ["shop", "find"], right: "ok", callers: 1 });
  for (const [what, make] of bad) {
    await make();
    expect(await reload(), what).toMatch(
      /^Not reloaded: the configuration has errors\. The last good one is still served\.$/m,
    );
  }
  await rm(config, { recursive: true });
  await writeFile(`${config}.new`, good);
  await rename(`${config}.new`, config);
  expect(await reload()).toMatch(/^Reloaded/m);
  expect(await steady.stop()).toEqual([]);
  expect(steady.begunAgain()).toBe(0);
});

test("a provider that can't be opened anew goes on as it was, and the others change", {
  timeout: 60_000,
}, async () => {
  const session = await openLegacy(gateway.url);
  const list = async (): Promise<string> => (await session.request("tools/list", {})).text;
  expect(await list()).toContain("described_list");
  document.content = "{ broken";
  await writeFile(
    config,
    fileOf({
      more: `  added: {surfaces: {rest: {base_url: "${books.url}", operations: [{name: new, method: GET, path: /n, description: New.}]}}}`,
    }),
  );
  const said = await reload();
  expect(said).toContain("Provider described could not be opened anew; it goes on as it was.");
  const tools = await list();
  expect(tools).toContain("described_list");
  expect(tools).toContain("added_new");
});

test("what takes effect with the next start only is told, the rest counts at once", {
  timeout: 60_000,
}, async () => {
  await writeFile(
    config,
    fileOf({ limits: "{requests: {header_count: 50}}", server: ", shutdown: {delay: 1s}" }),
  );
  const said = await reload();
  expect(said).toContain("`limits.requests`");
  expect(said).not.toContain("`server:`");
  await writeFile(config, fileOf({ limits: "{requests: {body_size: 1KiB}}", server: ", reuse_port: true" }));
  const further = await reload();
  expect(further).not.toContain("`limits.requests`");
  expect(further).toContain("What changed under `server:` takes effect with the next start.");
  const post = (bytes: number): Promise<Response> =>
    fetch(`${gateway.url}/api/v1/shop/find`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `${" ".repeat(bytes - 2)}{}`,
    });
  const statuses = await Promise.all([1023, 1024, 1025].map(async (bytes) => (await post(bytes)).status));
  expect(statuses).toEqual([200, 200, 413]);
});
