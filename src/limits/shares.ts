/** Who takes a part of what all share. */
export interface Sharer {
  readonly tenant: string;
  /** Equal for the same caller and nobody else, of all tenants. */
  readonly caller: string;
}

/** How much there is for all, and for one caller. */
export interface ShareLimits {
  readonly total: number;
  readonly perCaller: number;
}

/** Of whose part there is not enough left. */
export type Lack = "caller" | "tenant" | "all";

/** What one tenant may have of a total, whatever the others leave: three quarters, so that nobody is shut out by a neighbour. */
export function shareOfTenant(total: number): number {
  return Math.ceil(total * 0.75);
}

/** Counts who has how much of what all share: so much in all, three quarters of it for one tenant, and so much for one caller. */
export class Shares {
  readonly #limits: () => ShareLimits;
  readonly #tenants = new Map<string, number>();
  readonly #callers = new Map<string, number>();
  #all = 0;

  /** @param limits as of now: lower ones take nothing away from whoever has it. */
  constructor(limits: () => ShareLimits) {
    this.#limits = limits;
  }

  /** What all have together. */
  get all(): number {
    return this.#all;
  }

  /**
   * Whose part is too small for more; `undefined`: it is there for the taking.
   *
   * @param sharer `undefined` for callers without a name, who are all one and the same and have no part of their own.
   */
  lack(sharer: Sharer | undefined, more = 1): Lack | undefined {
    const { total, perCaller } = this.#limits();
    if (sharer !== undefined) {
      if ((this.#callers.get(sharer.caller) ?? 0) + more > perCaller) return "caller";
      if ((this.#tenants.get(sharer.tenant) ?? 0) + more > shareOfTenant(total)) return "tenant";
    }
    return this.#all + more > total ? "all" : undefined;
  }

  take(sharer: Sharer | undefined, more = 1): void {
    this.#all += more;
    if (sharer === undefined) return;
    add(this.#tenants, sharer.tenant, more);
    add(this.#callers, sharer.caller, more);
  }

  giveBack(sharer: Sharer | undefined, less = 1): void {
    this.take(sharer, -less);
  }
}

function add(counts: Map<string, number>, key: string, more: number): void {
  const count = (counts.get(key) ?? 0) + more;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
