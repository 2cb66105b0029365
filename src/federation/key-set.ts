import { GatewayError } from "../errors.ts";
import type { TrustedIssuerConfig } from "../model/auth-config.ts";
import type { HttpClient } from "../upstream/http-client.ts";
import { fetchJson } from "./fetch-json.ts";
import type { ReadIssuerMetadata } from "./issuer-metadata.ts";
import { chooseKey, readKeys, type VerificationKey } from "./verification-keys.ts";

/** What the keys of issuers are fetched by. */
export interface KeySetParts {
  readonly http: HttpClient;
  readonly metadata: ReadIssuerMetadata;
  readonly now: () => number;
  readonly log: (message: string, cause: unknown) => void;
}

interface Known {
  readonly keys: readonly VerificationKey[];
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly freshUntil: number;
}

interface Failure {
  readonly at: number;
  readonly cause: unknown;
}

const minute = 60_000;
/** How long keys are not asked for again: so long where the issuer says nothing, else what it says within bounds. */
const fresh = { usual: 10 * minute, least: minute, most: 60 * minute };
/** An issuer that is away for so long still vouches for what it has signed. */
const longestStale = 24 * 60 * minute;
/** Keys that are not there are asked for so seldom, as anybody can name such. */
const unknownPause = minute / 2;
/** After a failure, with keys that go on counting and without any. */
const failurePause = { known: minute / 2, none: 5_000 };
/** How long a caller waits, with keys that go on counting and without any. */
const patience = { known: 2_000, none: 4_500 };

/** The public keys of one issuer, fetched when they are first needed and again as time goes by. Lives as long as the issuer is trusted. */
export class KeySet {
  readonly #issuer: Pick<TrustedIssuerConfig, "issuer" | "jwksUrl">;
  readonly #parts: KeySetParts;
  #known: Known | undefined;
  /** Since the keys came. */
  #failure: Failure | undefined;
  #askedForUnknown = Number.NEGATIVE_INFINITY;
  /** All who need keys at the same time wait for one answer. */
  #flight: Promise<void> | undefined;

  constructor(issuer: Pick<TrustedIssuerConfig, "issuer" | "jwksUrl">, parts: KeySetParts) {
    this.#issuer = issuer;
    this.#parts = parts;
  }

  /**
   * The key by which a signature is verified. `undefined`: the issuer has none such.
   *
   * @param kid as the token names it; `undefined`: it doesn't.
   * @throws GatewayError `store_unavailable` when that can't be found out at the moment.
   */
  async find(kid: string | undefined, algorithm: string): Promise<VerificationKey | undefined> {
    const isNew = await this.#refreshIfOld();
    const found = chooseKey(this.#keys(), kid, algorithm);
    if (found !== undefined || isNew) return found;
    await this.#refreshForUnknown();
    const later = chooseKey(this.#keys(), kid, algorithm);
    // Whether the issuer has such a key by now is not known.
    if (later === undefined && this.#failure !== undefined) throw this.#unavailable();
    return later;
  }

  /** @returns whether the keys have just come. */
  async #refreshIfOld(): Promise<boolean> {
    const time = this.#parts.now();
    const known = this.#usable();
    if (known !== undefined && time < known.freshUntil) return false;
    if (this.#isPausing(known === undefined ? failurePause.none : failurePause.known)) return false;
    await atMost(known === undefined ? patience.none : patience.known, this.#refresh());
    return this.#known !== known;
  }

  async #refreshForUnknown(): Promise<void> {
    const time = this.#parts.now();
    const isAllowed =
      !isWithin(unknownPause, this.#askedForUnknown, time) && !this.#isPausing(failurePause.known);
    if (isAllowed) this.#askedForUnknown = time;
    if (isAllowed || this.#flight !== undefined) await atMost(patience.none, this.#refresh());
  }

  #isPausing(milliseconds: number): boolean {
    return this.#failure !== undefined && isWithin(milliseconds, this.#failure.at, this.#parts.now());
  }

  #usable(): Known | undefined {
    const known = this.#known;
    return known !== undefined && isWithin(longestStale, known.since, this.#parts.now()) ? known : undefined;
  }

  #keys(): readonly VerificationKey[] {
    const known = this.#usable();
    if (known === undefined) throw this.#unavailable();
    return known.keys;
  }

  #unavailable(): GatewayError {
    return new GatewayError(
      "store_unavailable",
      `The keys of the issuer ${this.#issuer.issuer} can't be had at the moment, and its tokens can't be verified without them. Try again later.`,
      { cause: this.#failure?.cause, retryable: true },
    );
  }

  /** Never rejects. Goes on when nobody waits any longer, for those who come later. */
  #refresh(): Promise<void> {
    this.#flight ??= this.#fetch().finally(() => {
      this.#flight = undefined;
    });
    return this.#flight;
  }

  async #fetch(): Promise<void> {
    const { now, log } = this.#parts;
    const { issuer } = this.#issuer;
    const since = now();
    try {
      const { keys, exposed, freshness } = await this.#fetchKeys();
      this.#known = { keys, since, freshUntil: since + freshness };
      this.#failure = undefined;
      if (exposed > 0)
        log(
          `The issuer ${issuer} publishes a private or symmetric key, which is not used. Whoever runs it has to replace that key.`,
          undefined,
        );
      if (keys.length === 0)
        log(`The issuer ${issuer} publishes no key that can verify signatures.`, undefined);
    } catch (error) {
      this.#failure = { at: now(), cause: error };
      const reason = error instanceof Error ? error.message : String(error);
      const outlook =
        this.#usable() === undefined
          ? "Its tokens are refused until then."
          : "Those that are known count for up to a day.";
      log(`The keys of the trusted issuer ${issuer} could not be fetched: ${reason} ${outlook}`, error);
    }
  }

  async #fetchKeys() {
    const { issuer } = this.#issuer;
    const { url, namedBy } = await this.#place();
    const found = await fetchJson(this.#parts.http, { url, namedBy, what: "the keys of the issuer" });
    if (found === undefined)
      throw new GatewayError("upstream_failed", `There is nothing at ${url}, where its keys should be.`);
    return { ...readKeys(found.document, issuer), freshness: freshnessOf(found.headers["cache-control"]) };
  }

  async #place(): Promise<{ readonly url: string; readonly namedBy: "operator" | "upstream" }> {
    const { issuer, jwksUrl } = this.#issuer;
    if (jwksUrl !== undefined) return { url: jwksUrl, namedBy: "operator" };
    const { jwksUri, namedBy } = await this.#parts.metadata(issuer);
    if (jwksUri !== undefined) return { url: jwksUri, namedBy: namedBy(jwksUri) };
    throw new GatewayError(
      "upstream_failed",
      "Its metadata names no `jwks_uri`. Name the URL of its keys as `jwks_url` in the configuration.",
    );
  }
}

/** Less than so many milliseconds have gone by. A clock that was set back counts as time that has. */
function isWithin(milliseconds: number, since: number, time: number): boolean {
  return time >= since && time - since < milliseconds;
}

/** RFC 9111, section 5.2.2. */
function freshnessOf(cacheControl = ""): number {
  if (/\bno-(store|cache)\b/i.test(cacheControl)) return fresh.least;
  const [, seconds] = /\bmax-age\s*=\s*"?(\d{1,10})/i.exec(cacheControl) ?? [];
  if (seconds === undefined) return fresh.usual;
  return Math.min(fresh.most, Math.max(fresh.least, Number(seconds) * 1000));
}

/** Waits for something that never rejects, and no longer than so many milliseconds. */
async function atMost(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  try {
    await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}
