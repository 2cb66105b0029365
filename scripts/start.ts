// `npm start`: the bookshop's three servers on free ports, and the gateway in front of them.
//
// Arguments go to `gateway serve`: `npm start -- -c examples/hybrid/gestalt.yaml` serves another configuration.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { join, relative } from "node:path";
import { startUpstreams, type Upstreams } from "../examples/upstream/start.ts";

const root = join(import.meta.dirname, "..");
const program = join(root, "dist", "bin.js");

/** Starts everything and resolves with the exit code of the gateway once all of it has ended. */
async function start(serveArguments: readonly string[]): Promise<number> {
  if (!existsSync(program)) {
    say("dist/bin.js is missing, because nothing has been built yet. `npm start` builds it first.");
    return 1;
  }
  let upstreams: Upstreams;
  // A signal may reach the whole group: then all of them end, and none of that is unexpected.
  let stopping = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      stopping = true;
    });
  }
  try {
    upstreams = await startUpstreams({
      // Where the examples' configurations look for them, so that `npx gateway call …` beside this finds them too.
      ports: "preferred",
      onUnexpectedEnd: (message) => {
        if (!stopping) say(`${message} The gateway goes on without it.`);
      },
    });
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return 1;
  }
  const { rest, graphql, mcp } = upstreams.urls;
  say(`The bookshop is open: REST ${rest}, GraphQL ${graphql}/graphql, MCP ${mcp}/mcp`);
  try {
    return await runGateway(serveArguments, upstreams.environment);
  } finally {
    await upstreams.stop();
  }
}

function runGateway(
  serveArguments: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  // Of two `-c`, the later one counts.
  const configuration = relative(process.cwd(), join(root, "gestalt.yaml"));
  const gateway = spawn(process.execPath, [program, "serve", "-c", configuration, ...serveArguments], {
    stdio: "inherit",
    env: { ...process.env, ...environment },
    // A group of its own: Ctrl-C then reaches the gateway once, through the lines below, and not a second time from
    // the terminal, which a draining gateway would take for impatience.
    detached: true,
  });

  const forward = (signal: NodeJS.Signals) => gateway.kill(signal);
  const terminate = () => gateway.kill("SIGTERM");
  process.on("SIGINT", forward).on("SIGTERM", forward);
  // The terminal is gone. To the gateway itself the same signal means "reload".
  process.on("SIGHUP", terminate);
  process.on("exit", terminate);

  return new Promise((resolve) => {
    gateway.once("error", (error) => {
      say(`The gateway could not be started: ${error.message}`);
      resolve(1);
    });
    gateway.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

function say(message: string): void {
  process.stderr.write(`${message}\n`);
}

process.exitCode = await start(process.argv.slice(2));
