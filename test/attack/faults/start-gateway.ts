import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { trustedCertificate } from "./certificates.ts";
import type { Memory, Order, Report } from "./gateway-process.ts";

/** A gateway in another process. */
export interface GatewayProcess extends AsyncDisposable {
  readonly pid: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Does something, and tells what it took of the gateway's memory. */
  watch<Result>(work: () => Promise<Result>): Promise<{ readonly result: Result; readonly memory: Memory }>;
  log(): Promise<readonly string[]>;
}

/** Starts it; resolves once every provider was looked at. */
export async function startGatewayProcess(
  providers: object,
  settings: object,
  files: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>>,
): Promise<GatewayProcess> {
  const child = fork(fileURLToPath(new URL("gateway-process.ts", import.meta.url)), {
    execArgv: ["--expose-gc"],
    env: { ...process.env, NODE_EXTRA_CA_CERTS: trustedCertificate },
    // Line by line of what it says would drown the report of the tests.
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  const waiting: ((report: Report) => void)[] = [];
  child.on("message", (report: Report) => waiting.shift()?.(report));
  void ended.then(() => {
    for (const resolve of waiting.splice(0)) resolve({ problems: ["The gateway's process has ended."] });
  });
  const tell = async (order: Order): Promise<Report> => {
    const report = await new Promise<Report>((resolve) => {
      waiting.push(resolve);
      child.send(order);
    });
    if (report.problems !== undefined && report.problems.length > 0)
      throw new Error(report.problems.join("\n"));
    return report;
  };
  const { url = "", headers = {} } = await tell({ kind: "start", providers, settings, files, environment });
  return {
    ...{ url, headers, pid: child.pid ?? 0 },
    watch: async (work) => {
      await tell({ kind: "watch" });
      const result = await work();
      const { memory } = await tell({ kind: "measure" });
      if (memory === undefined) throw new Error("The gateway's process tells nothing of its memory.");
      return { result, memory };
    },
    log: async () => (await tell({ kind: "log" })).log ?? [],
    [Symbol.asyncDispose]: async () => {
      if (child.connected) await tell({ kind: "stop" });
      await ended;
    },
  };
}
