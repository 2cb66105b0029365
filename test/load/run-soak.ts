import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startSteadyLoad } from "../attack/steady-load.ts";
import { plainTool, sendJson, startMcpUpstream, startUpstream } from "../attack/upstream.ts";
import { startGateway } from "../e2e/start-gateway.ts";

/** What a soak came to. */
export interface Soak {
  /** Bytes of the heap after a forced collection, at five points from the end of the warm-up on. */
  readonly heaps: readonly number[];
  readonly answered: number;
  readonly failures: readonly string[];
}

/** What the heap has grown by, in bytes: from the smaller of the first two points, as the first may still hold what the warm-up needed. */
export function growthOf({ heaps }: Soak): number {
  return (heaps.at(-1) ?? 0) - Math.min(...heaps.slice(0, 2));
}

/** Prints the heap after a collection at SIGUSR2: at once after the last one, since the calls that go on take some megabytes in a moment. */
const measuring = `
process.on("SIGUSR2", async () => {
  for (let round = 0; round < 3; round += 1) { gc(); await new Promise((resolve) => setTimeout(resolve, 100)); }
  gc();
  console.error("heap after collection: " + process.memoryUsage().heapUsed);
});`;

/**
 * Keeps a gateway in a process of its own busy: calls of both eras and of the HTTP API to a REST upstream and an MCP server, clients that begin
 * sessions and leave them, streams that are opened and dropped, reloads.
 *
 * @param milliseconds in all; the first quarter is the warm-up.
 */
export async function runSoak(milliseconds: number): Promise<Soak> {
  // They remember what they have seen, and this process has no part in the measurement.
  const rest = await startUpstream((_seen, response) => sendJson(response, { ok: true }));
  const mcp = await startMcpUpstream([plainTool("echo")]);
  const folder = await mkdtemp(join(tmpdir(), "gateway-soak-"));
  const config = join(folder, "gestalt.yaml");
  await writeFile(
    config,
    `
server: {port: "\${PORT}"}
limits: {sessions: {total: 100}}
providers:
  shop: {surfaces: {rest: {base_url: "${rest.url}", operations: [{name: find, method: GET, path: /b, description: F.}]}}}
  remote: {surfaces: {mcp: {url: "${mcp.url}/mcp"}}}
`,
  );
  const preload = `data:text/javascript,${encodeURIComponent(measuring)}`;
  const gateway = await startGateway({ config, nodeFlags: ["--expose-gc", "--import", preload] });
  let isOver = false;
  const until = async (act: () => Promise<unknown>, pause: number): Promise<void> => {
    for (; !isOver; await delay(pause)) await act();
  };
  const load = { url: gateway.url, right: "ok" };
  const loads = [
    startSteadyLoad({ ...load, tool: ["shop", "find"] }),
    startSteadyLoad({ ...load, tool: ["remote", "echo"], api: false, callers: 1 }),
  ];
  // Sooner than a whole soak, all that has bounds is full.
  const passers = until(() => passBy(gateway.url), 50);
  const reloads = until(async () => gateway.process.kill("SIGHUP"), Math.min(10_000, milliseconds / 12));
  const heaps: number[] = [];
  const measure = async (): Promise<void> => {
    const from = gateway.told().length;
    gateway.process.kill("SIGUSR2");
    while (!/heap after collection: \d+\n/.test(gateway.told().slice(from))) await delay(50);
    heaps.push(Number(/heap after collection: (\d+)\n/.exec(gateway.told().slice(from))?.[1]));
  };
  try {
    await delay(milliseconds / 4);
    await measure();
    for (let point = 1; point < 5; point += 1) {
      await delay((milliseconds * 3) / 16);
      await measure();
    }
    isOver = true;
    await Promise.all([passers, reloads]);
    const failures = (await Promise.all(loads.map((each) => each.stop()))).flat();
    return { heaps, failures, answered: loads.reduce((sum, each) => sum + each.answered(), 0) };
  } finally {
    isOver = true;
    await Promise.all(loads.map((each) => each.stop()));
    await gateway.stop();
    for (const upstream of [rest, mcp]) await upstream[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A client that begins a session, opens its stream, and is not seen again. */
async function passBy(url: string): Promise<void> {
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const params = {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "soak", version: "1" },
  };
  const begun = await fetch(`${url}/mcp`, {
    method: "POST",
    headers,
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params }),
  });
  await begun.text();
  const leaving = new AbortController();
  const session = { ...headers, "mcp-session-id": begun.headers.get("mcp-session-id") ?? "" };
  await fetch(`${url}/mcp`, { headers: session, signal: leaving.signal });
  leaving.abort();
}
