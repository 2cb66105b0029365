import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Question, SystemOptions, Told } from "./measured-gateway.ts";
import type { LongestTask } from "./watch-tasks.ts";

/** A gateway in a process of its own, the tasks of whose serving thread are measured. */
export interface MeasuredGateway extends AsyncDisposable {
  /** Starts it with these providers; resolves to its URL. Rejects where the configuration is refused. */
  start(providers: object, options?: SystemOptions): Promise<string>;
  /**
   * The most CPU time that the thread spent between two turns of its event loop since this was last asked, what it took to start
   * included. What several callbacks of one turn did counts as one task, so that it is rather too much than too little.
   */
  take(): Promise<LongestTask>;
}

const program = fileURLToPath(new URL("./measured-gateway.ts", import.meta.url));

/** Starts the process; no provider is there yet. */
export async function startMeasured(): Promise<MeasuredGateway> {
  const child = fork(program, { stdio: ["ignore", "ignore", "inherit", "ipc"], execArgv: [] });
  const ended = once(child, "exit");
  const ask = async (question?: Question): Promise<Told> => {
    const answer = once(child, "message");
    if (question !== undefined) child.send(question);
    const died = ended.then(() => {
      throw new Error("The measured gateway has ended.");
    });
    const [told]: Told[] = await Promise.race([answer, died]);
    if (told === undefined || told.kind === "failed") throw new Error(told?.reason ?? "It said nothing.");
    return told;
  };
  await ask();
  return {
    start: async (providers, options = {}) => {
      const told = await ask({ kind: "start", providers, options });
      return told.kind === "started" ? told.url : "";
    },
    take: async () => {
      const told = await ask({ kind: "take" });
      if (told.kind !== "task") throw new Error("It did not say how long its tasks took.");
      return told.task;
    },
    [Symbol.asyncDispose]: async () => {
      child.disconnect();
      await ended;
    },
  };
}
