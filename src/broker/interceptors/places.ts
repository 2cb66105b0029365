import { GatewayError } from "../../errors.ts";
import type { CallPlace, CallScheduler, PlaceShortage } from "../../limits/call-scheduler.ts";
import type { Tool } from "../../model/catalog.ts";
import type { ClientPeer, Invocation } from "../../model/invocation.ts";
import type { CallLimits } from "../../model/limits.ts";
import type { Interceptor } from "../interceptor.ts";

/** What places are given out by. */
export interface PlacesParts {
  readonly scheduler: CallScheduler;
  /** As of now. */
  readonly limits: () => CallLimits;
  /** Most calls of a provider that run at a time, as of now. */
  readonly concurrency: (provider: string) => number;
  /** Throws where a call that would have to wait is not worth its while. */
  readonly checkWorth: (invocation: Invocation, tool: Tool) => void;
}

/** Seconds after which there may be room in a queue: places come and go. */
const queueRetrySeconds = 1;
/** Nobody is told to stay away for longer, in seconds. */
const longestRetrySeconds = 30;

/**
 * Lets calls run only where they have a place, and has them wait for one otherwise: see `CallScheduler`. While a call asks a person it
 * gives its place up.
 *
 * Throws `rate_limited` where too many of the tenant's calls wait already, and `overloaded` where it is the whole gateway that is full,
 * or the wait takes too long.
 */
export function places({ scheduler, limits, concurrency, checkWorth }: PlacesParts): Interceptor {
  return async (invocation, tool, next) => {
    const { provider } = tool;
    const place = scheduler.enter(invocation.tenant, provider, concurrency(provider));
    if (typeof place === "string") throw noRoom(place, provider, limits());
    try {
      if (place.state === "waiting") {
        checkWorth(invocation, tool);
        await waitForPlace(place, provider, limits(), invocation.signal);
      }
      return await next(
        canAsk(invocation, tool) ? { ...invocation, peer: givingUp(place, invocation.peer) } : invocation,
      );
    } finally {
      place.leave();
    }
  };
}

/** Only MCP servers ask, and only clients that can be asked answer. */
function canAsk({ peer }: Invocation, { surface }: Tool): boolean {
  if (surface !== "mcp") return false;
  for (const _ in peer.capabilities) return true;
  return false;
}

/** The same client; the place is given up for as long as at least one question is open. */
function givingUp(place: CallPlace, peer: ClientPeer): ClientPeer {
  let open = 0;
  return {
    ...peer,
    ask: async (...question) => {
      open += 1;
      if (open === 1) place.pause();
      try {
        return await peer.ask(...question);
      } finally {
        open -= 1;
        if (open === 0) place.resume();
      }
    },
  };
}

function waitForPlace(
  place: CallPlace,
  provider: string,
  limits: CallLimits,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", leave);
    };
    const fail = (error: GatewayError): void => {
      end();
      place.leave();
      reject(error);
    };
    const leave = (): void => {
      const reason: unknown = signal.reason;
      const cancelled = new GatewayError("cancelled", "The call was cancelled.", { cause: reason });
      fail(reason instanceof GatewayError ? reason : cancelled);
    };
    const timer = setTimeout(() => fail(tooLate(provider, limits)), limits.queueMilliseconds);
    place.settled = (shortage) => {
      if (shortage !== undefined) return fail(noRoom(shortage, provider, limits));
      end();
      resolve();
    };
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { once: true });
  });
}

function noRoom(shortage: PlaceShortage, provider: string, limits: CallLimits): GatewayError {
  const { total, perTenant, queue } = limits;
  const waiting = queue === 0 ? "none may wait" : `${queue} wait already`;
  const why = {
    gateway: `The gateway carries out ${total} calls, as many as it may (\`limits.calls.total\`), and of this tenant ${waiting} (\`limits.calls.queue\`).`,
    tenant: `This tenant has ${perTenant} calls under way, as many as it may (\`limits.calls.per_tenant\`), and ${waiting} (\`limits.calls.queue\`).`,
    part: `Provider \`${provider}\` has as many of this tenant's ${perTenant} places (\`limits.calls.per_tenant\`) as it gets while others may need them, and ${waiting} (\`limits.calls.queue\`).`,
    provider: `Provider \`${provider}\` is busy with as many calls as it may have at a time, or as one tenant may (\`providers.${provider}.limits.concurrency\`), and of this tenant ${waiting} (\`limits.calls.queue\`).`,
  }[shortage];
  return new GatewayError(
    shortage === "gateway" ? "overloaded" : "rate_limited",
    `${why} Try again in ${queueRetrySeconds} s, with fewer calls at a time.`,
    { details: { retry_after: queueRetrySeconds }, retryable: true },
  );
}

function tooLate(provider: string, { queueMilliseconds }: CallLimits): GatewayError {
  const waited = queueMilliseconds / 1_000;
  const seconds = Math.min(longestRetrySeconds, Math.max(1, Math.ceil(waited)));
  return new GatewayError(
    "overloaded",
    `The call to provider \`${provider}\` found no place within ${waited} s (\`limits.calls.queue_time\`), and was not made. Try again in ${seconds} s.`,
    { details: { retry_after: seconds }, retryable: true },
  );
}
