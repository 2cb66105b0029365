import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startUpstreams, type Upstreams } from "../../examples/upstream/start.ts";
import { connectClient } from "./connect-clients.ts";
import { command, runGateway, runProcess, startGateway } from "./start-gateway.ts";

// The flags are those of examples/hardened/gateway.service, with other folders.

const program = `${fileURLToPath(new URL("../..", import.meta.url))}`;
const notion = fileURLToPath(new URL("../../examples/notion/openapi.json", import.meta.url));
const bookshop = fileURLToPath(new URL("../../examples/upstream/openapi.yaml", import.meta.url));
const schema = fileURLToPath(new URL("../../examples/upstream/schema.graphql", import.meta.url));
const password = "a password that is long enough";

let upstreams: Upstreams;
let root: string;
/** Where the configuration is, and where data are. */
let settings: string;
let data: string;
let config: string;

beforeAll(async () => {
  upstreams = await startUpstreams();
  root = await mkdtemp(join(tmpdir(), "gateway-hardened-"));
  settings = join(root, "etc");
  data = join(root, "var");
  await mkdir(settings);
  await mkdir(data);
  config = join(settings, "gestalt.yaml");
  await copyFile(notion, join(settings, "notion.json"));
  await copyFile(bookshop, join(settings, "bookshop.yaml"));
  await copyFile(schema, join(settings, "schema.graphql"));
});
afterAll(async () => {
  await upstreams?.stop();
  await rm(root, { recursive: true, force: true });
});

/** Node's options in the unit, for the folders of this test. */
async function nodeFlags(): Promise<string[]> {
  const unit = await readFile("examples/hardened/gateway.service", "utf8");
  const line = /^ExecStart=\/usr\/bin\/node (.*) \S+bin\.js serve -c \S+$/m.exec(unit)?.[1] ?? "";
  return line
    .replaceAll("/opt/gateway/", program)
    .replaceAll("/etc/gateway/", `${settings}/`)
    .replaceAll("/var/lib/gateway/", `${data}/`)
    .split(" ");
}

interface Parts {
  readonly store?: string;
  readonly more?: string;
}

async function configure({ store = join(data, "gestalt.db"), more = "" }: Parts = {}): Promise<void> {
  await writeFile(
    config,
    `
server: {port: "\${PORT}"}
auth: {provider: local, authorization_server: {clients: {app: {redirect_uris: ["http://127.0.0.1:7777/"]}}}}
datastore: {provider: sqlite, config: {path: ${store}}}
providers:
  inline:
    surfaces:
      rest:
        base_url: ${upstreams.urls.rest}
        operations: [{name: list, method: GET, path: /books, description: Lists.}]
  bookshop: {surfaces: {openapi: {document: ./bookshop.yaml, base_url: "${upstreams.urls.rest}"}}}
  large: {surfaces: {openapi: {document: ./notion.json}}}
  graphql: {surfaces: {graphql: {url: "${upstreams.urls.graphql}/graphql", schema: ./schema.graphql}}}
  remote: {mcp_url: "${upstreams.urls.mcp}/mcp"}
${more}`,
  );
}

describe("with the flags of the example", () => {
  test("everything is served: REST, OpenAPI, GraphQL, MCP, sign-in, the authorization server, reloads", {
    timeout: 90_000,
  }, async () => {
    await configure();
    const users = ["users", "create", "ada", "--role", "admin", "--password-stdin", "-c", config];
    const made = await runGateway(users, { input: `${password}\n` });
    expect(made.status, made.stderr).toBe(0);
    const token = await runGateway(["tokens", "create", "t", "--user", "ada", "-c", config]);
    expect(token.status, token.stderr).toBe(0);
    const gateway = await startGateway({ config, nodeFlags: await nodeFlags() });
    onTestFinished(() => gateway.stop().then(() => undefined));
    const headers = { authorization: `Bearer ${token.stdout.trim()}` };

    const ready = await (await fetch(`${gateway.url}/readyz`, { headers })).json();
    expect(ready, gateway.told()).toMatchObject({ status: "ready" });
    const client = await connectClient("SDK v2, modern", gateway.url, headers);
    const tools = (await client.listTools()).map(({ name }) => name);
    expect(tools.filter((name) => name.startsWith("large_")).length).toBeGreaterThan(10);
    for (const [tool, given] of [
      ["inline_list", {}],
      ["bookshop_getBook", { bookId: "frankenstein" }],
      ["graphql_author", { id: "mary-shelley" }],
      ["remote_get_book", { id: "frankenstein" }],
    ] as const) {
      const result = await client.callTool(tool, given);
      expect(result.isError, `${tool}: ${result.text}`).toBe(false);
    }
    await client.close();

    const signIn = await fetch(`${gateway.url}/api/v1/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "ada", password }),
    });
    expect(signIn.status, await signIn.text()).toBeLessThan(300);
    const asked = new URLSearchParams({
      ...{ response_type: "code", client_id: "app", redirect_uri: "http://127.0.0.1:7777/", state: "s" },
      code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbSTDm0s1p3M",
      code_challenge_method: "S256",
    });
    const consent = await fetch(`${gateway.url}/oauth/authorize?${asked}`, { redirect: "manual" });
    expect([302, 303], await consent.text()).toContain(consent.status);
    const form = new URLSearchParams({ grant_type: "refresh_token", refresh_token: "x", client_id: "app" });
    const refused = await fetch(`${gateway.url}/oauth/token`, { method: "POST", body: form });
    expect(await refused.json()).toMatchObject({ error: "invalid_grant" });

    await configure({ more: `  added: {mcp_url: "${upstreams.urls.mcp}/mcp"}\n` });
    gateway.process.kill("SIGHUP");
    expect(await gateway.tells(/^(?:Not r|R)eloaded[^\n]*/m)).toMatch(/^Reloaded/);
    expect(gateway.told()).not.toMatch(/ACCESS_DENIED|\n\s+at /);
    expect(await gateway.stop()).toBe(0);
  });

  test("a local MCP server is not started, and its provider says what it needs", {
    timeout: 60_000,
  }, async () => {
    await configure({ more: '  local: {surfaces: {mcp: {command: ["true"]}}}\n' });
    const gateway = await startGateway({ config, nodeFlags: await nodeFlags() });
    onTestFinished(() => gateway.stop().then(() => undefined));
    expect(gateway.told()).toMatch(
      /local +unavailable .*Node may not start the command `true`\. Start the gateway with `--allow-child-process`\./,
    );
  });

  test("without --allow-worker large documents are not compiled, and their provider says what it needs", {
    timeout: 60_000,
  }, async () => {
    // One that no gateway of this test has compiled and kept.
    const document = await readFile(notion, "utf8");
    await writeFile(join(settings, "unseen.json"), document.replace(/"title":/, '"x-unseen": 1, "title":'));
    await configure({ more: "  unseen: {surfaces: {openapi: {document: ./unseen.json}}}\n" });
    const flags = (await nodeFlags()).filter((flag) => flag !== "--allow-worker");
    const gateway = await startGateway({ config, nodeFlags: flags });
    onTestFinished(() => gateway.stop().then(() => undefined));
    expect(gateway.told()).toMatch(
      /unseen +unavailable .*Node may not start the thread that compiles `[^`]*unseen\.json`\. Start the gateway with `--allow-worker`, or/,
    );
    expect(gateway.told()).toMatch(/bookshop +ready/);
  });

  test("a store elsewhere is refused, with the flags that would allow it", { timeout: 60_000 }, async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), "gateway-elsewhere-"));
    onTestFinished(() => rm(elsewhere, { recursive: true, force: true }));
    await configure({ store: join(elsewhere, "gestalt.db") });
    const { status, stderr } = await serveOnce(config);
    expect(status).not.toBe(0);
    expect(stderr).toContain(
      `Node may not use the store's folder ${elsewhere}. Start it with \`--allow-fs-read=${elsewhere}/\` and \`--allow-fs-write=${elsewhere}/\`.`,
    );
  });

  test("a configuration elsewhere is refused, with the flag that would allow it", {
    timeout: 60_000,
  }, async () => {
    const elsewhere = join(dirname(settings), "gestalt.yaml");
    const { status, stderr } = await serveOnce(elsewhere);
    expect(status).not.toBe(0);
    expect(stderr).toContain(`Start Node with \`--allow-fs-read=${elsewhere}\`.`);
  });

  test("code in the process, and in a thread for documents, can't get further", {
    timeout: 60_000,
  }, async () => {
    const attempts = join(settings, "attempts.mjs");
    await writeFile(
      attempts,
      `
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { isMainThread, Worker, parentPort } from "node:worker_threads";
import { threadPermissions } from ${JSON.stringify(new URL(`../../${command.endsWith("bin.ts") ? "src/documents/thread-permissions.ts" : "dist/documents/thread-permissions.js"}`, import.meta.url).href)};
const attempt = (what) => { try { what(); return "done"; } catch (error) { return error.code ?? error.name; } };
const found = {
  write: attempt(() => writeFileSync(${JSON.stringify(join(root, "written"))}, "x")),
  data: attempt(() => writeFileSync(${JSON.stringify(join(data, "written"))}, "x")),
  read: attempt(() => readFileSync("/etc/passwd")),
  start: attempt(() => spawnSync("true")),
  evaluate: attempt(() => new Function("")),
  prototype: attempt(() => ({}).__proto__),
};
if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { env: {}, execArgv: [...threadPermissions()] });
  worker.on("message", (thread) => console.log(JSON.stringify({ main: found, thread })));
} else parentPort.postMessage(found);
`,
    );
    const { stdout, stderr } = await runProcess(process.execPath, [...(await nodeFlags()), attempts]);
    const denied = "ERR_ACCESS_DENIED";
    const forbidden = {
      ...{ write: denied, read: denied, start: denied },
      ...{ evaluate: "EvalError", prototype: "ERR_PROTO_ACCESS" },
    };
    expect(JSON.parse(stdout || stderr)).toEqual({
      main: { ...forbidden, data: "done" },
      thread: { ...forbidden, data: denied },
    });
  });
});

async function serveOnce(file: string): Promise<{ readonly status: number | null; readonly stderr: string }> {
  const line = [...(await nodeFlags()), command, "serve", "-c", file];
  return runProcess(process.execPath, line, { environment: { PORT: "0" } });
}
