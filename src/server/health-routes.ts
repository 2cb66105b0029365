import type { CatalogView } from "../catalog/view.ts";
import type { OverloadReason } from "../limits/load-monitor.ts";
import type { Catalog, ProviderCatalog } from "../model/catalog.ts";
import type { Principal } from "../model/principal.ts";
import type { RequestAuthenticator } from "./authenticate-request.ts";
import type { HostCheck } from "./check-host.ts";
import type { Exchange } from "./exchange.ts";
import { handleLiveness, handleReadiness, handleStartup, type ServingPhase } from "./health.ts";

/** What health is told of, and to whom. */
export interface HealthParts {
  readonly phase: () => ServingPhase;
  /** Whether every provider was tried once, be it long ago. */
  readonly hasStarted: () => boolean;
  /** Why requests are being refused; `undefined`: they are not. */
  readonly overload: () => OverloadReason | undefined;
  readonly catalog: () => Catalog;
  readonly checkHost: HostCheck;
  readonly requests: RequestAuthenticator;
  /** What a principal may see over the HTTP API. */
  readonly view: (principal: Principal) => CatalogView;
}

/** Makes what answers `/livez`, `/readyz` and `/startupz`; `undefined` for every other path. */
export function createHealthRoutes(parts: HealthParts): (exchange: Exchange) => Promise<void> | undefined {
  /** Only for who may make requests at all, and of the providers only those that they may know of. */
  const listProviders = async (exchange: Exchange): Promise<readonly ProviderCatalog[] | undefined> => {
    try {
      parts.checkHost(exchange.request);
      const { principal } = await parts.requests.authenticate(exchange);
      return parts.view(principal).providers;
    } catch {
      // Whoever it is that asks: the status is for everybody.
      return undefined;
    }
  };
  const readiness: Handler = async (exchange) =>
    handleReadiness(
      exchange,
      parts.phase(),
      parts.catalog(),
      await listProviders(exchange),
      parts.overload(),
    );
  const startup: Handler = (exchange) => handleStartup(exchange, parts.hasStarted());
  const handlers: ReadonlyMap<string, Handler> = new Map([
    ["/livez", handleLiveness],
    ["/health", handleLiveness],
    ["/readyz", readiness],
    ["/ready", readiness],
    ["/startupz", startup],
  ]);
  return (exchange) => {
    const handler = handlers.get(exchange.path);
    return handler && answer(handler, exchange);
  };
}

type Handler = (exchange: Exchange) => void | Promise<void>;

async function answer(handler: Handler, exchange: Exchange): Promise<void> {
  await handler(exchange);
}
