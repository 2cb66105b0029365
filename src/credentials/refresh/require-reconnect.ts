import type { CredentialState, CredentialStore, StoredCredential } from "../credential-store.ts";
import type { CredentialChange } from "../credentials.ts";
import { hasCode, reconnectRequired } from "./failures.ts";
import { checkOwner, factsOf, isSameGrant } from "./same-grant.ts";

/** Why a credential is no good any more. */
export interface ReconnectReason {
  /** For people. */
  readonly reason: string;
  /** Scopes that the next authorization has to ask for. */
  readonly wanted: readonly string[];
  /** True where the credential stays good for what it was granted, and only one call needs more. */
  readonly staysReady?: boolean;
  /** True for who holds the lease: the journal ends with this. */
  readonly endsJournal: boolean;
}

const mostAttempts = 10;

/**
 * Writes that somebody has to connect anew, for exactly the grant that has failed (or that more scopes are wanted than it has), and throws
 * `reconnect_required`. Returns what is there
 * in its place when somebody has connected or refreshed it meanwhile; `undefined`: it is gone.
 *
 * @throws what the store throws.
 */
export async function requireReconnect(
  {
    credentials,
    changed,
  }: {
    readonly credentials: CredentialStore;
    readonly changed: (change: CredentialChange) => void;
  },
  failed: StoredCredential,
  { reason, wanted, endsJournal, staysReady = false }: ReconnectReason,
): Promise<StoredCredential | undefined> {
  const { reference } = failed;
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const current = checkOwner(await credentials.reread(reference), reference);
    if (current === undefined) return undefined;
    if (!isSameGrant(current, failed)) {
      if (current.state.kind === "ready") return current;
      throw reconnectRequired(reference, current.state.reason);
    }
    const before = current.state;
    const all = [...new Set([...(before.wanted ?? []), ...wanted])];
    // Many callers come to the same end at once.
    const isKnown = before.kind === "reconnect_required" || (staysReady && before.wanted !== undefined);
    if (isKnown && all.length === before.wanted?.length) break;
    const refreshing = endsJournal ? undefined : current.refreshing;
    const state: CredentialState =
      staysReady && before.kind === "ready"
        ? { kind: "ready", wanted: all }
        : { kind: "reconnect_required", reason, wanted: all };
    try {
      await credentials.put(reference, { ...factsOf(current), state, refreshing }, current, false);
    } catch (error) {
      // Something about it has changed in between: a reason to look again, and none to believe anything.
      if (hasCode(error, "conflict")) continue;
      throw error;
    }
    if (state.kind !== "ready") changed({ kind: "reconnect_required", reference });
    break;
  }
  throw reconnectRequired(reference, reason);
}
