import type { GatewayConfig } from "../model/config.ts";
import type { Principal } from "../model/principal.ts";
import { type OpenState, openState } from "../open-state.ts";
import type { Console } from "./console.ts";
import { checkResolved } from "./load-for-store.ts";
import { logLine } from "./log-line.ts";

/**
 * Does the work of a command that looks at the gateway as one of its principals, with the store of the configuration, if it has one.
 *
 * @param as what people call the principal; `undefined`: the operator.
 */
export async function withState<Result>(
  config: GatewayConfig,
  as: string | undefined,
  console: Console,
  work: (principal: Principal, state: OpenState) => Promise<Result>,
): Promise<Result> {
  checkResolved(config);
  const state = await openState(config, { log: (message, cause) => logLine(message, cause, console) });
  try {
    return await work(as === undefined ? await state.operator() : await state.identity.lookUp(as), state);
  } finally {
    await state.close();
  }
}
