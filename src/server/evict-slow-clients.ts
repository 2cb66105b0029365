import type { ConnectionLimits, RequestLimits } from "../model/limits.ts";
import type { Connection } from "./connections.ts";
import { type Exchange, sendJson } from "./exchange.ts";

/** What a client may keep the gateway waiting for, as of now. */
export type PatienceLimits = Pick<RequestLimits, "bodyPauseMilliseconds" | "bodyBytesPerSecond"> &
  Pick<ConnectionLimits, "stalledMilliseconds">;

/** What the rounds stand on. */
export interface EvictionParts {
  readonly connections: () => Iterable<Connection>;
  readonly limits: () => PatienceLimits;
  /** Milliseconds of a clock that never goes back; the process's own by default. */
  readonly now?: () => number;
}

/** How far a transfer has come when it last went on. */
interface Progress {
  readonly since: number;
  readonly atFirst: number;
  bytes: number;
  movedAt: number;
}

/**
 * Systems tell of what a client takes in steps, of up to a third of the megabytes that they buffer themselves: so much that waits has a
 * {@link PatienceLimits.stalledMilliseconds} of its own, and there are so many of these at most.
 */
const stepBytes = 512 * 1024;
const mostSteps = 3;
/** A body may come in its own time for so long, and the rest of one that is refused is read for so long. */
const graceMilliseconds = 5_000;

/**
 * Makes a round over all connections, to be called about once in a second. Who sends the body of a request too slowly is refused (408), and
 * who takes nothing of an answer loses the connection; both only while the gateway itself waits for nothing else. One look at each
 * connection in a while costs less than a timer for each piece that comes or goes.
 */
export function createEvictions(parts: EvictionParts): () => void {
  const { now = () => performance.now() } = parts;
  const bodies = new WeakMap<Exchange, Progress>();
  const answers = new WeakMap<Connection, Progress>();
  const leftovers = new WeakMap<Exchange, number>();

  const checkBody = (exchange: Exchange, limits: PatienceLimits, time: number): void => {
    const { request } = exchange;
    const bytes = request.socket.bytesRead;
    const progress = bodies.get(exchange);
    // What the gateway does not read can't come.
    const isHeldUp = request.readableLength >= request.readableHighWaterMark;
    if (progress === undefined || isHeldUp) {
      bodies.set(exchange, { since: time, atFirst: bytes, bytes, movedAt: time });
      return;
    }
    if (bytes !== progress.bytes) {
      progress.bytes = bytes;
      progress.movedAt = time;
    }
    const grace = Math.min(graceMilliseconds, limits.bodyPauseMilliseconds);
    const expected = (limits.bodyBytesPerSecond * (time - progress.since - grace)) / 1_000;
    if (time - progress.movedAt > limits.bodyPauseMilliseconds)
      refuseBody(exchange, "paused for too long", "limits.requests.body_pause");
    else if (bytes - progress.atFirst < expected)
      refuseBody(exchange, "came too slowly", "limits.requests.body_rate");
  };

  /** The rest of a body whose request has its answer already is read and thrown away, but not for ever. */
  const checkLeftover = (exchange: Exchange, limits: PatienceLimits, time: number): void => {
    const since = leftovers.get(exchange);
    if (since === undefined) leftovers.set(exchange, time);
    else if (time - since > Math.min(graceMilliseconds, limits.bodyPauseMilliseconds))
      exchange.request.socket.destroy();
  };

  const checkAnswer = (connection: Connection, limits: PatienceLimits, time: number): void => {
    const { socket } = connection;
    const waiting = socket.writableLength;
    const progress = answers.get(connection);
    if (waiting === 0) {
      if (progress !== undefined) answers.delete(connection);
      return;
    }
    const taken = socket.bytesWritten - waiting - untakenBytes(socket);
    if (progress === undefined) {
      answers.set(connection, { since: time, atFirst: taken, bytes: taken, movedAt: time });
    } else if (taken !== progress.bytes) {
      progress.bytes = taken;
      progress.movedAt = time;
    } else {
      const steps = Math.min(Math.ceil(waiting / stepBytes), mostSteps);
      if (time - progress.movedAt > limits.stalledMilliseconds * steps) socket.destroy();
    }
  };

  return () => {
    const limits = parts.limits();
    const time = now();
    for (const connection of parts.connections()) {
      const { latest } = connection;
      if (latest !== undefined && !latest.request.complete) {
        if (latest.response.writableEnded) checkLeftover(latest, limits, time);
        else checkBody(latest, limits, time);
      }
      checkAnswer(connection, limits, time);
    }
  };
}

/**
 * Bytes of the piece under way that the system has not taken yet. `writableLength` counts a piece until all of it is gone, and a piece may
 * be a whole answer; Node's own `socket.setTimeout` looks here as well.
 */
function untakenBytes(socket: object): number {
  const handle: unknown = Reflect.get(socket, "_handle");
  const size: unknown =
    typeof handle === "object" && handle !== null ? Reflect.get(handle, "writeQueueSize") : undefined;
  return typeof size === "number" ? size : 0;
}

/** How often to make a round, so that nobody stays much longer than allowed. */
export function evictionPause(limits: PatienceLimits): number {
  const shortest = Math.min(limits.bodyPauseMilliseconds, limits.stalledMilliseconds, 4 * 1_000);
  return Math.max(10, shortest / 4);
}

function refuseBody(exchange: Exchange, problem: string, key: string): void {
  // Whoever waits for the body gets none, and has nothing to say any more.
  exchange.leave();
  if (exchange.response.headersSent) {
    exchange.response.destroy();
    return;
  }
  const message = `The body of the request ${problem}. \`${key}\` says what is allowed.`;
  sendJson(
    exchange,
    408,
    { error: { code: "timed_out", message } },
    { "gateway-error": "timed_out", "cache-control": "no-store", connection: "close" },
  );
}
