import { randomUUID } from "node:crypto";
import type { Subscription } from "../../broker/executor.ts";
import type { RequestId } from "../../mcp/messages.ts";
import { isAtLeast, type LegacyVersion } from "../../mcp/versions.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Principal } from "../../model/principal.ts";
import { SessionHome } from "./client-home.ts";
import { EventStore } from "./event-store.ts";
import type { McpLimits } from "./limits.ts";
import { type CallerIdentity, isSameCaller } from "./same-caller.ts";
import { isSamePrincipal, keyOfPrincipal, type PrincipalIdentity } from "./same-principal.ts";
import { SessionStreams } from "./session-streams.ts";
import type { ListDigests } from "./watch-lists.ts";

/** What `initialize` agreed on. */
export interface SessionTerms {
  /** Whose session it is. What a request in it may see and do is for the principal of that request to say. */
  readonly owner: CallerIdentity;
  readonly version: LegacyVersion;
  /** What the client can be asked. */
  readonly capabilities: JsonObject;
  /** Digests of the lists when the session began. */
  readonly digests: ListDigests;
}

/** A client of a version with sessions (up to 2025-11-25), from `initialize` to DELETE or its eviction. */
export class ClientSession {
  readonly id: string = randomUUID();
  readonly terms: SessionTerms;
  /** How to cancel the calls that run, by the id of their request; for a reason, if the client gives one. */
  readonly calls = new Map<RequestId, (reason?: string) => void>();
  readonly streams: SessionStreams;
  /** The client behind it. */
  readonly home: SessionHome;
  /** Its subscriptions by URI, also those that an upstream has not confirmed yet. */
  readonly subscriptions = new Map<string, Promise<Subscription>>();
  /** Digests of the lists that the client was last told of. */
  digests: ListDigests;
  /** Whom that reaches which belongs to no call, with what that one may see now; `undefined` while that can't be said. */
  hearer: () => Principal | undefined = () => undefined;
  lastUsed: number;

  constructor(terms: SessionTerms, events: EventStore, limits: McpLimits, now: number) {
    this.terms = terms;
    this.digests = terms.digests;
    this.lastUsed = now;
    const { version, owner, capabilities } = terms;
    this.streams = new SessionStreams({
      // Older clients take an event without data for a broken message.
      begins: isAtLeast(version, "2025-11-25"),
      events: isAtLeast(version, "2025-03-26") ? events.begin() : undefined,
      limits,
    });
    const key = `session ${this.id} ${keyOfPrincipal(owner)}`;
    this.home = new SessionHome(key, capabilities, version, this.streams);
  }

  get isBusy(): boolean {
    return this.calls.size > 0 || this.streams.standing.isConnected;
  }

  /** Ends the session's streams and subscriptions, and aborts its calls. */
  close(): void {
    for (const cancel of [...this.calls.values()]) cancel();
    this.home.close();
    this.streams.close();
    for (const subscription of this.subscriptions.values()) endSubscription(subscription);
    this.subscriptions.clear();
  }
}

/** Ends a subscription as soon as it has begun. */
export function endSubscription(subscription: Promise<Subscription>): void {
  subscription.then(
    (begun) => begun.end(),
    () => {
      // Who asked for it has been told.
    },
  );
}

/** The sessions of an endpoint, the least recently used one first. */
export class ClientSessions {
  readonly #sessions = new Map<string, ClientSession>();
  readonly #limits: McpLimits;
  readonly #now: () => number;
  readonly #events: EventStore;

  /** @param now milliseconds of a clock that never goes back. */
  constructor(limits: McpLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
    this.#events = new EventStore(limits, now);
  }

  /** Opens a session; `undefined` when the table, or the caller's share of it, is full of sessions at work. */
  open(terms: SessionTerms): ClientSession | undefined {
    this.#evict();
    if (this.#sessions.size >= this.#limits.sessions || !this.#hasShareFor(terms.owner)) return undefined;
    const session = new ClientSession(terms, this.#events, this.#limits, this.#now());
    this.#sessions.set(session.id, session);
    return session;
  }

  /** The session of that id, if it is this caller's own: another's does not exist. */
  find(id: string, caller: CallerIdentity): ClientSession | undefined {
    const session = this.#sessions.get(id);
    if (session === undefined || !isSameCaller(session.terms.owner, caller)) return undefined;
    if (this.#isExpired(session)) {
      this.remove(session);
      return undefined;
    }
    session.lastUsed = this.#now();
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    return session;
  }

  remove(session: ClientSession): void {
    this.#sessions.delete(session.id);
    session.close();
  }

  [Symbol.iterator](): Iterator<ClientSession> {
    return this.#sessions.values();
  }

  /** Makes room: what has expired goes, and as many idle ones as it takes, the longest unused first. */
  #evict(): void {
    for (const session of this.#sessions.values()) {
      const isFull = this.#sessions.size >= this.#limits.sessions;
      if (!isFull && !this.#isExpired(session)) return;
      if (!session.isBusy) this.remove(session);
    }
  }

  /** Callers without a name are all one and the same, which has no share of its own. */
  #hasShareFor(owner: PrincipalIdentity): boolean {
    if (owner.kind === "anonymous") return true;
    const own = [...this.#sessions.values()].filter(({ terms }) => isSamePrincipal(terms.owner, owner));
    if (own.length < this.#limits.sessionsPerPrincipal) return true;
    const idle = own.find((session) => !session.isBusy);
    if (idle !== undefined) this.remove(idle);
    return idle !== undefined;
  }

  #isExpired(session: ClientSession): boolean {
    return !session.isBusy && this.#now() - session.lastUsed > this.#limits.sessionIdleMilliseconds;
  }
}
