import type { Catalog, ProviderCatalog } from "../model/catalog.ts";
import { allow, type Exchange, sendJson } from "./exchange.ts";

/** What the process is about. */
export type ServingPhase = "starting" | "serving" | "draining";

/** Answers `/livez`: the process runs and answers. Upstreams don't matter here. */
export function handleLiveness(exchange: Exchange): void {
  allow(exchange, ["GET"]);
  sendJson(exchange, 200, { status: "alive" }, { "cache-control": "no-store" });
}

/**
 * Answers `/readyz`. 200 while calls can be served: `ready` when every provider is, `degraded` when some are not; 503 with
 * `starting` until each provider was tried once, `unavailable` when none came up, `draining` at the end.
 *
 * @param listed the providers that the caller may know of; `undefined` for strangers, who are told the status alone.
 */
export function handleReadiness(
  exchange: Exchange,
  phase: ServingPhase,
  catalog: Catalog,
  listed: readonly ProviderCatalog[] | undefined,
): void {
  allow(exchange, ["GET"]);
  const status = readiness(phase, catalog);
  const providers = listed?.map(({ name, state, reason, surfaces }) => ({
    name,
    state,
    reason,
    surfaces,
  }));
  const body = providers === undefined ? { status } : { status, providers };
  const ok = status === "ready" || status === "degraded";
  sendJson(exchange, ok ? 200 : 503, body, { "cache-control": "no-store" });
}

function readiness(phase: ServingPhase, catalog: Catalog): string {
  if (phase !== "serving") return phase;
  const states = catalog.providers.flatMap((provider) => provider.surfaces.map((surface) => surface.state));
  if (states.every((state) => state === "ready" || state === "disabled")) return "ready";
  return states.some((state) => state === "ready" || state === "stale") ? "degraded" : "unavailable";
}
