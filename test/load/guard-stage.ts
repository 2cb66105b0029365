import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningGateway, runGateway, startGateway } from "../e2e/start-gateway.ts";
import { mcpCall } from "./calls.ts";
import type { LoadRequest } from "./generate-load.ts";
import { startUpstreamProcess } from "./start-processes.ts";

/** A gateway in a process of its own before an upstream in another one, which offers `shop_find`. */
export interface GuardStage extends AsyncDisposable {
  readonly gateway: RunningGateway;
  readonly pids: { readonly gateway: number; readonly upstream: number };
  /** A call of `shop_find` by a tenant. */
  call(tenant?: string): LoadRequest;
}

/** What is different from the smallest configuration. */
export interface GuardStageOptions {
  /** Each gets a token; none: everybody may call. */
  readonly tenants?: readonly string[];
  readonly limits?: object;
  /** How long the upstream takes for each answer. Default 0. */
  readonly waitMilliseconds?: number;
}

/** Starts both. */
export async function startGuardStage(options: GuardStageOptions = {}): Promise<GuardStage> {
  const { tenants = [], limits = {}, waitMilliseconds } = options;
  const folder = await mkdtemp(join(tmpdir(), "gateway-load-"));
  const upstream = await startUpstreamProcess(waitMilliseconds);
  const config = join(folder, "gestalt.yaml");
  const operation = { name: "find", method: "GET", path: "/find" };
  await writeFile(
    config,
    JSON.stringify({
      server: { port: 0 },
      limits,
      ...(tenants.length > 0 && {
        auth: { provider: "local" },
        datastore: { provider: "sqlite", config: { path: "./load.db" } },
        tenants: Object.fromEntries(tenants.map((tenant) => [tenant, { providers: ["shop"] }])),
      }),
      providers: { shop: { surfaces: { rest: { base_url: upstream.said, operations: [operation] } } } },
    }),
  );
  const tokens = new Map<string, string>();
  for (const tenant of tenants) {
    const line = ["tokens", "create", tenant, "--service", "--tenant", tenant, "-c", config];
    const { status, stdout, stderr } = await runGateway(line);
    if (status !== 0) throw new Error(stderr);
    tokens.set(tenant, stdout.trim());
  }
  const gateway = await startGateway({ config });
  const calls = new Map<string, LoadRequest>();
  for (const [tenant, token] of tokens)
    calls.set(tenant, mcpCall("shop_find", {}, { authorization: `Bearer ${token}` }));
  const open = mcpCall("shop_find");
  return {
    gateway,
    pids: { gateway: gateway.process.pid ?? 0, upstream: upstream.pid },
    call: (tenant) => (tenant === undefined ? open : (calls.get(tenant) ?? open)),
    [Symbol.asyncDispose]: async () => {
      await gateway.stop();
      await upstream.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
