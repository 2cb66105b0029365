import type { LoadMonitor, OverloadReason } from "../limits/load-monitor.ts";
import { TurnPace } from "../limits/turn-pace.ts";
import { WaitingLanes } from "../limits/waiting-lanes.ts";
import type { OverloadLimits } from "../model/limits.ts";
import { isAwaited, type Urgency, urgencyOf } from "./awaited-request.ts";
import { type Exchange, isReceived } from "./exchange.ts";

/** The door of the server: lets requests in as fast as they can be worked on, and refuses those that would wait too long. */
export interface Admission {
  /** Lets a request in, now or in one of the next turns of the event loop, or refuses it. */
  enter(exchange: Exchange): void;
}

/** What the door stands on. */
export interface AdmissionParts {
  /** As of now. */
  readonly limits: () => OverloadLimits;
  readonly monitor: LoadMonitor;
  /** Carries a request out. */
  readonly serve: (exchange: Exchange) => void;
  readonly refuse: (exchange: Exchange, reason: OverloadReason) => void;
  /** Milliseconds of a clock that never goes back; the process's own by default. */
  readonly now?: () => number;
  /** Calls back once all that is due in this turn of the event loop is done; `setImmediate` by default. */
  readonly afterTurn?: (callback: () => void) => void;
}

/** While no more than so many are under way, nobody waits for a turn. */
const unhurried = 64;

/** Requests are refused for lateness once somebody has waited all the time for so many times `delay`: a burst is worked off, however large. */
const lastingDelays = 10;

/**
 * Where memory is scarce, so many are let in at a time: the system gets back what nobody uses any more only while something is done, or
 * never, and a process that refuses everything because of that would do so for ever.
 */
const fewWhereScarce = 8;

/** How long a count of those who only seem to be under way is good for. */
const countMilliseconds = 10;

interface Entry {
  readonly exchange: Exchange;
  readonly urgency: Urgency;
  readonly since: number;
}

/**
 * Makes the door. Where much comes at once, requests wait before any work is done for them, in lanes by what their callers present, and
 * are begun turn by turn, so that what was begun comes to an end soon. Where that goes on, who has waited for `delay` is refused. Only what
 * waits here is refused for lateness: a thread that was late a moment ago can be idle now.
 */
export function createAdmission(parts: AdmissionParts): Admission {
  const { limits, monitor, serve, refuse } = parts;
  const { now = () => performance.now(), afterTurn = setImmediate } = parts;
  const underWay = new Set<Exchange>();
  const lanes = new WaitingLanes<Entry>();
  const pace = new TurnPace();
  let isTurnDue = false;
  /** Since when somebody has waited all the time. */
  let waitingSince = 0;
  let idle = 0;
  let counted = Number.NEGATIVE_INFINITY;

  /** Whether so many are under way. Who is slow to send or to take makes no work meanwhile. */
  const areUnderWay = (requests: number): boolean => {
    if (underWay.size < requests) return false;
    const time = now();
    if (time - counted >= countMilliseconds) {
      counted = time;
      idle = 0;
      for (const { request, response } of underWay)
        if (response.writableEnded || !isReceived(request)) idle += 1;
    }
    return underWay.size - idle >= requests;
  };

  const turnAway = (entry: Entry, reason: OverloadReason): void => {
    const { exchange } = entry;
    if (entry.urgency !== "maybe") {
      refuseNow(exchange, reason);
      return;
    }
    isAwaited(exchange.request, limits().delayMilliseconds).then(
      (awaited) => (awaited ? begin(exchange) : refuseNow(exchange, reason)),
      () => refuseNow(exchange, reason),
    );
  };

  const refuseNow = (exchange: Exchange, reason: OverloadReason): void => {
    underWay.delete(exchange);
    monitor.refused(reason);
    if (!exchange.signal.aborted) refuse(exchange, reason);
  };

  const begin = (exchange: Exchange): void => {
    // Who has left meanwhile is not worked for.
    if (!exchange.signal.aborted) serve(exchange);
  };

  const turn = (): void => {
    const time = now();
    const { delayMilliseconds } = limits();
    if (time - waitingSince >= lastingDelays * delayMilliseconds)
      for (const entry of lanes.takeOlder(time - delayMilliseconds)) turnAway(entry, "delay");
    for (let left = pace.begin(time); left > 0; left -= 1) {
      const next = lanes.take();
      if (next === undefined) break;
      begin(next.exchange);
    }
    isTurnDue = lanes.size > 0;
    if (isTurnDue) afterTurn(turn);
    else pace.rest();
  };

  return {
    enter: (exchange) => {
      const urgency = urgencyOf(exchange);
      if (urgency === "always") return serve(exchange);
      if (monitor.isMemoryScarce() && areUnderWay(fewWhereScarce))
        return turnAway({ exchange, urgency, since: 0 }, "memory");
      if (urgency !== "stream") {
        if (areUnderWay(limits().requests)) return turnAway({ exchange, urgency, since: 0 }, "requests");
        underWay.add(exchange);
        exchange.response.once("close", () => underWay.delete(exchange));
      }
      if (lanes.size === 0 && underWay.size <= unhurried) return serve(exchange);
      const since = now();
      if (lanes.size === 0) waitingSince = since;
      lanes.add(laneOf(exchange), { exchange, urgency, since });
      if (isTurnDue) return;
      isTurnDue = true;
      afterTurn(turn);
    },
  };
}

/** What tells callers apart before anybody knows who they are. It need not be true: it only says whose turn it is. */
function laneOf({ request: { headers }, address }: Exchange): string {
  return headers.authorization ?? headers.cookie ?? address;
}
