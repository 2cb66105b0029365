import { BoundedMap } from "../../limits/bounded-map.ts";
import type { CredentialFacts, CredentialStore, StoredCredential } from "../credential-store.ts";
import type { TokenSet } from "../oauth/token-client.ts";
import { keyOfReference } from "../owner.ts";
import { hasCode, nameOf } from "./failures.ts";
import { pause } from "./flights.ts";
import { checkOwner, factsOf, isSameGrant } from "./same-grant.ts";
import type { RefreshTimings } from "./timings.ts";

/** New tokens on their way into the store. */
export interface Writing {
  /** What is to be used: the new tokens, or what somebody has put in their place meanwhile; `undefined`: they are gone. */
  readonly credential: StoredCredential | undefined;
  /** Whether the new tokens are those. */
  readonly isOurs: boolean;
  /** Where the store could not be written: ends once it was, or the writer has given up. */
  readonly tail: Promise<void> | undefined;
}

/** Writes what a refresh has brought: the old refresh token is worth nothing any more, so this must not be lost. */
export interface TokenWriter {
  /** By compare-and-swap in place of the credential that was refreshed. Never fails. */
  write(refreshed: StoredCredential, tokens: TokenSet, obtainedAt: number): Promise<Writing>;
  /** Tokens that are kept in memory because the store could not be written; `undefined`: there are none. */
  unwritten(key: string): Unwritten | undefined;
  /** Whether nothing is unwritten, as nearly always. */
  isIdle(): boolean;
}

/** New tokens, and the credential in the store whose place they are to take. */
export interface Unwritten {
  readonly credential: StoredCredential;
  readonly refreshed: StoredCredential;
}

type Outcome = Pick<Writing, "credential" | "isOurs">;

const mostAttempts = 10;
const mostUnwritten = 10_000;

/** @param parts `giveUp` aborts when there is no more time to wait for the store. */
export function createTokenWriter(parts: {
  readonly credentials: CredentialStore;
  readonly log: (message: string, cause?: unknown) => void;
  readonly timings: RefreshTimings;
  readonly giveUp: AbortSignal;
}): TokenWriter {
  const { credentials, log, timings, giveUp } = parts;
  const unwritten = new BoundedMap<Unwritten>(mostUnwritten);

  /** Every conflict is looked into: only other secrets than those that were refreshed are a reason to drop the new ones. */
  const tryOnce = async (
    refreshed: StoredCredential,
    tokens: TokenSet,
    obtainedAt: number,
  ): Promise<Outcome> => {
    const { reference } = refreshed;
    let expected = refreshed;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const facts = renew(expected, tokens, obtainedAt);
        return { credential: await credentials.put(reference, facts, expected, true), isOurs: true };
      } catch (error) {
        if (!hasCode(error, "conflict") || attempt >= mostAttempts) throw error;
      }
      const current = checkOwner(await credentials.reread(reference), reference);
      // An earlier attempt whose success was not told.
      const isWritten = current?.secrets["access_token"]?.equals(tokens.accessToken) === true;
      if (isWritten) return { credential: current, isOurs: true };
      if (current === undefined || !isSameGrant(current, refreshed)) {
        return { credential: current, isOurs: false };
      }
      expected = current;
    }
  };

  const keepTrying = async (
    refreshed: StoredCredential,
    tokens: TokenSet,
    obtainedAt: number,
  ): Promise<void> => {
    const key = keyOfReference(refreshed.reference);
    for (let rest = timings.firstWritePause; ; rest = Math.min(rest * 2, timings.longestWritePause)) {
      try {
        await pause(rest, giveUp);
      } catch {
        log(
          `New tokens of ${nameOf(refreshed.reference)} are lost: the store could not be written to the end.`,
        );
        return;
      }
      try {
        await tryOnce(refreshed, tokens, obtainedAt);
        unwritten.delete(key);
        return;
      } catch {
        // The first failure was told; the next attempt follows.
      }
    }
  };

  return {
    async write(refreshed, tokens, obtainedAt) {
      try {
        return { ...(await tryOnce(refreshed, tokens, obtainedAt)), tail: undefined };
      } catch (error) {
        const { reference, version, recordVersion } = refreshed;
        log(`New tokens of ${nameOf(reference)} could not be stored; it is tried until that works.`, error);
        const facts = renew(refreshed, tokens, obtainedAt);
        const credential = { reference, version: version + 1, recordVersion, ...facts };
        unwritten.set(keyOfReference(reference), { credential, refreshed });
        return { credential, isOurs: true, tail: keepTrying(refreshed, tokens, obtainedAt) };
      }
    },
    unwritten: (key) => unwritten.get(key),
    isIdle: () => unwritten.size === 0,
  };
}

/** The facts of a credential with new tokens. What the server did not give again stays (RFC 6749, sections 5.1 and 6). */
function renew(credential: StoredCredential, tokens: TokenSet, obtainedAt: number): CredentialFacts {
  const { secrets, scopes, state, ...facts } = factsOf(credential);
  const { accessToken, refreshToken, expiresAt } = tokens;
  // Scopes that an upstream has asked for are still missing.
  const { wanted = [] } = state;
  return {
    ...facts,
    secrets: {
      ...secrets,
      access_token: accessToken,
      ...(refreshToken !== undefined && { refresh_token: refreshToken }),
    },
    expiresAt: expiresAt === undefined ? undefined : Math.max(0, Math.floor(expiresAt)),
    obtainedAt,
    scopes: tokens.scopes ?? scopes,
    state: { kind: "ready", ...(wanted.length > 0 && { wanted }) },
    refreshing: undefined,
  };
}
