import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Ledger } from "./crosstalk-ledger.ts";

const program = fileURLToPath(new URL("crosstalk-upstream.ts", import.meta.url));

/** The same upstream behind four transports, in processes of its own. */
export interface CrosstalkUpstreams {
  /** `providers` of the configuration. */
  readonly providers: object;
  /** A text among the variables of each local server, and of nothing else. */
  readonly mark: string;
  /** What all of them have written down. */
  ledger(): Promise<Ledger>;
  close(): Promise<void>;
}

/** Starts them. */
export async function startCrosstalkUpstreams(): Promise<CrosstalkUpstreams> {
  const folder = await mkdtemp(join(tmpdir(), "gateway-crosstalk-"));
  const notes = join(folder, "notes");
  const child = spawn(process.execPath, [program, "http"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "close");
  const [url] = await once(createInterface({ input: child.stdout }), "line");
  const provider = (surface: object): object => ({ surfaces: { mcp: surface } });
  const mark = randomUUID();
  return {
    mark,
    providers: {
      legacy: provider({ url: `${url}/legacy` }),
      modern: provider({ url: `${url}/modern` }),
      sse: provider({ url: `${url}/sse` }),
      stdio: provider({ command: [process.execPath, program, "stdio", notes], env: { MARK: mark } }),
    },
    ledger: async () => {
      // It is our own upstream that answers.
      const ledger = (await (await fetch(`${url}/ledger`)).json()) as Ledger;
      const lines = existsSync(notes) ? readFileSync(notes, "utf8").trim().split("\n") : [];
      for (const line of lines.filter((text) => text !== "")) {
        const [session, home] = JSON.parse(line);
        if (session === "violation") ledger.violations.push(home);
        else ledger.sessions[session] = [...(ledger.sessions[session] ?? []), home];
      }
      return ledger;
    },
    close: async () => {
      child.stdin.end();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
