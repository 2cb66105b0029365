// A gateway in a process of its own, whose memory can be watched: it is told what to do by the test that has forked it.
import { readFileSync, writeFileSync } from "node:fs";
import { tokenCaller } from "../callers.ts";
import { type System, startSystem } from "../system.ts";

/** What it is told. */
export type Order =
  | {
      readonly kind: "start";
      readonly providers: object;
      readonly settings: object;
      readonly files: Readonly<Record<string, string>>;
      readonly environment: Readonly<Record<string, string>>;
    }
  /** Counts what stands in memory after a collection, and watches the most from now on. */
  | { readonly kind: "watch" }
  /** Tells the most since. */
  | { readonly kind: "measure" }
  | { readonly kind: "log" }
  | { readonly kind: "stop" };

/** What it answers, in the order of what it is told. */
export interface Report {
  readonly url?: string;
  /** Of somebody who may call everything. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly problems?: readonly string[];
  readonly log?: readonly string[];
  readonly memory?: Memory;
}

/** In bytes. */
export interface Memory {
  /** Resident, when the watch began, and the most since. */
  readonly before: number;
  readonly most: number;
  /** Heap, buffers and what else is held outside of it, after a collection: when the watch began, and now. */
  readonly heldBefore: number;
  readonly heldNow: number;
  /** The most CPU that one turn of the event loop took, in ms. */
  readonly longestTurn: number;
}

let system: System | undefined;
let before = 0;
let heldBefore = 0;
let sampled = 0;
let sampling: NodeJS.Timeout | undefined;
let longestTurn = 0;

function held(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Linux keeps the peak itself, and forgets it on demand; elsewhere it is looked at every few milliseconds. */
function forgetPeak(): void {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    clearInterval(sampling);
    sampling = setInterval(() => {
      sampled = Math.max(sampled, process.memoryUsage.rss());
    }, 5);
  }
}

function peak(): number {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    return Number(kilobytes) * 1024;
  } catch {
    return Math.max(sampled, process.memoryUsage.rss());
  }
}

async function carryOut(order: Order): Promise<Report> {
  switch (order.kind) {
    case "start": {
      const { providers, settings, files, environment } = order;
      system = await startSystem(providers, { settings, files, environment, start: "follow" });
      const administration = await system.administration();
      const { headers } = await tokenCaller(administration, { name: "tester", scopes: undefined });
      return { url: system.url, headers, problems: system.diagnostics.map(({ message }) => message) };
    }
    case "watch":
      heldBefore = held();
      before = process.memoryUsage.rss();
      sampled = before;
      longestTurn = 0;
      forgetPeak();
      return {};
    case "measure": {
      const most = peak();
      return { memory: { before, most, heldBefore, heldNow: held(), longestTurn } };
    }
    case "log":
      return { log: system?.log ?? [] };
    case "stop":
      await system?.close();
      setImmediate(() => process.disconnect());
      return {};
  }
}

let last: Promise<unknown> = Promise.resolve();
process.on("message", (order: Order) => {
  last = last.then(async () => {
    try {
      process.send?.(await carryOut(order));
    } catch (error) {
      process.send?.({ problems: [error instanceof Error ? (error.stack ?? error.message) : String(error)] });
    }
  });
});
