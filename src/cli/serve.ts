import { setTimeout as delay } from "node:timers/promises";
import type { LoadedConfig } from "../config/load-config.ts";
import { Gateway, type GatewayServer } from "../gateway.ts";
import type { ProviderCatalog } from "../model/catalog.ts";
import type { GatewayConfig } from "../model/config.ts";
import { type OpenState, openState } from "../open-state.ts";
import { version } from "../version.ts";
import { connectStdio } from "./connect-stdio.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { count, formatTable } from "./format-table.ts";
import { load, printForPeople, tellOfWarnings, worthSaying, worthTelling } from "./load.ts";
import { logLine } from "./log-line.ts";
import { ReloadQueue } from "./reload.ts";
import { tellOfNoUser } from "./tell-of-no-user.ts";
import { FileWatch } from "./watch-files.ts";

/** Options of `gateway serve`. */
export interface ServeOptions {
  readonly config: string | undefined;
  readonly watch: boolean;
  /** Whether to speak MCP on stdin and stdout as well. Default false. */
  readonly stdio?: boolean;
}

/** How long calls that run may go on after SIGTERM. */
const drainMilliseconds = 30_000;

/** How long the summary waits for providers that have not answered yet. */
const summaryMilliseconds = 2_000;

/** Above this, clients (VS Code stops at 128) and models begin to have trouble. */
const manyTools = 128;

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
    if (stop.signal.aborted) return;
    server.markStarted();
    await printForPeople(worthTelling(diagnostics), loaded.sources, console);
    tellOfWarnings(diagnostics, options.config, console);
  });
  const over = Promise.race([untilAborted(stop.signal), ...(client ? [client.ended] : [])]);
  await Promise.race([over, opened, delay(summaryMilliseconds, undefined, { ref: false })]);
  if (!stop.signal.aborted) printSummary(gateway, server, stdio, console);
  const late = startingProviders(gateway);
  if (late.size > 0) {
    void opened.then(() => {
      if (!stop.signal.aborted) printLate(gateway, late, console);
    });
  }
  await Promise.race([over, opened.then(() => over)]);

  reloads.close();
  watch.close();
  const drained = server.drain(drainMilliseconds);
  // A client that has left and then sends a signal waits for nothing any more.
  if (stop.signal.aborted) await drained;
  else await Promise.race([drained, untilAborted(stop.signal).then(() => server.drain(0))]);
  await gateway.close();
  console.say("gateway stopped.");
  return exitCodes.ok;
}

/** Aborts on SIGTERM or SIGINT; a second one ends the process at once. SIGHUP reloads. */
function listenToSignals(reload: () => void, console: Console): AbortController {
  const stop = new AbortController();
  const onStop = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(exitCodes.failed);
    console.say(`${signal}: stopping; calls that run may finish (once more to stop at once).`);
    stop.abort();
  };
  process.on("SIGTERM", onStop);
  process.on("SIGINT", onStop);
  process.on("SIGHUP", reload);
  return stop;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function startingProviders(gateway: Gateway): ReadonlySet<string> {
  const starting = gateway.providers().filter(({ state }) => state === "starting");
  return new Set(starting.map(({ name }) => name));
}

/** What became of the providers that the summary had to leave open, such as those with large documents. */
function printLate(gateway: Gateway, names: ReadonlySet<string>, console: Console): void {
  const providers = gateway.providers().filter(({ name }) => names.has(name));
  if (providers.length > 0) console.say(formatProviders(providers));
  warnOfManyTools(gateway, console);
}

function formatProviders(providers: readonly ProviderCatalog[]): string {
  return formatTable(
    providers.map(({ name, state, tools, reason }) => [
      `  ${name}`,
      state,
      // What is not opened yet has no number of tools.
      state === "starting" ? "" : count(tools.length, "tool"),
      reason ?? "",
    ]),
  );
}

function offeredTools(gateway: Gateway): number {
  const { providers } = gateway.snapshot.catalog;
  return providers.reduce((sum, { mcpEnabled, tools }) => sum + (mcpEnabled ? tools.length : 0), 0);
}

function warnOfManyTools(gateway: Gateway, console: Console): void {
  if (offeredTools(gateway) <= manyTools) return;
  console.say(
    "That is more than most clients and models work well with; `select` and `allowed_operations` offer fewer, `gateway inspect PROVIDER` tells what they cost.",
  );
}

function printSummary(gateway: Gateway, server: GatewayServer, stdio: boolean, console: Console): void {
  const providers = gateway.providers();
  if (providers.length > 0) console.say(formatProviders(providers));
  const url = gateway.config.server.baseUrl ?? server.url;
  console.say(
    `${count(offeredTools(gateway), "tool")} on ${url}/mcp, HTTP API on ${url}/api/v1 (described by ${url}/openapi.json)`,
  );
  warnOfManyTools(gateway, console);
  tellOfSignIn(gateway.config, url, console);
  if (stdio) {
    console.say("MCP on standard input and output too; the gateway stops when its client closes them.");
    return;
  }
  if (!gateway.config.providers.some(({ mcp }) => mcp.enabled)) return;
  const { provider, authorizationServer, trustedIssuers } = gateway.config.auth;
  // Where somebody issues tokens to clients, a client finds out by itself, and sends no header of its own before.
  const signsIn = authorizationServer !== undefined || trustedIssuers.length > 0;
  const needsToken = provider !== "none" && !signsIn;
  const headers = needsToken ? { headers: { Authorization: "Bearer <token>" } } : {};
  const client = { type: "http", url: `${url}/mcp`, ...headers };
  console.say("Client configuration:");
  console.say(JSON.stringify({ mcpServers: { gestalt: client } }, undefined, 2));
  if (needsToken) console.say("`gateway tokens create NAME --user USER` makes such a token.");
  if (authorizationServer !== undefined)
    console.say("Clients open a browser to sign in; no token has to be copied.");
  else if (signsIn)
    console.say(`Clients get their tokens from ${trustedIssuers.map(({ issuer }) => issuer).join(" or ")}.`);
  console.say("`gateway connect` prints it for Claude, Cursor, VS Code and others.");
}

/** Where people go, and what whoever runs their identity provider has to be told. */
function tellOfSignIn({ auth, server }: GatewayConfig, url: string, console: Console): void {
  if (auth.provider === "none") return;
  if (auth.oidc === undefined) {
    console.say(`People sign in at ${url}/login`);
    return;
  }
  const callback = `${url}/login/callback`;
  // On this machine people come by either name, and providers compare to the letter.
  const also = callback.replace("//127.0.0.1:", "//localhost:");
  const both = server.baseUrl === undefined && also !== callback ? ` and ${also}` : "";
  console.say(
    `People sign in at ${url}/login with ${auth.oidc.displayName}, where the gateway has to be registered with the redirect URI ${callback}${both}`,
  );
}
