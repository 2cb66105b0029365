import { GatewayError } from "../errors.ts";
import type { GatewayConfig } from "../model/config.ts";
import type { Principal } from "../model/principal.ts";
import { openIdentity } from "../open-identity.ts";
import type { Console } from "./console.ts";
import { dependsOnUnset } from "./load-for-store.ts";
import { logLine } from "./log-line.ts";

/**
 * A principal of the configuration's store by what people call it: `user:NAME`, `token:ID`, `anonymous`, `operator`, with
 * `@TENANT` behind it where it acts there. Throws `not_found` or `bad_request`. The store is open only meanwhile.
 */
export async function lookUp(text: string, config: GatewayConfig, console: Console): Promise<Principal> {
  if (dependsOnUnset(config)) {
    throw new GatewayError(
      "bad_request",
      "Who calls can't be looked up: a reference under `auth`, `tenants` or `datastore` is not set.",
    );
  }
  const opened = await openIdentity(config, { log: (message, cause) => logLine(message, cause, console) });
  try {
    return await opened.identity.lookUp(text);
  } finally {
    await opened.close();
  }
}
