import { digestOf } from "../catalog/digest.ts";
import { makeOfferings, noOfferings, type OfferingKind } from "../catalog/offerings.ts";
import type { SurfaceKind, Tool } from "../model/catalog.ts";
import type { Freshness, Offering } from "../model/features.ts";
import { overallState, type ShownSurface } from "../providers/surface-status.ts";

/** A surface as one of a principal's credentials sees it. */
export interface ShownInstance extends ShownSurface {
  /** The credential's. */
  readonly instance: string;
}

/** One surface as a principal sees it with all of its instances: a tool that several of them have is that of the first. */
export function mergeSurfaces(kind: SurfaceKind, instances: readonly ShownInstance[]): ShownSurface {
  const [first] = instances;
  if (instances.length === 1 && first !== undefined) return first;
  const tools = new Map<string, Tool>();
  for (const { exposed } of instances) {
    for (const tool of exposed?.tools ?? []) {
      // Names that differ in letter case alone would be taken for a collision.
      const key = tool.name.toLowerCase();
      if (!tools.has(key)) tools.set(key, tool);
    }
  }
  const summaries = instances.map(({ summary }) => summary);
  const reasons = new Set(summaries.flatMap(({ reason }) => (reason === undefined ? [] : [reason])));
  const state = overallState(summaries.map((summary) => summary.state));
  // One that may come without anybody's help, or has come, is not waited for in vain.
  const awaits = state === "disabled" ? summaries.find((summary) => summary.awaits)?.awaits : undefined;
  const hasMore = instances.some(({ exposed }) => exposed?.offerings !== undefined);
  const freshness = mergeFreshness(instances);
  return {
    summary: {
      ...{ kind, state },
      reason: reasons.size === 0 ? undefined : [...reasons].join(" "),
      tools: tools.size,
      ...(awaits !== undefined && { awaits }),
    },
    exposed: {
      tools: [...tools.values()],
      ...(hasMore && { offerings: makeOfferings((list) => mergeOfferings(list, instances)) }),
      ...(freshness && { freshness }),
      // The names of instances are shown where something is offered besides tools, and only there.
      digest: digestOf(
        instances.map(({ instance, exposed }) => [hasMore ? instance : null, exposed?.digest ?? null]),
      ),
    },
  };
}

/** What several have is that of the first, and each says which have it: they may all be chosen. */
function mergeOfferings(list: OfferingKind, instances: readonly ShownInstance[]): readonly Offering[] {
  const claims = new Map<string, { readonly offering: Offering; readonly owners: string[] }>();
  for (const { instance, exposed } of instances) {
    for (const offering of (exposed?.offerings ?? noOfferings)[list]) {
      const key = list === "prompts" ? offering.name.toLowerCase() : offering.name;
      const claim = claims.get(key);
      if (claim === undefined) claims.set(key, { offering, owners: [instance] });
      else if (claim.offering.name === offering.name) claim.owners.push(instance);
    }
  }
  return [...claims.values()].map(({ offering, owners }) => ({ ...offering, instances: owners }));
}

function mergeFreshness(instances: readonly ShownInstance[]): Freshness | undefined {
  const sources = instances.flatMap(({ exposed }) => (exposed?.freshness ? [exposed.freshness] : []));
  if (sources.length === 0) return undefined;
  return {
    ttlMs: Math.min(...sources.map(({ ttlMs }) => ttlMs)),
    scope: sources.every(({ scope }) => scope === "public") ? "public" : "private",
  };
}
