/** What waits for its turn, since a time in milliseconds. */
export interface Waiting {
  readonly since: number;
}

/** What one key has waiting, the oldest at `first`. */
interface Lane<Item> {
  readonly items: Item[];
  first: number;
}

/**
 * What waits, in one lane for each key. Lanes take turns, so that who puts much into its own lane does not make the others wait; within a
 * lane, who came first is first. A key without anything waiting is forgotten.
 */
export class WaitingLanes<Item extends Waiting> {
  /** Whose turn it is next is first. */
  readonly #lanes = new Map<string, Lane<Item>>();
  #size = 0;

  /** How many wait, in all lanes. */
  get size(): number {
    return this.#size;
  }

  add(key: string, item: Item): void {
    this.#size += 1;
    const lane = this.#lanes.get(key);
    if (lane === undefined) this.#lanes.set(key, { items: [item], first: 0 });
    else lane.items.push(item);
  }

  /** Takes out whose turn it is. */
  take(): Item | undefined {
    const [turn] = this.#lanes;
    if (turn === undefined) return undefined;
    const [key, lane] = turn;
    const item = lane.items[lane.first];
    lane.first += 1;
    this.#size -= 1;
    this.#lanes.delete(key);
    if (lane.first < lane.items.length) this.#lanes.set(key, trimmed(lane));
    return item;
  }

  /** Takes out all that have waited since that time or longer. */
  takeOlder(time: number): readonly Item[] {
    const old: Item[] = [];
    for (const [key, lane] of this.#lanes) {
      for (; lane.first < lane.items.length; lane.first += 1) {
        const item = lane.items[lane.first];
        if (item === undefined || item.since > time) break;
        old.push(item);
      }
      if (lane.first === lane.items.length) this.#lanes.delete(key);
    }
    this.#size -= old.length;
    return old;
  }
}

/** Lets go of what was taken, now and then: a lane that is never empty would keep it. */
function trimmed<Item>(lane: Lane<Item>): Lane<Item> {
  if (lane.first >= 256 && lane.first * 2 >= lane.items.length) {
    lane.items.splice(0, lane.first);
    lane.first = 0;
  }
  return lane;
}
