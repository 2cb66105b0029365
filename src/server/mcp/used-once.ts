/** Remembers what counts only once, until it would not count anyway. */
export interface UsedOnce {
  /**
   * Uses something up. False where it was used before, or may have been: it is as old as something that was forgotten for want of room.
   *
   * @param owner who may use it; what one owner uses up makes others forget nothing while there is room for all.
   * @param since when it was made, and `until` when it ends, both in ms since 1970.
   */
  use(thing: string, owner: string, since: number, until: number): boolean;
}

/** What one owner has used up. */
interface Used {
  /** When each began and ends, in the order of use. */
  readonly things: Map<string, { readonly since: number; readonly until: number }>;
  /** What began no later than this may be among what was forgotten for want of room, and until when that would have counted. */
  forgotten: number;
  forgottenUntil: number;
}

/**
 * @param most things of one owner; and of all owners, so many times `mostOwners`.
 * @param now ms since 1970.
 */
export function createUsedOnce(most: number, mostOwners: number, now: () => number = Date.now): UsedOnce {
  const owners = new Map<string, Used>();
  let forgotten = Number.NEGATIVE_INFINITY;

  const dropOver = (used: Used, time: number): void => {
    // All last equally long, so that those that end first were, but for a little, used first.
    for (const [thing, { until }] of used.things) {
      if (until >= time) return;
      used.things.delete(thing);
    }
  };
  const makeRoom = (time: number): void => {
    if (owners.size < mostOwners) return;
    for (const [owner, used] of owners) {
      dropOver(used, time);
      if (used.things.size === 0 && used.forgottenUntil < time) owners.delete(owner);
    }
    for (const [owner, used] of owners) {
      if (owners.size < mostOwners) return;
      for (const { since } of used.things.values()) forgotten = Math.max(forgotten, since);
      forgotten = Math.max(forgotten, used.forgotten);
      owners.delete(owner);
    }
  };

  return {
    use: (thing, owner, since, until) => {
      const time = now();
      let used = owners.get(owner);
      if (used === undefined) {
        makeRoom(time);
        used = { things: new Map(), forgotten: Number.NEGATIVE_INFINITY, forgottenUntil: 0 };
      }
      // Whoever used something last is the last to be forgotten.
      owners.delete(owner);
      owners.set(owner, used);
      dropOver(used, time);
      if (used.things.has(thing) || since <= Math.max(forgotten, used.forgotten)) return false;
      for (const [oldest, { since: began, until: end }] of used.things) {
        if (used.things.size < most) break;
        used.forgotten = Math.max(used.forgotten, began);
        used.forgottenUntil = Math.max(used.forgottenUntil, end);
        used.things.delete(oldest);
      }
      used.things.set(thing, { since, until });
      return true;
    },
  };
}
