import { isDeepStrictEqual } from "node:util";
import type { LoadedConfig } from "../config/load-config.ts";
import type { Gateway } from "../gateway.ts";
import type { Console } from "./console.ts";
import { load, printForPeople } from "./load.ts";
import { logLine } from "./log-line.ts";

/** One reload at a time; requests that come in meanwhile end in one more. The last good configuration stays on error. */
export class ReloadQueue {
  readonly #gateway: Gateway;
  readonly #option: string | undefined;
  readonly #console: Console;
  readonly #loaded: (loaded: LoadedConfig) => void;
  #running = false;
  #again = false;

  /** @param loaded told of every file that was read, whether it is valid or not. */
  constructor(
    gateway: Gateway,
    option: string | undefined,
    console: Console,
    loaded: (loaded: LoadedConfig) => void,
  ) {
    this.#gateway = gateway;
    this.#option = option;
    this.#console = console;
    this.#loaded = loaded;
  }

  /** Asks for a reload, soon. */
  request(): void {
    this.#again = true;
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#again) {
      this.#again = false;
      try {
        await this.#reload();
      } catch (error) {
        const message =
          "Not reloaded: an internal error occurred. The last good configuration is still served.";
        logLine(message, error, this.#console);
      }
    }
    this.#running = false;
  }

  async #reload(): Promise<void> {
    const loaded = await load(this.#option, "resolve");
    this.#loaded(loaded);
    await printForPeople(
      loaded.diagnostics.filter(({ severity }) => severity !== "information"),
      loaded.sources,
      this.#console,
    );
    if (loaded.config === undefined) {
      this.#console.say("Not reloaded: the configuration has errors. The last good one is still served.");
      return;
    }
    const { server: before } = this.#gateway.config;
    const diagnostics = await this.#gateway.reload(loaded.config);
    await printForPeople(
      diagnostics.filter(({ severity }) => severity === "error"),
      loaded.sources,
      this.#console,
    );
    if (!isDeepStrictEqual(before, loaded.config.server)) {
      this.#console.say("What changed under `server:` takes effect with the next start.");
    }
    this.#console.say(`Reloaded: ${this.#gateway.snapshot.catalog.tools.length} tools.`);
  }
}
