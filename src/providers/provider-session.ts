import type { Executor } from "../broker/executor.ts";
import { digestOf } from "../catalog/digest.ts";
import { type CompiledSurface, findUnmatchedSelections } from "../catalog/expose.ts";
import { exposeEntries } from "../catalog/expose-features.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { createRetryBudget } from "../limits/retry-budget.ts";
import type { Operation, ProviderCatalog, SurfaceKind } from "../model/catalog.ts";
import type { ProviderConfig, SurfaceConfig } from "../model/config.ts";
import type { CredentialReference, CredentialSource } from "../model/credential.ts";
import { noCredential } from "./credential-source.ts";
import { type Opening, openedWith, openingOf } from "./opening-of.ts";
import { createScopedExecutor } from "./scoped-executor.ts";
import { type ScopedLimits, type ScopedSurface, ScopedSurfaces } from "./scoped-surfaces.ts";
import { type RetryPauses, SurfaceSession, type SurfaceSessionParts } from "./surface-session.ts";
import { overallState, type ShownSurface, type SurfaceStatus, show } from "./surface-status.ts";
import { settledWithin } from "./wait.ts";

/** What a session needs of the outside. */
export interface ProviderSessionParts {
  readonly openSurface: SurfaceSessionParts["openSurface"];
  readonly context: Omit<SurfaceSessionParts["context"], "owner" | "retryBudget">;
  /** Why a surface can't be opened now or by itself, as the reason to show; else `undefined`. */
  readonly blockedBy: (surface: SurfaceConfig) => string | undefined;
  /** Called whenever `catalog()` or `diagnostics()` would answer something new. */
  readonly onChange: () => void;
  /** First and longest pause between two attempts to reach an upstream, in ms. `undefined`: one attempt. */
  readonly retry: RetryPauses | undefined;
  /** See `SurfaceSessionParts`. */
  readonly staleMilliseconds?: number;
  /** How long lists wait for the provider after its start, in ms, as of now; default 5,000. */
  readonly arrivalMilliseconds?: () => number;
  /** The credential behind a reference; absent: surfaces that belong to callers are not opened. */
  readonly source?: (reference: CredentialReference) => CredentialSource;
  readonly scoped?: Partial<ScopedLimits> & {
    /** How long a call waits for a surface that it is the first to need, in ms; default 30,000. */
    readonly openMilliseconds?: number;
    /** Milliseconds of a clock that never goes back. */
    readonly now?: () => number;
  };
}

const openMilliseconds = 30_000;
const usualArrivalMilliseconds = 5_000;

/**
 * The life of one provider: opens its surfaces side by side, those that belong to callers once for each credential, and closes all of
 * it. Nothing that happens here reaches another provider.
 */
export class ProviderSession {
  readonly config: ProviderConfig;
  readonly #parts: ProviderSessionParts;
  /** In the order of the file. */
  readonly #surfaces: ReadonlyMap<SurfaceKind, SurfaceSession>;
  readonly #openings: ReadonlyMap<SurfaceKind, Opening>;
  readonly #pool: ScopedSurfaces;
  /** One object for each feature, for as long as the provider lives. */
  readonly #entries: ProviderCatalog["entries"];
  readonly #closing = new AbortController();
  #arrival: Promise<void> | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(config: ProviderConfig, parts: ProviderSessionParts) {
    this.config = config;
    this.#parts = parts;
    this.#entries = exposeEntries(config);
    const { openSurface, retry, staleMilliseconds } = parts;
    const retryBudget = createRetryBudget(config.retries.budget, () => performance.now());
    const context = { ...parts.context, retryBudget };
    this.#openings = new Map(config.surfaces.map((surface) => [surface.kind, openingOf(config, surface)]));
    const { onChange } = parts;
    this.#surfaces = new Map(
      config.surfaces.map((surface) => [
        surface.kind,
        new SurfaceSession(surface, config, { openSurface, context, retry, staleMilliseconds, onChange }),
      ]),
    );
    this.#pool = new ScopedSurfaces({
      create: (surface, reference, source, own) => {
        const credential: typeof context.credential = (connection) =>
          connection === surface.connection ? source : noCredential;
        const scoped = { ...context, credential, owner: reference };
        const same = { openSurface, retry, staleMilliseconds };
        return new SurfaceSession(surface, config, { ...same, context: scoped, ...own });
      },
      onChange: () => {
        for (const listener of this.#listeners) listener();
      },
      limits: parts.scoped,
      now: parts.scoped?.now,
    });
  }

  /** Starts all surfaces that are not callers'; resolves once each was tried, whether it came up or not. */
  async start(): Promise<void> {
    const starting = [...this.#surfaces.values()].map(async (session) => {
      const opening = this.#openings.get(session.surface.kind);
      const blocked = this.#parts.blockedBy(session.surface);
      if (blocked !== undefined) session.disable(blocked);
      else if (opening === undefined || opening.kind === "own") await session.ensure();
      else session.disable(opening.reason, opening.kind === "scoped" ? opening.connection : undefined);
    });
    const started = Promise.all(starting);
    const deadline = this.#parts.arrivalMilliseconds?.() ?? usualArrivalMilliseconds;
    this.#arrival = settledWithin([started], deadline, this.#closing.signal).then(() => {
      this.#arrival = undefined;
    });
    await started;
  }

  /**
   * Resolves once all surfaces were tried for the first time, or the time that lists wait for them is over; `undefined`: that is so
   * already, or nothing was started. Never rejects.
   */
  get arrival(): Promise<void> | undefined {
    return this.#arrival;
  }

  /**
   * What the provider contributes now.
   *
   * @param scoped what stands in place of the surfaces that belong to callers, for one of them.
   */
  catalog(scoped: ReadonlyMap<SurfaceKind, ShownSurface> = new Map()): ProviderCatalog {
    const { name, displayName, description, mcp, tenants, connections } = this.config;
    const shown = [...this.#surfaces].map(([kind, { status }]) => scoped.get(kind) ?? show(kind, status));
    const surfaces = shown.map(({ summary }) => summary);
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
    const exposed = shown.flatMap((surface) => (surface.exposed === undefined ? [] : [surface.exposed]));
    const server = shown.find(({ summary }) => summary.kind === "mcp")?.exposed;
    const entries = server && this.#entries;
    return {
      ...facts,
      version: digestOf([facts, entries ?? {}, ...exposed.map(({ digest }) => digest)]),
      tools: exposed.flatMap(({ tools }) => tools),
      ...(entries && { entries }),
      ...(server?.offerings && { offerings: server.offerings }),
      ...(server?.freshness && { freshness: server.freshness }),
    };
  }

  /** The surfaces that are there, be it with what their upstream last had. */
  openSurfaces(): ReadonlySet<SurfaceKind> {
    return new Set([...this.#surfaces].flatMap(([kind, { status }]) => ("open" in status ? [kind] : [])));
  }

  /** Absolute paths of the files that the surfaces were compiled from, or could not be compiled from. */
  watchedFiles(): readonly string[] {
    return this.#statuses().flatMap((status) => {
      if ("open" in status) return status.open.files ?? [];
      return status.state === "unavailable" ? (status.files ?? []) : [];
    });
  }

  /** Ids of the operations that the file's own choices leave out, in the order of their documents. */
  leftOut(): readonly string[] {
    return this.#statuses().flatMap((status) => {
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
    for (const { surface, status } of this.#surfaces.values()) {
      if (status.state === "unavailable") diagnostics.push(...status.diagnostics);
      if (!("open" in status)) continue;
      diagnostics.push(...status.open.diagnostics);
      compiled.push({ surface, operations: status.open.operations, origin: status.open.origin });
    }
    if (compiled.length === this.config.surfaces.length) {
      diagnostics.push(...findUnmatchedSelections(this.config, compiled));
    }
    return diagnostics;
  }

  /** The executor of one surface; `undefined` while it is away. That of callers' surfaces opens what a call needs. */
  executor(kind: SurfaceKind): Executor | undefined {
    const session = this.#surfaces.get(kind);
    const { source } = this.#parts;
    if (session === undefined || source === undefined || !this.#isScoped(session.surface)) {
      return session?.executor();
    }
    return createScopedExecutor({
      provider: this.config.name,
      connection: session.surface.connection,
      open: (reference) => this.#pool.open(session.surface, reference, source(reference)),
      openMilliseconds: this.#parts.scoped?.openMilliseconds ?? openMilliseconds,
    });
  }

  /** The kinds of those surfaces that belong to callers, and the connection of each. */
  scopedConnections(): ReadonlyMap<SurfaceKind, string> {
    return new Map(
      this.config.surfaces.flatMap((surface) =>
        this.#isScoped(surface) && surface.connection !== undefined
          ? [[surface.kind, surface.connection] as const]
          : [],
      ),
    );
  }

  /** A caller's surface, opened or being opened; `undefined` for one that does not belong to callers, and once this is closed. */
  openScoped(
    kind: SurfaceKind,
    reference: CredentialReference,
    source: CredentialSource,
  ): ScopedSurface | undefined {
    const surface = this.#surfaces.get(kind)?.surface;
    return surface !== undefined && this.#isScoped(surface)
      ? this.#pool.open(surface, reference, source)
      : undefined;
  }

  /** Gives up what was opened with a credential: it was removed, or replaced by somebody's new one. */
  dropScoped(reference: CredentialReference): void {
    this.#pool.drop(reference);
  }

  /** The credentials that callers' surfaces are opened with. */
  scopedReferences(): readonly CredentialReference[] {
    return this.#pool.references();
  }

  /** Calls back whenever a caller's surface is another; returns the way to stop that. */
  followScoped(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Opens anew what is opened with the gateway's own credential of a connection, which was connected, replaced or removed. Resolves once
   * that was tried, whether it came up or not.
   */
  async connectionChanged(connection: string): Promise<void> {
    await Promise.all(
      this.#own(connection).map((session) => {
        session.rest();
        return session.ensure();
      }),
    );
  }

  /**
   * Tries again what the gateway has no credential for: somebody may have connected it by another process. `undefined`: there is nothing
   * of that kind; else like `connectionChanged`.
   */
  lookAgain(): Promise<void> | undefined {
    const lost = [...this.#surfaces.values()].filter((session) => {
      const { surface, status } = session;
      const connection = openedWith(surface);
      const isLost = status.state === "disabled" || ("exposed" in status && !("open" in status));
      return isLost && connection !== undefined && this.#own(connection).includes(session);
    });
    if (lost.length === 0) return undefined;
    return Promise.all(lost.map((session) => session.ensure())).then(() => {});
  }

  /** Lets calls that run finish for at most `graceMilliseconds`, then ends attempts, connections and processes. */
  async close(graceMilliseconds: number): Promise<void> {
    this.#closing.abort();
    const sessions = [...this.#surfaces.values(), this.#pool];
    await Promise.all(sessions.map((session) => session.close(graceMilliseconds)));
  }

  /** Surfaces that are opened once, with the gateway's own credential of this connection. */
  #own(connection: string): readonly SurfaceSession[] {
    return [...this.#surfaces.values()].filter(({ surface }) => {
      if (this.#openings.get(surface.kind)?.kind !== "own") return false;
      if (this.#parts.blockedBy(surface) !== undefined) return false;
      return openedWith(surface) === connection;
    });
  }

  #isScoped(surface: SurfaceConfig): boolean {
    if (this.#parts.source === undefined || this.#parts.blockedBy(surface) !== undefined) return false;
    return this.#openings.get(surface.kind)?.kind === "scoped";
  }

  #statuses(): readonly SurfaceStatus[] {
    return [...this.#surfaces.values()].map(({ status }) => status);
  }
}

function identify({ id, method, path }: Operation): string {
  return `${method} ${path} ${id}`;
}
