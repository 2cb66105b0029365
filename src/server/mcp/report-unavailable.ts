import type { CatalogView } from "../../catalog/view.ts";
import type { ProviderCatalog, SurfaceKind, SurfaceSummary } from "../../model/catalog.ts";
import type { JsonObject } from "../../model/json.ts";
import { gatewayMetaKeys } from "./gateway-meta.ts";

/** The states of surfaces whose part of a list is missing or old, the one that says most first. */
const reported = ["unavailable", "starting", "stale"] as const;

/** What is said where a surface gives no reason. */
const usualReasons: Readonly<Record<(typeof reported)[number], string>> = {
  unavailable: "It can't be reached at the moment.",
  starting: "It is being opened.",
  stale: "It can't be reached at the moment; what it had last is listed.",
};

/** Reasons may quote an upstream. */
const longestReason = 500;

/**
 * The `_meta` of a list for what is missing from it or old, as far as the caller may know of it: `{provider, state, reason}` of each
 * provider; nothing where all is there.
 *
 * @param kind the only kind of surface that has such things; absent: all have.
 */
export function reportUnavailable({ providers }: CatalogView, kind?: SurfaceKind): JsonObject {
  const unavailable = providers.flatMap((provider) => {
    const report = reportProvider(provider, kind);
    return report === undefined ? [] : [report];
  });
  return unavailable.length === 0 ? {} : { [gatewayMetaKeys.unavailable]: unavailable };
}

function reportProvider(
  { name, surfaces }: ProviderCatalog,
  kind: SurfaceKind | undefined,
): JsonObject | undefined {
  const meant = surfaces.filter((surface) => kind === undefined || surface.kind === kind);
  const state = reported.find((known) => meant.some((surface) => surface.state === known));
  if (state === undefined) return undefined;
  return { provider: name, state, reason: reasonOf(meant) ?? usualReasons[state] };
}

function reasonOf(surfaces: readonly SurfaceSummary[]): string | undefined {
  const reasons = surfaces.flatMap(({ kind, state, reason }) =>
    reason === undefined || !reported.some((known) => known === state) ? [] : [`${kind}: ${reason}`],
  );
  const text = reasons.join(" ");
  if (text === "") return undefined;
  return text.length <= longestReason ? text : `${text.slice(0, longestReason).toWellFormed()}…`;
}
