import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { openLegacy } from "../attack/system.ts";
import { openProvider, textOf, until } from "../providers/mcp/open-provider.ts";
import { markedProcesses, openHandles } from "./marked-processes.ts";
import { startGateway } from "./start-gateway.ts";

const fixture = fileURLToPath(new URL("../providers/mcp/stdio-fixture.ts", import.meta.url));

/** A server in few words: it starts faster than a program of TypeScript, and is started often. */
const smallest = `
  const answers = {
    initialize: { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "s", version: "1" } },
    "tools/list": { tools: [{ name: "pids", inputSchema: {} }] },
    "tools/call": { content: [{ type: "text", text: "[" + process.pid + "]" }] },
  };
  console.error("started");
  require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
    const { id, method } = JSON.parse(line);
    const result = answers[method];
    const answer = result === undefined ? { error: { code: -32601, message: "no " + method } } : { result };
    if (id !== undefined) console.log(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
  });
`;

/** What calls to a server may fail with while it is away. */
const clear = ["provider_unavailable", "upstream_failed"];

function killAll(mark: string): readonly number[] {
  const pids = markedProcesses(mark);
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended with its parent.
    }
  }
  return pids;
}

describe.runIf(process.platform === "linux")("a local server that is killed with SIGKILL", () => {
  const restarts = 200;

  test(`comes back; after ${restarts} restarts no process and no handle is left over`, {
    timeout: 300_000,
  }, async () => {
    const mark = randomUUID();
    const logged: string[] = [];
    const provider = await openProvider([process.execPath, "-e", smallest], {
      environment: { MARK: mark },
      timings: { reconnect: { first: 1, longest: 5 } },
      logged,
    });
    const call = async (): Promise<string> => {
      for (;;) {
        try {
          return String(textOf(await provider.call("pids")));
        } catch (error) {
          if (!(error instanceof GatewayError)) throw error;
          expect(clear).toContain(error.code);
          expect(error.message.length).toBeGreaterThan(20);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
    };
    // The first restarts open what stays: pipes are compared with pipes.
    let handles = 0;
    let listeners = 0;
    const seen = new Set<string>();
    for (let restart = 0; restart < restarts; restart++) {
      seen.add(await call());
      if (restart === 5) {
        handles = openHandles(process.pid);
        listeners = process.listenerCount("exit");
      }
      const killed = killAll(mark);
      expect(killed.length).toBeGreaterThan(0);
      const current = (): readonly number[] => markedProcesses(mark);
      await until(() => killed.every((pid) => !current().includes(pid)));
    }
    seen.add(await call());
    expect(seen.size).toBe(restarts + 1);
    await until(() => openHandles(process.pid) <= handles + 4);
    expect(process.listenerCount("exit")).toBeLessThanOrEqual(listeners + 2);
    // What the servers say themselves when they start, and a few lines for each end.
    const own = logged.filter((line) => !line.includes("started"));
    expect(own.length).toBeLessThanOrEqual(restarts * 3);
    await provider.surface.close();
    await until(() => markedProcesses(mark).length === 0);
    await until(() => openHandles(process.pid) < handles);
  });

  test("behind `gateway serve`: calls fail clearly meanwhile, and it comes back each time", {
    timeout: 180_000,
  }, async () => {
    const mark = randomUUID();
    const folder = await mkdtemp(join(tmpdir(), "gateway-restarts-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const config = join(folder, "gestalt.yaml");
    const command = [process.execPath, fixture, "parent"];
    const providers = { local: { surfaces: { mcp: { command, env: { MARK: mark } } } } };
    await writeFile(config, JSON.stringify({ server: { port: 0 }, providers }));
    const gateway = await startGateway({ config });
    onTestFinished(() => gateway.stop().then(() => undefined));
    const session = await openLegacy(gateway.url);
    const call = async (): Promise<string> => {
      for (;;) {
        const { text } = await session.request("tools/call", { name: "local_pids", arguments: {} });
        const pids = /\[\d+,\d+\]/.exec(text)?.[0];
        if (pids !== undefined) return pids;
        expect(text).toMatch(new RegExp(clear.join("|")));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    await call();
    const handles = openHandles(gateway.process.pid ?? 0);
    const seen = new Set<string>();
    for (let restart = 0; restart < 5; restart++) {
      seen.add(await call());
      const killed = killAll(mark);
      await until(() => killed.every((pid) => !markedProcesses(mark).includes(pid)));
    }
    seen.add(await call());
    expect(seen.size).toBe(6);
    await until(() => openHandles(gateway.process.pid ?? 0) <= handles + 4);
    const told = gateway
      .told()
      .split("\n")
      .filter((line) => line !== "" && !line.includes("started"));
    expect(told.length).toBeLessThan(60);
    expect(await gateway.stop()).toBe(0);
    await until(() => markedProcesses(mark).length === 0);
  });
});
