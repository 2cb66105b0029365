import { setImmediate as nextTurn } from "node:timers/promises";
import type { CredentialReference } from "../model/credential.ts";
import type { ProviderSession } from "../providers/provider-session.ts";

/** What a sweep stands on. */
export interface SweepParts {
  readonly sessions: () => Iterable<ProviderSession>;
  readonly epoch: () => number;
  /** Whether a credential is there still. Rejects where that can't be found out. */
  readonly isStored: (reference: CredentialReference) => Promise<boolean>;
  /** How often it is looked whether anything was changed, in ms. */
  readonly milliseconds: number;
}

/** Ends what is opened with credentials that are gone. */
export interface RemovalSweep {
  /** Something was opened: looks from now on, for as long as anything is. */
  begin(): void;
  close(): void;
}

const perTurn = 50;

/**
 * Finds out what nobody tells of: credentials that another process has removed, or that went with a user, a service or a tenant. Whose they
 * were makes no request any more from which it could be seen.
 */
export function createRemovalSweep({ sessions, epoch, isStored, milliseconds }: SweepParts): RemovalSweep {
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let seen: number | undefined;

  /** Whether anything is left. */
  const sweep = async (): Promise<boolean> => {
    const current = epoch();
    const isChanged = current !== seen;
    let looked = 0;
    let isLeft = false;
    let isCertain = true;
    const isGone = async (reference: CredentialReference): Promise<boolean> => {
      try {
        return !(await isStored(reference));
      } catch {
        // A store that fails ends nothing: it is asked again.
        isCertain = false;
        return false;
      }
    };
    for (const session of [...sessions()]) {
      for (const reference of session.scopedReferences()) {
        if (isChanged && (await isGone(reference))) session.dropScoped(reference);
        else isLeft = true;
        looked += 1;
        if (looked % perTurn === 0) await nextTurn();
      }
    }
    seen = isCertain ? current : undefined;
    return isLeft;
  };

  const begin = (): void => {
    if (timer !== undefined || isClosed) return;
    timer = setTimeout(async () => {
      const isLeft = await sweep().catch(() => true);
      timer = undefined;
      if (isLeft) begin();
    }, milliseconds).unref();
  };

  return {
    begin,
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
