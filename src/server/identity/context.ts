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

/**
 * What is said of a path that is none of the gateway's. Below the path of its base URL that is most often a proxy that should have taken
 * this path away.
 */
export function noSuchPath(path: string, baseUrl: string): GatewayError {
  const prefix = URL.parse(baseUrl)?.pathname ?? "/";
  if (prefix === "/" || !path.startsWith(`${prefix}/`)) return noSuchRoute();
  return new GatewayError(
    "not_found",
    `There is no such route. \`server.base_url\` ends in \`${prefix}\`, which the proxy in front has to take away from the paths that it passes on.`,
  );
}

/** What is said of a route that does not exist. */
export function noSuchRoute(): GatewayError {
  return new GatewayError(
    "not_found",
    "There is no such route. GET /openapi.json describes those that there are.",
  );
}
