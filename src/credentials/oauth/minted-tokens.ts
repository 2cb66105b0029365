import { GatewayError } from "../../errors.ts";
import type { ConnectionConfig, OAuth2Auth } from "../../model/connection-config.ts";
import type { Secret } from "../../secret.ts";
import { clientOf } from "./client-of-auth.ts";
import { type TokenClient, TokenError } from "./token-client.ts";

/** An access token that the gateway got for itself. Versions grow over all tokens of one {@link MintedTokens}. */
export interface MintedToken {
  readonly accessToken: Secret;
  readonly version: number;
}

/**
 * Tokens of `client_credentials`: kept in memory, got again ahead of their end, by one request at a time for each connection.
 *
 * Both methods throw `GatewayError` `upstream_failed`, retryable where it may pass, and the reason of `signal`.
 */
export interface MintedTokens {
  obtain(provider: string, connection: ConnectionConfig, signal: AbortSignal): Promise<MintedToken>;
  /**
   * Another token in place of one that was refused, to try once; `undefined`: the refused one was itself got in place of another a moment
   * ago, so that yet another would change nothing.
   */
  renew(
    provider: string,
    connection: ConnectionConfig,
    version: number,
    signal: AbortSignal,
  ): Promise<MintedToken | undefined>;
}

/** Milliseconds. */
const aheadAtMost = 60_000;
const aheadShare = 0.2;
const firstPause = 1_000;
const longestPause = 60_000;
/** The longest that a server may ask for. */
const longestRetryAfter = 300_000;
const renewalsApart = 30_000;

interface Kept extends MintedToken {
  /** From when on another one is got beside the calls, and when calls have to wait for it. */
  readonly renewAt: number;
  readonly endsAt: number;
  /** When it took the place of one that was refused; `undefined`: it did not. */
  readonly renewedAt: number | undefined;
}

interface Entry {
  kept: Kept | undefined;
  flight: Promise<Kept> | undefined;
  failure:
    | { readonly error: TokenError; readonly since: number; readonly until: number; readonly count: number }
    | undefined;
}

/** Opens the memory of minted tokens. A connection that a reload has read anew gets a token anew. */
export function createMintedTokens(parts: {
  readonly tokens: TokenClient;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}): MintedTokens {
  const { tokens, now = Date.now } = parts;
  const entries = new WeakMap<OAuth2Auth, Entry>();
  let versions = 0;

  /** A clock that was set back to before it began is not within: that would last as long as the step. */
  const isWithin = (since: number, until: number): boolean => now() >= since && now() < until;

  const mint = async (entry: Entry, auth: OAuth2Auth, renewed: boolean): Promise<Kept> => {
    try {
      // Bounded by the token client; nobody's signal, since everybody waits for it.
      const set = await tokens.clientCredentials(clientOf(auth), auth.scopes, new AbortController().signal);
      const at = now();
      const endsAt = set.expiresAt ?? Number.POSITIVE_INFINITY;
      const ahead = Math.min(aheadAtMost, (endsAt - at) * aheadShare);
      versions += 1;
      entry.kept = {
        accessToken: set.accessToken,
        version: versions,
        renewAt: endsAt - ahead,
        endsAt,
        renewedAt: renewed ? at : undefined,
      };
      entry.failure = undefined;
      return entry.kept;
    } catch (cause) {
      const error =
        cause instanceof TokenError
          ? cause
          : new TokenError("transient", "The token request failed.", { cause });
      const count = (entry.failure?.count ?? 0) + 1;
      const pause = Math.min(longestPause, firstPause * 2 ** Math.min(count - 1, 10));
      const since = now();
      const asked = Math.min(error.retryAfter ?? 0, longestRetryAfter);
      entry.failure = { error, since, until: since + Math.max(pause, asked), count };
      throw error;
    }
  };

  /** Joins the request that is under way; begins one unless the last one failed just now. */
  const fly = (entry: Entry, auth: OAuth2Auth, renewed: boolean): Promise<Kept> => {
    if (entry.flight !== undefined) return entry.flight;
    if (entry.failure !== undefined && isWithin(entry.failure.since, entry.failure.until))
      return Promise.reject(entry.failure.error);
    const flight = mint(entry, auth, renewed).finally(() => {
      entry.flight = undefined;
    });
    // Somebody may wait for it or not; its failure is kept either way.
    flight.catch(() => {});
    entry.flight = flight;
    return flight;
  };

  const entryOf = (auth: OAuth2Auth): Entry => {
    const known = entries.get(auth);
    if (known !== undefined) return known;
    const entry: Entry = { kept: undefined, flight: undefined, failure: undefined };
    entries.set(auth, entry);
    return entry;
  };

  return {
    obtain: async (provider, connection, signal) => {
      const auth = grantOf(connection);
      const entry = entryOf(auth);
      const { kept } = entry;
      if (kept !== undefined && now() < kept.endsAt) {
        if (now() >= kept.renewAt) fly(entry, auth, false).catch(() => {});
        return kept;
      }
      return told(provider, connection, unlessAborted(fly(entry, auth, false), signal));
    },
    renew: async (provider, connection, version, signal) => {
      const auth = grantOf(connection);
      const entry = entryOf(auth);
      const { kept } = entry;
      if (kept !== undefined && kept.version !== version && now() < kept.endsAt) return kept;
      const { renewedAt } = kept ?? {};
      if (renewedAt !== undefined && isWithin(renewedAt, renewedAt + renewalsApart)) return undefined;
      return told(provider, connection, unlessAborted(fly(entry, auth, true), signal));
    },
  };
}

function grantOf({ name, auth }: ConnectionConfig): OAuth2Auth {
  if (auth.type === "oauth2" && auth.grant === "client_credentials") return auth;
  throw new GatewayError("internal", `Connection \`${name}\` has no grant of the client's own.`);
}

/** The caller's signal ends the waiting, not the request: others wait for it too. */
function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

async function told<Value>(
  provider: string,
  connection: ConnectionConfig,
  promise: Promise<Value>,
): Promise<Value> {
  try {
    return await promise;
  } catch (cause) {
    if (!(cause instanceof TokenError)) throw cause;
    const retryable = cause.kind === "transient";
    const what = retryable ? "Try again later." : "The gateway's operator has to mend that.";
    throw new GatewayError(
      "upstream_failed",
      `${connection.displayName} of ${provider} has no access token: ${cause.message} ${what}`,
      { cause, retryable, details: { provider, connection: connection.name } },
    );
  }
}
