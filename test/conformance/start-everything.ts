import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { freePort } from "../e2e/free-port.ts";

/** The official server-everything in a process of its own, which does not outlive this one. */
export interface RunningEverything {
  readonly url: string;
  /** Ends it, and resolves when it is gone. */
  stop(): Promise<void>;
}

/** Its program, which serves HTTP with `streamableHttp` as the argument, and its standard input with `stdio`. */
export const everythingProgram = join(
  ...[import.meta.dirname, "..", "..", "node_modules"],
  ...["@modelcontextprotocol", "server-everything", "dist", "index.js"],
);

/** Starts it on a free port and resolves when it listens. */
export async function startEverything(): Promise<RunningEverything> {
  const port = await freePort();
  const server = spawn(process.execPath, [everythingProgram, "streamableHttp"], {
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const endWithRun = (): void => void server.kill("SIGKILL");
  process.once("exit", endWithRun);
  const exit = once(server, "exit").then(() => process.off("exit", endWithRun));
  await new Promise<void>((resolve, reject) => {
    let told = "";
    server.stderr.setEncoding("utf8").on("data", (text: string) => {
      told += text;
      if (told.includes("listening on port")) resolve();
    });
    server.once("error", reject);
    server.once("exit", () => reject(new Error(`server-everything ended before it listened:\n${told}`)));
  });
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    stop: async () => {
      server.kill("SIGKILL");
      await exit;
    },
  };
}
