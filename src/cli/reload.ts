import { isDeepStrictEqual } from "node:util";
import type { LoadedConfig } from "../config/load-config.ts";
import { GatewayError } from "../errors.ts";
import type { Gateway } from "../gateway.ts";
import { isLoopback } from "../loopback.ts";
import type { GatewayConfig } from "../model/config.ts";
import type { LimitsConfig } from "../model/limits.ts";
import type { OpenState } from "../open-state.ts";
import type { Console } from "./console.ts";
import { count } from "./format-table.ts";
import { load, printForPeople, tellOfWarnings, worthSaying, worthTelling } from "./load.ts";
import { logLine } from "./log-line.ts";
import { tellOfNoUser } from "./tell-of-no-user.ts";

/** What a reload changes. */
export interface Reloadable {
  readonly gateway: Gateway;
  readonly callers: OpenState;
}

/** One reload at a time; requests that come in meanwhile end in one more. The last good configuration stays on error. */
export class ReloadQueue {
  readonly #gateway: Gateway;
  readonly #callers: OpenState;
  readonly #option: string | undefined;
  readonly #console: Console;
  readonly #loaded: (loaded: LoadedConfig) => void;
  /** What the process began with: the settings of the server are those. */
  readonly #started: GatewayConfig;
  #running = false;
  #again = false;
  #closed = false;

  /** @param loaded told of every file that was read, whether it is valid or not. */
  constructor(
    { gateway, callers }: Reloadable,
    option: string | undefined,
    console: Console,
    loaded: (loaded: LoadedConfig) => void,
  ) {
    this.#gateway = gateway;
    this.#callers = callers;
    this.#option = option;
    this.#console = console;
    this.#loaded = loaded;
    this.#started = gateway.config;
  }

  /** Asks for a reload, soon. */
  request(): void {
    this.#again = !this.#closed;
    if (this.#again && !this.#running) void this.#run();
  }

  /** No further reloads; one that runs says nothing more. */
  close(): void {
    this.#closed = true;
    this.#again = false;
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#again) {
      this.#again = false;
      try {
        await this.#reload();
      } catch (error) {
        const why = error instanceof GatewayError ? error.message : "an internal error occurred.";
        const message = `Not reloaded: ${why} The last good configuration is still served.`;
        logLine(message, error, this.#console);
      }
    }
    this.#running = false;
  }

  async #reload(): Promise<void> {
    const loaded = await load(this.#option, "resolve");
    this.#loaded(loaded);
    await printForPeople(worthSaying(loaded.diagnostics), loaded.sources, this.#console);
    if (loaded.config === undefined) {
      this.#console.say("Not reloaded: the configuration has errors. The last good one is still served.");
      return;
    }
    const { server: before } = this.#started;
    if (loaded.config.auth.provider === "none" && !isLoopback(before.host)) {
      this.#console.say(
        `Not reloaded: nobody would have to sign in (\`auth.provider: none\`), and the gateway listens on ${before.host} until the next start. The last good configuration is still served.`,
      );
      return;
    }
    const signedIn = this.#gateway.config.auth.provider !== "none";
    const changeCallers = await this.#callers.reconfigure(loaded.config);
    const tools = this.#gateway.snapshot.catalog.tools.length;
    const diagnostics = await this.#gateway.reload(loaded.config, changeCallers);
    if (this.#closed) return;
    await printForPeople(worthTelling(diagnostics), loaded.sources, this.#console);
    tellOfWarnings(diagnostics, this.#option, this.#console);
    if (!signedIn) await tellOfNoUser(this.#callers, loaded.config, this.#option, this.#console);
    this.#tellOfLater(loaded.config);
    const after = this.#gateway.snapshot.catalog.tools.length;
    this.#console.say(`Reloaded: ${count(after, "tool")}${after === tools ? "" : ` (there were ${tools})`}.`);
  }

  /** What is listened with is as it was at the start. */
  #tellOfLater({ server, limits }: GatewayConfig): void {
    const { server: before, limits: limitsBefore } = this.#started;
    const { encryptionKeys, shutdown } = before;
    if (!isDeepStrictEqual(before, { ...server, encryptionKeys, shutdown })) {
      this.#console.say("What changed under `server:` takes effect with the next start.");
    }
    if (!isDeepStrictEqual(listeningLimits(limitsBefore), listeningLimits(limits))) {
      this.#console.say(
        "What changed of `header_size`, `header_count` and `header_time` under `limits.requests`, or of `total`, `per_address` and `keep_alive` under `limits.connections`, takes effect with the next start.",
      );
    }
  }
}

/** Limits that a server which listens can't change. */
function listeningLimits({ requests, connections }: LimitsConfig): object {
  const { headerBytes, headers, headerMilliseconds } = requests;
  const { stalledMilliseconds, ...others } = connections;
  return { headerBytes, headers, headerMilliseconds, ...others };
}
