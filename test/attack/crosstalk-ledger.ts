/** What the upstreams of the crosstalk attack have written down. */
export interface Ledger {
  /** Whose canaries came in which session: `address` of each. */
  readonly sessions: Record<string, string[]>;
  opened: number;
  deleted: number;
  cancelled: number;
  served: number;
  readonly violations: string[];
}

/** Principal, home at upstreams, client, number of the call. */
export function canaryOf(principal: number, home: string, client: number, number: number): string {
  return `canary-p${principal}-h${home}-c${client}-n${number}`;
}

/** All canaries in a text. */
export function canariesIn(text: string): readonly string[] {
  return text.match(/canary-p\d+-h[a-z0-9]+-c\d+-n\d+/g) ?? [];
}

/** Principal and home of the one canary in a text. */
export function addressOf(text: string): string | undefined {
  return /canary-(p\d+-h[a-z0-9]+)-c\d+-n\d+/.exec(text)?.[1];
}
