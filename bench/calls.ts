// What benches of single calls share: gateways behind one upstream, slices of load that alternate between them, and the CPU time that the
// operating system counts for each process (Linux: /proc). Where the machine has two cores, the gateways have one and the load and the
// upstream the other. The first two arguments of the command are the number of rounds (15) and the milliseconds of a slice (1,500).
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
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

/** A gateway that is measured, and what its callers put on their requests. */
export interface Subject {
  readonly name: string;
  readonly process: ChildProcess;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What one bench works with. */
export interface Bench {
  /** For configurations and stores; gone afterwards. */
  readonly folder: string;
  /** Address of the upstream, which answers everything with the same list. */
  readonly base: string;
  /** Runs the command to its end; returns what it printed. */
  run(...line: readonly string[]): string;
  /** Starts a gateway, which is measured with those before it; the first one is what all are compared with. */
  start(name: string, config: string, headers: Subject["headers"]): Promise<Subject>;
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

/**
 * Makes the gateways ready with `prepare`, then prints what calls of `shop_find` over MCP and the HTTP API cost each of them.
 *
 * @param end what was prepared beside the gateways comes to its end, before the folder is removed.
 */
export async function benchCalls(
  prepare: (bench: Bench) => Promise<void>,
  end: () => Promise<void> = async () => {},
): Promise<void> {
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
    await prepare({
      folder,
      base: `http://127.0.0.1:${address.port}`,
      run,
      start: async (...gateway) => {
        const subject = await start(...gateway);
        subjects.push(subject);
        return subject;
      },
    });
    for (const way of ["MCP 2026-07-28", "HTTP API"] as const) await measure(subjects, way);
  } finally {
    await end();
    for (const subject of subjects) subject.process.kill("SIGTERM");
    upstream.close();
    rmSync(folder, { recursive: true });
  }
}

function run(...line: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...line], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
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

async function measure(subjects: readonly Subject[], way: "MCP 2026-07-28" | "HTTP API"): Promise<void> {
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
  const first = costs[0] ?? [];
  console.log(`${way}: ${rounds} slices of ${sliceMilliseconds} ms each, ${connections} connections`);
  subjects.forEach(({ name }, index) => {
    const own = costs[index] ?? [];
    const ratios = own
      .map((cost, round) => cost / (first[round] ?? cost))
      .toSorted((one, other) => one - other);
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
