import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** The fixture in a process of its own, which does not outlive this one. */
export interface RunningFixture {
  /** The address of its server of one era. */
  readonly url: Readonly<Record<"legacy" | "modern", string>>;
  /** Ends it, and resolves when it is gone. */
  stop(): Promise<void>;
}

/** Starts the fixture on a free port and resolves when it listens. */
export async function startFixture(): Promise<RunningFixture> {
  const fixture = fork(new URL("fixture.ts", import.meta.url), {
    execArgv: [],
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const origin = await listening(fixture);
  return {
    url: { legacy: `${origin}/legacy`, modern: `${origin}/modern` },
    stop: async () => {
      if (fixture.exitCode !== null || fixture.signalCode !== null) return;
      const exit = once(fixture, "exit");
      fixture.kill("SIGTERM");
      await exit;
    },
  };
}

/** The origin that the fixture prints when it is ready. */
function listening(fixture: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (fixture.stdout) {
      createInterface({ input: fixture.stdout }).on("line", (line) => {
        const origin = /^listening on (\S+)$/.exec(line)?.[1];
        if (origin !== undefined) resolve(origin);
      });
    }
    fixture.once("error", reject);
    fixture.once("exit", () =>
      reject(new Error("The fixture ended before it was ready. What it printed above says why.")),
    );
  });
}
