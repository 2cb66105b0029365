import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { ProviderState, SurfaceKind, SurfaceSummary, Tool } from "../model/catalog.ts";
import type { Freshness, Offerings } from "../model/features.ts";
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
      /** What it last had, while nothing is open. */
      readonly state: "ready" | "stale";
      readonly exposed: Exposed;
      readonly reason: string | undefined;
    }
  | {
      readonly state: "unavailable";
      readonly reason: string;
      readonly diagnostics: readonly Diagnostic[];
      /** See `OpenSurface.files`: what has to change before it can be there. */
      readonly files?: readonly string[];
    }
  | {
      readonly state: "disabled";
      readonly reason: string;
      /** See `SurfaceSummary.awaits`. */
      readonly awaits?: string | undefined;
    };

/** What a surface offers and its digest, made once: publishing happens more often than it changes. */
export interface Exposed {
  readonly tools: readonly Tool[];
  /** What an MCP server has besides tools; absent: nothing. */
  readonly offerings?: Offerings;
  /** How long the lists of an MCP server keep; absent: until the configuration changes. */
  readonly freshness?: Freshness;
  readonly digest: string;
}

/** A surface as the catalog shows it. */
export interface ShownSurface {
  readonly summary: SurfaceSummary;
  /** `undefined`: nothing. */
  readonly exposed: Exposed | undefined;
}

/** The status as the catalog shows it. */
export function show(kind: SurfaceKind, status: SurfaceStatus): ShownSurface {
  const exposed = "exposed" in status ? status.exposed : undefined;
  const reason = "reason" in status ? status.reason : undefined;
  const awaits = "awaits" in status ? status.awaits : undefined;
  const tools = exposed?.tools.length ?? 0;
  return {
    summary: { kind, state: status.state, reason, tools, ...(awaits !== undefined && { awaits }) },
    exposed,
  };
}

/** One word for several surfaces: what works counts, then what may still come. */
export function overallState(states: readonly ProviderState[]): ProviderState {
  const order: readonly ProviderState[] = ["ready", "stale", "starting", "unavailable", "disabled"];
  return order.find((state) => states.includes(state)) ?? "disabled";
}
