import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startUpstream, type Upstream } from "../attack/upstream.ts";
import { clientKinds, connectClient } from "./connect-clients.ts";
import { type RunningGateway, runGateway, startGateway } from "./start-gateway.ts";

const password = "a password that is long enough";
let folder: string;
let config: string;
let gateway: RunningGateway;
let upstream: Upstream;

const configuration = (base: string) => `
server: {port: "\${PORT}"}
auth: {provider: local}
datastore: {provider: sqlite, config: {path: ./callers.db}}
tenants:
  acme: {}
  globex: {providers: [], tools: [shop_find]}
  initech: {exposure: selected}
providers:
  shop:
    surfaces:
      rest:
        base_url: ${base}
        operations:
          - {name: find, method: GET, path: /v1/books, description: Finds books.}
          - {name: add, method: POST, path: /v1/books, description: Adds a book.}
`;

/** Runs a command on the store, as another process than the server. */
async function command(...line: string[]): Promise<string> {
  const [first = "", ...rest] = line;
  const result = await runGateway([first, ...rest, "-c", config], { input: `${password}\n` });
  expect(result.status, result.stderr).toBe(0);
  return result.stdout.trim();
}

async function signIn(name: string): Promise<string> {
  const response = await fetch(`${gateway.url}/api/v1/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, password }),
  });
  expect(response.status).toBe(200);
  return response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
}

const apiStatus = async (path: string, headers: Readonly<Record<string, string>>): Promise<number> => {
  const response = await fetch(`${gateway.url}/api/v1/${path}`, { headers });
  await response.arrayBuffer();
  return response.status;
};

beforeAll(async () => {
  upstream = await startUpstream();
  folder = await mkdtemp(join(tmpdir(), "gateway-callers-"));
  config = join(folder, "gestalt.yaml");
  await writeFile(config, configuration(upstream.url));
  await command("users", "create", "root", "--password-stdin");
  await command("users", "create", "ada", "--tenant", "acme", "--password-stdin");
  await command("users", "create", "grace", "--tenant", "globex", "--password-stdin");
  gateway = await startGateway({ config });
});
afterAll(async () => {
  await gateway.stop();
  await upstream[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe.each(clientKinds)("%s", (kind) => {
  test("a session's cookie and a token see and call the same, until they are revoked", async () => {
    const secret = await command("tokens", "create", `of ${kind}`, "--user", "ada", "--tenant", "acme");
    expect(secret).toMatch(/^gst_api_[A-Za-z0-9_-]{43}$/);
    const callers = [{ authorization: `Bearer ${secret}` }, { cookie: await signIn("ada") }];
    for (const headers of callers) {
      const client = await connectClient(kind, gateway.url, headers);
      expect((await client.listTools()).map(({ name }) => name)).toEqual(["shop_add", "shop_find"]);
      const result = await client.callTool("shop_find");
      expect(result).toMatchObject({ isError: false });
      expect(await apiStatus("shop/find", headers)).toBe(200);
      await client.close();
    }
    const [byToken, bySession] = await Promise.all(
      callers.map((headers) => connectClient(kind, gateway.url, headers)),
    );
    const tokens = JSON.parse(await command("tokens", "list", "--tenant", "acme", "--json"));
    const { id } = tokens.find(({ name }: { name: string }) => name === `of ${kind}`);
    await command("tokens", "revoke", id, "--tenant", "acme");
    await expect(byToken?.callTool("shop_find")).rejects.toThrow(/401|Unauthorized|authenticat/i);
    expect(await apiStatus("shop/find", callers[0] ?? {})).toBe(401);

    expect((await bySession?.callTool("shop_find"))?.isError).toBe(false);
    const sessions = JSON.parse(await command("sessions", "list", "--tenant", "acme", "--json"));
    for (const session of sessions) await command("sessions", "revoke", session.id, "--tenant", "acme");
    await expect(bySession?.callTool("shop_find")).rejects.toThrow(/401|Unauthorized|authenticat/i);
    expect(await apiStatus("shop/find", callers[1] ?? {})).toBe(401);
  });

  test("a tenant sees what it has selected", async () => {
    const client = await connectClient(kind, gateway.url, { cookie: await signIn("grace") });
    expect((await client.listTools()).map(({ name }) => name)).toEqual(["shop_find"]);
    await expect(client.callTool("shop_add", { title: "x" })).rejects.toThrow(/Unknown tool/);
    await client.close();
  });

  test("who may act for tenants sees what each has", async () => {
    const secret = await command("tokens", "create", `acting ${kind}`, "--service", "--acts-for", "any");
    const bearer = { authorization: `Bearer ${secret}` };
    const namesFor = async (url: string, headers: Readonly<Record<string, string>>) => {
      const client = await connectClient(kind, url, { ...bearer, ...headers });
      const names = (await client.listTools()).map(({ name }) => name);
      await client.close();
      return names;
    };
    expect(await namesFor(gateway.url, { "x-gateway-tenant": "globex" })).toEqual(["shop_find"]);
    expect(await namesFor(gateway.url, { "x-gateway-tenant": "acme" })).toEqual(["shop_add", "shop_find"]);
    expect(await namesFor(gateway.url, { "x-gateway-tenant": "initech" })).toEqual([]);
  });
});

test("a user who is disabled is refused on the next request, by session and by token", async () => {
  await command("users", "create", "eve", "--tenant", "acme", "--password-stdin");
  const secret = await command("tokens", "create", "eve", "--user", "eve", "--tenant", "acme");
  const callers = [{ authorization: `Bearer ${secret}` }, { cookie: await signIn("eve") }];
  for (const headers of callers) expect(await apiStatus("shop/find", headers)).toBe(200);
  await command("users", "disable", "eve", "--tenant", "acme");
  for (const headers of callers) expect(await apiStatus("shop/find", headers)).toBe(401);
});

test("without a credential there is nothing", async () => {
  for (const path of [
    "integrations",
    "shop/find",
    "users",
    "tokens",
    "tenants",
    "auth/session",
    "nothing/here",
  ])
    expect([path, await apiStatus(path, {})]).toEqual([path, 401]);
  const mcp = await fetch(`${gateway.url}/mcp`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} }),
  });
  expect(mcp.status).toBe(401);
  expect(mcp.headers.get("www-authenticate")).toMatch(/^Bearer /);
});
