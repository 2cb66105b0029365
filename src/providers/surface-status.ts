import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { ProviderState, SurfaceKind, SurfaceSummary, Tool } from "../model/catalog.ts";
import type { OpenSurface } from "./provider-kind.ts";

/** How one surface is doing, and what it has. */
export type SurfaceStatus =
  | { readonly state: "starting" }
  | { readonly state: "ready"; readonly open: OpenSurface; readonly exposed: Exposed }
  | {
      readonly state: "stale";
      readonly open: OpenSurface;
      readonly exposed: Exposed;
      readonly reason: string;
    }
  | {
      readonly state: "unavailable";
      readonly reason: string;
      readonly diagnostics: readonly Diagnostic[];
      /** See `OpenSurface.files`: what has to change before it can be there. */
      readonly files?: readonly string[];
    }
  | { readonly state: "disabled"; readonly reason: string };

/** The tools of a surface and their digest, made once: publishing happens more often than tools change. */
export interface Exposed {
  readonly tools: readonly Tool[];
  readonly digest: string;
}

/** The status as the catalog shows it. */
export function summarize(kind: SurfaceKind, status: SurfaceStatus): SurfaceSummary {
  return {
    kind,
    state: status.state,
    reason: "reason" in status ? status.reason : undefined,
    tools: "exposed" in status ? status.exposed.tools.length : 0,
  };
}

/** One word for several surfaces: what works counts, then what may still come. */
export function overallState(states: readonly ProviderState[]): ProviderState {
  const order: readonly ProviderState[] = ["ready", "stale", "starting", "unavailable", "disabled"];
  return order.find((state) => states.includes(state)) ?? "disabled";
}
