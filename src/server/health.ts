import type { Catalog } from "../model/catalog.ts";
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
 * @param detailed whether to list the providers; not for requests that failed the host check.
 */
export function handleReadiness(
  exchange: Exchange,
  phase: ServingPhase,
  catalog: Catalog,
  detailed: boolean,
): void {
  allow(exchange, ["GET"]);
  const status = readiness(phase, catalog);
  const providers = catalog.providers.map(({ name, state, reason, surfaces }) => ({
    name,
    state,
    reason,
    surfaces,
  }));
  const body = detailed ? { status, providers } : { status };
  const ok = status === "ready" || status === "degraded";
  sendJson(exchange, ok ? 200 : 503, body, { "cache-control": "no-store" });
}

function readiness(phase: ServingPhase, catalog: Catalog): string {
  if (phase !== "serving") return phase;
  const states = catalog.providers.flatMap((provider) => provider.surfaces.map((surface) => surface.state));
  if (states.every((state) => state === "ready" || state === "disabled")) return "ready";
  return states.some((state) => state === "ready" || state === "stale") ? "degraded" : "unavailable";
}
