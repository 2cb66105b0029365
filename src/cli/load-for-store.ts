import { GatewayError } from "../errors.ts";
import type { GatewayConfig } from "../model/config.ts";
import type { Console } from "./console.ts";
import { load, loadValid, printForPeople, worthTelling } from "./load.ts";

/**
 * The configuration for a command that needs the store and calls no upstream: what is not set for those does not stand in the
 * way. Prints what is wrong and returns `undefined` otherwise.
 */
export async function loadForStore(
  option: string | undefined,
  console: Console,
): Promise<GatewayConfig | undefined> {
  const { config, diagnostics, sources } = await load(option, "check");
  // Where the store's own settings depend on what is not set, that is told as for `serve`.
  if (config !== undefined && dependsOnUnset(config)) return loadValid(option, console);
  // Warnings are about what is served: `validate` and `serve` tell of them, not each command about a user.
  await printForPeople(worthTelling(diagnostics), sources, console);
  return config;
}

/** Throws `bad_request` where {@link dependsOnUnset} holds. */
export function checkResolved(config: GatewayConfig): void {
  if (!dependsOnUnset(config)) return;
  throw new GatewayError(
    "bad_request",
    "Who calls can't be looked up: a reference under `auth`, `tenants` or `datastore` is not set.",
  );
}

/**
 * Whether what is said of callers and their store came from a reference that is not set: such a one stays as its text, and a
 * number made of it is none.
 */
export function dependsOnUnset({ auth, tenants, datastore }: GatewayConfig): boolean {
  return /\$\{|:null\b/.test(JSON.stringify({ auth, tenants, datastore }));
}
