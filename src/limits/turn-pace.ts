/** How long one turn of the event loop may take where much is waiting: everything else that is due waits for its end. */
const turnMilliseconds = 5;

const fewest = 1;
/** Measured: with more at once, what was begun gets in its own way, and finds the places of the broker taken. */
const most = 16;

/**
 * Finds how many requests can be begun in one turn of the event loop. Beginning one is only part of its work: the rest comes in later
 * turns, when its body or an upstream's answer is there. So turns that are too long are followed by those in which less is begun, and what
 * has been begun comes to an end before more is.
 */
export class TurnPace {
  #batch = most;
  #began: number | undefined;

  /**
   * A turn begins, at a time in milliseconds; returns how many requests may be begun in it. Turns follow each other until {@link rest}.
   */
  begin(time: number): number {
    if (this.#began !== undefined) {
      const taken = time - this.#began;
      this.#batch =
        taken > turnMilliseconds
          ? Math.max(fewest, Math.floor(this.#batch * Math.max(0.5, turnMilliseconds / taken)))
          : Math.min(most, this.#batch + Math.ceil(this.#batch / 8));
    }
    this.#began = time;
    return this.#batch;
  }

  /** Nothing waits any more: how long it takes until the next turn says nothing. */
  rest(): void {
    this.#began = undefined;
  }
}
