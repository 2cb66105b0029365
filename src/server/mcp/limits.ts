import { stalledMilliseconds } from "../end-response.ts";

/** What one endpoint keeps and lets through at most. */
export interface McpLimits {
  /** Size of a POST body. */
  readonly bodyBytes: number;
  /** How deep a POST body may nest arrays and objects. */
  readonly bodyNesting: number;
  /** Sessions of clients up to 2025-11-25; the least recently used idle one makes room. */
  readonly sessions: number;
  /** Sessions of one caller with a name; its own least recently used idle one makes room. */
  readonly sessionsPerPrincipal: number;
  /** How long a session may rest without a request, a call or a stream. */
  readonly sessionIdleMilliseconds: number;
  /** Open `subscriptions/listen` streams. */
  readonly listeners: number;
  /** Those of one caller with a name. */
  readonly listenersPerPrincipal: number;
  /** What may wait for a client that reads slowly, per stream. */
  readonly bufferedBytes: number;
  /** How long a client may take nothing of an answer that is complete. */
  readonly stalledMilliseconds: number;
  /** Pause between the comments that keep a silent stream from being taken for dead. */
  readonly keepAliveMilliseconds: number;
  /** How long changes of the tool list are collected before clients are told. */
  readonly changeMilliseconds: number;
  /** Pause between the authentications of the requests that opened streams, while streams are open. */
  readonly recheckMilliseconds: number;
  /** Calls that wait for somebody to connect in a browser. */
  readonly visits: number;
  /** Those of one caller. */
  readonly visitsPerPrincipal: number;
  /** How long somebody has for that. */
  readonly visitMilliseconds: number;
  /** How long one request waits where the client comes back by itself (from 2026-07-28). */
  readonly visitPauseMilliseconds: number;
  /** Pause between looks whether it is done, and between signs of life meanwhile. */
  readonly visitCheckMilliseconds: number;
  readonly visitProgressMilliseconds: number;
  /** How long a stream stays open, and silent, while it can't be found out whether its principal may still have it. */
  readonly unconfirmedMilliseconds: number;
}

/** The limits in production. Sessions live long because no official client opens a new one when its own is gone. */
export const defaultLimits: McpLimits = {
  bodyBytes: 1024 * 1024,
  bodyNesting: 256,
  sessions: 10_000,
  sessionsPerPrincipal: 50,
  sessionIdleMilliseconds: 24 * 60 * 60 * 1_000,
  listeners: 10_000,
  listenersPerPrincipal: 50,
  bufferedBytes: 1024 * 1024,
  stalledMilliseconds,
  keepAliveMilliseconds: 15_000,
  changeMilliseconds: 50,
  recheckMilliseconds: 2_000,
  unconfirmedMilliseconds: 60_000,
  visits: 1_000,
  visitsPerPrincipal: 20,
  visitMilliseconds: 600_000,
  visitPauseMilliseconds: 25_000,
  visitCheckMilliseconds: 2_000,
  visitProgressMilliseconds: 10_000,
};
