import type { LoadedConfig } from "../config/load-config.ts";
import { Gateway, type GatewayServer } from "../gateway.ts";
import { version } from "../version.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { formatTable } from "./format-table.ts";
import { load, printForPeople } from "./load.ts";
import { logLine } from "./log-line.ts";
import { ReloadQueue } from "./reload.ts";
import { FileWatch } from "./watch-files.ts";

/** Options of `gateway serve`. */
export interface ServeOptions {
  readonly config: string | undefined;
  readonly watch: boolean;
}

/** How long calls that run may go on after SIGTERM. */
const drainMilliseconds = 30_000;

/** `gateway serve`: serves until SIGTERM or SIGINT, reloads on SIGHUP and, with `--watch`, when a file changes. */
export async function serve(options: ServeOptions, console: Console): Promise<ExitCode> {
  const loaded = await load(options.config, "resolve");
  const worthSaying = loaded.diagnostics.filter(({ severity }) => severity !== "information");
  await printForPeople(worthSaying, loaded.sources, console);
  if (loaded.config === undefined) return exitCodes.invalid;

  const gateway = new Gateway(loaded.config, {
    workingDirectory: process.cwd(),
    environment: process.env,
    log: (message, cause) => logLine(message, cause, console),
  });
  const server = await gateway.listen();
  console.say(`gateway ${version} listens on ${server.url}`);

  const watch = new FileWatch(() => reloads.request());
  const follow = ({ files }: LoadedConfig): void => {
    if (options.watch) watch.set(files);
  };
  const reloads = new ReloadQueue(gateway, options.config, console, follow);
  follow(loaded);
  const stopped = untilStopped(() => reloads.request(), console);

  void gateway.start().then(async (diagnostics) => {
    server.markStarted();
    // What could not be reached was told as it happened.
    const told = diagnostics.filter(
      ({ severity, code }) => severity === "error" && code !== "provider-unavailable",
    );
    await printForPeople(told, loaded.sources, console);
    printSummary(gateway, server, console);
  });
  await stopped;

  watch.close();
  await server.drain(drainMilliseconds);
  await gateway.close();
  console.say("gateway stopped.");
  return exitCodes.ok;
}

/** Resolves on SIGTERM or SIGINT; a second one ends the process at once. SIGHUP reloads. */
function untilStopped(reload: () => void, console: Console): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = (signal: NodeJS.Signals): void => {
      if (stopping) process.exit(exitCodes.failed);
      stopping = true;
      console.say(`${signal}: no new calls; waiting for those that run (once more to stop at once).`);
      resolve();
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
    process.on("SIGHUP", reload);
  });
}

function printSummary(gateway: Gateway, server: GatewayServer, console: Console): void {
  const { catalog } = gateway.snapshot;
  const rows = catalog.providers.map((provider) => [
    `  ${provider.name}`,
    provider.state,
    `${provider.tools.length} tools`,
    provider.reason ?? "",
  ]);
  if (rows.length > 0) console.say(formatTable(rows));
  const url = gateway.config.server.baseUrl ?? server.url;
  console.say(
    `${catalog.tools.length} tools on ${url}/mcp, HTTP API on ${url}/api/v1 (described by ${url}/openapi.json)`,
  );
  if (!catalog.providers.some(({ mcpEnabled }) => mcpEnabled)) return;
  console.say("Client configuration:");
  console.say(JSON.stringify({ mcpServers: { gestalt: { type: "http", url: `${url}/mcp` } } }, undefined, 2));
}
