import type { JsonLimits } from "../../json/parse-json-bytes.ts";
import type { LimitsConfig, RequestLimits } from "../../model/limits.ts";
import type { FullRoom } from "./no-room.ts";

/** What one endpoint keeps and lets through at most. */
export interface McpLimits {
  /** What one message at the standard input may be; over HTTP the request itself says it. */
  readonly messages: JsonLimits & Pick<RequestLimits, "bodyBytes">;
  /**
   * Sessions of clients up to 2025-11-25; the least recently used idle one makes room. Of these and of everything below that all share,
   * one tenant has at most three quarters.
   */
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
  /** Open streams on which clients wait for news: GET streams of sessions, and `subscriptions/listen`. */
  readonly streams: number;
  /** Those of one caller with a name. */
  readonly streamsPerPrincipal: number;
  /**
   * How long the GET stream of a session stays open at most; up to a tenth less, by chance, so that not all end at one time. Clients open
   * another one, which those of `subscriptions/listen` don't do.
   */
  readonly streamLifeMilliseconds: number;
  /** Subscriptions to resources, of all clients. */
  readonly subscriptions: number;
  /** Those of one caller with a name. */
  readonly subscriptionsPerPrincipal: number;
  /** What may wait for a client that reads slowly, per stream. */
  readonly bufferedBytes: number;
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
  /** Bytes of the text of one tool's result, and of its structure; what is more is cut. */
  readonly resultBytes: number;
  /** Bytes of whole results that are kept for those who follow the link in one that was cut, of all callers. */
  readonly keptResultBytes: number;
  /** How long they are kept. */
  readonly keptResultMilliseconds: number;
}

/** The limits in production. Sessions live long because no official client opens a new one when its own is gone. */
export const defaultLimits: McpLimits = {
  messages: {
    bodyBytes: 1024 * 1024,
    jsonDepth: 64,
    jsonValues: 50_000,
    jsonStringBytes: 512 * 1024,
  },
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
  streams: 10_000,
  streamsPerPrincipal: 50,
  streamLifeMilliseconds: 60 * 60 * 1_000,
  subscriptions: 20_000,
  subscriptionsPerPrincipal: 1_000,
  bufferedBytes: 1024 * 1024,
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
  resultBytes: 1_000_000,
  keptResultBytes: 64 * 1024 * 1024,
  keptResultMilliseconds: 10 * 60 * 1_000,
};

/** Sessions, for those whom there is no room for. */
export function roomOfSessions({ sessions, sessionsPerPrincipal }: McpLimits): FullRoom {
  return {
    things: "MCP sessions at work",
    total: sessions,
    perCaller: sessionsPerPrincipal,
    keys: { total: "limits.sessions.total", perCaller: "limits.sessions.per_caller" },
  };
}

/** Streams on which clients wait for news, for those whom there is no room for. */
export function roomOfStreams({ streams, streamsPerPrincipal }: McpLimits): FullRoom {
  return {
    things: "open MCP streams",
    total: streams,
    perCaller: streamsPerPrincipal,
    keys: { total: "limits.streams.total", perCaller: "limits.streams.per_caller" },
  };
}

/** The limits by what the configuration says, as of whenever they are read: a reload counts for whatever comes after it. */
export function createMcpLimits(config: () => LimitsConfig): McpLimits {
  return {
    ...defaultLimits,
    get sessions() {
      return config().sessions.total;
    },
    get sessionsPerPrincipal() {
      return config().sessions.perCaller;
    },
    get sessionIdleMilliseconds() {
      return config().sessions.idleMilliseconds;
    },
    get streams() {
      return config().streams.total;
    },
    get streamsPerPrincipal() {
      return config().streams.perCaller;
    },
    get streamLifeMilliseconds() {
      return config().streams.lifeMilliseconds;
    },
    get bufferedBytes() {
      return config().streams.waitingBytes;
    },
    get messages() {
      return config().requests;
    },
    get resultBytes() {
      return config().results.bytes;
    },
    get keptResultBytes() {
      return config().results.keptBytes;
    },
    get keptResultMilliseconds() {
      return config().results.keptMilliseconds;
    },
  };
}
