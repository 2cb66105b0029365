import type { OverloadLimits } from "../model/limits.ts";

/** Why new work is refused: the thread is late, the memory is nearly used up, or too much is under way. */
export type OverloadReason = "delay" | "memory" | "requests";

/** How much memory there is, and how much is in use, in bytes. */
export interface MemoryUse {
  /** Of the process, as the machine sees it. */
  readonly resident: number;
  /** What the process may have: the machine's memory, or that of its container. */
  readonly available: number;
  /** Of the JavaScript heap. */
  readonly heap: number;
  /** At which the heap ends the process. */
  readonly heapLimit: number;
}

/** Knows whether the gateway has more to do than it can, and says so once when it begins and once when it is over. */
export interface LoadMonitor {
  /** Looks at the memory and at the clock; to be called several times in a second. */
  look(): void;
  /** Whether there was too little memory at the last look. */
  isMemoryScarce(): boolean;
  /** To be told of each request that was refused. */
  refused(reason: OverloadReason): void;
  /** Why requests are being refused; `undefined`: they are not. */
  overload(): OverloadReason | undefined;
}

/** What a monitor stands on. */
export interface LoadMonitorParts {
  /** As of now. */
  readonly limits: () => OverloadLimits;
  readonly memory: () => MemoryUse;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly log: (message: string) => void;
}

/** An overload is over when nothing was refused for so long, so that it does not come and go in the log. */
const quietMilliseconds = 5_000;

/** The part of what there is from which on it is scarce. A heap that full stays so after collection: V8 lets it grow by half of what is left. */
const scarcePart = 0.9;

/** Once scarce, memory is so until so much less is in use: a collection just below the limit would let in what brings it back. */
const reliefPart = 0.95;

/** Makes a monitor that has seen nothing yet. */
export function createLoadMonitor({ limits, memory, now, log }: LoadMonitorParts): LoadMonitor {
  let isScarce = false;
  let current: OverloadReason | undefined;
  let began = 0;
  let last = 0;
  let count = 0;

  const begin = (reason: OverloadReason): void => {
    if (current === undefined) {
      began = now();
      count = 0;
    }
    // What is refused for another reason meanwhile belongs to the same overload.
    current ??= reason;
  };

  return {
    look: () => {
      const { memoryBytes } = limits();
      const { resident, available, heap, heapLimit } = memory();
      const part = isScarce ? reliefPart : 1;
      isScarce =
        resident > part * (memoryBytes ?? scarcePart * available) || heap > part * scarcePart * heapLimit;
      if (isScarce) {
        last = now();
        if (current === undefined) log(begins("memory", limits()));
        begin("memory");
      }
      if (current === undefined || now() - last < quietMilliseconds) return;
      current = undefined;
      const seconds = Math.max(1, Math.round((last - began) / 1_000));
      log(`The gateway is no longer overloaded. It has refused ${count} requests in ${seconds} s.`);
    },
    isMemoryScarce: () => isScarce,
    refused: (reason) => {
      last = now();
      if (current === undefined) log(begins(reason, limits()));
      begin(reason);
      count += 1;
    },
    overload: () => current,
  };
}

function begins(reason: OverloadReason, limits: OverloadLimits): string {
  return `The gateway is overloaded and refuses requests with 503: ${explainOverload(reason, limits)}`;
}

/** What is wrong, and which key of the file the limit stands at. */
export function explainOverload(
  reason: OverloadReason,
  { delayMilliseconds, requests }: OverloadLimits,
): string {
  switch (reason) {
    case "delay":
      return `requests have waited for ${delayMilliseconds} ms to be begun (\`limits.overload.delay\`).`;
    case "memory":
      return "it has nearly used up its memory (`limits.overload.memory`, the heap's limit).";
    case "requests":
      return `${requests} requests are under way (\`limits.overload.requests\`).`;
  }
}
