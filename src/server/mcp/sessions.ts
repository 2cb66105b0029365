import { randomBytes } from "node:crypto";
import type { Subscription } from "../../broker/executor.ts";
import { type Lack, Shares } from "../../limits/shares.ts";
import type { RequestId } from "../../mcp/messages.ts";
import { isAtLeast, type LegacyVersion } from "../../mcp/versions.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Principal } from "../../model/principal.ts";
import { SessionHome } from "./client-home.ts";
import { EventStore } from "./event-store.ts";
import type { McpLimits } from "./limits.ts";
import { type CallerIdentity, isSameCaller } from "./same-caller.ts";
import { isSamePrincipal, sharerOf } from "./same-principal.ts";
import { SessionStreams, type StreamTerms } from "./session-streams.ts";
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

type Cancel = (reason?: string) => void;

/** What all sessions stand on. */
interface SessionParts {
  readonly events: EventStore;
  /** For clients that know streams which begin with an event without data, and for others. */
  readonly beginning: StreamTerms;
  readonly plain: StreamTerms;
}

/**
 * A client of a version with sessions (up to 2025-11-25), from `initialize` to DELETE or its eviction. Most clients leave without a word
 * and their sessions stay for long, so that each takes only what it is used for.
 */
export class ClientSession {
  /** 128 random bits. Not a UUID: Node puts these together of pieces, which take ten times as much for as long as they live. */
  readonly id: string = randomBytes(16).toString("base64url");
  readonly terms: SessionTerms;
  readonly #parts: SessionParts;
  #calls: Map<RequestId, Cancel> | undefined;
  #streams: SessionStreams | undefined;
  #home: SessionHome | undefined;
  #subscriptions: Map<string, Promise<Subscription>> | undefined;
  /** Digests of the lists that the client was last told of. */
  digests: ListDigests;
  /** Whom its subscriptions reach, with what that one may see now; `undefined` while that can't be said. */
  hearer: Principal | undefined;
  lastUsed: number;

  constructor(terms: SessionTerms, parts: SessionParts, now: number) {
    this.terms = terms;
    this.digests = terms.digests;
    this.lastUsed = now;
    this.#parts = parts;
  }

  /** How to cancel the calls that run, by the id of their request; for a reason, if the client gives one. */
  get calls(): Map<RequestId, Cancel> {
    this.#calls ??= new Map();
    return this.#calls;
  }

  /** Its subscriptions by URI, also those that an upstream has not confirmed yet. */
  get subscriptions(): Map<string, Promise<Subscription>> {
    this.#subscriptions ??= new Map();
    return this.#subscriptions;
  }

  /** Whether it was ever asked for news of a resource. */
  get hasSubscribed(): boolean {
    return this.#subscriptions !== undefined;
  }

  get streams(): SessionStreams {
    const { version } = this.terms;
    const { events, beginning, plain } = this.#parts;
    this.#streams ??= new SessionStreams(
      // Older clients take an event without data for a broken message.
      isAtLeast(version, "2025-11-25") ? beginning : plain,
      isAtLeast(version, "2025-03-26") ? events.begin() : undefined,
    );
    return this.#streams;
  }

  /** The client behind it. */
  get home(): SessionHome {
    this.#home ??= new SessionHome(this);
    return this.#home;
  }

  /** Whether its own stream is open. */
  get isListening(): boolean {
    return this.#streams?.standing.isConnected === true;
  }

  get isBusy(): boolean {
    return (this.#calls !== undefined && this.#calls.size > 0) || this.isListening;
  }

  /** Gives up what it does not need while nothing runs. */
  rest(): void {
    if (this.#calls?.size === 0) this.#calls = undefined;
    if (this.#streams?.isUnused === true) this.#streams = undefined;
  }

  /** Ends the session's streams and subscriptions, and aborts its calls. */
  close(): void {
    for (const cancel of [...(this.#calls?.values() ?? [])]) cancel();
    this.#home?.close();
    this.#streams?.close();
    for (const subscription of this.#subscriptions?.values() ?? []) endSubscription(subscription);
    this.#subscriptions?.clear();
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
  readonly #parts: SessionParts;
  readonly #shares: Shares;

  /** @param now milliseconds of a clock that never goes back. */
  constructor(limits: McpLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
    this.#parts = {
      events: new EventStore(limits, now),
      beginning: { begins: true, limits },
      plain: { begins: false, limits },
    };
    this.#shares = new Shares(() => ({ total: limits.sessions, perCaller: limits.sessionsPerPrincipal }));
  }

  /** Opens a session; where whoever lacks room has it full of sessions at work, says who that is. */
  open(terms: SessionTerms): ClientSession | Lack {
    this.#forgetExpired();
    const sharer = sharerOf(terms.owner);
    for (let lack = this.#shares.lack(sharer); lack !== undefined; lack = this.#shares.lack(sharer)) {
      const idle = this.#findIdle(lack, terms.owner);
      if (idle === undefined) return lack;
      this.remove(idle);
    }
    const session = new ClientSession(terms, this.#parts, this.#now());
    this.#sessions.set(session.id, session);
    this.#shares.take(sharer);
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
    if (this.#sessions.delete(session.id)) this.#shares.giveBack(sharerOf(session.terms.owner));
    session.close();
  }

  [Symbol.iterator](): Iterator<ClientSession> {
    return this.#sessions.values();
  }

  #forgetExpired(): void {
    for (const session of this.#sessions.values()) {
      if (!this.#isExpired(session)) return;
      this.remove(session);
    }
  }

  /** The session that makes room: unused for longest, the caller's own or its tenant's, and another's only where neither has any. */
  #findIdle(lack: Lack, owner: CallerIdentity): ClientSession | undefined {
    let oldest: ClientSession | undefined;
    for (const session of this.#sessions.values()) {
      if (session.isBusy) continue;
      oldest ??= session;
      const other = session.terms.owner;
      if (lack === "caller" ? isSamePrincipal(other, owner) : other.tenant === owner.tenant) return session;
    }
    return lack === "all" ? oldest : undefined;
  }

  #isExpired(session: ClientSession): boolean {
    return !session.isBusy && this.#now() - session.lastUsed > this.#limits.sessionIdleMilliseconds;
  }
}
