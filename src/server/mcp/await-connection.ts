import type { ConnectionStatus } from "../../model/connections.ts";
import type { Principal } from "../../model/principal.ts";
import type { ConnectionParts } from "../connection-parts.ts";

/** The credential that a call lacks. */
export interface WantedConnection {
  readonly provider: string;
  readonly connection: string;
  /** The one that the call names, if it names any. */
  readonly instance: string | undefined;
  /** Why the call could not go on: there is none, or there is one that does not count any more. */
  readonly code: "not_connected" | "reconnect_required";
  /** When the call was made, in milliseconds since 1970: what was connected later may be what it lacks. */
  readonly since: number;
}

/** How long somebody is waited for. */
export interface Patience {
  readonly milliseconds: number;
  /** Pause between looks; changes in this process are seen at once. */
  readonly checkMilliseconds: number;
  /** Pause between signs of life. */
  readonly progressMilliseconds: number;
  /** Told how often it was called before. */
  readonly alive: (count: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Waits until a principal has the credential that a call lacks. False: time is over, or the call has ended. Looks into the store, since
 * people may connect through another process; where that fails it looks again later.
 */
export async function awaitConnection(
  parts: Pick<ConnectionParts, "connections" | "connected">,
  principal: Principal,
  wanted: WantedConnection,
  patience: Patience,
): Promise<boolean> {
  const { signal } = patience;
  const look = async (): Promise<boolean> => {
    try {
      const statuses = await parts.connections(principal).list(wanted.provider);
      return statuses.some((status) => status.connection === wanted.connection && isThere(status, wanted));
    } catch {
      // A store that is away is no answer; the call itself says what is wrong if it stays so.
      return false;
    }
  };
  let wake = (): void => {};
  const unsubscribe = parts.connected(({ kind, reference: { provider, connection } }) => {
    const isMeant = provider === wanted.provider && connection === wanted.connection;
    if (isMeant && (kind === "connected" || kind === "refreshed")) wake();
  });
  let count = 0;
  const progress = setInterval(() => patience.alive(count++), patience.progressMilliseconds);
  const end = performance.now() + patience.milliseconds;
  try {
    for (;;) {
      // Before the look: what changes while it looks is not missed.
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (await look()) return true;
      const left = end - performance.now();
      if (signal.aborted || left <= 0) return false;
      await firstOf(woken, Math.min(left, patience.checkMilliseconds), signal);
    }
  } finally {
    clearInterval(progress);
    unsubscribe();
  }
}

/** Whether a connection has now what the call lacked. */
function isThere(
  { state, instances }: ConnectionStatus,
  { instance, code, since }: WantedConnection,
): boolean {
  // The gateway's own credentials are not told one by one.
  if (instances.length === 0) return state === "ready";
  return instances.some(
    (one) =>
      one.state === "ready" &&
      (instance === undefined || one.instance === instance) &&
      // Where there was one already, it takes another: the upstream has refused that one, as for more rights.
      (code === "not_connected" || one.connectedAt >= since),
  );
}

/** Waits for the first of the three; none of them is left behind. */
async function firstOf(woken: Promise<void>, milliseconds: number, signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, milliseconds);
  const abort = (): void => over.resolve();
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  await Promise.race([woken, over.promise]);
  clearTimeout(timer);
  signal.removeEventListener("abort", abort);
}
