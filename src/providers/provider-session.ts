import type { Executor } from "../broker/executor.ts";
import { digestOf, digestOfTool } from "../catalog/digest.ts";
import { type CompiledSurface, exposeEach, findUnmatchedSelections } from "../catalog/expose.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { GatewayError } from "../errors.ts";
import type { Operation, ProviderCatalog, SurfaceKind, Tool } from "../model/catalog.ts";
import type { ProviderConfig, SurfaceConfig } from "../model/config.ts";
import type { InvocationResult } from "../model/result.ts";
import type { OpenSurface, ProviderContext, SurfaceChange } from "./provider-kind.ts";
import { shareThread } from "./share-thread.ts";
import { type Exposed, overallState, type SurfaceStatus, summarize } from "./surface-status.ts";
import { settledWithin, waitFor } from "./wait.ts";

/** What a session needs of the outside. */
export interface ProviderSessionParts {
  readonly openSurface: (
    surface: SurfaceConfig,
    provider: ProviderConfig,
    context: ProviderContext,
  ) => Promise<OpenSurface>;
  readonly context: Omit<ProviderContext, "signal">;
  /** Why a surface can't be opened now or by itself, as the reason to show; else `undefined`. */
  readonly blockedBy: (surface: SurfaceConfig) => string | undefined;
  /** Called whenever `catalog()` or `diagnostics()` would answer something new. */
  readonly onChange: () => void;
  /** First and longest pause between two attempts to reach an upstream, in ms. `undefined`: one attempt. */
  readonly retry: { readonly first: number; readonly longest: number } | undefined;
}

/**
 * The life of one provider: opens its surfaces side by side, tries again where an upstream is away, follows what an upstream
 * changes, closes all of it. Nothing that happens here reaches another provider.
 */
export class ProviderSession {
  readonly config: ProviderConfig;
  readonly #parts: ProviderSessionParts;
  readonly #statuses: Map<SurfaceKind, SurfaceStatus>;
  readonly #closing = new AbortController();
  readonly #attempts: Promise<void>[] = [];
  readonly #calls = new Set<Promise<InvocationResult>>();

  constructor(config: ProviderConfig, parts: ProviderSessionParts) {
    this.config = config;
    this.#parts = parts;
    this.#statuses = new Map(config.surfaces.map(({ kind }) => [kind, { state: "starting" }]));
  }

  /** Starts all surfaces; resolves once each was tried, whether it came up or not. */
  async start(): Promise<void> {
    const first = this.config.surfaces.map(async (surface) => {
      const reason = this.#parts.blockedBy(surface);
      if (reason !== undefined) {
        this.#statuses.set(surface.kind, { state: "disabled", reason });
        return;
      }
      const retryable = await this.#open(surface);
      if (retryable && this.#parts.retry !== undefined) {
        this.#attempts.push(this.#keepTrying(surface, this.#parts.retry));
      }
    });
    this.#attempts.push(...first);
    await Promise.all(first);
  }

  /** What the provider contributes now. */
  catalog(): ProviderCatalog {
    const { name, displayName, description, mcp, tenants, connections } = this.config;
    const surfaces = [...this.#statuses].map(([kind, status]) => summarize(kind, status));
    const reasons = surfaces.flatMap(({ kind, reason }) =>
      reason === undefined ? [] : [`${kind}: ${reason}`],
    );
    const facts = {
      name,
      displayName,
      description,
      mcpEnabled: mcp.enabled,
      tenants,
      toolPrefix: mcp.toolPrefix,
      state: overallState(surfaces.map(({ state }) => state)),
      reason: reasons.length === 0 ? undefined : reasons.join(" "),
      surfaces,
      connections: Object.values(connections).map(({ name: connection, mode, auth }) => ({
        name: connection,
        mode,
        type: auth.type,
      })),
    };
    const exposed = this.#exposed();
    return {
      ...facts,
      version: digestOf([facts, ...exposed.map(({ digest }) => digest)]),
      tools: exposed.flatMap(({ tools }) => tools),
    };
  }

  /** The surfaces that are there, be it with what their upstream last had. */
  openSurfaces(): ReadonlySet<SurfaceKind> {
    return new Set([...this.#statuses].flatMap(([kind, status]) => ("open" in status ? [kind] : [])));
  }

  /** Absolute paths of the files that the surfaces were compiled from, or could not be compiled from. */
  watchedFiles(): readonly string[] {
    return [...this.#statuses.values()].flatMap((status) => {
      if ("open" in status) return status.open.files ?? [];
      return status.state === "unavailable" ? (status.files ?? []) : [];
    });
  }

  /** Ids of the operations that the file's own choices leave out, in the order of their documents. */
  leftOut(): readonly string[] {
    return [...this.#statuses.values()].flatMap((status) => {
      if (!("open" in status)) return [];
      const exposed = new Set(status.exposed.tools.map(identify));
      return status.open.operations
        .filter((operation) => !exposed.has(identify(operation)))
        .map(({ id }) => id);
    });
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
    await Promise.allSettled(this.#attempts);
    const open = [...this.#statuses.values()].flatMap((status) => ("open" in status ? [status.open] : []));
    await Promise.allSettled(open.map((surface) => surface.close()));
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
    let open: OpenSurface;
    try {
      open = await this.#parts.openSurface(surface, this.config, {
        ...this.#parts.context,
        signal: this.#closing.signal,
      });
    } catch (error) {
      if (this.#closing.signal.aborted) return false;
      this.#fail(surface, describe(error), error);
      return error instanceof GatewayError;
    }
    if (this.#closing.signal.aborted) await open.close();
    else await this.#arrive(surface, open);
    return false;
  }

  async #arrive(surface: SurfaceConfig, open: OpenSurface): Promise<void> {
    const broken = open.diagnostics.find((diagnostic) => diagnostic.severity === "error");
    if (broken !== undefined && open.operations.length === 0) {
      this.#set(surface, {
        state: "unavailable",
        reason: broken.message,
        diagnostics: open.diagnostics,
        files: open.files ?? [],
      });
      await open.close();
      return;
    }
    const wasAway = this.#statuses.get(surface.kind)?.state === "unavailable";
    const exposed = await this.#expose(surface, open);
    if (this.#closing.signal.aborted) {
      await open.close();
      return;
    }
    this.#set(surface, { state: "ready", open, exposed });
    if (wasAway) this.#log(surface, `is here, with ${exposed.tools.length} tools.`);
    this.#follow(surface, open);
  }

  /** Takes over what the upstream changes: one change after the other, because exposing a large one takes several turns. */
  #follow(surface: SurfaceConfig, open: OpenSurface): void {
    let last = Promise.resolve();
    open.watch?.((change) => {
      last = last
        .then(() => this.#take(surface, open, change))
        .catch((error: unknown) =>
          this.#log(surface, "has changed, which an internal error kept from being shown.", error),
        );
    });
  }

  async #take(surface: SurfaceConfig, open: OpenSurface, change: SurfaceChange): Promise<void> {
    const status = this.#statuses.get(surface.kind);
    if (this.#closing.signal.aborted || status === undefined || !("open" in status)) return;
    if (change.kind === "lost") {
      this.#set(surface, { ...status, state: "stale", reason: change.reason });
      if (status.state !== "stale") this.#log(surface, `is away: ${change.reason}`);
      return;
    }
    const current = { ...open, operations: change.operations, diagnostics: change.diagnostics };
    const exposed = await this.#expose(surface, current);
    if (this.#closing.signal.aborted) return;
    this.#set(surface, { state: "ready", open: current, exposed });
    if (status.state === "stale") this.#log(surface, "is back.");
  }

  /** An upstream that can't be reached. Attempts that fail alike are told once. */
  #fail(surface: SurfaceConfig, reason: string, cause: unknown): void {
    const before = this.#statuses.get(surface.kind);
    if (before?.state === "unavailable" && before.reason === reason) return;
    this.#log(surface, `is not available: ${reason}`, cause);
    const message = `Provider \`${this.config.name}\` (${surface.kind}) is not available: ${reason}`;
    const diagnostic: Diagnostic = {
      severity: "error",
      code: "provider-unavailable",
      message,
      place: surface.place,
    };
    this.#set(surface, { state: "unavailable", reason, diagnostics: [diagnostic] });
  }

  /** What the surface offers; other work goes on while thousands of tools are digested. */
  async #expose(surface: SurfaceConfig, { operations, origin }: OpenSurface): Promise<Exposed> {
    const giveWay = shareThread();
    const tools: Tool[] = [];
    const digests: string[] = [];
    for (const tool of exposeEach(this.config, { surface, operations, origin })) {
      tools.push(tool);
      digests.push(digestOfTool(tool));
      await giveWay();
    }
    return { tools, digest: digestOf(digests) };
  }

  #exposed(): readonly Exposed[] {
    return [...this.#statuses.values()].flatMap((status) => ("exposed" in status ? [status.exposed] : []));
  }

  #set({ kind }: SurfaceConfig, status: SurfaceStatus): void {
    this.#statuses.set(kind, status);
    this.#parts.onChange();
  }

  #log({ kind }: SurfaceConfig, message: string, cause?: unknown): void {
    this.#parts.context.log(`Provider ${this.config.name} (${kind}) ${message}`, cause);
  }
}

function identify({ id, method, path }: Operation): string {
  return `${method} ${path} ${id}`;
}

function describe(error: unknown): string {
  return error instanceof GatewayError
    ? error.message
    : "An internal error occurred; its cause is in the log.";
}
