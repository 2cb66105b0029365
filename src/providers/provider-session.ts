import type { Executor } from "../broker/executor.ts";
import { type CompiledSurface, exposeSurface, findUnmatchedSelections } from "../catalog/expose.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { GatewayError } from "../errors.ts";
import type { ProviderCatalog, ProviderState, SurfaceKind, SurfaceSummary, Tool } from "../model/catalog.ts";
import type { ProviderConfig, SurfaceConfig } from "../model/config.ts";
import type { InvocationResult } from "../model/result.ts";
import type { OpenSurface, ProviderContext, SurfaceChange } from "./provider-kind.ts";

/** What a session needs of the outside. */
export interface ProviderSessionParts {
  readonly openSurface: (
    surface: SurfaceConfig,
    provider: ProviderConfig,
    context: ProviderContext,
  ) => Promise<OpenSurface>;
  readonly context: Omit<ProviderContext, "signal">;
  /** The connection of a surface that can't be opened without the caller's credential, with the reason to show; else `undefined`. */
  readonly blockedBy: (surface: SurfaceConfig) => string | undefined;
  /** Called whenever `catalog()` or `diagnostics()` would answer something new. */
  readonly onChange: () => void;
  /** First and longest pause between two attempts to reach an upstream, in ms. `undefined`: one attempt. */
  readonly retry: { readonly first: number; readonly longest: number } | undefined;
}

type SurfaceStatus =
  | { readonly state: "starting" }
  | { readonly state: "ready"; readonly open: OpenSurface; readonly tools: readonly Tool[] }
  | {
      readonly state: "stale";
      readonly open: OpenSurface;
      readonly tools: readonly Tool[];
      readonly reason: string;
    }
  | { readonly state: "unavailable"; readonly reason: string; readonly diagnostics: readonly Diagnostic[] }
  | { readonly state: "disabled"; readonly reason: string };

/**
 * The life of one provider: opens its surfaces side by side, tries again where an upstream is away, follows what an upstream
 * changes, closes all of it. Nothing that happens here reaches another provider.
 */
export class ProviderSession {
  readonly config: ProviderConfig;
  readonly #parts: ProviderSessionParts;
  readonly #statuses = new Map<SurfaceKind, SurfaceStatus>();
  readonly #closing = new AbortController();
  readonly #running: Promise<void>[] = [];
  readonly #calls = new Set<Promise<InvocationResult>>();

  constructor(config: ProviderConfig, parts: ProviderSessionParts) {
    this.config = config;
    this.#parts = parts;
  }

  /** Starts all surfaces; resolves once each was tried, whether it came up or not. */
  async start(): Promise<void> {
    const attempts: Promise<void>[] = [];
    for (const surface of this.config.surfaces) {
      const blocked = this.#parts.blockedBy(surface);
      if (blocked !== undefined) {
        this.#statuses.set(surface.kind, { state: "disabled", reason: blocked });
        continue;
      }
      this.#statuses.set(surface.kind, { state: "starting" });
      attempts.push(this.#attempt(surface));
    }
    await Promise.all(attempts);
  }

  /** What the provider contributes now. */
  catalog(): ProviderCatalog {
    const statuses = [...this.#statuses.values()];
    const surfaces = this.config.surfaces.map((surface) =>
      summarize(surface.kind, this.#statuses.get(surface.kind)),
    );
    const reasons = surfaces.flatMap(({ kind, reason }) =>
      reason === undefined ? [] : [`${kind}: ${reason}`],
    );
    return {
      name: this.config.name,
      displayName: this.config.displayName,
      description: this.config.description,
      mcpEnabled: this.config.mcp.enabled,
      state: overallState(surfaces.map((surface) => surface.state)),
      reason: reasons.length === 0 ? undefined : reasons.join(" "),
      surfaces,
      connections: Object.values(this.config.connections).map(({ name, mode, auth }) => ({
        name,
        mode,
        type: auth.type,
      })),
      tools: statuses.flatMap((status) => ("tools" in status ? status.tools : [])),
    };
  }

  /** Everything that an author can mend, so far. */
  diagnostics(): readonly Diagnostic[] {
    const compiled: CompiledSurface[] = [];
    const diagnostics: Diagnostic[] = [];
    for (const surface of this.config.surfaces) {
      const status = this.#statuses.get(surface.kind);
      if (status?.state === "unavailable") diagnostics.push(...status.diagnostics);
      if (status === undefined || !("open" in status)) continue;
      diagnostics.push(...status.open.diagnostics);
      compiled.push({ surface, operations: status.open.operations, origin: status.open.origin });
    }
    if (compiled.length === this.config.surfaces.length) {
      diagnostics.push(...findUnmatchedSelections(this.config, compiled));
    }
    return diagnostics;
  }

  /** The executor of one surface; `undefined` while it is away. */
  executor(kind: SurfaceKind): Executor | undefined {
    const status = this.#statuses.get(kind);
    if (status === undefined || !("open" in status)) return undefined;
    const { executor } = status.open;
    return {
      execute: (...call) => {
        const running = executor.execute(...call);
        this.#calls.add(running);
        const forget = (): boolean => this.#calls.delete(running);
        running.then(forget, forget);
        return running;
      },
    };
  }

  /** Lets calls that run finish for at most `graceMilliseconds`, then ends attempts, connections and processes. */
  async close(graceMilliseconds: number): Promise<void> {
    if (this.#calls.size > 0) await settledWithin([...this.#calls], graceMilliseconds);
    this.#closing.abort();
    await Promise.allSettled(this.#running);
    const open = [...this.#statuses.values()].flatMap((status) => ("open" in status ? [status.open] : []));
    await Promise.allSettled(open.map((surface) => surface.close()));
  }

  async #attempt(surface: SurfaceConfig): Promise<void> {
    const retryable = await this.#open(surface);
    if (retryable && this.#parts.retry !== undefined)
      this.#running.push(this.#keepTrying(surface, this.#parts.retry));
  }

  async #keepTrying(surface: SurfaceConfig, retry: { first: number; longest: number }): Promise<void> {
    let pause = retry.first;
    while (await waitFor(pause, this.#closing.signal)) {
      if (!(await this.#open(surface))) return;
      pause = Math.min(pause * 2, retry.longest);
    }
  }

  /** Opens a surface once; true when it is worth another attempt. */
  async #open(surface: SurfaceConfig): Promise<boolean> {
    try {
      const open = await this.#parts.openSurface(surface, this.config, {
        ...this.#parts.context,
        signal: this.#closing.signal,
      });
      if (this.#closing.signal.aborted) {
        await open.close();
        return false;
      }
      this.#arrive(surface, open);
      return false;
    } catch (error) {
      if (this.#closing.signal.aborted) return false;
      this.#tellOnce(surface.kind, describe(error), error);
      this.#set(surface.kind, {
        state: "unavailable",
        reason: describe(error),
        diagnostics: [
          {
            severity: "error",
            code: "provider-unavailable",
            message: `Provider \`${this.config.name}\` (${surface.kind}) is not available: ${describe(error)}`,
            place: surface.place,
          },
        ],
      });
      return error instanceof GatewayError;
    }
  }

  #arrive(surface: SurfaceConfig, open: OpenSurface): void {
    const broken = open.diagnostics.find((diagnostic) => diagnostic.severity === "error");
    if (broken !== undefined && open.operations.length === 0) {
      void open.close();
      this.#set(surface.kind, {
        state: "unavailable",
        reason: broken.message,
        diagnostics: open.diagnostics,
      });
      return;
    }
    const tools = this.#expose(surface, open);
    if (this.#statuses.get(surface.kind)?.state === "unavailable") {
      this.#parts.context.log(
        `Provider ${this.config.name} (${surface.kind}) is here: ${tools.length} tools.`,
      );
    }
    this.#set(surface.kind, { state: "ready", open, tools });
    open.watch?.((change) => this.#follow(surface, open, change));
  }

  #follow(surface: SurfaceConfig, open: OpenSurface, change: SurfaceChange): void {
    if (this.#closing.signal.aborted) return;
    if (change.kind === "operations") {
      const current = { ...open, operations: change.operations };
      this.#set(surface.kind, { state: "ready", open: current, tools: this.#expose(surface, current) });
      return;
    }
    this.#parts.context.log(`Provider ${this.config.name} (${surface.kind}): ${change.reason}`);
    const status = this.#statuses.get(surface.kind);
    if (status === undefined || !("open" in status)) return;
    this.#set(surface.kind, { ...status, state: "stale", reason: change.reason });
  }

  /** Attempts that fail alike are told once. */
  #tellOnce(kind: SurfaceKind, reason: string, cause: unknown): void {
    const status = this.#statuses.get(kind);
    if (status?.state === "unavailable" && status.reason === reason) return;
    this.#parts.context.log(`Provider ${this.config.name} (${kind}): ${reason}`, cause);
  }

  #expose(surface: SurfaceConfig, open: OpenSurface): readonly Tool[] {
    return exposeSurface(this.config, { surface, operations: open.operations, origin: open.origin });
  }

  #set(kind: SurfaceKind, status: SurfaceStatus): void {
    this.#statuses.set(kind, status);
    this.#parts.onChange();
  }
}

function summarize(kind: SurfaceKind, status: SurfaceStatus | undefined): SurfaceSummary {
  if (status === undefined) return { kind, state: "starting", reason: undefined, tools: 0 };
  return {
    kind,
    state: status.state,
    reason: "reason" in status ? status.reason : undefined,
    tools: "tools" in status ? status.tools.length : 0,
  };
}

/** One word for several surfaces: what works counts, then what may still come. */
function overallState(states: readonly ProviderState[]): ProviderState {
  const order: readonly ProviderState[] = ["ready", "stale", "starting", "unavailable", "disabled"];
  return order.find((state) => states.includes(state)) ?? "disabled";
}

function describe(error: unknown): string {
  if (error instanceof GatewayError) return error.message;
  return "An internal error occurred; its cause is in the log.";
}

/** Waits; false when `signal` ended the wait. */
function waitFor(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve(true);
    }, milliseconds);
    const stop = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    signal.addEventListener("abort", stop, { once: true });
  });
}

/** Waits until all of `calls` have ended in some way, or the time is over. */
async function settledWithin(calls: readonly Promise<unknown>[], milliseconds: number): Promise<void> {
  const over = new AbortController();
  await Promise.race([Promise.allSettled(calls), waitFor(milliseconds, over.signal)]);
  over.abort();
}
