import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import type { AdministerOptions } from "../../src/cli/administer.ts";
import type { ExitCode } from "../../src/cli/exit-codes.ts";
import { type RecordingConsole, recordingConsole } from "./recording-console.ts";

/** What a command came to. */
export interface Outcome {
  readonly status: ExitCode;
  /** stdout. */
  readonly printed: readonly string[];
  /** stderr. */
  readonly told: readonly string[];
  /** stdout as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  json(): any;
}

/** A folder with a configuration whose users sign in, and commands that work there. */
export interface TestWorkplace {
  readonly folder: string;
  readonly config: string;
  /** The options of a command that works on the store. */
  place(more?: Partial<AdministerOptions>): AdministerOptions;
  remove(): Promise<void>;
}

/** Makes one. Nothing of the environment that the tests run in reaches the commands. */
export async function makeWorkplace(configuration = standardConfiguration): Promise<TestWorkplace> {
  const folder = await mkdtemp(join(tmpdir(), "gestalt-workplace-"));
  const config = join(folder, "gestalt.yaml");
  await writeFile(config, configuration);
  vi.stubEnv("GATEWAY_CONFIG", undefined);
  vi.stubEnv("GATEWAY_SERVER", undefined);
  vi.stubEnv("GATEWAY_TOKEN", undefined);
  vi.stubEnv("XDG_CONFIG_HOME", join(folder, "home"));
  return {
    folder,
    config,
    place: (more = {}) => ({
      config,
      server: undefined,
      tenant: undefined,
      insecure: false,
      json: false,
      ...more,
    }),
    remove: async () => {
      vi.unstubAllEnvs();
      await rm(folder, { recursive: true });
    },
  };
}

/** Runs a command with a console of its own. */
export async function outcomeOf(run: (console: RecordingConsole) => Promise<ExitCode>): Promise<Outcome> {
  const console = recordingConsole();
  const status = await run(console);
  const printed = console.printed();
  return { status, printed, told: console.told(), json: () => JSON.parse(printed.join("\n")) };
}

/** A store, a tenant of the file, and three tools: one reads, one writes, one destroys. */
export const standardConfiguration = `
auth: {provider: local}
tenants:
  acme: {display_name: Acme}
providers:
  shop:
    surfaces:
      rest:
        base_url: "http://127.0.0.1:9"
        operations:
          - {name: list, description: All., method: GET, path: /list}
          - {name: order, description: One., method: POST, path: /orders}
          - {name: cancel, description: None., method: DELETE, path: /orders}
`;
