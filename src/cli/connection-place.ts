import { Gateway } from "../gateway.ts";
import type { GatewayConfig } from "../model/config.ts";
import type { Connections } from "../model/connections.ts";
import type { Principal } from "../model/principal.ts";
import { type OpenState, openState } from "../open-state.ts";
import { type AdministerOptions, checkTenant, serverOf } from "./administer.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { loadValid } from "./load.ts";
import { logLine } from "./log-line.ts";
import { connectTo } from "./remote/http.ts";
import { createRemoteConnections } from "./remote/remote-connections.ts";
import { remoteServer } from "./remote-server.ts";
import { UsageError } from "./usage-error.ts";

/** What every command about connections is told. */
export interface ConnectionOptions extends AdministerOptions {
  /** Whose connections: `user:NAME`, `token:ID`; `undefined`: whoever runs the command. Only on a store. */
  readonly as: string | undefined;
}

/** Whose connections a command works on, and where. */
export interface ConnectionPlace {
  readonly connections: Connections;
  /**
   * Who can't sign in at a page of the gateway, so that an own credential serves nobody else: whoever runs the command, or a token of a
   * service; `undefined`: they are of somebody who can, or nobody signs in, or of a gateway elsewhere that is not known.
   */
  readonly pageless: "operator" | "service" | undefined;
}

/** Does some work on somebody's connections, in the store of the configuration or at a gateway elsewhere. Status 2 when the configuration has errors. */
export async function atConnections(
  options: ConnectionOptions,
  console: Console,
  work: (place: ConnectionPlace) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { as, tenant, insecure } = options;
  checkTenant(tenant);
  const server = serverOf(options);
  if (server !== undefined) {
    if (as !== undefined)
      throw new UsageError("at a server the connections are those of whoever signed in; leave `--as` out.");
    const ask = connectTo(await remoteServer({ server, tenant, insecure }, process.env));
    return work({ connections: createRemoteConnections(ask), pageless: undefined });
  }
  return atStore(options.config, console, async (config, state, gateway) => {
    await state.checkKeys();
    const principal =
      as === undefined
        ? await state.operator(tenant)
        : await state.identity.lookUp(tenant === undefined ? as : `${as}@${tenant}`);
    return work({ connections: gateway.connections(principal), pageless: pagelessAs(principal, config) });
  });
}

/** Does some work with a gateway over the store of the configuration, whose providers are not opened. The same status. */
export async function atStore(
  option: string | undefined,
  console: Console,
  work: (config: GatewayConfig, state: OpenState, gateway: Gateway) => Promise<ExitCode>,
): Promise<ExitCode> {
  const config = await loadValid(option, console);
  if (config === undefined) return exitCodes.invalid;
  const log = (message: string, cause?: unknown): void => logLine(message, cause, console);
  const state = await openState(config, { log });
  try {
    const gateway = new Gateway(config, {
      workingDirectory: process.cwd(),
      environment: process.env,
      log,
      ...state,
    });
    try {
      return await work(config, state, gateway);
    } finally {
      await gateway.close();
    }
  } finally {
    await state.close();
  }
}

function pagelessAs({ kind }: Principal, { auth }: GatewayConfig): ConnectionPlace["pageless"] {
  if (auth.provider === "none") return undefined;
  return kind === "operator" || kind === "service" ? kind : undefined;
}
