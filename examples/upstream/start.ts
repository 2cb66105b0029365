// The three servers of the bookshop, each in a process of its own.
//
// Run it to have them on their usual ports until Ctrl-C; import `startUpstreams` to have them on free ones.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

/** The servers by name; each is the file of that name beside this one. */
export type UpstreamName = "rest" | "graphql" | "mcp";

/** Running servers. */
export interface Upstreams {
  /** The variables that the examples' configurations read the addresses from. */
  readonly environment: Readonly<Record<string, string>>;
  /** Origins, without a trailing slash. */
  readonly urls: Readonly<Record<UpstreamName, string>>;
  /** Ends one server, or all, and resolves when they are gone. May be called again. */
  stop(name?: UpstreamName): Promise<void>;
}

type PortChoice = "free" | "usual" | "preferred";

const usualPorts: Readonly<Record<UpstreamName, number>> = { rest: 4010, graphql: 4011, mcp: 4012 };

/** How to start the servers. */
export interface StartOptions {
  /** `free`, the default, asks the system for ports; `usual` takes 4010, 4011 and 4012; `preferred` those that are free. */
  readonly ports?: PortChoice;
  /** Told, in a sentence for people, when a server ends although nobody stopped it. */
  readonly onUnexpectedEnd?: (message: string) => void;
}

/**
 * Starts the servers and resolves when all of them listen. When one ends before that, the others are ended too and
 * the promise rejects with a sentence for people. The servers never outlive this process.
 */
export async function startUpstreams({
  ports = "free",
  onUnexpectedEnd,
}: StartOptions = {}): Promise<Upstreams> {
  const servers: Readonly<Record<UpstreamName, ChildProcess>> = {
    rest: startServer("rest", await choosePort("rest", ports)),
    graphql: startServer("graphql", await choosePort("graphql", ports)),
    mcp: startServer("mcp", await choosePort("mcp", ports)),
  };
  const wanted = new Set<ChildProcess>(Object.values(servers));

  async function stop(name?: UpstreamName): Promise<void> {
    const targets = name ? [servers[name]] : Object.values(servers);
    for (const server of targets) wanted.delete(server);
    await Promise.all(targets.map(endServer));
  }

  try {
    const [rest, graphql, mcp] = await Promise.all([
      listening("rest", servers.rest),
      listening("graphql", servers.graphql),
      listening("mcp", servers.mcp),
    ]);
    for (const [name, server] of Object.entries(servers)) {
      server.once("exit", (code, signal) => {
        if (wanted.has(server)) onUnexpectedEnd?.(`The bookshop's ${name} server ${ended(code, signal)}.`);
      });
    }
    return {
      environment: { BOOKSHOP_REST_URL: rest, BOOKSHOP_GRAPHQL_URL: graphql, BOOKSHOP_MCP_URL: mcp },
      urls: { rest, graphql, mcp },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Forked for the channel between the two: it closes with this process, and the server ends when it does. */
function startServer(name: UpstreamName, port: number): ChildProcess {
  return fork(new URL(`${name}.ts`, import.meta.url), {
    execArgv: [],
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
}

async function choosePort(name: UpstreamName, ports: PortChoice): Promise<number> {
  const usual = usualPorts[name];
  if (ports === "usual") return usual;
  return ports === "preferred" && (await isFree(usual)) ? usual : 0;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}

/** The address that a server prints when it is ready. */
function listening(name: UpstreamName, server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (server.stdout) {
      createInterface({ input: server.stdout }).on("line", (line) => {
        const address = /^listening on (\S+)$/.exec(line)?.[1];
        if (address !== undefined) resolve(address);
      });
    }
    server.once("exit", (code, signal) =>
      reject(
        new Error(
          `The bookshop's ${name} server ${ended(code, signal)} before it was ready. What it printed above says why.`,
        ),
      ),
    );
    server.once("error", (error) =>
      reject(new Error(`The bookshop's ${name} server could not be started: ${error.message}`)),
    );
  });
}

async function endServer(server: ChildProcess): Promise<void> {
  if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const exit = once(server, "exit");
  server.kill("SIGTERM");
  await exit;
}

function ended(code: number | null, signal: NodeJS.Signals | null): string {
  return signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
}

if (import.meta.main) {
  const say = (message: string) => console.error(message);
  try {
    const upstreams = await startUpstreams({ ports: "usual", onUnexpectedEnd: say });
    console.log(`REST     ${upstreams.urls.rest}/openapi.yaml`);
    console.log(`GraphQL  ${upstreams.urls.graphql}/graphql`);
    console.log(`MCP      ${upstreams.urls.mcp}/mcp`);
    const stop = () => upstreams.stop();
    process.once("SIGINT", stop).once("SIGTERM", stop);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
