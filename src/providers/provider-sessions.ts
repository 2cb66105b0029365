import { mergeCatalog } from "../catalog/merge.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { ProviderConfig } from "../model/config.ts";
import type { ProviderLimits } from "../model/limits.ts";
import type { ProviderSession } from "./provider-session.ts";
import { isSameProvider } from "./same-provider.ts";
import { settledWithin } from "./wait.ts";

/** How long calls that run may go on with the providers that a reload replaced. */
const finishMilliseconds = 60_000;
/** How long a reload waits for providers to open before it swaps in the others. */
const openMilliseconds = 5_000;

/** What the sessions of all providers need of the outside. */
export interface ProviderSessionsParts {
  /** Makes the session of one, which calls `onChange` whenever it has something new to show. */
  readonly create: (provider: ProviderConfig, onChange: () => void) => ProviderSession;
  /** Where what they have together is published. */
  readonly snapshot: CatalogSnapshot;
  readonly log: (message: string) => void;
  /** How many tools a tenant may be offered, as of now; default: any number. */
  readonly mostTools?: () => number;
}

/** The providers of a configuration: opened side by side, published as one catalog, replaced all at once. */
export class ProviderSessions {
  readonly #parts: ProviderSessionsParts;
  #sessions: ReadonlyMap<string, ProviderSession>;
  #limits: ReadonlyMap<string, ProviderLimits>;
  #isStarted = false;
  #isClosed = false;
  #soon: NodeJS.Immediate | undefined;
  #collisions: readonly Diagnostic[] = [];
  /** Files of providers that the last reload could not open anew. */
  #refusedFiles: readonly string[] = [];
  /** Sessions that a reload is opening, or has replaced while their calls finish. */
  readonly #unsettled = new Set<ProviderSession>();

  constructor(providers: readonly ProviderConfig[], parts: ProviderSessionsParts) {
    this.#parts = parts;
    this.#sessions = byName(providers.map((provider) => this.#create(provider)));
    this.#limits = limitsByName(providers);
    this.publish();
  }

  get(name: string): ProviderSession | undefined {
    return this.#sessions.get(name);
  }

  /** The limits of one as of the last reload, whether it was opened anew for them or not. */
  limitsOf(name: string): ProviderLimits | undefined {
    return this.#limits.get(name);
  }

  /** In the order of the configuration. */
  values(): IterableIterator<ProviderSession> {
    return this.#sessions.values();
  }

  /** Tools, prompts and resources that share a name, as of the last publication. */
  get collisions(): readonly Diagnostic[] {
    return this.#collisions;
  }

  /** Opens all of them; resolves once each was tried. What they have appears in the snapshot as they arrive. */
  async start(): Promise<void> {
    await Promise.all([...this.values()].map((session) => session.start()));
    if (!this.#isClosed) this.publish();
    this.#isStarted = true;
  }

  /**
   * Replaces them: what has changed is opened beside what runs, then all of it is swapped at once, and calls that run finish on what they
   * began with.
   *
   * One that is configured as before goes on as it is: always when it follows its upstream by itself, and else when it can't be opened
   * anew, because its document or upstream is broken at this moment. One that takes long to open arrives later, as at the start.
   *
   * @param swapped called at the swap, for what has to change with it.
   * @returns what is wrong with the new ones; `undefined`: all was closed meanwhile, and nothing was swapped.
   */
  async replace(
    providers: readonly ProviderConfig[],
    swapped: () => void,
  ): Promise<readonly Diagnostic[] | undefined> {
    const next = providers.map((provider) => {
      const running = this.#sessions.get(provider.name);
      const isUnchanged = running !== undefined && isSameProvider(running.config, provider);
      return isUnchanged && followsUpstream(provider) ? running : this.#create(provider);
    });
    const opening = next.filter((session) => this.#sessions.get(session.config.name) !== session);
    for (const session of opening) this.#unsettled.add(session);
    const opened = Promise.all(opening.map((session) => session.start()));
    await settledWithin([opened], openMilliseconds);
    for (const session of opening) this.#unsettled.delete(session);
    // Closing meanwhile has closed these too.
    if (this.#isClosed) return undefined;

    const diagnostics = next.flatMap((session) => session.diagnostics());
    const settled = next.map((session) => this.#betterOf(this.#sessions.get(session.config.name), session));
    this.#refusedFiles = next
      .filter((session) => !settled.includes(session))
      .flatMap((session) => session.watchedFiles());
    for (const session of this.values()) if (!settled.includes(session)) this.#retire(session);
    this.#sessions = byName(settled);
    this.#limits = limitsByName(providers);
    swapped();
    this.#isStarted = false;
    this.publish();
    this.#isStarted = true;
    return [...diagnostics, ...this.#collisions];
  }

  /** Merges what they have now into one catalog. */
  publish(): void {
    clearImmediate(this.#soon);
    this.#soon = undefined;

    const sessions = [...this.values()];
    const places = new Map(sessions.map(({ config }) => [config.name, config.place]));
    const merged = mergeCatalog(
      sessions.map((session) => session.catalog()),
      places,
      this.#parts.mostTools?.(),
    );
    const known = new Set(this.#collisions.map(({ message }) => message));
    for (const { message } of merged.diagnostics) {
      // At the start they are among the diagnostics; later an upstream has changed its tools.
      if (this.#isStarted && !known.has(message)) this.#parts.log(message);
    }
    this.#collisions = merged.diagnostics;
    this.#parts.snapshot.swap(merged.catalog);
  }

  /** Absolute paths of the files that they are compiled from, those of providers that a reload could not open anew among them. */
  watchedFiles(): readonly string[] {
    const files = [...this.values()].flatMap((session) => session.watchedFiles());
    return [...new Set([...files, ...this.#refusedFiles])];
  }

  /** Ends all attempts, connections and processes; calls that run are broken off. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearImmediate(this.#soon);
    const sessions = [...this.values(), ...this.#unsettled];
    await Promise.all(sessions.map((session) => session.close(0)));
  }

  #create(provider: ProviderConfig): ProviderSession {
    const session: ProviderSession = this.#parts.create(provider, () => {
      // A session that a reload has not put in place yet, or has replaced, publishes nothing.
      if (this.#sessions.get(provider.name) === session) this.#publishSoon();
    });
    return session;
  }

  /** Providers that arrive together are published together: merging costs as much as the whole catalog is large. */
  #publishSoon(): void {
    this.#soon ??= setImmediate(() => this.publish());
  }

  /** The new session, unless it lacks a surface that the running one, with the same configuration, has. */
  #betterOf(running: ProviderSession | undefined, session: ProviderSession): ProviderSession {
    if (running === undefined || running === session) return session;
    const lost = running.openSurfaces().difference(session.openSurfaces());
    if (lost.size === 0 || !isSameProvider(running.config, session.config)) return session;
    this.#parts.log(`Provider ${session.config.name} could not be opened anew; it goes on as it was.`);
    this.#retire(session);
    return running;
  }

  #retire(session: ProviderSession): void {
    this.#unsettled.add(session);
    void session.close(finishMilliseconds).then(() => this.#unsettled.delete(session));
  }
}

function byName(sessions: readonly ProviderSession[]): ReadonlyMap<string, ProviderSession> {
  return new Map(sessions.map((session) => [session.config.name, session]));
}

function limitsByName(providers: readonly ProviderConfig[]): ReadonlyMap<string, ProviderLimits> {
  return new Map(providers.map(({ name, limits }) => [name, limits]));
}

/** True when nothing but the file itself and running upstreams say what the provider offers. */
function followsUpstream({ surfaces }: ProviderConfig): boolean {
  return surfaces.every(({ kind }) => kind === "mcp" || kind === "rest");
}
