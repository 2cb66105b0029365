import { isDeepStrictEqual } from "node:util";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { GatewayError } from "../../errors.ts";
import type { Operation } from "../../model/catalog.ts";
import type { McpSurface } from "../../model/config.ts";
import type { Freshness, McpFeatures } from "../../model/features.ts";
import type { JsonObject } from "../../model/json.ts";
import { type CompiledTools, compileTools } from "./compile.ts";
import { type CompiledFeatures, compileFeatures, type FeatureList } from "./compile-features.ts";
import { fetchList, leastFresh } from "./fetch-list.ts";
import { type ListKind, listKinds, listMethods } from "./list-kinds.ts";
import { SessionLostError } from "./transport.ts";
import type { UpstreamSession } from "./upstream-session.ts";

/** All that an upstream MCP server offers. */
export interface Offer {
  readonly operations: readonly Operation[];
  readonly diagnostics: readonly Diagnostic[];
  readonly features: McpFeatures;
}

/** Lists as they were fetched and compiled; those that were not asked for are missing. */
export interface Listing {
  readonly tools?: Kept<CompiledTools>;
  readonly prompts?: Kept<CompiledFeatures>;
  readonly resources?: Kept<CompiledFeatures>;
  readonly templates?: Kept<CompiledFeatures>;
}

/** A compiled list, and how long it keeps; `undefined`: the upstream has no such list. */
interface Kept<Compiled> {
  readonly compiled: Compiled;
  readonly freshness: Freshness | undefined;
}

/** What the lists of an upstream depend on. */
export interface OfferedParts {
  readonly surface: McpSurface;
  /** What is declared of the client where each request declares it. */
  readonly capabilities: JsonObject;
  /** Why a list could not be fetched, as the operator should read it. */
  readonly describe: (error: unknown) => GatewayError;
  readonly log: (message: string, cause?: unknown) => void;
}

/** What an upstream offers, list by list, as last known. */
export class OfferedLists {
  readonly #parts: OfferedParts;
  /** What was last wrong with a list: it is told once, not each time. */
  readonly #complaints = new Map<ListKind, string>();
  #listing: Listing = {};
  #offer: Offer | undefined;

  constructor(parts: OfferedParts) {
    this.#parts = parts;
  }

  /** All of it together. */
  get offer(): Offer {
    return this.#offer ?? combine({});
  }

  /**
   * Fetches lists, side by side. Fails only where the tools, or the session, fail: other lists that fail stay as they were, which the
   * operator is told.
   *
   * @param signals bound the wait for the tools, and for the other lists.
   */
  async fetch(
    session: UpstreamSession,
    kinds: ReadonlySet<ListKind>,
    signals: { readonly tools: AbortSignal; readonly others: AbortSignal },
  ): Promise<Listing> {
    const others = listKinds.filter((kind) => kind !== "tools").filter((kind) => kinds.has(kind));
    const [tools, ...features] = await Promise.all([
      kinds.has("tools") ? this.#fetchTools(session, signals.tools) : undefined,
      ...others.map((list) => this.#fetchFeatures(session, list, signals.others)),
    ]);
    return Object.assign({}, tools && { tools }, ...features);
  }

  /** Takes over what was fetched. True: something is another now. */
  adopt(listing: Listing): boolean {
    this.#listing = { ...this.#listing, ...listing };
    const offer = combine(this.#listing);
    if (this.#offer !== undefined && isDeepStrictEqual(withoutTtl(offer), withoutTtl(this.#offer)))
      return false;
    this.#offer = offer;
    return true;
  }

  async #fetchTools(session: UpstreamSession, signal: AbortSignal): Promise<Kept<CompiledTools>> {
    const { surface, capabilities } = this.#parts;
    const { entries, cut, freshness } = await fetchList(session, "tools", capabilities, signal);
    return { compiled: withCut(await compileTools(entries, surface), cut, surface), freshness };
  }

  async #fetchFeatures(session: UpstreamSession, list: FeatureList, signal: AbortSignal): Promise<Listing> {
    const { surface, capabilities } = this.#parts;
    try {
      const { entries, cut, freshness } = await fetchList(session, list, capabilities, signal);
      this.#complaints.delete(list);
      const compiled = await compileFeatures(entries, list, surface);
      return { [list]: { compiled: withCut(compiled, cut, surface), freshness } };
    } catch (error) {
      if (error instanceof SessionLostError) throw error;
      this.#complain(list, error);
      return {};
    }
  }

  #complain(list: FeatureList, error: unknown): void {
    const { message, code } = this.#parts.describe(error);
    // Where everything ends, that a list ends with it says nothing.
    if (code === "cancelled" || this.#complaints.get(list) === message) return;
    this.#complaints.set(list, message);
    const { entries } = listMethods[list];
    this.#parts.log(`The ${entries} could not be listed; what else it offers is there. ${message}`, error);
  }
}

function combine({ tools, prompts, resources, templates }: Listing): Offer {
  const lists = [tools, prompts, resources, templates];
  const freshness = lists.map((list) => list?.freshness).reduce(leastFresh, undefined);
  return {
    operations: tools?.compiled.operations ?? [],
    diagnostics: lists.flatMap((list) => list?.compiled.diagnostics ?? []),
    features: {
      prompts: prompts?.compiled.features ?? [],
      resources: resources?.compiled.features ?? [],
      templates: templates?.compiled.features ?? [],
      freshness: freshness ?? { ttlMs: 0, scope: "private" },
    },
  };
}

/** A time that is another with each answer changes nothing of what is offered. */
function withoutTtl({ features, ...offer }: Offer): unknown {
  return { ...offer, features: { ...features, freshness: features.freshness.scope } };
}

function withCut<Compiled extends { readonly diagnostics: readonly Diagnostic[] }>(
  compiled: Compiled,
  cut: string | undefined,
  surface: McpSurface,
): Compiled {
  if (cut === undefined) return compiled;
  const warning: Diagnostic = {
    severity: "warning",
    code: "operation-dropped",
    message: cut,
    place: surface.place,
  };
  return { ...compiled, diagnostics: [...compiled.diagnostics, warning] };
}
