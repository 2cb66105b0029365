import type { CallLimits } from "../model/limits.ts";

/** What a call may not have a place for now, and may not wait for either; `part`: its provider has its part of the tenant's places. */
export type PlaceShortage = "gateway" | "tenant" | "part" | "provider";

/** A place of one call, or its wait for one. */
export interface CallPlace {
  /** `running` has the place, `waiting` comes to have it, `paused` has given it up for a while, `over` never has it any more. */
  readonly state: "running" | "waiting" | "paused" | "over";
  /** Called once a wait ends: the place is there, or, with a shortage, will not be: a call for another provider waits instead. */
  settled: (shortage?: PlaceShortage) => void;
  /** Gives the place up for a while, as a call does that waits for a person. */
  pause(): void;
  /** Takes it again at once, even where that is one too many for a moment. */
  resume(): void;
  /** Gives the place back, or ends the wait. Call it in every case. */
  leave(): void;
}

/** Grants places to calls. */
export interface CallScheduler {
  /**
   * Asks for a place; `state` of what comes back says whether it is there already. A shortage: it is not, and the queue is full.
   *
   * @param concurrency most calls of the provider, as of now.
   */
  enter(tenant: string, provider: string, concurrency: number): CallPlace | PlaceShortage;
}

/** All calls of one tenant. */
interface TenantCalls {
  readonly name: string;
  running: number;
  waiting: number;
  readonly lanes: Map<string, Lane>;
}

/** All calls of one provider. */
interface ProviderCalls {
  readonly name: string;
  limit: number;
  running: number;
  lanes: number;
}

/** The calls of one tenant to one provider. */
interface Lane {
  readonly tenant: TenantCalls;
  readonly provider: ProviderCalls;
  running: number;
  paused: number;
  /** Those who came first are first. */
  readonly waiting: Set<Place>;
}

/**
 * Lets a call run when the gateway, its tenant and its provider all have room for it, and takes all three at once, so that nobody holds
 * the one while waiting for the other. A tenant has at most three quarters of a provider's places, rounded up. A provider has at most twice
 * as many places of a tenant as that has free besides: two thirds of them where it is alone, and less the more others are as busy, so that
 * providers that do not answer, however many, never have them all.
 *
 * Who has to wait does so in a queue of its tenant. Places that become free go round the tenants, and within one to who has waited
 * longest among those whose provider has room. Where the queue is full, who waits most for one provider makes room for who waits less for
 * another: a provider that does not answer keeps nobody from the others.
 *
 * Nobody waits who could run. Nothing is kept of who has no call.
 *
 * @param limits as of now; where they change, waiting calls are looked at when the next one comes or goes.
 */
export function createCallScheduler(limits: () => CallLimits): CallScheduler {
  return new Scheduler(limits);
}

class Scheduler implements CallScheduler {
  readonly #limits: () => CallLimits;
  #known: CallLimits | undefined;
  readonly #tenants = new Map<string, TenantCalls>();
  readonly #providers = new Map<string, ProviderCalls>();
  /** Those with waiting calls; whose turn it is next is first. */
  readonly #turns = new Set<TenantCalls>();
  #running = 0;
  #arrivals = 0;

  constructor(limits: () => CallLimits) {
    this.#limits = limits;
  }

  enter(tenant: string, provider: string, concurrency: number): CallPlace | PlaceShortage {
    const limits = this.#limits();
    const lane = this.#laneOf(tenant, provider);
    const isRaised = concurrency > lane.provider.limit || limits !== this.#known;
    lane.provider.limit = concurrency;
    this.#known = limits;
    // Before anybody new: who waits may have room by now.
    if (isRaised) this.grant();
    const shortage = this.#shortageOf(lane) ?? (lane.waiting.size > 0 ? "tenant" : undefined);
    if (shortage === undefined) {
      const place = new Place(this, lane, "running", 0);
      this.take(lane);
      return place;
    }
    if (lane.tenant.waiting >= limits.queue && !this.#makeRoom(lane)) {
      this.#sweep(lane);
      return shortage;
    }
    this.#arrivals += 1;
    const place = new Place(this, lane, "waiting", this.#arrivals);
    lane.waiting.add(place);
    lane.tenant.waiting += 1;
    this.#turns.add(lane.tenant);
    return place;
  }

  /** Gives free places to those who wait. */
  grant(): void {
    for (;;) {
      const next = this.#next();
      if (next === undefined) return;
      const { lane } = next;
      this.#turns.delete(lane.tenant);
      this.dequeue(next);
      if (lane.tenant.waiting > 0) this.#turns.add(lane.tenant);
      this.take(lane);
      next.start();
    }
  }

  take(lane: Lane): void {
    this.#running += 1;
    lane.tenant.running += 1;
    lane.provider.running += 1;
    lane.running += 1;
  }

  release(lane: Lane): void {
    this.#running -= 1;
    lane.tenant.running -= 1;
    lane.provider.running -= 1;
    lane.running -= 1;
    this.#sweep(lane);
    if (this.#turns.size > 0) this.grant();
  }

  dequeue(place: Place): void {
    const { lane } = place;
    lane.waiting.delete(place);
    lane.tenant.waiting -= 1;
    if (lane.tenant.waiting === 0) this.#turns.delete(lane.tenant);
  }

  /** Forgets who has no calls. */
  #sweep(lane: Lane): void {
    if (lane.running > 0 || lane.paused > 0 || lane.waiting.size > 0) return;
    const { tenant, provider } = lane;
    if (!tenant.lanes.delete(provider.name)) return;
    if (tenant.lanes.size === 0) this.#tenants.delete(tenant.name);
    provider.lanes -= 1;
    if (provider.lanes === 0) this.#providers.delete(provider.name);
  }

  leaveQueue(place: Place): void {
    this.dequeue(place);
    this.#sweep(place.lane);
  }

  leavePause(lane: Lane): void {
    lane.paused -= 1;
    this.#sweep(lane);
  }

  /** What a call of the lane lacks to run now. */
  #shortageOf({ tenant, provider, running }: Lane): PlaceShortage | undefined {
    const { total, perTenant } = this.#limits();
    if (provider.running >= provider.limit || running >= shareOf(provider.limit)) return "provider";
    const free = perTenant - tenant.running;
    if (free <= 0) return "tenant";
    if (running > free * 2) return "part";
    return this.#running >= total ? "gateway" : undefined;
  }

  /** The call whose turn it is; `undefined`: nobody who waits can run. */
  #next(): Place | undefined {
    if (this.#running >= this.#limits().total) return undefined;
    for (const { lanes } of this.#turns) {
      let first: Place | undefined;
      for (const lane of lanes.values()) {
        const [place] = lane.waiting;
        if (place === undefined || (first !== undefined && first.arrival < place.arrival)) continue;
        if (this.#shortageOf(lane) === undefined) first = place;
      }
      if (first !== undefined) return first;
    }
    return undefined;
  }

  /** Whether another call of the tenant, one that waits for a more wanted provider than this lane's, has given up its wait. */
  #makeRoom({ tenant, waiting }: Lane): boolean {
    let longest: Lane | undefined;
    for (const lane of tenant.lanes.values())
      if (lane.waiting.size > (longest?.waiting.size ?? 0)) longest = lane;
    if (longest === undefined || longest.waiting.size <= waiting.size + 1) return false;
    // It has waited least.
    let last: Place | undefined;
    for (const place of longest.waiting) last = place;
    last?.giveWay(this.#shortageOf(longest) ?? "tenant");
    return last !== undefined;
  }

  #laneOf(tenantName: string, providerName: string): Lane {
    let tenant = this.#tenants.get(tenantName);
    if (tenant === undefined) {
      tenant = { name: tenantName, running: 0, waiting: 0, lanes: new Map() };
      this.#tenants.set(tenantName, tenant);
    }
    let lane = tenant.lanes.get(providerName);
    if (lane !== undefined) return lane;
    let provider = this.#providers.get(providerName);
    if (provider === undefined) {
      provider = { name: providerName, limit: 0, running: 0, lanes: 0 };
      this.#providers.set(providerName, provider);
    }
    provider.lanes += 1;
    lane = { tenant, provider, running: 0, paused: 0, waiting: new Set() };
    tenant.lanes.set(providerName, lane);
    return lane;
  }
}

class Place implements CallPlace {
  readonly lane: Lane;
  /** Counts up. */
  readonly arrival: number;
  state: CallPlace["state"];
  settled: CallPlace["settled"] = () => {};
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler, lane: Lane, state: "running" | "waiting", arrival: number) {
    this.#scheduler = scheduler;
    this.lane = lane;
    this.state = state;
    this.arrival = arrival;
  }

  start(): void {
    this.state = "running";
    this.settled();
  }

  giveWay(shortage: PlaceShortage): void {
    this.state = "over";
    this.#scheduler.leaveQueue(this);
    this.settled(shortage);
  }

  pause(): void {
    if (this.state !== "running") return;
    this.state = "paused";
    this.lane.paused += 1;
    this.#scheduler.release(this.lane);
  }

  resume(): void {
    if (this.state !== "paused") return;
    this.state = "running";
    this.lane.paused -= 1;
    this.#scheduler.take(this.lane);
  }

  leave(): void {
    const { state, lane } = this;
    this.state = "over";
    if (state === "running") this.#scheduler.release(lane);
    else if (state === "waiting") this.#scheduler.leaveQueue(this);
    else if (state === "paused") this.#scheduler.leavePause(lane);
  }
}

/** What one tenant may have of a provider's places: one that calls a slow provider leaves some to the others. */
function shareOf(concurrency: number): number {
  return Math.max(1, Math.ceil((concurrency * 3) / 4));
}
