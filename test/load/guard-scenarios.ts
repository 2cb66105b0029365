import { type LoadResult, runLoad } from "./generate-load.ts";
import type { GuardStage } from "./guard-stage.ts";
import { startLoadProcess, startSlowSockets } from "./start-processes.ts";

/** The same load without something beside it, and with. */
export interface Compared {
  readonly without: LoadResult;
  readonly beside: LoadResult;
}

/** How the good p99 changes; wide where the machine has other things to do. */
export function ratioOf({ without, beside }: Compared): number {
  return beside.p99 / without.p99;
}

/** Good traffic beside so many slow clients, half of them with their heads and half with their bodies, and how long those lasted. */
export async function besideSlowSockets(
  stage: GuardStage,
  options: {
    readonly sockets: number;
    readonly milliseconds: number;
    readonly requestsPerSecond: number;
  },
): Promise<Compared & { readonly lasted: { readonly heads: number; readonly bodies: number } }> {
  const { url } = stage.gateway;
  const { milliseconds, requestsPerSecond } = options;
  const load = { url, milliseconds, requestsPerSecond, connections: 64, request: stage.call() };
  const without = await runLoad(load);
  const slow = await startSlowSockets(url, options.sockets / 2, options.sockets / 2);
  const beside = await runLoad(load);
  const lasted = await slow.lasted;
  await slow.stop();
  return { without, beside, lasted };
}

/** Calls of quiet tenants beside those of one that makes so many times as many as each of them. */
export async function besideNoisyTenant(
  stage: GuardStage,
  options: {
    readonly quiet: readonly string[];
    readonly noisy: string;
    readonly times: number;
    readonly milliseconds: number;
    /** Of each quiet tenant. */
    readonly requestsPerSecond: number;
  },
): Promise<Compared & { readonly noisy: Omit<LoadResult, "latencies"> }> {
  const { url } = stage.gateway;
  const { quiet, milliseconds, requestsPerSecond } = options;
  const calls = quiet.map((tenant) => stage.call(tenant));
  const load = {
    ...{ url, milliseconds, connections: 64 },
    requestsPerSecond: requestsPerSecond * quiet.length,
    request: (index: number) => calls[index % calls.length] ?? stage.call(),
  };
  const without = await runLoad(load);
  const process = await startLoadProcess({
    ...{ url, milliseconds: milliseconds + 1_000, connections: 500, request: stage.call(options.noisy) },
    requestsPerSecond: requestsPerSecond * options.times,
  });
  const beside = await runLoad(load);
  return { without, beside, noisy: await process.result };
}

/** What overload leaves of the best there is. */
export interface Overload {
  /** Good answers per second at the best concurrency. */
  readonly peak: number;
  readonly during: Omit<LoadResult, "latencies">;
  /** Good answers during overload, as a part of the peak. */
  readonly goodput: number;
  /** Milliseconds from its end to the last failure. */
  readonly recovery: number;
  readonly after: LoadResult;
}

/** Asks for so many times the peak, by connections that are held open, then for a third of the peak. */
export async function overload(
  stage: GuardStage,
  options: { readonly times: number; readonly milliseconds: number; readonly connections: number },
): Promise<Overload> {
  const { url } = stage.gateway;
  const request = stage.call();
  const { times, milliseconds, connections } = options;
  await runLoad({ url, request, concurrency: 32, milliseconds: 2_000 });
  let peak = 0;
  for (const concurrency of [16, 32, 64]) {
    const { rate } = await runLoad({ url, request, concurrency, milliseconds: milliseconds / 10 });
    peak = Math.max(peak, rate);
  }
  const { child, result } = await startLoadProcess({
    ...{
      url,
      request,
      milliseconds,
      connections,
      requestsPerSecond: peak * times,
      timeoutMilliseconds: 5_000,
    },
  });
  const during = await result;
  await child.stop();
  const after = await runLoad({
    ...{ url, request, milliseconds: 6_000, connections: 64, requestsPerSecond: peak / 3 },
  });
  return { peak, during, goodput: during.rate / peak, recovery: after.lastFailure, after };
}
