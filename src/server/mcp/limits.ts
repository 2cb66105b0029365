/** What one endpoint keeps and lets through at most. */
export interface McpLimits {
  /** Size of a POST body. */
  readonly bodyBytes: number;
  /** How deep a POST body may nest arrays and objects. */
  readonly bodyNesting: number;
  /** Sessions of clients up to 2025-11-25; the least recently used idle one makes room. */
  readonly sessions: number;
  /** How long a session may rest without a request, a call or a stream. */
  readonly sessionIdleMilliseconds: number;
  /** Open `subscriptions/listen` streams. */
  readonly listeners: number;
  /** What may wait for a client that reads slowly, per stream. */
  readonly bufferedBytes: number;
  /** Pause between the comments that keep a silent stream from being taken for dead. */
  readonly keepAliveMilliseconds: number;
  /** How long changes of the tool list are collected before clients are told. */
  readonly changeMilliseconds: number;
}

/** The limits in production. Sessions live long because no official client opens a new one when its own is gone. */
export const defaultLimits: McpLimits = {
  bodyBytes: 1024 * 1024,
  bodyNesting: 256,
  sessions: 10_000,
  sessionIdleMilliseconds: 24 * 60 * 60 * 1_000,
  listeners: 10_000,
  bufferedBytes: 1024 * 1024,
  keepAliveMilliseconds: 15_000,
  changeMilliseconds: 50,
};
