/** The lists that change on request. */
export type ChangingList = "tools" | "prompts";

/**
 * How often each list has changed. Shared by all servers of one address, so that what one call changes is what the next request,
 * on whichever connection, is told. No change takes another one back: both may reach the client as one, and are one then.
 */
export class ListChanges {
  readonly #counts = { tools: 0, prompts: 0 };
  readonly #announce: (list: ChangingList) => void;

  /** @param announce tells the clients that a list is not what it was. */
  constructor(announce: (list: ChangingList) => void) {
    this.#announce = announce;
  }

  /** What the changing member of the list says of itself now. */
  description(list: ChangingList): string {
    return `Changed ${this.#counts[list]} times.`;
  }

  /** Changes the list. */
  change(list: ChangingList): void {
    this.#counts[list] += 1;
    this.#announce(list);
  }
}
