import { setTimeout as sleep } from "node:timers/promises";
import type { JsonObject } from "../../model/json.ts";
import type { Principal } from "../../model/principal.ts";

/** How a subscriber is told of changes. */
export interface TellerParts {
  /** Who would hear of them now; `undefined` while that can't be said. */
  readonly hearer: () => Principal | undefined;
  /** Whether that one may hear that the resource has changed. */
  readonly mayHear: (hearer: Principal, uri: string) => Promise<boolean>;
  readonly tell: (params: JsonObject) => void;
  /** A change could not be told. */
  readonly failed: (error: unknown) => void;
  /** Nobody is told anything any more. */
  readonly over: AbortSignal;
}

/** So many changes of one subscription may wait for the look whether they may be told. */
const mostUntold = 100;
/** Pauses before it is asked again who would hear them, in ms: each is twice the one before. */
const pauses = { first: 250, longest: 30_000 };

/**
 * Makes the way by which changes of one subscription reach its subscriber: each once that subscriber is known and found to be allowed to
 * hear of it. What is told in a moment anyway is not told a second time.
 */
export function createTeller(parts: TellerParts): (uri: string, params: JsonObject) => void {
  const { over } = parts;
  const untold = new Map<string, JsonObject>();
  let isTelling = false;

  /** Waits while nobody can say who it is. `undefined`: it is over. */
  const findHearer = async (): Promise<Principal | undefined> => {
    for (let pause = pauses.first; !over.aborted; pause = Math.min(pause * 2, pauses.longest)) {
      const hearer = parts.hearer();
      if (hearer !== undefined) return hearer;
      await sleep(pause, undefined, { signal: over, ref: false }).catch(() => {});
    }
    return undefined;
  };

  const tellAll = async (): Promise<void> => {
    for (const [uri, params] of untold) {
      try {
        const hearer = await findHearer();
        const isHeard = hearer !== undefined && (await parts.mayHear(hearer, uri));
        if (isHeard && !over.aborted) parts.tell({ ...params, uri });
      } catch (error) {
        parts.failed(error);
      }
      untold.delete(uri);
    }
    isTelling = false;
  };

  return (uri, params) => {
    if (over.aborted || untold.has(uri) || untold.size >= mostUntold) return;
    untold.set(uri, params);
    if (isTelling) return;
    isTelling = true;
    void tellAll();
  };
}
