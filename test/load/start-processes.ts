import { join } from "node:path";
import { type Child, startChild } from "./child.ts";
import type { LoadOptions, LoadRequest, LoadResult } from "./generate-load.ts";

const file = (name: string): string => join(import.meta.dirname, name);

/** Starts an upstream that answers everything, after a wait. Its URL is what it `said`. */
export function startUpstreamProcess(waitMilliseconds = 0): Promise<Child> {
  return startChild(file("upstream-process.ts"), String(waitMilliseconds));
}

/** A load that another process makes, with one request for all. */
export interface LoadProcess {
  readonly child: Child;
  /** What it came to; single latencies stay in the other process. */
  readonly result: Promise<Omit<LoadResult, "latencies">>;
}

/** Starts a load beside others that does not stand in their way. */
export async function startLoadProcess(
  options: Omit<LoadOptions, "request" | "judge"> & { readonly request: LoadRequest },
): Promise<LoadProcess> {
  const child = await startChild(file("load-process.ts"), JSON.stringify(options));
  const read = async (): Promise<Omit<LoadResult, "latencies">> => {
    const { failed, ...result } = JSON.parse(await child.next());
    await child.stop();
    return { ...result, failed: new Map(Object.entries<number>(failed)) };
  };
  return { child, result: read() };
}

/** Slow clients that another process keeps connected as long as it can. */
export interface SlowSockets {
  /** Longest time in milliseconds that a connection of each kind lasted, once the last has ended. */
  readonly lasted: Promise<{ readonly heads: number; readonly bodies: number }>;
  stop(): Promise<void>;
}

/** Opens so many connections that send a byte in a second, of a head or of a body; resolves when all are open. */
export async function startSlowSockets(url: string, heads: number, bodies: number): Promise<SlowSockets> {
  const child = await startChild(file("slow-sockets-process.ts"), url, String(heads), String(bodies));
  return { lasted: child.next().then((line) => JSON.parse(line)), stop: child.stop };
}
