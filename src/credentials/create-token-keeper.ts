import { randomUUID } from "node:crypto";
import { complainOnce } from "../complain-once.ts";
import { GatewayError } from "../errors.ts";
import type { CredentialReference, CredentialRefusal } from "../model/credential.ts";
import { readWantedScopes } from "./challenge.ts";
import type { CredentialStore, StoredCredential } from "./credential-store.ts";
import type { CredentialChange } from "./credentials.ts";
import type { TokenSet } from "./oauth/token-client.ts";
import { keyOfReference } from "./owner.ts";
import { createBackOff } from "./refresh/back-off.ts";
import { hasCode, refreshFailed } from "./refresh/failures.ts";
import { fitnessOf, isRefreshable } from "./refresh/fitness.ts";
import { Flights, waitFor, within } from "./refresh/flights.ts";
import { type RefreshParts, ready, refreshCredential } from "./refresh/refresh-credential.ts";
import { createRefusals, mostRefusals } from "./refresh/refusals.ts";
import { requireReconnect } from "./refresh/require-reconnect.ts";
import { checkOwner, isSameGrant } from "./refresh/same-grant.ts";
import { type RefreshTimings, usualTimings } from "./refresh/timings.ts";
import { createTokenWriter } from "./refresh/token-writer.ts";
import type { TokenKeeper } from "./token-keeper.ts";

/** What a keeper of tokens stands on. */
export interface TokenKeeperParts {
  readonly credentials: CredentialStore;
  /** Sends the refresh token to where it came from. Throws `TokenError`; whatever else it throws counts as transient. */
  readonly refresh: (stored: StoredCredential, signal: AbortSignal) => Promise<TokenSet>;
  /** Told of refreshes, and of credentials that somebody has to connect anew. */
  readonly changed: (change: CredentialChange) => void;
  /** For the operator. */
  readonly log: (message: string, cause?: unknown) => void;
  /** Milliseconds since 1970; the system's clock by default. */
  readonly now?: () => number;
  /** From 0 to 1, for jitter; `Math.random` by default. */
  readonly random?: () => number;
  /** Names this keeper among all processes on the store; a new UUID by default. */
  readonly holder?: string;
  readonly timings?: Partial<RefreshTimings>;
}

/** Refreshes in the background at one time; more of them wait until a call asks again. */
const mostInBackground = 200;
const mostAttempts = 3;
/** In ms: for what has been given up on to say so. */
const lastMoment = 100;

/** Keeps the tokens of stored credentials usable. */
export function createTokenKeeper(options: TokenKeeperParts): TokenKeeper {
  const { credentials, changed, log, now: clock = Date.now, random = Math.random } = options;
  const timings = { ...usualTimings, ...options.timings };
  const now = (): number => Math.floor(clock());
  const seed = Math.floor(random() * 2 ** 32);
  const closing = new AbortController();
  const givingUp = new AbortController();
  const flights = new Flights<StoredCredential | undefined>();
  const refusals = createRefusals(now);
  const backOff = createBackOff({ now, random, timings });
  const writer = createTokenWriter({ credentials, log, timings, giveUp: givingUp.signal });
  const parts: RefreshParts = {
    ...{ credentials, changed, log, now, timings, backOff, refusals, writer },
    complain: complainOnce(log, now),
    refresh: options.refresh,
    holder: options.holder ?? randomUUID(),
    closing: closing.signal,
    follow: (tail) => flights.follow(tail),
  };

  /** The credential as it is stored, or as it will be once the store can be written. */
  const read = async (reference: CredentialReference): Promise<StoredCredential | undefined> => {
    const unwritten = writer.isIdle() ? undefined : writer.unwritten(keyOfReference(reference));
    if (unwritten === undefined) return ready(checkOwner(await credentials.get(reference), reference));
    try {
      const stored = ready(checkOwner(await credentials.get(reference), reference));
      // Anything else than what was refreshed is what somebody wanted later, or the new tokens themselves.
      if (stored === undefined || !isSameGrant(stored, unwritten.refreshed)) return stored;
    } catch (error) {
      if (!hasCode(error, "store_unavailable")) throw error;
    }
    return unwritten.credential;
  };

  /** Joins or begins the one refresh of this credential. */
  const refresh = (seen: StoredCredential): Promise<StoredCredential | undefined> => {
    const { reference } = seen;
    const key = keyOfReference(reference);
    return flights.join(key, async () => {
      const failure = backOff.pausing(seen);
      if (failure !== undefined) throw refreshFailed(reference, failure.reason, failure);
      if (writer.unwritten(key) !== undefined) {
        throw new GatewayError(
          "store_unavailable",
          "New tokens can't be stored at the moment. Try again later.",
          {
            retryable: true,
          },
        );
      }
      return refreshCredential(parts, seen);
    });
  };

  const refreshInBackground = (seen: StoredCredential): void => {
    if (flights.size >= mostInBackground || backOff.pausing(seen) !== undefined) return;
    // What goes wrong is logged where it does; callers go on with the token that they have.
    refresh(seen).catch(() => undefined);
  };

  const obtain = async (
    reference: CredentialReference,
    signal: AbortSignal,
  ): Promise<StoredCredential | undefined> => {
    let current = await read(reference);
    for (let attempt = 0; attempt < mostAttempts && current !== undefined; attempt += 1) {
      const fitness = fitnessOf(current, now(), seed);
      if (fitness === "due") refreshInBackground(current);
      if (fitness !== "over") return current;
      if (isRefreshable(current)) {
        current = await waitFor(refresh(current), signal);
      } else {
        const reason = "The access token is over, and there is no refresh token to get another one with.";
        current = await requireReconnect(parts, current, { reason, wanted: [], endsJournal: false });
      }
    }
    // Tokens that live hardly longer than a request are used as they come.
    return current;
  };

  const renewAfterDenial = async (
    current: StoredCredential,
    challenge: string | undefined,
  ): Promise<StoredCredential | undefined> => {
    const wanted = readWantedScopes(challenge);
    // Nobody can authorize more of what somebody typed in, and connecting anew would bring no scope that is there already.
    if (wanted === undefined || current.oauth === undefined) return undefined;
    const { scopes, type } = current;
    if (type === "oauth2" && wanted.length === 0) return undefined;
    if (scopes !== undefined && wanted.length > 0 && wanted.every((scope) => scopes.includes(scope)))
      return undefined;
    const named = wanted.length === 0 ? "" : `: ${wanted.join(" ")}`;
    const reason = `The upstream asks for more than was authorized${named}.`;
    // What needs no more than was granted goes on.
    return requireReconnect(parts, current, { reason, wanted, endsJournal: false, staysReady: true });
  };

  const renewRefused = async (
    current: StoredCredential,
    signal: AbortSignal,
  ): Promise<StoredCredential | undefined> => {
    const canRefresh = isRefreshable(current);
    const isNew = canRefresh && refusals.isUntried(current);
    const count = refusals.count(current, canRefresh && !isNew);
    if (count >= mostRefusals) {
      const reason = isNew
        ? "The upstream goes on refusing the access token although it was refreshed."
        : `The upstream refused the credential ${mostRefusals} times in a row.`;
      return requireReconnect(parts, current, { reason, wanted: [], endsJournal: false });
    }
    // A token that was refreshed just now is not refreshed again: an upstream that refuses everybody for a moment costs nobody a grant.
    return canRefresh && !isNew ? waitFor(refresh(current), signal) : undefined;
  };

  const renew = async (
    reference: CredentialReference,
    version: number,
    refusal: CredentialRefusal,
    signal: AbortSignal,
  ): Promise<StoredCredential | undefined> => {
    const current = await read(reference);
    if (current === undefined) return undefined;
    if (current.version !== version) return obtain(reference, signal);
    return refusal.status === 403
      ? renewAfterDenial(current, refusal.challenge)
      : renewRefused(current, signal);
  };

  const close = async (): Promise<void> => {
    closing.abort(new GatewayError("draining", "The gateway is going down. Try again.", { retryable: true }));
    await within(timings.closing, flights.settled());
    givingUp.abort();
    await within(lastMoment, flights.settled());
  };

  return { obtain, renew, accepted: (reference) => refusals.accepted(reference), close };
}
