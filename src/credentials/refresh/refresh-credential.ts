import type { GatewayError } from "../../errors.ts";
import type { CredentialStore, StoredCredential } from "../credential-store.ts";
import type { CredentialChange } from "../credentials.ts";
import { TokenError, type TokenSet } from "../oauth/token-client.ts";
import type { BackOff } from "./back-off.ts";
import { hasCode, nameOf, reconnectRequired, refreshFailed } from "./failures.ts";
import { fitnessOf, isRefreshable } from "./fitness.ts";
import type { Refusals } from "./refusals.ts";
import { requireReconnect } from "./require-reconnect.ts";
import { checkOwner, factsOf, isSameGrant } from "./same-grant.ts";
import { takeLease } from "./take-lease.ts";
import type { RefreshTimings } from "./timings.ts";
import type { TokenWriter } from "./token-writer.ts";

/** What a refresh stands on. */
export interface RefreshParts {
  readonly credentials: CredentialStore;
  /** Sends the refresh token to where it came from. Throws {@link TokenError}. */
  readonly refresh: (stored: StoredCredential, signal: AbortSignal) => Promise<TokenSet>;
  readonly changed: (change: CredentialChange) => void;
  readonly log: (message: string, cause?: unknown) => void;
  /** The same, without saying anything again that many have in common, such as that a server is away. */
  readonly complain: (message: string, cause: unknown) => void;
  readonly now: () => number;
  /** Of the process: who the journal names. */
  readonly holder: string;
  readonly timings: RefreshTimings;
  readonly backOff: BackOff;
  readonly refusals: Refusals;
  readonly writer: TokenWriter;
  /** Aborts waiting, but no request that may have reached the token endpoint. */
  readonly closing: AbortSignal;
  /** Told of what goes on when the result is there already. */
  readonly follow: (tail: Promise<void>) => void;
}

const mostAttempts = 10;

/**
 * Gets new tokens for a credential, in the one process that holds its lease; all others wait for what comes of it. What is there
 * already when the lease is held counts, so that no refresh token is ever used twice.
 *
 * @param seen the credential in place of which another one is wanted.
 * @returns `undefined` when it is gone.
 * @throws `reconnect_required`, `upstream_failed`, `store_unavailable`; the reason of `closing`.
 */
export async function refreshCredential(
  parts: RefreshParts,
  seen: StoredCredential,
): Promise<StoredCredential | undefined> {
  const { credentials, timings, closing, follow } = parts;
  const taken = await takeLease(credentials, seen, { timings, signal: closing });
  if (taken.lease === undefined) return ready(taken.outcome);
  const { lease } = taken;
  let tail: Promise<void> | undefined;
  try {
    const writing = await refreshUnderLease(parts, seen);
    tail = writing.tail;
    return ready(writing.credential);
  } finally {
    if (tail === undefined) await lease.release();
    else follow(tail.then(() => lease.release()));
  }
}

interface Refreshed {
  readonly credential: StoredCredential | undefined;
  readonly tail?: Promise<void> | undefined;
}

async function refreshUnderLease(parts: RefreshParts, seen: StoredCredential): Promise<Refreshed> {
  const { credentials, closing } = parts;
  const { reference } = seen;
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    closing.throwIfAborted();
    const current = ready(checkOwner(await credentials.reread(reference), reference));
    if (current === undefined) return { credential: undefined };
    const isNew = !isSameGrant(current, seen);
    if (isNew && fitnessOf(current, parts.now(), 0) !== "over") return { credential: current };
    if (!isRefreshable(current)) {
      const reason = "The access token is over, and there is no refresh token to get another one with.";
      return {
        credential: await requireReconnect(parts, current, { reason, wanted: [], endsJournal: true }),
      };
    }
    const journaled = await writeJournal(parts, current);
    if (journaled !== undefined) return send(parts, journaled, current.refreshing?.holder);
  }
  throw refreshFailed(reference, "it changes all the time. Try again.");
}

/** Says in the store that the refresh token is about to be used. `undefined`: the credential is not as it was read. */
async function writeJournal(
  { credentials, now, holder }: RefreshParts,
  current: StoredCredential,
): Promise<StoredCredential | undefined> {
  const refreshing = { since: now(), holder };
  try {
    return await credentials.put(current.reference, { ...factsOf(current), refreshing }, current, false);
  } catch (error) {
    if (hasCode(error, "conflict")) return undefined;
    throw error;
  }
}

/** @param earlier whose journal was found: it ended before it could say what became of its request. */
async function send(
  parts: RefreshParts,
  journaled: StoredCredential,
  earlier: string | undefined,
): Promise<Refreshed> {
  const { writer, backOff, refusals, changed, timings, now, holder } = parts;
  let tokens: TokenSet;
  try {
    tokens = await parts.refresh(journaled, AbortSignal.timeout(timings.request));
  } catch (error) {
    if (error instanceof TokenError && error.kind === "refused") {
      const wasCutOff = earlier !== undefined && earlier !== holder;
      return { credential: await giveUp(parts, journaled, { error, wasCutOff }) };
    }
    throw await putOff(parts, journaled, error);
  }
  const writing = await writer.write(journaled, tokens, now());
  backOff.succeeded(journaled);
  if (writing.isOurs && writing.credential !== undefined) {
    refusals.refreshed(writing.credential);
    changed({ kind: "refreshed", reference: journaled.reference });
  }
  return writing;
}

/** After a definite refusal: somebody has to connect anew, unless somebody has just done that. */
function giveUp(
  parts: RefreshParts,
  journaled: StoredCredential,
  { error, wasCutOff }: { readonly error: TokenError; readonly wasCutOff: boolean },
): Promise<StoredCredential | undefined> {
  const before = wasCutOff
    ? " Before that, a process ended while the token was being refreshed, and the new one may have been lost with it."
    : parts.backOff.hasFailed(journaled)
      ? " Before that, an attempt to refresh the token had got no answer, and the new one may have been lost with it."
      : "";
  const reason = `${error.message}${before}`;
  parts.log(
    `The refresh token of ${nameOf(journaled.reference)} was refused; it has to be connected again.`,
    error,
  );
  return requireReconnect(parts, journaled, { reason, wanted: [], endsJournal: true });
}

/** After any other failure: nothing is known to be lost, and the next attempt comes later. Returns what callers are told. */
async function putOff(
  parts: RefreshParts,
  journaled: StoredCredential,
  error: unknown,
): Promise<GatewayError> {
  const { credentials, backOff, complain } = parts;
  const { reference } = journaled;
  const isMisconfigured = error instanceof TokenError && error.kind === "misconfigured";
  const failure = isMisconfigured
    ? {
        reason:
          "the gateway is not set up rightly for its authorization server, which its operator has to mend.",
        retryable: false,
      }
    : {
        reason:
          error instanceof TokenError
            ? error.message
            : "the authorization server could not be asked. Try again later.",
        retryable: true,
      };
  backOff.failed(journaled, failure, error instanceof TokenError ? error.retryAfter : undefined);
  complain(`The access token of ${nameOf(reference)} could not be refreshed.`, error);
  try {
    await credentials.put(reference, { ...factsOf(journaled), refreshing: undefined }, journaled, false);
  } catch (unwritten) {
    // A journal that stays makes the next attempt no different; one that somebody else has replaced is none of ours any more.
    if (!hasCode(unwritten, "conflict"))
      complain(`The journal of ${nameOf(reference)} could not be ended.`, unwritten);
  }
  return refreshFailed(reference, failure.reason, { retryable: failure.retryable, cause: error });
}

/** The credential, unless somebody has to connect anew. */
export function ready(credential: StoredCredential | undefined): StoredCredential | undefined {
  if (credential?.state.kind !== "reconnect_required") return credential;
  throw reconnectRequired(credential.reference, credential.state.reason);
}
