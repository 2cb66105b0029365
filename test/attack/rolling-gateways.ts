import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../e2e/free-port.ts";
import { type RunningGateway, startGateway } from "../e2e/start-gateway.ts";
import { sendJson, startUpstream, type Upstream } from "./upstream.ts";

/** Two gateways with one configuration, which take turns in being replaced. */
export interface RollingGateways {
  /** Where each listens: two ports, or the same one twice. */
  readonly ports: readonly [number, number];
  /**
   * Replaces one of them. Where they share a port the new process starts first, else the old one ends first.
   *
   * @param isKnown resolves once whoever spreads the load knows that the new one is there.
   */
  replace(index: 0 | 1, isKnown?: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

/** How long a gateway that ends goes on serving, in ms. */
export const leavingMilliseconds = 1_000;

/** Starts both, in front of one upstream that answers everything with `{"ok":true}`. */
export async function startRollingGateways(options: {
  readonly reusePort: boolean;
}): Promise<RollingGateways> {
  const { reusePort } = options;
  const upstream: Upstream = await startUpstream((_seen, response) => sendJson(response, { ok: true }));
  const folder = await mkdtemp(join(tmpdir(), "gateway-rolling-"));
  const config = join(folder, "gestalt.yaml");
  await writeFile(
    config,
    `
server:
  port: "\${PORT}"
  reuse_port: ${reusePort}
  shutdown: {delay: ${leavingMilliseconds}ms, grace: 20s}
providers:
  shop:
    surfaces:
      rest:
        base_url: ${upstream.url}
        operations: [{name: find, method: GET, path: /books, description: Finds.}]
`,
  );
  const first = await freePort();
  const ports = [first, reusePort ? first : await freePort()] as const;
  const start = (index: 0 | 1): Promise<RunningGateway> =>
    startGateway({ config, environment: { PORT: String(ports[index]) } });
  const running: [RunningGateway, RunningGateway] = [await start(0), await start(1)];
  const end = async (gateway: RunningGateway): Promise<void> => {
    const status = await gateway.stop();
    if (status !== 0) throw new Error(`The gateway ended with ${status}:\n${gateway.told()}`);
  };
  return {
    ports,
    replace: async (index, isKnown) => {
      const old = running[index];
      if (reusePort) {
        running[index] = await start(index);
        await end(old);
      } else {
        await end(old);
        running[index] = await start(index);
      }
      await isKnown?.();
    },
    stop: async () => {
      await Promise.all(running.map((gateway) => gateway.stop()));
      await upstream[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A haproxy that spreads requests over the ports of 127.0.0.1 whose gateway says that it is ready. */
export interface Balancer {
  readonly url: string;
  /** Resolves once it sends requests to so many of them. */
  isUsing(servers: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one; `undefined` where it is not installed. */
export async function startBalancer(ports: readonly number[]): Promise<Balancer | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "gateway-balancer-"));
  const [port, statistics] = [await freePort(), await freePort()];
  const file = join(folder, "haproxy.cfg");
  await writeFile(
    file,
    `
global
  maxconn 2000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout check 5s
  # Nothing is tried again: what fails counts.
  retries 0
frontend callers
  bind 127.0.0.1:${port}
  default_backend gateways
frontend statistics
  bind 127.0.0.1:${statistics}
  stats enable
  stats uri /
backend gateways
  balance roundrobin
  option httpchk GET /readyz
  default-server check inter 100ms fall 1 rise 1
${ports.map((each, index) => `  server gateway${index} 127.0.0.1:${each}`).join("\n")}
`,
  );
  const child = spawn("haproxy", ["-q", "-db", "-f", file], { stdio: ["ignore", "ignore", "pipe"] });
  const endWithRun = (): void => void child.kill("SIGKILL");
  process.once("exit", endWithRun);
  const ended = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  }).then(() => process.off("exit", endWithRun));
  const isThere = await Promise.race([once(child, "spawn").then(() => true), ended.then(() => false)]);
  if (!isThere) return undefined;
  const using = async (): Promise<number> => {
    try {
      const answer = await fetch(`http://127.0.0.1:${statistics}/;csv`);
      const rows = (await answer.text()).split("\n").filter((row) => row.startsWith("gateways,gateway"));
      return rows.filter((row) => row.split(",")[17] === "UP").length;
    } catch {
      return 0;
    }
  };
  return {
    url: `http://127.0.0.1:${port}`,
    isUsing: async (servers) => {
      while ((await using()) !== servers) await new Promise((resolve) => setTimeout(resolve, 50));
    },
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
