import { setTimeout as delay } from "node:timers/promises";
import type { LoadedConfig } from "../config/load-config.ts";
import { Gateway, type GatewayServer } from "../gateway.ts";
import type { GatewayConfig } from "../model/config.ts";
import { type OpenState, openState } from "../open-state.ts";
import { version } from "../version.ts";
import { connectStdio } from "./connect-stdio.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { load, printForPeople, tellOfWarnings, worthSaying, worthTelling } from "./load.ts";
import { logLine } from "./log-line.ts";
import { printLate, printSummary, startingProviders } from "./print-serving.ts";
import { ReloadQueue } from "./reload.ts";
import { listenToSignals, untilAborted } from "./stop-signals.ts";
import { tellOfNoUser } from "./tell-of-no-user.ts";
import { FileWatch } from "./watch-files.ts";

/** Options of `gateway serve`. */
export interface ServeOptions {
  readonly config: string | undefined;
  readonly watch: boolean;
  /** Whether to speak MCP on stdin and stdout as well. Default false. */
  readonly stdio?: boolean;
}

/** How long the summary waits for providers that have not answered yet. */
const summaryMilliseconds = 2_000;

/**
 * `gateway serve`: serves until SIGTERM or SIGINT, or until the client at the standard input leaves, reloads on SIGHUP and, with
 * `--watch`, when a file changes.
 */
export async function serve(options: ServeOptions, console: Console): Promise<ExitCode> {
  const loaded = await load(options.config, "resolve");
  await printForPeople(worthSaying(loaded.diagnostics), loaded.sources, console);
  if (loaded.config === undefined) return exitCodes.invalid;

  const callers = await openState(loaded.config, { log: logTo(console) });
  try {
    await callers.checkKeys();
    return await serveCallers(callers, { ...loaded, config: loaded.config }, options, console);
  } finally {
    await callers.close();
  }
}

function logTo(console: Console): (message: string, cause?: unknown) => void {
  return (message, cause) => logLine(message, cause, console);
}

async function serveCallers(
  callers: OpenState,
  loaded: LoadedConfig & { readonly config: GatewayConfig },
  options: ServeOptions,
  console: Console,
): Promise<ExitCode> {
  const { config } = loaded;
  const { stdio = false } = options;
  const gateway = new Gateway(config, {
    workingDirectory: process.cwd(),
    environment: process.env,
    log: logTo(console),
    identity: callers.identity,
    store: callers.store,
    vault: callers.vault,
    ...{ address: callers.address, oidcSignIn: callers.oidcSignIn },
    authorizationServer: callers.authorizationServer,
    ...(config.datastore !== undefined && { cacheFolder: `${config.datastore}-cache` }),
  });
  const watch = new FileWatch(() => reloads.request());
  const follow = ({ files }: LoadedConfig): void => {
    // Documents refer to others; which ones turns out as providers are opened.
    if (options.watch) watch.set(() => [...files, ...gateway.watchedFiles()]);
  };
  const reloads = new ReloadQueue({ gateway, callers }, options.config, console, follow);
  follow(loaded);

  const server = await gateway.listen({ orFreePort: stdio });
  console.say(`gateway ${version} listens on ${server.url}`);
  const stop = listenToSignals(() => reloads.request(), console);
  await tellOfNoUser(callers, config, options.config, console);
  const client = stdio
    ? await connectStdio(server, config, process.env).catch(async (error: unknown) => {
        // What is open would keep the process alive.
        reloads.close();
        watch.close();
        await server.drain(0);
        await gateway.close();
        throw error;
      })
    : undefined;
  // Nothing is waited for in between: what the client asks first finds providers that are starting, and waits for them where it needs them.
  const opened = gateway.start().then(async (diagnostics) => {
    if (stop.aborted) return;
    server.markStarted();
    await printForPeople(worthTelling(diagnostics), loaded.sources, console);
    tellOfWarnings(diagnostics, options.config, console);
  });
  const over = Promise.race([untilAborted(stop), ...(client ? [client.ended] : [])]);
  await Promise.race([over, opened, delay(summaryMilliseconds, undefined, { ref: false })]);
  if (!stop.aborted) printSummary(gateway, server, stdio, console);
  const late = startingProviders(gateway);
  if (late.size > 0) {
    void opened.then(() => {
      if (!stop.aborted) printLate(gateway, late, console);
    });
  }
  await Promise.race([over, opened.then(() => over)]);

  reloads.close();
  watch.close();
  await end(server, gateway.config.server.shutdown, stop);
  await gateway.close();
  console.say("gateway stopped.");
  return exitCodes.ok;
}

/** Lets what runs finish, after whoever spreads the load could hear of it. */
async function end(
  server: GatewayServer,
  { delayMilliseconds, graceMilliseconds }: GatewayConfig["server"]["shutdown"],
  stop: AbortSignal,
): Promise<void> {
  if (!stop.aborted) {
    const drained = server.drain(graceMilliseconds);
    // A client that has left and then sends a signal waits for nothing any more.
    await Promise.race([drained, untilAborted(stop).then(() => server.drain(0))]);
    return;
  }
  if (delayMilliseconds > 0) {
    await server.leave();
    await delay(delayMilliseconds);
  }
  await server.drain(graceMilliseconds);
}
