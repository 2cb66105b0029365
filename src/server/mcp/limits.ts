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
  /** Requests of one session, or of the client at the standard input, that run at a time. */
  readonly callsPerSession: number;
  /** Subscriptions to resources of one session. */
  readonly subscriptionsPerSession: number;
  /** Events that are kept of one session for a client that loses a stream, and their bytes. */
  readonly eventsPerSession: number;
  readonly eventBytesPerSession: number;
  /** Bytes of the events of all sessions. */
  readonly eventBytes: number;
  /** How long the events of a stream are kept after its last one. */
  readonly eventMilliseconds: number;
  /** After how long without an answer a response becomes an event stream that can be taken up again. */
  readonly streamMilliseconds: number;
  /** How long clients are told to wait before they take a stream up again. */
  readonly retryMilliseconds: number;
  /** How long a client that has lost its stream is expected back. */
  readonly resumeMilliseconds: number;
  /** How long a question that belongs to no call waits for a stream to its client. */
  readonly askMilliseconds: number;
  /** How long a second GET stream waits for the end of the first. */
  readonly conflictMilliseconds: number;
  /** Open `subscriptions/listen` streams. */
  readonly listeners: number;
  /** Those of one caller with a name. */
  readonly listenersPerPrincipal: number;
  /** Subscriptions to resources, of all clients. */
  readonly subscriptions: number;
  /** Those of one caller with a name. */
  readonly subscriptionsPerPrincipal: number;
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
  /** Calls of clients from 2026-07-28 that are asked something while their upstream waits. */
  readonly parkedCalls: number;
  /** Those of one caller with a name. */
  readonly parkedCallsPerPrincipal: number;
  /** Characters of the results of those that have ended before their client came back. */
  readonly parkedCharacters: number;
  /** How long a client has for an answer. */
  readonly parkedMilliseconds: number;
  /** How long more questions of a call are waited for, once it has one. */
  readonly parkedPauseMilliseconds: number;
  /** How often one call may come back with questions. */
  readonly parkedRounds: number;
  /** How long the upstreams of a `subscriptions/listen` stream have to take its subscriptions. */
  readonly subscribeMilliseconds: number;
  /** Resources of one such stream. */
  readonly subscriptionsPerListener: number;
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
  callsPerSession: 1_000,
  subscriptionsPerSession: 200,
  eventsPerSession: 500,
  // The sessions of one principal together leave room for others.
  eventBytesPerSession: 2 * 1024 * 1024,
  eventBytes: 128 * 1024 * 1024,
  eventMilliseconds: 5 * 60 * 1_000,
  streamMilliseconds: 1_000,
  retryMilliseconds: 1_000,
  resumeMilliseconds: 60_000,
  askMilliseconds: 2_000,
  conflictMilliseconds: 100,
  listeners: 10_000,
  listenersPerPrincipal: 50,
  subscriptions: 20_000,
  subscriptionsPerPrincipal: 1_000,
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
  parkedCalls: 1_000,
  parkedCallsPerPrincipal: 20,
  parkedCharacters: 64 * 1024 * 1024,
  parkedMilliseconds: 600_000,
  parkedPauseMilliseconds: 20,
  parkedRounds: 8,
  subscribeMilliseconds: 10_000,
  subscriptionsPerListener: 200,
};
