import type { CatalogIndex } from "../catalog/view.ts";
import type { ProviderCatalog, SurfaceKind } from "../model/catalog.ts";
import type { Principal } from "../model/principal.ts";
import type { ProviderSession } from "../providers/provider-session.ts";
import type { ScopedSurface } from "../providers/scoped-surfaces.ts";
import { type ShownSurface, show } from "../providers/surface-status.ts";
import { settledWithin } from "../providers/wait.ts";
import { findScopes, type Scope, type ScopeParts, storedConnections } from "./find-scopes.ts";
import { createIndexCache } from "./index-cache.ts";
import { mergeSurfaces } from "./merge-surfaces.ts";
import type { ScopedCatalogParts, ScopedCatalogs } from "./scoped-catalogs.ts";
import { createRemovalSweep } from "./sweep-removed.ts";

/** Most credentials of one connection whose tools are listed for one principal. */
const mostInstances = 8;
/** How long what could not be read is left alone, in ms. */
const againMilliseconds = 1_000;

/** What is known of one principal. */
interface Prepared {
  /** What it was found out from. */
  readonly epoch: number;
  readonly revision: number;
  readonly scopes: readonly Scope[];
  readonly opened: readonly Opened[];
  readonly instances: ReadonlyMap<string, readonly string[]>;
  /** When to try again what could not be found out. */
  readonly retryAt: number | undefined;
  /** The catalog as it was last made, and what of. */
  last?: { readonly index: WeakRef<CatalogIndex>; readonly base: CatalogIndex; readonly change: number };
}

/** A preparation that is under way. */
interface Preparation {
  readonly epoch: number;
  readonly revision: number;
  /** `undefined`: the deadline is over, nobody waits for it any more. */
  waiting: Promise<void> | undefined;
}

interface Opened {
  readonly scope: Scope;
  readonly kind: SurfaceKind;
  readonly surface: ScopedSurface;
}

/** How often what a principal has is looked up again because something has changed meanwhile. */
const mostRounds = 3;
const noInstances: ReadonlyMap<string, readonly string[]> = new Map();

/** Makes the catalogs of callers from what their credentials open. */
export function createScopedCatalogs(parts: ScopedCatalogParts): ScopedCatalogs {
  const { snapshot, log, deadlineMilliseconds = () => 5_000, now = () => performance.now() } = parts;
  const known = new WeakMap<Principal, Prepared>();
  const underWay = new WeakMap<Principal, Preparation>();
  /** When the first wait for a surface began. */
  const awaitedSince = new WeakMap<ScopedSurface, number>();
  const indexes = createIndexCache(log, parts.mostTools);
  const listeners = new Set<() => void>();
  /** Connections of which what is stored can't be read, each told once. */
  const failing = new Set<string>();
  const asked: ScopeParts = {
    references: parts.references,
    mayKnow: parts.mayKnow,
    answered: (slot, failure) => {
      if (failure === undefined) failing.delete(slot);
      else if (!failing.has(slot)) {
        failing.add(slot);
        log(`What is connected to ${slot} can't be read.`, failure);
      }
    },
  };
  let sessions: readonly ProviderSession[] = [];
  let unfollow: readonly (() => unknown)[] = [];
  let needsNothing = true;
  /** Grows when what principals have must be looked at anew: sessions were replaced, credentials changed. */
  let revision = 0;
  /** Grows with everything that changes what any principal gets, besides the snapshot. */
  let change = 0;
  let lastEpoch: number | undefined;
  /** A store that fails takes nothing away from calls that need nothing of it, and those that do hear of it themselves. */
  const epoch = (): number => {
    try {
      return parts.epoch();
    } catch {
      return lastEpoch ?? -1;
    }
  };
  const removals = createRemovalSweep({
    ...{ sessions: parts.sessions, epoch: parts.epoch, isStored: parts.isStored },
    milliseconds: parts.sweepMilliseconds ?? 1_000,
  });
  let soon: NodeJS.Immediate | undefined;
  /** What is being opened with the gateway's own credentials, which somebody has just connected; `undefined`: nothing. */
  let arriving: Promise<void> | undefined;
  let common:
    | { readonly base: CatalogIndex; readonly catalogs: Map<ProviderSession, ProviderCatalog> }
    | undefined;

  /** Many callers may come at a time: those who wait are told once for all of them. */
  const tell = (): void => {
    change += 1;
    soon ??= setImmediate(() => {
      soon = undefined;
      for (const listener of listeners) listener();
    });
  };

  /** The sessions as they are now; a reload replaces some of them. */
  function look(): readonly ProviderSession[] {
    let count = 0;
    let isSame = true;
    for (const session of parts.sessions()) {
      isSame &&= session === sessions[count];
      count += 1;
    }
    if (isSame && count === sessions.length) return sessions;
    for (const stop of unfollow) stop();
    sessions = [...parts.sessions()];
    unfollow = sessions.map((session) => session.followScoped(tell));
    needsNothing = sessions.every((session) => storedConnections(session).length === 0);
    common = undefined;
    revision += 1;
    change += 1;
    return sessions;
  }

  /** Finds and opens what a principal has; where a later preparation takes its place, that one's result is waited for. */
  async function open(principal: Principal, preparation: Preparation): Promise<void> {
    look();
    let at = revision;
    let found = await findScopes(principal, sessions, asked);
    // Somebody else's change may have come in between, again and again.
    for (let round = 1; round < mostRounds && at !== revision; round += 1) {
      at = revision;
      found = await findScopes(principal, sessions, asked);
    }
    const later = underWay.get(principal);
    if (later !== preparation) return later?.waiting;
    // A store that fails takes no tools away: what can't be found out stays as it was.
    const before = known.get(principal)?.scopes ?? [];
    const scopes = found.map((scope) => (scope.references === undefined ? sameOf(before, scope) : scope));
    const opened = scopes.flatMap((scope) =>
      scope.kinds.flatMap((kind) =>
        (scope.references ?? []).slice(0, mostInstances).flatMap((reference): readonly Opened[] => {
          const surface = scope.session.openScoped(kind, reference, parts.source(reference));
          return surface === undefined ? [] : [{ scope, kind, surface }];
        }),
      ),
    );
    if (opened.length > 0) removals.begin();
    known.set(principal, {
      epoch: preparation.epoch,
      revision: at,
      scopes,
      opened,
      instances: instancesOf(scopes),
      retryAt: found.some(({ references }) => references === undefined)
        ? now() + againMilliseconds
        : undefined,
    });
    await Promise.all(
      opened.map(async ({ surface }) => {
        const since = awaitedSince.get(surface) ?? now();
        awaitedSince.set(surface, since);
        // What was there once stays shown while it comes back, and what is late is not waited for again whenever anything changes.
        const isAwaited =
          surface.session.status.state === "starting" && now() < since + deadlineMilliseconds();
        if (isAwaited) await surface.session.ensure();
      }),
    );
  }

  function isFresh({ epoch: then, revision: at, retryAt, opened }: Prepared): boolean {
    if (then !== epoch() || at !== revision || (retryAt !== undefined && now() >= retryAt)) return false;
    return opened.every(({ surface }) => !surface.isDropped);
  }

  /** Those who come meanwhile wait for it, as who has asked for it does, but no longer than for anything else. */
  function awaitArrival(opening: readonly Promise<void>[]): void {
    if (opening.length === 0) return;
    const all = arriving === undefined ? opening : [...opening, arriving];
    const waiting: Promise<void> = settledWithin(all, deadlineMilliseconds())
      // What has arrived is in the catalog of all a turn later.
      .then(() => new Promise<void>((resolve) => setImmediate(resolve)))
      .then(() => {
        if (arriving === waiting) arriving = undefined;
      });
    arriving = waiting;
  }

  function prepare(principal: Principal): Promise<void> | undefined {
    look();
    const current = epoch();
    if (current !== lastEpoch) {
      // Another process may have connected what the gateway itself has no credential for.
      if (lastEpoch !== undefined) awaitArrival(sessions.flatMap((session) => session.lookAgain() ?? []));
      lastEpoch = current;
    }
    const own = prepareOwn(principal, current);
    return own === undefined || arriving === undefined ? (own ?? arriving) : bothOf(own, arriving);
  }

  /** What the principal itself has connected. */
  function prepareOwn(principal: Principal, current: number): Promise<void> | undefined {
    if (needsNothing) return undefined;
    const running = underWay.get(principal);
    const prepared = known.get(principal);
    if (prepared !== undefined && isFresh(prepared)) {
      for (const { surface } of prepared.opened) {
        surface.touch();
        if (surface.session.isResting) void surface.session.ensure();
      }
      return running?.waiting;
    }
    if (running?.epoch === current && running.revision === revision) return running.waiting;
    const preparation: Preparation = { epoch: current, revision, waiting: undefined };
    underWay.set(principal, preparation);
    const work = open(principal, preparation)
      .catch((error: unknown) => log("What a caller has connected could not be opened.", error))
      .finally(() => {
        if (underWay.get(principal) === preparation) underWay.delete(principal);
      });
    preparation.waiting = settledWithin([work], deadlineMilliseconds()).then(() => {
      preparation.waiting = undefined;
    });
    return preparation.waiting;
  }

  /** What all callers get of a provider: made once for each snapshot, withheld tools included. */
  function commonOf(session: ProviderSession, base: CatalogIndex): ProviderCatalog {
    if (common?.base !== base) common = { base, catalogs: new Map() };
    const catalog = common.catalogs.get(session) ?? session.catalog();
    common.catalogs.set(session, catalog);
    return catalog;
  }

  function makeIndex(prepared: Prepared, base: CatalogIndex): CatalogIndex {
    const own = new Map<ProviderSession, ReadonlyMap<SurfaceKind, ShownSurface>>();
    for (const session of sessions) {
      const shown = shownOf(session, prepared);
      if (shown.size > 0) own.set(session, shown);
    }
    if (own.size === 0) return base;
    const catalogs = sessions.map((session) => {
      const shown = own.get(session);
      return shown === undefined ? commonOf(session, base) : session.catalog(shown);
    });
    return indexes.get(catalogs, new Map(sessions.map(({ config }) => [config.name, config.place])));
  }

  return {
    prepare,
    index: (principal) => {
      const base = snapshot.index;
      const prepared = known.get(principal);
      if (prepared === undefined) return base;
      look();
      const { last } = prepared;
      const kept = last?.base === base && last.change === change ? last.index.deref() : undefined;
      if (kept !== undefined) return kept;
      const index = makeIndex(prepared, base);
      prepared.last = { index: new WeakRef(index), base, change };
      return index;
    },
    instances: (principal) => known.get(principal)?.instances ?? noInstances,
    changed: (reference) => {
      revision += 1;
      for (const session of look()) {
        if (session.config.name !== reference.provider) continue;
        if (reference.owner.kind === "gateway")
          awaitArrival([session.connectionChanged(reference.connection)]);
        session.dropScoped(reference);
      }
      tell();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => {
      for (const stop of unfollow) stop();
      unfollow = [];
      clearImmediate(soon);
      removals.close();
      listeners.clear();
    },
  };
}

async function bothOf(first: Promise<void>, second: Promise<void>): Promise<void> {
  await first;
  await second;
}

/** What stands in place of a provider's surfaces that belong to callers. */
function shownOf(
  session: ProviderSession,
  { scopes, opened }: Prepared,
): ReadonlyMap<SurfaceKind, ShownSurface> {
  const shown = new Map<SurfaceKind, ShownSurface>();
  for (const scope of scopes) {
    if (scope.session !== session) continue;
    for (const kind of scope.kinds) {
      const instances = opened.flatMap(({ scope: of, kind: as, surface }) =>
        of === scope && as === kind && !surface.isDropped
          ? [{ ...show(kind, surface.session.status), instance: surface.reference.instance }]
          : [],
      );
      if (instances.length > 0) shown.set(kind, mergeSurfaces(kind, instances));
      else if (scope.references === undefined) shown.set(kind, unknown(kind));
    }
  }
  return shown;
}

/** Not the same as `not connected`, which would take the tools away without a word. */
function unknown(kind: SurfaceKind): ShownSurface {
  const reason = "whether you are connected can't be found out at the moment; it is tried again.";
  return { summary: { kind, state: "unavailable", reason, tools: 0 }, exposed: undefined };
}

function sameOf(before: readonly Scope[], scope: Scope): Scope {
  const last = before.find(
    ({ session, connection }) => session === scope.session && connection === scope.connection,
  );
  return last ?? scope;
}

function instancesOf(scopes: readonly Scope[]): ReadonlyMap<string, readonly string[]> {
  return new Map(
    scopes.flatMap(({ session, connection, references = [] }) =>
      references.length > 1
        ? [[`${session.config.name}/${connection}`, references.map(({ instance }) => instance)] as const]
        : [],
    ),
  );
}
