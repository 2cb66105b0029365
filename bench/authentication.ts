// `npm run bench:authentication`: what authentication and authorization of a warm token add to the CPU time of a call.
//
// Three gateways call the same upstream: one lets everybody in, the others check an API token, tenant exposure, roles, scopes and
// policies, one of them a policy over the arguments of each call besides. Slices of load alternate between them; printed are the medians of the CPU time that the
// operating system counts for each process per call (Linux: /proc), and the ratio. Where the machine has two cores, the gateways
// have one and the load and the upstream the other.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

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

const overArguments = `    - {name: few, effect: deny, when: 'tool.name == "shop_find" && has(arguments.limit) && arguments.limit > 100'}
`;
const folder = mkdtempSync(join(tmpdir(), "gestalt-bench-"));
const body = JSON.stringify({
  items: Array.from({ length: 12 }, (_none, id) => ({ id, name: "a book", price: 9.5 })),
});
const upstream = createServer((_request, response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length }).end(body);
}).listen(0, "127.0.0.1");
const subjects: Subject[] = [];

try {
  await once(upstream, "listening");
  const address = upstream.address();
  if (address === null || typeof address === "string") throw new Error("The upstream has no port.");
  const base = `http://127.0.0.1:${address.port}`;
  subjects.push(await start("auth: none", writeConfiguration("open.yaml", base, ""), {}));
  for (const [name, file, settings] of [
    ["known callers", "known.yaml", access()],
    ["and arguments", "arguments.yaml", access() + overArguments],
  ] as const) {
    const config = writeConfiguration(file, base, settings);
    const line = ["tokens", "create", name, "--service", "--tenant", "acme", "--scope", "shop", "-c", config];
    const created = spawnSync(process.execPath, [command, ...line], { encoding: "utf8" });
    if (created.status !== 0) throw new Error(created.stderr);
    subjects.push(await start(name, config, { authorization: `Bearer ${created.stdout.trim()}` }));
  }
  for (const way of ["MCP 2026-07-28", "HTTP API"] as const) await measure(way);
} finally {
  for (const subject of subjects) subject.process.kill("SIGTERM");
  upstream.close();
  rmSync(folder, { recursive: true });
}

/** Tenants, roles and policies such as a file of a SaaS team may have. */
function access(): string {
  return `
auth: {provider: local}
datastore: {provider: sqlite, config: {path: ./bench.db}}
tenants:
  acme: {providers: [shop]}
  globex: {tools: [shop_add]}
authorization:
  destructive: deny
  roles:
    member: {scopes: [shop]}
    support: {scopes: ["read:*"]}
  policies:
    - {name: admins-destroy, effect: allow, when: '"admin" in principal.roles'}
    - {name: not-for-anonymous, effect: deny, when: principal.kind == "anonymous"}
`;
}

function writeConfiguration(name: string, base: string, settings: string): string {
  const file = join(folder, name);
  const operations = ["find", "read", "add"].map(
    (operation) =>
      `          - {name: ${operation}, method: ${operation === "add" ? "POST" : "GET"}, path: /${operation}, parameters: [{name: limit, in: query, type: integer}]}`,
  );
  writeFileSync(
    file,
    `server: {port: 0}
${settings}
providers:
  shop:
    surfaces:
      rest:
        base_url: ${base}
        operations:
${operations.join("\n")}
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
  const open = costs[0] ?? [];
  console.log(`${way}: ${rounds} slices of ${sliceMilliseconds} ms each, ${connections} connections`);
  subjects.forEach(({ name }, index) => {
    const own = costs[index] ?? [];
    const ratios = own
      .map((cost, round) => cost / (open[round] ?? cost))
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
