import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AuthorizationServer, startAuthorizationServer } from "../credentials/authorization-server.ts";
import { type McpOAuthServer, startMcpOAuthServer } from "../credentials/mcp-oauth-server.ts";
import { type Account, askApi, authorizeAt } from "../e2e/connect-accounts.ts";
import { connectClient } from "../e2e/connect-clients.ts";
import { type RunningGateway, runGateway, startGateway } from "../e2e/start-gateway.ts";
import { writeFolder } from "./system.ts";
import { sendJson, startUpstream, type Upstream } from "./upstream.ts";

/** Every secret that went through the gateway: what it must not stand in is everything but the wire to its own upstream. */
const canaries = new Map<string, string>();
let planted = 0;
function plant(where: string): string {
  planted += 1;
  const canary = `canary-${planted}-${(planted * 1_299_709).toString(36)}-Zq`;
  canaries.set(canary, where);
  return canary;
}

const password = "a password that is long enough";
/** Everything that anybody was shown: answers, errors, command output, logs. */
const shown: string[] = [];
let upstream: Upstream;
let refusing: Upstream;
let plain: AuthorizationServer;
let forMcp: AuthorizationServer;
let mcp: McpOAuthServer;
let folder: Awaited<ReturnType<typeof writeFolder>>;
let config = "";
let gateway: RunningGateway;
const environment: Record<string, string> = { PORT: "0" };
const users: Account[] = [];

const operations = [{ name: "go", description: "Goes.", method: "POST", path: "/go" }];
const fieldsAuth = {
  type: "manual",
  credentials: [
    { name: "key", header: "X-Key", prefix: "Key " },
    { name: "raw", header: "X-Raw" },
    { name: "query", query: "api_key" },
    { name: "cookie", cookie: "session" },
    { name: "user", basic: "username" },
    { name: "word", basic: "password" },
  ],
};

async function run(...line: readonly string[]): Promise<string> {
  const result = await runGateway([...line, "-c", config], { environment, input: `${password}\n` });
  shown.push(result.stdout, result.stderr);
  expect(result.status, result.stderr).toBe(0);
  return result.stdout.trim();
}

async function ask(account: Account, method: string, path: string, body?: object) {
  const answer = await askApi(gateway.url, account, method, path, body);
  // The URL of an authorization goes to who asked for it, with the state in it, and is looked at by itself.
  if (path !== "auth/start-oauth") shown.push(answer.text, JSON.stringify([...answer.headers]));
  return answer;
}

beforeAll(async () => {
  upstream = await startUpstream((_seen, response) => sendJson(response, { ok: true }));
  refusing = await startUpstream((_seen, response) => sendJson(response, { error: "no" }, 401));
  const secret = plant("client_secret of oauth2");
  plain = await startAuthorizationServer({ clients: [{ id: "gateway", secret }], accessTokenSeconds: 2 });
  forMcp = await startAuthorizationServer({ registration: "secrets", accessTokenSeconds: 2 });
  mcp = await startMcpOAuthServer({ authorizationServer: forMcp });
  const key = (await runGateway(["keys", "generate"])).stdout.trim();
  canaries.set(key, "the encryption key");
  environment["GATEWAY_KEY"] = key;
  environment["CLIENT_SECRET"] = secret;
  const oauth2 = {
    type: "oauth2",
    authorization_url: plain.authorizationUrl,
    token_url: plain.tokenUrl,
    revocation_url: plain.revocationUrl,
    client_id: "gateway",
    client_secret: "${env:CLIENT_SECRET}",
  };
  const provider = (base: string, auth: object) => ({
    surfaces: { rest: { base_url: base, operations } },
    connections: { default: { mode: "user", auth } },
  });
  folder = await writeFolder({
    "gestalt.yaml": JSON.stringify({
      server: { port: "${PORT}", encryption_key: "${env:GATEWAY_KEY}" },
      auth: { provider: "local" },
      tenants: { acme: {}, globex: {} },
      egress: { allowed_hosts: ["127.0.0.1"] },
      providers: {
        fields: provider(upstream.url, fieldsAuth),
        bearer: provider(upstream.url, { type: "bearer" }),
        refusing: provider(refusing.url, fieldsAuth),
        oauth: provider(upstream.url, oauth2),
        notes: {
          mcp_url: mcp.url,
          connections: { default: { mode: "user", auth: { type: "mcp_oauth" } } },
        },
      },
    }),
  });
  config = join(folder.path, "gestalt.yaml");
  await run("users", "create", "root", "--password-stdin");
  for (const [name, tenant] of [
    ["ada", "acme"],
    ["grace", "globex"],
  ] as const) {
    await run("users", "create", name, "--tenant", tenant, "--password-stdin");
  }
  gateway = await startGateway({ config, environment });
  for (const name of ["ada", "grace"]) {
    const response = await fetch(`${gateway.url}/api/v1/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name, password }),
    });
    users.push({ name, headers: { cookie: response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "" } });
  }
}, 120_000);
afterAll(async () => {
  await gateway?.stop();
  for (const server of [upstream, refusing, plain, forMcp, mcp]) await server?.[Symbol.asyncDispose]();
  await folder?.remove();
});

/** Everything that the authorization servers were sent or gave out, which is all of it secret. */
function harvest(): void {
  for (const server of [plain, forMcp]) {
    for (const { endpoint, parameters, headers } of server.requests) {
      for (const name of ["code", "code_verifier", "refresh_token", "client_secret", "token", "state"]) {
        const value = parameters[name];
        if (value !== undefined && value.length >= 8) canaries.set(value, `${name} at ${endpoint}`);
      }
      const { authorization } = headers;
      if (authorization !== undefined) canaries.set(authorization, `authorization at ${endpoint}`);
    }
    for (const { secret } of server.registered)
      if (secret !== undefined) canaries.set(secret, "secret of a registered client");
  }
  for (const authorization of mcp.authorizations)
    canaries.set(authorization.replace(/^Bearer /, ""), "access token at the MCP server");
  for (const { headers } of upstream.seen) {
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1];
    if (token !== undefined) canaries.set(token, "access token at the API");
  }
}

function expectNone(text: string, where: string): void {
  const found = [...canaries].filter(([canary]) => {
    const forms = [canary, Buffer.from(canary).toString("base64"), encodeURIComponent(canary)];
    return forms.some((form) => text.includes(form));
  });
  expect(
    found.map(([, what]) => what),
    where,
  ).toEqual([]);
}

describe("everything that can be done with credentials", () => {
  test("is done, for two users", async () => {
    for (const user of users) {
      for (const provider of ["fields", "refusing"]) {
        const names = ["key", "raw", "query", "cookie", "user", "word"];
        const fields = Object.fromEntries(
          names.map((name) => [name, plant(`${name} of ${provider}, ${user.name}`)]),
        );
        const { status } = await ask(user, "POST", "auth/connect-manual", { provider, fields });
        expect(status).toBe(201);
      }
      for (const instance of ["home", "work", "other"]) {
        const fields = { token: plant(`token ${instance} of ${user.name}`) };
        await ask(user, "POST", "auth/connect-manual", { provider: "bearer", instance, fields });
      }
      for (const [provider, server] of [
        ["oauth", plain],
        ["notes", forMcp],
      ] as const) {
        const { status, text } = await authorizeAt(gateway.url, user, server, { provider });
        shown.push(text);
        expect(status, text).toBe(303);
      }
    }
    // Calls of all kinds, also such as fail; the short life of the tokens has them refreshed.
    for (let round = 0; round < 3; round++) {
      for (const user of users) {
        for (const path of ["fields/go", "refusing/go", "oauth/go", "bearer/go"])
          await ask(user, "POST", path, {});
        await ask(user, "POST", "bearer/go", { _instance: "work" });
        const client = await connectClient("SDK v2, modern", gateway.url, user.headers);
        shown.push(JSON.stringify(await client.listTools()));
        for (const tool of ["notes_whoami", "notes_write_note", "bearer_go", "refusing_go"])
          shown.push(JSON.stringify(await client.callTool(tool, {})));
        await client.close();
        await ask(user, "GET", "integrations");
      }
      await new Promise((resolve) => setTimeout(resolve, 1_100));
    }
  }, 120_000);

  test("also by those who do it wrong", async () => {
    const [ada] = users;
    if (ada === undefined) throw new Error("nobody signed in");
    const wrong = [
      { provider: "fields", fields: { key: plant("one field of many") } },
      { provider: "bearer", fields: { token: plant("beside an unknown field"), [plant("a name")]: "x" } },
      { provider: "bearer", fields: { token: `${plant("with a line break")}\nx: y` } },
      { provider: "nowhere", fields: { token: plant("of an unknown provider") } },
      { provider: "oauth", fields: { token: plant("typed in for OAuth") } },
      { provider: "bearer", instance: plant("as an instance").toUpperCase(), fields: { token: plant("x") } },
    ];
    for (const body of wrong) {
      const { status } = await askApi(gateway.url, ada, "POST", "auth/connect-manual", body);
      expect(status).toBeGreaterThanOrEqual(400);
    }
    const code = plant("a code that nobody gave");
    const state = plant("a state that nobody made");
    for (const query of [`code=${code}&state=${state}`, `error=${plant("an error")}&state=${state}`]) {
      const response = await fetch(`${gateway.url}/api/v1/auth/callback?${query}`, {
        headers: ada.headers,
        redirect: "manual",
      });
      shown.push(await response.text(), JSON.stringify([...response.headers]));
      expect(response.status).toBe(400);
    }
    plain.fail("token", { kind: "error", error: "invalid_grant", description: plant("a description") });
    for (const user of users) await ask(user, "POST", "oauth/go", {});
    plain.heal();
    forMcp.fail("token", { kind: "body", body: plant("garbage of the token endpoint") });
    for (const user of users) {
      const client = await connectClient("SDK v1", gateway.url, user.headers);
      shown.push(JSON.stringify(await client.callTool("notes_whoami", {})));
      await client.close();
    }
    forMcp.heal();
  }, 120_000);

  test("and looked at by every command", async () => {
    for (const user of ["ada", "grace"]) {
      await run("connections", "list", "--as", `user:${user}`, "--json");
      await run("connections", "list", "--as", `user:${user}`);
      await run("explain", "oauth_go", "--as", `user:${user}`, "--json");
    }
    await run("keys", "status", "--json");
    await run("keys", "rotate", "--json");
    await run("tools", "--json");
    await run("backup", join(folder.path, "backup.db"));
    await run("connections", "revoke", "oauth", "--as", "user:ada", "--json");
    const [, grace] = users;
    if (grace !== undefined) await ask(grace, "DELETE", "integrations/notes");
  }, 120_000);
});

test("none of at least 60 secrets stands in logs, answers, errors, command output, or the store and its copy", async () => {
  harvest();
  expect(canaries.size).toBeGreaterThanOrEqual(60);
  // A server that is killed writes nothing more; what it told until then is all there is.
  gateway.process.kill("SIGABRT");
  await new Promise((resolve) => gateway.process.once("close", resolve));
  expectNone(shown.join("\n"), "what was shown");
  expectNone(gateway.told(), "the log");
  const files = await readdir(folder.path);
  expect(files).toContain("gestalt.db");
  expect(files).toContain("backup.db");
  for (const file of files) {
    if (file === "gestalt.yaml") continue;
    const bytes = await readFile(join(folder.path, file)).catch(() => Buffer.alloc(0));
    expectNone(bytes.toString("latin1"), file);
  }
});

test("each secret of a field went to its own upstream and nowhere else", () => {
  const wire = upstream.bytes();
  for (const [canary, where] of canaries) {
    if (/ of refusing, /.test(where)) expect(wire, where).not.toContain(canary);
  }
  for (const server of [plain, forMcp]) {
    const sent = server.requests.map(({ url, body }) => `${url} ${body}`).join("\n");
    for (const [canary, where] of canaries)
      if (/ of (fields|refusing|ada|grace)/.test(where)) expect(sent, where).not.toContain(canary);
  }
});
