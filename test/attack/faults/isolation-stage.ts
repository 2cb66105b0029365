import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { startFaultServer } from "./fault-server.ts";
import { type GatewayProcess, startGatewayProcess } from "./start-gateway.ts";

/** Kinds of upstreams that stand among the others. */
export type BadKind = "rest" | "graphql" | "mcp-json" | "mcp-sse";

/** A gateway with 19 providers that are well, and one that is whatever one wants. */
export interface IsolationStage extends AsyncDisposable {
  readonly gateway: GatewayProcess;
  /** Of the process that misbehaves. */
  readonly badPid: number;
  /** Tools of those that are well. */
  readonly wellTools: readonly string[];
  readonly badTool: string;
  /** Puts the upstream of the one into the state of that name; `undefined`: well. */
  plague(name: string | undefined): Promise<void>;
}

const limits = { call_time: "5s", longest_call_time: "10s", first_byte_time: "5s", pause: "5s" };

/** Starts it. What misbehaves does so in a process of its own, which takes no time of whoever measures. */
export async function startIsolationStage(kind: BadKind): Promise<IsolationStage> {
  const well = await startFaultServer([], { keys: [] });
  const bad = fork(fileURLToPath(new URL("fault-process.ts", import.meta.url)), { execArgv: [] });
  const ended = once(bad, "exit");
  const [{ url }] = (await once(bad, "message")) as [{ readonly url: string }];
  const wellKinds: readonly BadKind[] = ["rest", "mcp-json", "mcp-sse", "graphql"];
  const providers: Record<string, object> = { bad: provider(kind, url) };
  const wellNames = Array.from({ length: 19 }, (_none, index) => `well${index}`);
  for (const [index, name] of wellNames.entries())
    providers[name] = provider(wellKinds[index % wellKinds.length] ?? "rest", well.url);
  const gateway = await startGatewayProcess(
    providers,
    { auth: { provider: "local" }, limits: { overload: { delay: "60s" } } },
    { "schema.graphql": "type Query { go(fault: String): String }" },
    {},
  );
  return {
    gateway,
    badPid: bad.pid ?? 0,
    wellTools: wellNames.map((name) => `${name}_go`),
    badTool: "bad_go",
    plague: (name) => tell(bad, name ?? ""),
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await well[Symbol.asyncDispose]();
      bad.disconnect();
      await ended;
    },
  };
}

async function tell(child: ChildProcess, name: string): Promise<void> {
  const answered = once(child, "message");
  child.send(name);
  await answered;
}

function provider(kind: BadKind, url: string): object {
  if (kind === "graphql")
    return { limits, surfaces: { graphql: { url: `${url}/graphql`, schema: "./schema.graphql" } } };
  if (kind !== "rest") return { limits, surfaces: { mcp: { url: `${url}/${kind}` } } };
  const operations = [
    {
      ...{ name: "go", description: "Goes.", method: "POST", path: "/" },
      parameters: [{ name: "fault", in: "body" }],
    },
  ];
  return { limits, surfaces: { rest: { base_url: `${url}/rest`, operations } } };
}
