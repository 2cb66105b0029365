import type { Caller } from "../administration-json.ts";
import { GatewayError } from "../errors.ts";
import type { Administration } from "../model/administration.ts";
import type { GatewayConfig } from "../model/config.ts";
import { type OpenState, openState } from "../open-state.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { loadForStore } from "./load-for-store.ts";
import { logLine } from "./log-line.ts";
import { connectTo } from "./remote/http.ts";
import { createRemoteAdministration } from "./remote/remote-administration.ts";
import { whoIsCalling } from "./remote/sign-in.ts";
import { remoteServer } from "./remote-server.ts";
import { UsageError } from "./usage-error.ts";

/** What every command that administers is told. */
export interface AdministerOptions {
  readonly config: string | undefined;
  /** Address of a gateway that runs; `undefined`: `GATEWAY_SERVER`, else the store of the configuration file. */
  readonly server: string | undefined;
  /** The tenant to act in. */
  readonly tenant: string | undefined;
  /** Whether a credential may travel unencrypted. */
  readonly insecure: boolean;
  /** Whether to print JSON. */
  readonly json: boolean;
}

/** Where a command administers: in a store, as the operator, or over HTTP, as whoever signed in there. */
export interface Workplace {
  readonly kind: "store" | "server";
  readonly administration: Administration;
  /** What the file says; `undefined`: of a gateway elsewhere that is not known. */
  readonly config: GatewayConfig | undefined;
  /** What to tell who makes users or tokens here, where nobody is asked for one; `undefined`: nothing. */
  readonly notice: string | undefined;
  /** On whose behalf. */
  caller(): Promise<Caller>;
  /** Whether there is no user yet, in any tenant; of a gateway elsewhere that is not asked. */
  hasNoUser(): Promise<boolean>;
}

/** Does some work where the options say, and closes what was opened for it. Status 2 when the configuration has errors. */
export async function administer(
  options: AdministerOptions,
  console: Console,
  work: (place: Workplace) => Promise<ExitCode>,
): Promise<ExitCode> {
  checkTenant(options.tenant);
  const server = serverOf(options);
  if (server !== undefined) {
    const { tenant, insecure } = options;
    const ask = connectTo(await remoteServer({ server, tenant, insecure }, process.env));
    return work({
      kind: "server",
      administration: createRemoteAdministration(ask),
      config: undefined,
      notice: undefined,
      caller: () => whoIsCalling(ask),
      hasNoUser: async () => false,
    });
  }
  const config = await loadForStore(options.config, console);
  if (config === undefined) return exitCodes.invalid;
  const opened = await openState(config, { log: (message, cause) => logLine(message, cause, console) });
  try {
    const operator = await opened.operator(options.tenant);
    return await work({
      kind: "store",
      administration: opened.identity.administration(operator),
      config,
      notice:
        config.auth.provider === "none"
          ? "Nobody has to sign in here yet, and tokens are not looked at: that takes `auth: {provider: local}`."
          : undefined,
      caller: async () => operator,
      hasNoUser: () => hasNoUser(opened),
    });
  } finally {
    await opened.close();
  }
}

/** The gateway elsewhere that a command is about; `undefined`: none, but a store. */
export function serverOf({
  config,
  server,
}: Pick<AdministerOptions, "config" | "server">): string | undefined {
  if (config !== undefined && server !== undefined)
    throw new UsageError("name a configuration file or a server, not both.");
  if (config !== undefined) return undefined;
  const set = server ?? process.env["GATEWAY_SERVER"] ?? "";
  return set === "" ? undefined : set;
}

/** True while nobody can sign in by name, in whatever tenant. */
export async function hasNoUser(opened: OpenState): Promise<boolean> {
  const { identity } = opened;
  const everywhere = identity.administration(await opened.operator());
  for (const { id } of await everywhere.listTenants()) {
    try {
      const users = await identity.administration(await opened.operator(id)).listUsers();
      if (users.length > 0) return false;
    } catch (error) {
      // It was removed since it was listed, with its users.
      if (!(error instanceof GatewayError) || error.code !== "not_found") throw error;
    }
  }
  return true;
}

/** It goes into a header, where not everything can stand; what has the right form is for the gateway to know. Throws `UsageError`. */
export function checkTenant(tenant: string | undefined): void {
  if (tenant === undefined || /^[a-z0-9][a-z0-9_-]{0,62}$/.test(tenant)) return;
  throw new UsageError("ids of tenants are lower-case letters, digits, `_` and `-`, such as `acme`.");
}
