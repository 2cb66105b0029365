import { setImmediate as nextTurn } from "node:timers/promises";
import type { CatalogSnapshot } from "../../catalog/snapshot.ts";
import { GatewayError } from "../../errors.ts";
import type { Principal } from "../../model/principal.ts";
import type { McpLimits } from "./limits.ts";
import { isSameCaller } from "./same-caller.ts";

/** The lists that clients are told of. */
export type ListKind = "tools" | "prompts" | "resources";

/** What stands for each list as a principal gets it: equal lists have equal digests. Templates count as resources. */
export type ListDigests = Readonly<Record<ListKind, string>>;

const listKinds: readonly ListKind[] = ["tools", "prompts", "resources"];

/** The notification that a list has changed. */
export function listChanged(kind: ListKind): string {
  return `notifications/${kind}/list_changed`;
}

/** The request that opened a stream, as far as it is authenticated again. */
export interface OpeningRequest {
  /** What it presents, as one text: equal texts are authenticated once. */
  readonly presented: string;
  /** Who sent it, as of now. Throws `GatewayError`. */
  readonly authenticate: () => Promise<Principal>;
}

/** An open stream on which a client waits to hear that its lists have changed. */
export interface WaitingStream {
  /** The request that opened it: what it presents is checked again for as long as the stream is open. */
  readonly origin: OpeningRequest;
  /** Whom that request was found to come from. */
  readonly principal: Principal;
  /** Digests of the lists that the client was last told of. */
  readonly digests: ListDigests;
  /** Tells which lists have changed. */
  tell(changed: readonly ListKind[], digests: ListDigests): void;
  /** Hears, each time the request was authenticated again, who it came from as of then; `undefined`: that can't be found out now. */
  recognized?(principal: Principal | undefined): void;
  /** Ends the stream. */
  end(): void;
  /** Ends its connection because it has lasted long; its client makes another one. Absent: it lasts as long as the client wants. */
  rest?(): void;
}

/** Tells those who wait when the lists that they see have changed, and ends the streams of those who may not wait any more. */
export interface ListWatch {
  /** Digests of the lists as a principal gets them now. */
  digests(principal: Principal): ListDigests;
  /**
   * Follows a stream, which is told at once if a list is not that of its digest any more, and ended at once after `close`.
   * Returns the way to stop that.
   */
  follow(stream: WaitingStream): () => void;
  /** Ends all streams, also those that are followed later. */
  close(): void;
}

/** What the watch stands on. */
export interface WatchParts {
  readonly snapshot: Pick<CatalogSnapshot, "subscribe">;
  readonly digestsOf: (principal: Principal) => ListDigests;
  readonly limits: Pick<
    McpLimits,
    "changeMilliseconds" | "recheckMilliseconds" | "unconfirmedMilliseconds" | "streamLifeMilliseconds"
  >;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly log: (message: string, cause?: unknown) => void;
}

/** A stream, and what is known of it now. */
interface Follower {
  readonly stream: WaitingStream;
  principal: Principal;
  digests: ListDigests;
  /** When it has lasted long enough. */
  readonly until: number;
  /** When its principal was last known to be right. */
  confirmedAt: number;
  /** False while that can't be found out: it is told nothing meanwhile. */
  isConfirmed: boolean;
  /** True while its authentication is under way. */
  isAsked: boolean;
}

/** The part of a stream's life that may be missing at its end. */
const mostEarly = 0.1;
/** So many streams are looked at before others get a turn. */
const streamsPerTurn = 50;

/**
 * Watches the catalog and the principals of open streams. Many swaps of the catalog in a short time, as while providers arrive,
 * are one change. Whatever else decides on what a principal sees (roles, exposure, policies) shows when the request that opened
 * the stream is authenticated again, which happens every `recheckMilliseconds` while streams are open.
 */
export function watchLists(parts: WatchParts): ListWatch {
  const { limits, log, now } = parts;
  const followers = new Set<Follower>();
  let isClosed = false;
  let collecting: NodeJS.Timeout | undefined;
  let ticking: NodeJS.Timeout | undefined;

  const drop = (follower: Follower): boolean => {
    const wasThere = followers.delete(follower);
    if (followers.size === 0) {
      clearInterval(ticking);
      ticking = undefined;
    }
    return wasThere;
  };
  const end = (follower: Follower): void => {
    if (drop(follower)) follower.stream.end();
  };

  const compare = (follower: Follower): void => {
    if (!follower.isConfirmed) return;
    const digests = parts.digestsOf(follower.principal);
    const changed = listKinds.filter((kind) => digests[kind] !== follower.digests[kind]);
    if (changed.length === 0) return;
    follower.digests = digests;
    follower.stream.tell(changed, digests);
  };
  const forEachInTurns = async (look: (follower: Follower) => void): Promise<void> => {
    let looked = 0;
    for (const follower of followers) {
      look(follower);
      looked += 1;
      if (looked % streamsPerTurn === 0) await nextTurn();
    }
  };

  const check = async (follower: Follower, authenticate: Authenticate): Promise<void> => {
    follower.isAsked = true;
    try {
      const principal = await authenticate(follower);
      if (!followers.has(follower)) return;
      if (!isSameCaller(principal, follower.principal)) return end(follower);
      follower.principal = principal;
      follower.confirmedAt = now();
      follower.isConfirmed = true;
      follower.stream.recognized?.(principal);
      compare(follower);
    } catch (error) {
      const isRefusal = error instanceof GatewayError;
      if (!isRefusal) log("An open stream could not be authenticated again.", error);
      follower.isConfirmed = false;
      follower.stream.recognized?.(undefined);
      if (!isRefusal || error.code !== "store_unavailable" || isOverdue(follower)) end(follower);
    } finally {
      follower.isAsked = false;
    }
  };
  const isOverdue = ({ confirmedAt }: Follower): boolean =>
    now() - confirmedAt > limits.unconfirmedMilliseconds;
  const checkAll = async (): Promise<void> => {
    const authenticate = onceEach();
    await forEachInTurns((follower) => {
      if (follower.stream.rest !== undefined && now() >= follower.until) {
        if (drop(follower)) follower.stream.rest();
        return;
      }
      // One that still waits for its last authentication holds up nobody but itself, and not for ever.
      if (!follower.isAsked) void check(follower, authenticate);
      else if (isOverdue(follower)) end(follower);
    });
  };

  const run = (task: () => Promise<void>): void => {
    task().catch((error: unknown) => log("Clients could not be told of changed lists.", error));
  };
  const unsubscribe = parts.snapshot.subscribe(() => {
    collecting ??= setTimeout(() => {
      collecting = undefined;
      run(() => forEachInTurns(compare));
    }, limits.changeMilliseconds).unref();
  });

  return {
    digests: parts.digestsOf,
    follow: (stream) => {
      const { principal, digests } = stream;
      const confirmedAt = now();
      const follower: Follower = {
        ...{ stream, principal, digests, confirmedAt, isConfirmed: true, isAsked: false },
        // Those that came together, as after a restart, must not come together again.
        until: confirmedAt + limits.streamLifeMilliseconds * (1 - mostEarly * Math.random()),
      };
      if (isClosed) {
        stream.end();
        return () => {};
      }
      followers.add(follower);
      ticking ??= setInterval(() => run(checkAll), limits.recheckMilliseconds).unref();
      compare(follower);
      return () => {
        drop(follower);
      };
    },
    close: () => {
      isClosed = true;
      unsubscribe();
      clearTimeout(collecting);
      for (const follower of followers) end(follower);
    },
  };
}

type Authenticate = (follower: Follower) => Promise<Principal>;

/**
 * Streams of one principal that present the same are authenticated once. Both count: of two secrets for one principal, only one
 * may have been replaced.
 */
function onceEach(): Authenticate {
  const asked = new Map<Principal, Map<string, Promise<Principal>>>();
  return ({ principal, stream: { origin } }) => {
    const { presented } = origin;
    const ofPrincipal = asked.get(principal) ?? new Map<string, Promise<Principal>>();
    asked.set(principal, ofPrincipal);
    const answer = ofPrincipal.get(presented) ?? origin.authenticate();
    ofPrincipal.set(presented, answer);
    return answer;
  };
}
