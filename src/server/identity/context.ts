import { GatewayError } from "../../errors.ts";
import type { Administration } from "../../model/administration.ts";
import type { Caller } from "../authenticate-request.ts";
import type { Exchange } from "../exchange.ts";

/** One authenticated request to a route about users, tokens, sessions or tenants. */
export interface IdentityContext {
  readonly exchange: Exchange;
  readonly caller: Caller;
  /** On behalf of the caller, once the body was read; throws what `Caller.confirm` throws. */
  readonly administration: () => Promise<Administration>;
}

/** What is said of a route that does not exist. */
export function noSuchRoute(): GatewayError {
  return new GatewayError(
    "not_found",
    "There is no such route. GET /openapi.json describes those that there are.",
  );
}
