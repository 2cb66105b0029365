import { type HeavyInput, heavyInputs } from "./heavy-inputs.ts";
import { startMeasured } from "./longest-task.ts";
import type { LongestTask } from "./watch-tasks.ts";

/** The longest task that one input led to. */
export interface MeasuredTask extends LongestTask {
  readonly row: number;
  readonly name: string;
}

/** Sends the heaviest inputs to a gateway, each kind to a fresh one, one after the other. */
export async function measureTasks(wanted: (input: HeavyInput) => boolean): Promise<readonly MeasuredTask[]> {
  const measured: MeasuredTask[] = [];
  for (const input of heavyInputs.filter(wanted)) {
    const { row, name, prepare } = input;
    const { providers, options, upstreams, requests = [] } = await prepare();
    await using gateway = await startMeasured();
    try {
      const url = await gateway.start(providers, options);
      measured.push({ row, name, ...(await gateway.take()) });
      for (const [request, send] of requests) {
        // How it ends is the matter of other tests.
        await send(url).catch(() => undefined);
        measured.push({ row, name: `${name}: ${request}`, ...(await gateway.take()) });
      }
    } finally {
      for (const upstream of upstreams) await upstream[Symbol.asyncDispose]();
    }
  }
  return measured;
}
