import { type LoadConnection, openLoadConnections } from "./load-connection.ts";
import { percentile } from "./measure.ts";

/** One request of a load, on the wire of HTTP/1.1. `host` and `content-length` are added. */
export interface LoadRequest {
  /** Default POST. */
  readonly method?: string;
  /** Path and query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** How a load is made: so many requests at a time (closed), or so many a second whatever becomes of them (open). */
export interface LoadOptions {
  /** Of the server: `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly milliseconds: number;
  /** Closed: each connection sends its next request when it has the answer to the one before. */
  readonly concurrency?: number;
  /** Open: those for which no connection is free wait, and their latency counts from when they were due. */
  readonly requestsPerSecond?: number;
  /** Connections of an open load at most; default 256. One that breaks is opened anew. */
  readonly connections?: number;
  /** The same for all, or made for each by its number. */
  readonly request: LoadRequest | ((index: number) => LoadRequest);
  /** Why an answer is not a good one; `undefined`: it is. Default {@link judgeAnswer}. */
  readonly judge?: (status: number, body: string) => string | undefined;
  /** After how long a request has failed as `timeout`. Default 10,000. */
  readonly timeoutMilliseconds?: number;
}

/** What a load came to. Times are milliseconds. */
export interface LoadResult {
  readonly ok: number;
  /** How often it failed for each reason: `503 overloaded`, `timeout`, `ECONNRESET`, `unsent` (no connection was free until the end). */
  readonly failed: ReadonlyMap<string, number>;
  /** Good answers per second. */
  readonly rate: number;
  /** Latencies of good answers, and of the others. */
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
  readonly failedP99: number;
  /** When the last failure came, since the beginning; 0: there was none. */
  readonly lastFailure: number;
  /** All latencies of good answers, ascending. */
  readonly latencies: readonly number[];
}

/** Good is a status of 200 without an error of MCP in it; else the status with the gateway's code, where there is one. */
export function judgeAnswer(status: number, body: string): string | undefined {
  if (status === 200 && !body.includes('"isError":true') && !body.includes('"error":{')) return undefined;
  const code = /"code":"(\w+)"/.exec(body)?.[1];
  return code === undefined ? String(status) : `${status} ${code}`;
}

/** Puts load on a server and waits for its last answer. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { milliseconds, requestsPerSecond, request, judge = judgeAnswer } = options;
  const { timeoutMilliseconds = 10_000 } = options;
  const size = options.concurrency ?? options.connections ?? 256;
  const connections = openLoadConnections(options.url, size);
  const encode = createEncoder(options.url);
  const good: number[] = [];
  const bad: number[] = [];
  const failed = new Map<string, number>();
  const began = performance.now();
  const end = began + milliseconds;
  let lastFailure = 0;
  let index = 0;

  const fail = (reason: string, latency: number | undefined): void => {
    failed.set(reason, (failed.get(reason) ?? 0) + 1);
    lastFailure = performance.now() - began;
    if (latency !== undefined) bad.push(latency);
  };
  const send = async (connection: LoadConnection, due: number): Promise<void> => {
    const bytes = encode(typeof request === "function" ? request(index) : request);
    index += 1;
    const answer = await connection.exchange(bytes, timeoutMilliseconds);
    const latency = performance.now() - due;
    const reason = typeof answer === "string" ? answer : judge(answer.status, answer.body);
    if (reason === undefined) good.push(latency);
    else fail(reason, latency);
  };

  if (requestsPerSecond === undefined) {
    await Promise.all(
      connections.map(async (connection) => {
        while (performance.now() < end) await send(connection, performance.now());
      }),
    );
  } else {
    const free = [...connections];
    const running = new Set<Promise<void>>();
    /** Number of the next request; it is due at its place in the schedule, whenever it is sent. */
    let next = 0;
    const dueAt = (number: number): number => began + (number * 1_000) / requestsPerSecond;
    const sendDue = (): void => {
      const now = performance.now();
      while (free.length > 0 && dueAt(next) <= now && dueAt(next) < end) {
        const connection = free.pop();
        if (connection === undefined) return;
        const sent = send(connection, dueAt(next)).then(() => {
          free.push(connection);
          running.delete(sent);
          sendDue();
        });
        running.add(sent);
        next += 1;
        // Who has not got a connection for so long has given up.
        while (dueAt(next) < now - timeoutMilliseconds) {
          next += 1;
          fail("unsent", undefined);
        }
      }
    };
    while (performance.now() < end) {
      sendDue();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    for (; dueAt(next) < end; next += 1) fail("unsent", undefined);
    await Promise.all(running);
  }
  for (const connection of connections) connection.close();
  good.sort((one, other) => one - other);
  bad.sort((one, other) => one - other);
  return {
    ok: good.length,
    failed,
    rate: (good.length * 1_000) / (performance.now() - began),
    p50: percentile(good, 0.5),
    p99: percentile(good, 0.99),
    longest: good.at(-1) ?? Number.NaN,
    failedP99: percentile(bad, 0.99),
    lastFailure,
    latencies: good,
  };
}

/** Requests as bytes; one that comes again is written once. */
function createEncoder(url: string): (request: LoadRequest) => Buffer {
  const { host } = new URL(url);
  const known = new WeakMap<LoadRequest, Buffer>();
  return (request) => {
    const before = known.get(request);
    if (before !== undefined) return before;
    const { method = "POST", path, headers = {}, body = "" } = request;
    const lines = Object.entries({ host, "content-length": Buffer.byteLength(body), ...headers });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const bytes = Buffer.from(`${method} ${path} HTTP/1.1\r\n${head}\r\n${body}`);
    known.set(request, bytes);
    return bytes;
  };
}
