// `npm run bench:credentials`: what a stored credential adds to the CPU time of a call.
//
// Gateways call the same upstream for the same kind of caller: one with a token of the file, one with a token that the caller has connected,
// among those of 2,000 others, and one of that kind while others connect, 20 a second, in another process. Slices of load alternate between them;
// printed are the medians of the CPU time that the operating system counts for each process per call (Linux: /proc), and the ratio. Where the
// machine has two cores, the gateways have one and the load and the upstream the other.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createCredentialStore } from "../src/credentials/create-credential-store.ts";
import type { CredentialFacts, CredentialStore } from "../src/credentials/credential-store.ts";
import { Secret } from "../src/secret.ts";
import { openSqliteStore } from "../src/store/sqlite/open-store.ts";
import type { Store } from "../src/store/store.ts";
import { createVault } from "../src/vault/create-vault.ts";

const rounds = Number(process.argv[2] ?? 15);
const sliceMilliseconds = Number(process.argv[3] ?? 1_500);
const connections = 32;
const canPin = availableParallelism() >= 2 && spawnSync("taskset", ["-p", String(process.pid)]).status === 0;
if (canPin) spawnSync("taskset", ["-a", "-cp", "1", String(process.pid)]);
const command = join(import.meta.dirname, "..", "dist", "bin.js");
const ticksPerSecond = Number(spawnSync("getconf", ["CLK_TCK"], { encoding: "utf8" }).stdout) || 100;

interface Subject {
  readonly name: string;
  readonly process: ChildProcess;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const mcpMessage = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: {
    name: "shop_find",
    arguments: { limit: 10 },
    _meta: {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": {},
    },
  },
});

const folder = mkdtempSync(join(tmpdir(), "gestalt-bench-"));
const body = JSON.stringify({
  items: Array.from({ length: 12 }, (_none, id) => ({ id, name: "a book", price: 9.5 })),
});
const upstream = createServer((_request, response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length }).end(body);
}).listen(0, "127.0.0.1");
const subjects: Subject[] = [];
const others = 2_000;
const key = randomBytes(32).toString("base64");
const stores: Store[] = [];
let writing: NodeJS.Timeout | undefined;

try {
  await once(upstream, "listening");
  const address = upstream.address();
  if (address === null || typeof address === "string") throw new Error("The upstream has no port.");
  const base = `http://127.0.0.1:${address.port}`;
  writeFileSync(join(folder, "key"), key);
  writeFileSync(join(folder, "token"), "a-token-of-the-file");
  const kinds = [
    {
      name: "of the file",
      mode: "identity",
      auth: `{type: bearer, credentials: [{name: token, value: "\${file:./token}"}]}`,
    },
    { name: "connected", mode: "user", auth: "{type: bearer}" },
    { name: "others connect", mode: "user", auth: "{type: bearer}" },
  ];
  for (const [index, { name, mode, auth }] of kinds.entries()) {
    const config = writeConfiguration(index, base, `{mode: ${mode}, auth: ${auth}}`);
    const line = ["tokens", "create", name, "--service", "-c", config];
    const created = spawnSync(process.execPath, [command, ...line], { encoding: "utf8" });
    if (created.status !== 0) throw new Error(created.stderr);
    const credentials = await openCredentials(index);
    const connecting = Array.from({ length: others }, (_none, number) => connect(credentials, number));
    await Promise.all(connecting);
    const subject = await start(name, config, { authorization: `Bearer ${created.stdout.trim()}` });
    subjects.push(subject);
    if (mode === "user") await connectCaller(subject);
    if (name === "others connect") {
      let number = 0;
      writing = setInterval(() => {
        number = (number + 1) % others;
        connect(credentials, number).catch((error: unknown) => console.error(error));
      }, 50);
    }
  }
  for (const way of ["MCP 2026-07-28", "HTTP API"] as const) await measure(way);
} finally {
  clearInterval(writing);
  for (const subject of subjects) subject.process.kill("SIGTERM");
  for (const store of stores) await store.close();
  upstream.close();
  rmSync(folder, { recursive: true });
}

/** The credentials of a gateway, as another process on its store has them. */
async function openCredentials(index: number): Promise<CredentialStore> {
  const store = await openSqliteStore(join(folder, `${index}.db`));
  stores.push(store);
  const keys = [
    {
      id: undefined,
      key: new Secret(key),
      place: { file: "", line: 1, column: 1, endLine: 1, endColumn: 1 },
    },
  ];
  return createCredentialStore({ store, vault: createVault(() => keys), log: console.error });
}

async function connect(credentials: CredentialStore, number: number): Promise<void> {
  const facts: CredentialFacts = {
    ...{
      type: "bearer",
      secrets: { token: new Secret(`token-${number}`) },
      params: {},
      state: { kind: "ready" },
    },
    ...{ expiresAt: undefined, scopes: undefined, oauth: undefined, refreshing: undefined },
    ...{ obtainedAt: Date.now(), connectedAt: Date.now(), connectedBy: `usr_${number}` },
  };
  const owner = { kind: "user", id: `usr_${number}` } as const;
  const place = { tenant: "default", provider: "shop", connection: "default", instance: "default" };
  await credentials.put({ ...place, owner }, facts, "any", true);
}

async function connectCaller({ url, headers }: Subject): Promise<void> {
  const response = await fetch(`${url}/api/v1/auth/connect-manual`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ provider: "shop", fields: { token: "a-token-of-the-caller" } }),
  });
  if (response.status !== 201) throw new Error(await response.text());
}

function writeConfiguration(index: number, base: string, connection: string): string {
  const file = join(folder, `${index}.yaml`);
  writeFileSync(
    file,
    `server: {port: 0, encryption_key: "\${file:./key}"}
auth: {provider: local}
datastore: {provider: sqlite, config: {path: ./${index}.db}}
providers:
  shop:
    connections: {default: ${connection}}
    surfaces:
      rest:
        base_url: ${base}
        operations: [{name: find, method: GET, path: /find, parameters: [{name: limit, in: query, type: integer}]}]
`,
  );
  return file;
}

async function start(name: string, config: string, headers: Subject["headers"]): Promise<Subject> {
  const node = [process.execPath, command, "serve", "-c", config];
  const [program = "", ...line] = canPin ? ["taskset", "-c", "0", ...node] : node;
  const child = spawn(program, line, { stdio: ["ignore", "ignore", "pipe"] });
  for await (const line of createInterface({ input: child.stderr })) {
    const url = /tools? on (http:\/\/[^/]+)\/mcp/.exec(line)?.[1];
    if (url !== undefined) {
      child.stderr.resume();
      return { name, process: child, url, headers };
    }
  }
  throw new Error(`${name} did not start.`);
}

async function measure(way: "MCP 2026-07-28" | "HTTP API"): Promise<void> {
  const costs = subjects.map((): number[] => []);
  for (let round = -2; round < rounds; round += 1) {
    // Each goes first as often as the others.
    const order = subjects.map((_subject, index) => (index + Math.max(round, 0)) % subjects.length);
    for (const index of order) {
      const subject = subjects[index];
      if (subject === undefined) throw new Error("There is no such gateway.");
      const before = cpuMicroseconds(subject);
      const calls = await load(subject, way);
      // The first rounds warm up.
      if (round >= 0) costs[index]?.push((cpuMicroseconds(subject) - before) / calls);
    }
  }
  const ofFile = costs[0] ?? [];
  console.log(`${way}: ${rounds} slices of ${sliceMilliseconds} ms each, ${connections} connections`);
  subjects.forEach(({ name }, index) => {
    const own = costs[index] ?? [];
    const ratios = own
      .map((cost, round) => cost / (ofFile[round] ?? cost))
      .toSorted((first, second) => first - second);
    const at = (part: number): string =>
      (ratios[Math.floor((ratios.length - 1) * part)] ?? Number.NaN).toFixed(3);
    console.log(
      `  ${name.padEnd(16)} ${median(own).toFixed(1).padStart(7)} µs of CPU per call, ratio ${at(0.5)} (half of the rounds between ${at(0.25)} and ${at(0.75)})`,
    );
  });
}

/** Calls for one slice from all connections; returns how many. */
async function load(subject: Subject, way: "MCP 2026-07-28" | "HTTP API"): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const end = performance.now() + sliceMilliseconds;
  let calls = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      await call(subject, way, agent);
      calls += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  agent.destroy();
  return calls;
}

function call({ url, headers }: Subject, way: "MCP 2026-07-28" | "HTTP API", agent: Agent): Promise<void> {
  const isMcp = way === "MCP 2026-07-28";
  const protocol = isMcp
    ? {
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "shop_find",
      }
    : {};
  const sent = isMcp ? mcpMessage : '{"limit":10}';
  return new Promise((resolve, reject) => {
    const outgoing = request(
      isMcp ? `${url}/mcp` : `${url}/api/v1/shop/find`,
      {
        method: "POST",
        agent,
        headers: {
          "content-type": "application/json",
          "content-length": sent.length,
          ...protocol,
          ...headers,
        },
      },
      (response) => {
        if (response.statusCode !== 200) reject(new Error(`Status ${response.statusCode}.`));
        response.resume().on("end", resolve);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(sent);
  });
}

/** User and system time of all of the process's threads. */
function cpuMicroseconds({ process: { pid } }: Subject): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1_000_000;
}

function median(values: readonly number[]): number {
  return values.toSorted((first, second) => first - second)[Math.floor(values.length / 2)] ?? Number.NaN;
}
