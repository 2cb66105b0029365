import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { startUpstream, type Upstream } from "../attack/upstream.ts";
import { type RunningGateway, runGateway, startGateway } from "./start-gateway.ts";

const password = "a password that is long enough";
let upstream: Upstream;
let template: string;
let secrets: { readonly ada: string; readonly grace: string; readonly elsewhere: string };
let folder: string;
let config: string;
let file: string;
let running: RunningGateway[];

const configuration = (base: string) => `
server: {port: "\${PORT}"}
auth: {provider: local}
datastore: {provider: sqlite, config: {path: ./callers.db}}
tenants: {acme: {}, globex: {}}
providers:
  shop:
    surfaces:
      rest:
        base_url: ${base}
        operations: [{name: find, method: GET, path: /v1/books, description: Finds books.}]
`;

/** Runs a command on the store, as another process than the server. */
async function command(...line: string[]): Promise<string> {
  const [first = "", ...rest] = line;
  const result = await runGateway([first, ...rest, "-c", config], { input: `${password}\n` });
  expect(result.status, result.stderr).toBe(0);
  return result.stdout.trim();
}

async function makeStore(users: readonly (readonly [name: string, tenant: string])[]): Promise<string[]> {
  const made: string[] = [];
  for (const [name, tenant] of users) {
    await command("users", "create", name, "--tenant", tenant, "--password-stdin");
    made.push(await command("tokens", "create", name, "--user", name, "--tenant", tenant));
  }
  return made;
}

async function serve(): Promise<RunningGateway> {
  const gateway = await startGateway({ config });
  running.push(gateway);
  return gateway;
}

async function statusOf({ url }: RunningGateway, secret: string): Promise<number> {
  const response = await fetch(`${url}/api/v1/shop/find`, { headers: { authorization: `Bearer ${secret}` } });
  await response.arrayBuffer();
  return response.status;
}

async function signIn({ url }: RunningGateway): Promise<number> {
  const response = await fetch(`${url}/api/v1/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "ada", password }),
  });
  await response.arrayBuffer();
  return response.status;
}

/** Asks until the answer is another one than 200; the file is looked at every few milliseconds. */
async function untilRefused(gateway: RunningGateway): Promise<void> {
  while ((await statusOf(gateway, secrets.ada)) === 200);
}

/** Nobody gets in, whatever they present and whatever was known of them; the process lives, and says once what to do. */
async function expectNobody(gateway: RunningGateway, says: RegExp): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    for (const secret of Object.values(secrets)) expect(await statusOf(gateway, secret)).toBe(503);
    expect(await statusOf(gateway, `gst_api_${"a".repeat(43)}`)).toBe(503);
    expect(await statusOf(gateway, "junk")).toBe(401);
    expect(await signIn(gateway)).toBe(503);
    expect((await fetch(`${gateway.url}/api/v1/shop/find`)).status).toBe(401);
  }
  expect(gateway.process.exitCode).toBeNull();
  expect((await fetch(`${gateway.url}/livez`)).status).toBe(200);
  // Once of those who call, and perhaps once of their credentials.
  expect(gateway.told().match(new RegExp(says, "g"))?.length ?? 0).toBeOneOf([1, 2]);
  expect(gateway.told()).not.toMatch(/gst_api_|\n\s+at /);
}

beforeAll(async () => {
  upstream = await startUpstream();
  template = mkdtempSync(join(tmpdir(), "gateway-store-faults-"));
  const inFolder = (name: string) => {
    config = join(template, name, "gestalt.yaml");
    cpSync(join(template, "gestalt.yaml"), config);
  };
  writeFileSync(join(template, "gestalt.yaml"), configuration(upstream.url));
  inFolder("own");
  const [ada = "", grace = ""] = await makeStore([
    ["ada", "acme"],
    ["grace", "globex"],
  ]);
  inFolder("other");
  const [elsewhere = ""] = await makeStore([["eve", "acme"]]);
  secrets = { ada, grace, elsewhere };
});
afterAll(async () => {
  await upstream[Symbol.asyncDispose]();
  rmSync(template, { recursive: true, force: true });
});

beforeEach(async () => {
  running = [];
  folder = await mkdtemp(join(tmpdir(), "gateway-store-fault-"));
  config = join(folder, "gestalt.yaml");
  file = join(folder, "callers.db");
  cpSync(join(template, "own"), folder, { recursive: true });
});
afterEach(async () => {
  for (const gateway of running) await gateway.stop();
  await rm(folder, { recursive: true, force: true });
});

test("the store is moved away while it serves, and put back", async () => {
  const gateway = await serve();
  expect(await statusOf(gateway, secrets.ada)).toBe(200);
  renameSync(file, `${file}.away`);
  await untilRefused(gateway);
  await expectNobody(gateway, /callers\.db was removed or replaced/);
  // A new store in its place would take over the log in which the last changes stand.
  const listed = await runGateway(["users", "list", "-c", config]);
  expect(listed.status).toBe(1);
  expect(listed.stderr).toMatch(/callers\.db is missing, but its log .* is there/);
  expect(existsSync(file)).toBe(false);

  renameSync(`${file}.away`, file);
  expect(await statusOf(gateway, secrets.ada)).toBe(200);
  expect(await signIn(gateway)).toBe(200);
  expect(await statusOf(gateway, secrets.elsewhere)).toBe(401);
});

test("another store in its place counts after a new start only", async () => {
  const gateway = await serve();
  expect(await statusOf(gateway, secrets.ada)).toBe(200);
  copyFileSync(join(template, "other", "callers.db"), `${file}.new`);
  renameSync(`${file}.new`, file);
  await untilRefused(gateway);
  await expectNobody(gateway, /callers\.db was removed or replaced/);
  expect(await gateway.stop()).toBe(0);
  for (const end of ["-wal", "-shm"]) rmSync(`${file}${end}`, { force: true });
  const next = await serve();
  expect(await statusOf(next, secrets.ada)).toBe(401);
  expect(await statusOf(next, secrets.elsewhere)).toBe(200);
});

test("the store is cut off, and a backup put in its place", async () => {
  const gateway = await serve();
  const copy = join(folder, "copy.db");
  await command("backup", copy);
  expect(await statusOf(gateway, secrets.ada)).toBe(200);
  truncateSync(file, 0);
  await untilRefused(gateway);
  await expectNobody(gateway, /callers\.db was cut off/);
  expect(await gateway.stop()).toBe(0);
  copyFileSync(copy, file);
  const next = await serve();
  expect(await statusOf(next, secrets.ada)).toBe(200);
});

test("another process keeps the store locked: who is known goes on, who signs in is refused in time", async () => {
  const gateway = await serve();
  const other = new DatabaseSync(file);
  other.exec("BEGIN IMMEDIATE");
  const attempts = [signIn(gateway), signIn(gateway)];
  expect(await statusOf(gateway, secrets.ada)).toBe(200);
  expect(await Promise.all(attempts)).toEqual([503, 503]);
  expect(gateway.told().match(/has kept the store .* locked for too long/g)).toHaveLength(1);
  expect(await statusOf(gateway, secrets.grace)).toBe(200);
  other.exec("ROLLBACK");
  other.close();
  expect(await signIn(gateway)).toBe(200);
});

test("one damaged record takes nobody but its owner away", async () => {
  const gateway = await serve();
  expect(await statusOf(gateway, secrets.ada)).toBe(200);
  const other = new DatabaseSync(file);
  const ofAda = "kind = 'user' AND tenant = 'acme'";
  const before = String(other.prepare(`SELECT value FROM records WHERE ${ofAda}`).get()?.["value"]);
  const write = (value: string): void => {
    other.prepare(`UPDATE records SET value = ? WHERE ${ofAda}`).run(value);
    other.exec("UPDATE counters SET value = value + 1 WHERE name = 'user'");
  };
  for (const damaged of [before.slice(0, -5), "null", "{}", before.replace('"disabled":', '"disabledd":')]) {
    write(damaged);
    for (let round = 0; round < 3; round += 1) {
      expect(await statusOf(gateway, secrets.ada)).toBe(503);
      expect(await signIn(gateway)).toBe(503);
      expect(await statusOf(gateway, secrets.grace)).toBe(200);
    }
  }
  expect(gateway.told().match(/its value is no JSON\. Something else has written/g)).toHaveLength(1);
  write(before);
  other.close();
  expect(await statusOf(gateway, secrets.ada)).toBe(200);
});

test("rights that are taken away stop commands, and nobody is let in by that", async () => {
  const gateway = await serve();
  chmodSync(file, 0o000);
  expect(await statusOf(gateway, secrets.elsewhere)).toBe(401);
  const listed = await runGateway(["users", "list", "-c", config]);
  // Root may do what nobody else may.
  if (process.getuid?.() !== 0) {
    expect(listed.status).toBe(1);
    expect(listed.stderr).toMatch(/can't be written\. Give this user the right/);
  }
  chmodSync(file, 0o600);
  expect(await statusOf(gateway, secrets.ada)).toBe(200);
  await command("users", "list");
});

test("two gateways on one store, killed and started again, agree on a token that another process revokes", async () => {
  const gateways = [await serve(), await serve()];
  const [first] = gateways;
  const listed = JSON.parse(await command("tokens", "list", "--tenant", "acme", "--json"));
  const id = String(listed[0].id);
  // Requests without pause, before, while and after the token is revoked.
  let isOver = false;
  const load = gateways.map(async (gateway) => {
    const statuses: number[] = [];
    while (!isOver) statuses.push(await statusOf(gateway, secrets.ada));
    return statuses;
  });
  await command("tokens", "revoke", id, "--tenant", "acme");
  for (const gateway of gateways) expect(await statusOf(gateway, secrets.ada)).toBe(401);
  isOver = true;
  for (const statuses of await Promise.all(load)) {
    const refused = statuses.indexOf(401);
    expect(new Set(statuses.slice(0, refused))).toEqual(new Set([200]));
    expect(new Set(statuses.slice(refused))).toEqual(new Set([401]));
  }
  if (first === undefined) throw new Error("There are two.");
  const exit = once(first.process, "exit");
  first.process.kill("SIGKILL");
  await exit;
  const again = await serve();
  expect(await statusOf(again, secrets.ada)).toBe(401);
  expect(await statusOf(again, secrets.grace)).toBe(200);
});

test("a backup under load is a store that can be served", async () => {
  const gateway = await serve();
  let isOver = false;
  const load = Array.from({ length: 4 }, async () => {
    const statuses = new Set<number>();
    while (!isOver) statuses.add(await statusOf(gateway, secrets.ada));
    return statuses;
  });
  const copy = join(folder, "copy.db");
  await command("users", "create", "late", "--tenant", "acme", "--password-stdin");
  const late = await command("tokens", "create", "late", "--user", "late", "--tenant", "acme");
  await command("backup", copy);
  isOver = true;
  for (const statuses of await Promise.all(load)) expect(statuses).toEqual(new Set([200]));
  await gateway.stop();
  rmSync(file);
  copyFileSync(copy, file);
  const next = await serve();
  for (const secret of [secrets.ada, secrets.grace, late]) expect(await statusOf(next, secret)).toBe(200);
  expect(await statusOf(next, secrets.elsewhere)).toBe(401);
});
