import type { SurfaceConfig } from "../model/config.ts";
import type { CredentialReference, CredentialSource } from "../model/credential.ts";
import { keyOfCredential } from "./reference-key.ts";
import type { SurfaceSession, SurfaceSessionParts } from "./surface-session.ts";
import type { Exposed } from "./surface-status.ts";

/** One surface as one credential sees it. */
export interface ScopedSurface {
  readonly reference: CredentialReference;
  readonly session: SurfaceSession;
  /** True once it was given up: nothing of it may be shown any more. */
  readonly isDropped: boolean;
  /** Says that somebody still wants it. */
  touch(): void;
}

/** How many of them there may be, and for how long. */
export interface ScopedLimits {
  /** Those not used for the longest are given up for new ones. Default 500. */
  readonly most: number;
  /** After this time without use, nothing is kept open. In ms; default 10 minutes. */
  readonly idleMilliseconds: number;
}

const usualLimits: ScopedLimits = { most: 500, idleMilliseconds: 600_000 };
/** How long calls may go on with what is given up, in ms. */
const evictedMilliseconds = 60_000;
const droppedMilliseconds = 5_000;

/** What a pool is made of. */
export interface ScopedPoolParts {
  /** Makes the session of a surface that is opened with this credential and no other. */
  readonly create: (
    surface: SurfaceConfig,
    reference: CredentialReference,
    source: CredentialSource,
    parts: Pick<SurfaceSessionParts, "onChange" | "share" | "onGone" | "label">,
  ) => SurfaceSession;
  /** Called whenever any of them is another. */
  readonly onChange: () => void;
  readonly limits?: Partial<ScopedLimits> | undefined;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: (() => number) | undefined;
}

/** The surfaces of one provider by credential: each has a session of its own, which no other credential ever gets into. */
export class ScopedSurfaces {
  readonly #parts: ScopedPoolParts;
  readonly #limits: ScopedLimits;
  readonly #now: () => number;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();
  readonly #ending = new Set<Promise<void>>();
  #sweep: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(parts: ScopedPoolParts) {
    this.#parts = parts;
    this.#limits = { ...usualLimits, ...parts.limits };
    this.#now = parts.now ?? (() => performance.now());
  }

  /** The one that belongs to a credential, opened or being opened; `undefined` after `close`. */
  open(
    surface: SurfaceConfig,
    reference: CredentialReference,
    source: CredentialSource,
  ): ScopedSurface | undefined {
    if (this.#isClosed) return undefined;
    const key = `${surface.kind} ${keyOfCredential(reference)}`;
    const known = this.#entries.get(key);
    const entry = known ?? this.#create(key, surface, reference, source);
    entry.touch();
    void entry.session.ensure();
    if (known === undefined) this.#makeRoom(key);
    return entry;
  }

  /** Gives up what was opened with a credential, such as one that was removed or replaced. */
  drop(reference: CredentialReference): void {
    const wanted = keyOfCredential(reference);
    for (const [key, entry] of this.#entries) {
      if (keyOfCredential(entry.reference) === wanted) this.#giveUp(key, entry, droppedMilliseconds);
    }
  }

  /** The credentials that something is opened with. */
  references(): readonly CredentialReference[] {
    return [...this.#entries.values()].map(({ reference }) => reference);
  }

  async close(graceMilliseconds: number): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#sweep);
    for (const [key, entry] of this.#entries) this.#giveUp(key, entry, graceMilliseconds);
    await Promise.all(this.#ending);
  }

  #create(
    key: string,
    surface: SurfaceConfig,
    reference: CredentialReference,
    source: CredentialSource,
  ): Entry {
    const { kind, id } = reference.owner;
    const session = this.#parts.create(surface, reference, source, {
      label: `for ${kind} ${id}, ${reference.instance}`,
      onChange: () => {
        if (!entry.isDropped) this.#parts.onChange();
      },
      share: (exposed) => this.#share(exposed),
      onGone: ({ code }) => {
        if (code === "not_connected") this.#giveUp(key, entry, droppedMilliseconds);
      },
    });
    const entry: Entry = {
      reference,
      session,
      isDropped: false,
      lastUsed: this.#now(),
      touch: () => {
        entry.lastUsed = this.#now();
        // A map lists its entries as they were put in.
        if (!entry.isDropped && this.#entries.delete(key)) this.#entries.set(key, entry);
      },
    };
    this.#entries.set(key, entry);
    this.#sweepLater();
    return entry;
  }

  #makeRoom(newest: string): void {
    while (this.#entries.size > this.#limits.most) {
      const candidates = [...this.#entries].filter(([key]) => key !== newest);
      const oldest = candidates.find(([, { session }]) => !session.isBusy) ?? candidates[0];
      if (oldest === undefined) return;
      this.#giveUp(...oldest, evictedMilliseconds);
    }
  }

  #giveUp(key: string, entry: Entry, graceMilliseconds: number): void {
    if (entry.isDropped) return;
    entry.isDropped = true;
    this.#entries.delete(key);
    const ending = entry.session.close(graceMilliseconds).then(() => {
      this.#ending.delete(ending);
    });
    this.#ending.add(ending);
    this.#parts.onChange();
  }

  /** Callers who see the same tools get the same objects, so that what is made of them is made once. */
  #share(exposed: Exposed): Exposed {
    for (const { session } of this.#entries.values()) {
      const { status } = session;
      if ("exposed" in status && status.exposed.digest === exposed.digest) return status.exposed;
    }
    return exposed;
  }

  #sweepLater(): void {
    if (this.#sweep !== undefined || this.#isClosed) return;
    this.#sweep = setTimeout(() => {
      this.#sweep = undefined;
      const limit = this.#now() - this.#limits.idleMilliseconds;
      for (const { session, lastUsed } of this.#entries.values()) {
        if (lastUsed <= limit && !session.isBusy && !session.isResting) session.rest();
      }
      if (this.#entries.size > 0) this.#sweepLater();
    }, this.#limits.idleMilliseconds / 4);
    this.#sweep.unref();
  }
}

interface Entry extends ScopedSurface {
  isDropped: boolean;
  lastUsed: number;
}
