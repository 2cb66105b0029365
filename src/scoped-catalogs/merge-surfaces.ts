import { digestOf } from "../catalog/digest.ts";
import type { SurfaceKind, Tool } from "../model/catalog.ts";
import { overallState, type ShownSurface } from "../providers/surface-status.ts";

/** One surface as a principal sees it with all of its instances: a tool that several of them have is that of the first. */
export function mergeSurfaces(kind: SurfaceKind, instances: readonly ShownSurface[]): ShownSurface {
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
  return {
    summary: {
      ...{ kind, state },
      reason: reasons.size === 0 ? undefined : [...reasons].join(" "),
      tools: tools.size,
      ...(awaits !== undefined && { awaits }),
    },
    exposed: {
      tools: [...tools.values()],
      digest: digestOf(instances.map(({ exposed }) => exposed?.digest ?? null)),
    },
  };
}
