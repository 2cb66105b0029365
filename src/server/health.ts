import type { OverloadReason } from "../limits/load-monitor.ts";
import type { Catalog, ProviderCatalog } from "../model/catalog.ts";
import { allow, type Exchange, sendJson } from "./exchange.ts";

/** What the process is about. `leaving`: it serves as before, and says that it will not for long. */
export type ServingPhase = "starting" | "serving" | "leaving" | "draining";

/** Answers `/livez`: the process runs and answers. Upstreams don't matter here. */
export function handleLiveness(exchange: Exchange): void {
  allow(exchange, ["GET"]);
  sendJson(exchange, 200, { status: "alive" }, { "cache-control": "no-store" });
}

/** Answers `/startupz`: 503 until every provider was tried once, then 200 for as long as the process runs. */
export function handleStartup(exchange: Exchange, hasStarted: boolean): void {
  allow(exchange, ["GET"]);
  const status = hasStarted ? "started" : "starting";
  sendJson(exchange, hasStarted ? 200 : 503, { status }, { "cache-control": "no-store" });
}

/**
 * Answers `/readyz`. 200 while calls can be served: `ready` when every provider is, `degraded` when some are not; 503 with
 * `starting` until each provider was tried once, `unavailable` when none came up, `draining` at the end.
 *
 * @param listed the providers that the caller may know of; `undefined` for strangers, who are told the status alone.
 * @param overload why requests are being refused. The gateway stays in service: its callers would all go to the next one, which has as much to
 * do. Default: none are.
 */
export function handleReadiness(
  exchange: Exchange,
  phase: ServingPhase,
  catalog: Catalog,
  listed: readonly ProviderCatalog[] | undefined,
  overload?: OverloadReason,
): void {
  allow(exchange, ["GET"]);
  const found = readiness(phase, catalog);
  const status = found === "ready" && overload !== undefined ? "degraded" : found;
  const providers = listed?.map(({ name, state, reason, surfaces }) => ({
    name,
    state,
    reason,
    surfaces,
  }));
  const body = { status, ...(overload && { overload }), ...(providers && { providers }) };
  const ok = status === "ready" || status === "degraded";
  sendJson(exchange, ok ? 200 : 503, body, { "cache-control": "no-store" });
}

function readiness(phase: ServingPhase, catalog: Catalog): string {
  if (phase === "leaving") return "draining";
  if (phase !== "serving") return phase;
  const states = catalog.providers.flatMap((provider) => provider.surfaces.map((surface) => surface.state));
  if (states.every((state) => state === "ready" || state === "disabled")) return "ready";
  return states.some((state) => state === "ready" || state === "stale") ? "degraded" : "unavailable";
}
