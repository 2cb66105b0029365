/**
 * What the gateway takes, keeps and lets through at most, complete. Sizes are bytes, times are milliseconds; the defaults stand in
 * {@link defaultLimits} of `config/normalize-limits.ts`.
 */
export interface LimitsConfig {
  readonly requests: RequestLimits;
  readonly connections: ConnectionLimits;
  readonly sessions: SessionLimits;
  readonly streams: StreamLimits;
  readonly calls: CallLimits;
  /** Every rule that fits a call counts it, and each has to let it through. */
  readonly rates: readonly RateRule[];
  readonly results: ResultLimits;
  readonly overload: OverloadLimits;
  readonly catalog: CatalogLimits;
  readonly documents: DocumentLimits;
}

/** What a request of a caller may be. The first three take effect with the next start. */
export interface RequestLimits {
  /** Bytes of the request line and all headers. */
  readonly headerBytes: number;
  readonly headers: number;
  readonly headerMilliseconds: number;
  readonly bodyBytes: number;
  /** Longest pause between two pieces of a body. */
  readonly bodyPauseMilliseconds: number;
  /** Least bytes of a body in a second, on average. */
  readonly bodyBytesPerSecond: number;
  /** Levels of lists and objects. */
  readonly jsonDepth: number;
  /** Scalars, lists and objects of one body. */
  readonly jsonValues: number;
  /** Bytes of one string of a body, as UTF-8. */
  readonly jsonStringBytes: number;
  /** Bytes of the arguments of a call, as JSON. */
  readonly argumentBytes: number;
}

/** Connections of callers. All but the last take effect with the next start. */
export interface ConnectionLimits {
  readonly total: number;
  /** Of one IPv4 address, or one IPv6 network of 64 bits. */
  readonly perAddress: number;
  /** How long one may rest between two requests. */
  readonly keepAliveMilliseconds: number;
  /** How long a client may take nothing of its answer. */
  readonly stalledMilliseconds: number;
}

/** MCP sessions of clients up to 2025-11-25. */
export interface SessionLimits {
  readonly total: number;
  readonly perCaller: number;
  readonly idleMilliseconds: number;
}

/** Streams on which MCP clients wait for news. */
export interface StreamLimits {
  readonly total: number;
  readonly perCaller: number;
  readonly lifeMilliseconds: number;
  /** Bytes that may wait for a client that reads slowly. */
  readonly waitingBytes: number;
}

/** How many calls run and wait at a time; one that waits for a person takes no place. */
export interface CallLimits {
  readonly total: number;
  readonly perTenant: number;
  /** Calls of one tenant that wait for a place. */
  readonly queue: number;
  readonly queueMilliseconds: number;
}

/** What a rate rule counts apart. `token` is whatever a caller presents: a token, a session, a client's grant, a JWT's subject. */
export type RateSubject = "tenant" | "user" | "token" | "provider" | "tool";

/** How many calls may be made in a time. */
export interface RateRule {
  readonly calls: number;
  /** The time in which so many may be made. */
  readonly milliseconds: number;
  /** How many at once, after a pause. */
  readonly burst: number;
  /** Each combination has its own count; empty: all calls that fit share one. */
  readonly per: readonly RateSubject[];
  /** Globs of the calls that it counts; `undefined`: of any. */
  readonly tenant: string | undefined;
  readonly provider: string | undefined;
  readonly tool: string | undefined;
  /** As it is written, for messages: `600/min`. */
  readonly text: string;
}

/** How much of a result a model is given at once, over MCP. */
export interface ResultLimits {
  readonly bytes: number;
  /** Bytes of whole results that are kept for those who follow the link; 0: none is kept. */
  readonly keptBytes: number;
  readonly keptMilliseconds: number;
}

/** When new work is refused. */
export interface OverloadLimits {
  /** How late the serving thread may be. */
  readonly delayMilliseconds: number;
  /** Of the process, resident; `undefined`: by the heap's limit and the machine. */
  readonly memoryBytes: number | undefined;
  /** Requests of callers under way, open streams not counted. */
  readonly requests: number;
}

/** How much may be offered. */
export interface CatalogLimits {
  /** Tools of one tenant. */
  readonly tools: number;
  /** How long lists wait for providers that are just starting. */
  readonly listMilliseconds: number;
}

/** What documents may be that the file names; those that others name, a tenth. */
export interface DocumentLimits {
  readonly bytes: number;
  readonly nodes: number;
  readonly depth: number;
  readonly operations: number;
}

/** What the upstream of one provider is given, and what is taken of it. */
export interface ProviderLimits {
  /** Calls that run at a time; one tenant has at most three quarters. */
  readonly concurrency: number;
  /** For name and TCP. */
  readonly connectMilliseconds: number;
  readonly tlsMilliseconds: number;
  readonly firstByteMilliseconds: number;
  /** Longest pause within an answer. */
  readonly pauseMilliseconds: number;
  /** A call of an HTTP or GraphQL operation in all; a call of an MCP server without a sign of life. */
  readonly callMilliseconds: number;
  /** A call of an MCP server in all; not while somebody is asked. */
  readonly longestCallMilliseconds: number;
  /** Decompressed. */
  readonly answerBytes: number;
  /** One event of an event stream; `undefined`: 1 MiB, and 10 MiB for a message of an MCP server. */
  readonly eventBytes: number | undefined;
  /** `failures` in a row open it, 0: never; it stays open for `pauseMilliseconds`, and longer each time. */
  readonly breaker: { readonly failures: number; readonly pauseMilliseconds: number };
}
