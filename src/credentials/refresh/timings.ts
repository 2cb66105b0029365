/** How long a keeper of tokens waits for what. All in milliseconds. */
export interface RefreshTimings {
  /** A lease without its holder: what others wait after the death of a process. Longer than any pause of a process that lives. */
  readonly lease: number;
  /** How often a lease is put off while it is needed. */
  readonly leaseRenewal: number;
  /** The longest that callers wait for what another process does. */
  readonly patience: number;
  /** Between two looks at what another process does: the first pause, which doubles, and the longest. */
  readonly firstLook: number;
  readonly longestLook: number;
  /** The longest that a token endpoint is waited for, however the request is made. */
  readonly request: number;
  /** After a failed attempt: the first pause, which doubles, the longest, and the longest that a server may ask for. */
  readonly firstBackOff: number;
  readonly longestBackOff: number;
  readonly longestRetryAfter: number;
  /** Between two attempts to write new tokens: the first pause, which doubles, and the longest. */
  readonly firstWritePause: number;
  readonly longestWritePause: number;
  /** The longest that `close` waits. */
  readonly closing: number;
}

/** What suits a gateway; the lease is waited for within the patience, requests end within `closing`. */
export const usualTimings: RefreshTimings = {
  lease: 15_000,
  leaseRenewal: 4_000,
  patience: 30_000,
  firstLook: 20,
  longestLook: 300,
  request: 22_000,
  firstBackOff: 1_000,
  longestBackOff: 60_000,
  longestRetryAfter: 300_000,
  firstWritePause: 50,
  longestWritePause: 2_000,
  closing: 25_000,
};
