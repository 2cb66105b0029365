import type { GatewayError } from "../../errors.ts";
import { asObject } from "../../json-object.ts";
import type { McpSurface } from "../../model/config.ts";
import { CallDeadline } from "./call-deadline.ts";
import { followChanges } from "./follow-changes.ts";
import { allClientCapabilities } from "./handshake.ts";
import { type ListKind, listKinds, listMethods, listsOf } from "./list-kinds.ts";
import { type Listing, type Offer, OfferedLists } from "./offered-lists.ts";
import { RefreshSchedule, type RefreshTimings } from "./refresh-schedule.ts";
import type { ChangedList } from "./session-events.ts";
import type { UpstreamSession } from "./upstream-session.ts";

/** Of the time for listing, what lists other than the tools may take: what has tools is not held up by them. */
const shareOfOthers = 1 / 4;

/** What the lists of an upstream are kept with. */
export interface ListKeeperParts {
  readonly surface: McpSurface;
  readonly timings: RefreshTimings;
  /** How long listing may take, in ms. */
  readonly patience: number;
  /** Lists these again with {@link ListKeeper.fetch}; never rejects. */
  readonly refresh: (kinds: ReadonlySet<ListKind>) => Promise<void>;
  /** Why a list could not be fetched, as the operator should read it. */
  readonly describe: (error: unknown) => GatewayError;
  readonly log: (message: string, cause?: unknown) => void;
}

/**
 * Keeps the lists of one upstream up to date: they are asked for again when it says that they have changed, and by the clock where it
 * does not say.
 */
export class ListKeeper {
  /** What the configuration wants to be listed. */
  readonly kinds: readonly ListKind[];
  readonly #patience: number;
  readonly #lists: OfferedLists;
  readonly #schedule: RefreshSchedule;
  /** Of whose changes the current session does not tell, although the upstream said that it would. */
  #untold = new Set<ChangedList>();

  constructor({ surface, timings, patience, refresh, describe, log }: ListKeeperParts) {
    this.kinds = listKinds.filter((kind) => {
      const { capability } = listMethods[kind];
      return capability === "tools" || surface[capability];
    });
    this.#patience = patience;
    this.#lists = new OfferedLists({ surface, capabilities: allClientCapabilities, describe, log });
    this.#schedule = new RefreshSchedule(timings, refresh);
  }

  /** What the upstream offers, as last known. */
  get offer(): Offer {
    return this.#lists.offer;
  }

  /** Fetches lists, in time. Fails only where the tools, or the session, fail. */
  async fetch(session: UpstreamSession, kinds: Iterable<ListKind>, signal: AbortSignal): Promise<Listing> {
    using tools = this.#deadline(signal, 1);
    using others = this.#deadline(signal, shareOfOthers);
    const signals = { tools: tools.signal, others: others.signal };
    return await this.#lists.fetch(session, new Set(kinds), signals);
  }

  /**
   * Takes over what was fetched in the current session. True: something is another now.
   *
   * @param kinds what was asked for: of that, what is missing in `listing` has failed, and is asked for again later.
   */
  adopt(session: UpstreamSession, kinds: Iterable<ListKind>, listing: Listing): boolean {
    for (const kind of kinds) {
      const list = listing[kind];
      if (list === undefined) this.#schedule.byClock(kind, 0);
      else if (list.freshness === undefined || this.#isTold(session, kind)) this.#schedule.byItself(kind);
      else this.#schedule.byClock(kind, list.freshness.ttlMs);
    }
    return this.#lists.adopt(listing);
  }

  /** These may have changed. */
  soon(kinds: readonly ListKind[]): void {
    this.#schedule.soon(kinds.filter((kind) => this.kinds.includes(kind)));
  }

  /** Hears of changes in a session that takes the place of the one before, as long as `signal` lets it. Call it for each. */
  async follow(session: UpstreamSession, signal: AbortSignal): Promise<void> {
    const untold = new Set<ChangedList>();
    this.#untold = untold;
    if (session.agreement.era === "legacy") return;
    const wishes = [...new Set(this.kinds.map((kind) => listMethods[kind].capability))].filter((list) =>
      promises(session, list),
    );
    if (wishes.length === 0) return;
    await followChanges(session, {
      notifications: Object.fromEntries(wishes.map((list) => [`${list}ListChanged`, true])),
      wishes,
      granted: (notifications) => wishes.filter((list) => notifications[`${list}ListChanged`] === true),
      refused: (refused) => {
        if (signal.aborted) return;
        for (const list of refused) {
          untold.add(list);
          for (const kind of listsOf(list)) this.#schedule.byClock(kind, 0);
        }
      },
      mayHaveChanged: () => this.soon(this.kinds),
      signal,
    });
  }

  /** Nothing is listed again any more. */
  close(): void {
    this.#schedule.close();
  }

  #isTold(session: UpstreamSession, kind: ListKind): boolean {
    const { capability } = listMethods[kind];
    return promises(session, capability) && !this.#untold.has(capability);
  }

  #deadline(signal: AbortSignal, share: number): CallDeadline {
    const milliseconds = this.#patience * share;
    return new CallDeadline(signal, { idle: milliseconds, longest: milliseconds }, "It is tried again.");
  }
}

function promises({ agreement }: UpstreamSession, list: ChangedList): boolean {
  return asObject(agreement.capabilities[list])?.["listChanged"] === true;
}
