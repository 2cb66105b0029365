/** Events that are taken at once, after a pause, and in a second from then on. */
const burst = 2_000;
const perSecond = 1_000;

/**
 * How fast the events of one server are taken, on all its streams together: reading each takes time that others wait for, and more than
 * these are shown to nobody (see `limit-notifications.ts`). A server that says more is made to wait; its answers come behind what it says.
 *
 * @param now milliseconds of a clock that never goes back.
 */
export class EventPace {
  readonly #now: () => number;
  #room = burst;
  #since: number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#since = now();
  }

  /** Counts an event; returns how many milliseconds to wait before the next one is read. */
  take(): number {
    const time = this.#now();
    this.#room = Math.min(burst, this.#room + ((time - this.#since) / 1_000) * perSecond) - 1;
    this.#since = time;
    return this.#room >= 0 ? 0 : (-this.#room / perSecond) * 1_000;
  }
}
