import { networkOf } from "../identity/sign-in-limits.ts";
import { type AttemptLimiter, type AttemptLimits, createAttemptLimiter } from "../limits/attempt-limiter.ts";
import type { HttpClient } from "../upstream/http-client.ts";
import { ClientProblem, type KnownClient } from "./client-rules.ts";
import { type FetchedDocument, fetchDocument } from "./fetch-document.ts";
import { problemOfDocumentAddress, readMetadataDocument } from "./read-metadata-document.ts";

/** Clients that are described by the document at their id (OAuth Client ID Metadata Documents). */
export interface MetadataDocuments {
  /**
   * Throws {@link ClientProblem}: `temporarily_unavailable` for what may work later, `invalid_client` otherwise.
   *
   * @param address who asks, for limits.
   */
  find(id: string, address: string | undefined): Promise<KnownClient>;
}

/** Which documents are read, as of now. */
export interface DocumentSettings {
  /** Host names that they may come from; `undefined`: any. */
  readonly allowedHosts: readonly string[] | undefined;
  readonly redirectSchemes: readonly string[];
}

/** What is known of a document. */
interface Known {
  readonly document: FetchedDocument | undefined;
  /** When it came, in milliseconds since 1970. */
  readonly at: number;
  /** When it is to be read anew. */
  readonly until: number;
  /** Why it could not be read. */
  readonly problem: ClientProblem | undefined;
}

const second = 1_000;
const failedMilliseconds = 30 * second;
/** A document that can't be had for a while does not end what it was used for: a refresh that fails makes clients forget their tokens. */
const staleMilliseconds = 24 * 3_600 * second;
const mostDocuments = 200;
const mostFailures = 1_000;

/** Anybody can name any address. So that nobody is troubled through this gateway: a few at once, and then one in `refill` ms. */
const limits: Readonly<Record<"all" | "host" | "asker", AttemptLimits>> = {
  all: { attempts: 60, refill: second },
  host: { attempts: 10, refill: 6 * second },
  asker: { attempts: 20, refill: 3 * second },
};

/** Reads documents by the gateway's way out, which leads to public addresses only, and keeps them for a while. */
export function createMetadataDocuments(parts: {
  readonly http: HttpClient;
  readonly settings: () => DocumentSettings;
  readonly now: () => number;
  readonly log: (message: string, cause?: unknown) => void;
}): MetadataDocuments {
  const { http, settings, now, log } = parts;
  const all = createAttemptLimiter(limits.all, now);
  const hosts = createAttemptLimiter(limits.host, now);
  const askers = createAttemptLimiter(limits.asker, now);
  // In the order of the last use. Failures have a place of their own, so that they push no document out.
  const documents = new Map<string, Known>();
  const failures = new Map<string, Known>();
  const underWay = new Map<string, Promise<Known>>();

  /** How long to wait, in ms, before the document may be fetched; `undefined`: not at all. Counts the attempt if so. */
  function mustWait(id: string, address: string | undefined): number | undefined {
    const taken: (() => void)[] = [];
    const counted: readonly (readonly [AttemptLimiter, string])[] = [
      ...(address === undefined ? [] : ([[askers, networkOf(address)]] as const)),
      [hosts, new URL(id).host],
      [all, ""],
    ];
    for (const [limiter, key] of counted) {
      const wait = limiter.take(key);
      if (wait === undefined) taken.push(() => limiter.giveBack(key));
      else {
        for (const giveBack of taken) giveBack();
        return wait;
      }
    }
    return undefined;
  }

  async function readAnew(id: string): Promise<Known> {
    try {
      const document = await fetchDocument(http, id);
      return { document, at: now(), until: now() + document.freshMilliseconds, problem: undefined };
    } catch (error) {
      if (!(error instanceof ClientProblem)) throw error;
      log(`The metadata document of the client ${JSON.stringify(id)} could not be read.`, error);
      return failedBy(error);
    }
  }

  function failedBy(problem: ClientProblem): Known {
    return { document: undefined, at: now(), until: now() + failedMilliseconds, problem };
  }

  async function fetchOnce(id: string, address: string | undefined): Promise<Known> {
    const begun = underWay.get(id);
    if (begun !== undefined) return await begun;
    const wait = mustWait(id, address);
    if (wait !== undefined) return { document: undefined, at: now(), until: now(), problem: tooMany(wait) };
    const fetched = readAnew(id).finally(() => underWay.delete(id));
    underWay.set(id, fetched);
    const known = await fetched;
    if (known.document === undefined) remember(failures, id, known, mostFailures);
    else {
      failures.delete(id);
      remember(documents, id, known, mostDocuments);
    }
    return known;
  }

  async function documentOf(id: string, address: string | undefined): Promise<FetchedDocument> {
    const kept = documents.get(id);
    const failed = failures.get(id);
    const known =
      [kept, failed].find((candidate) => candidate !== undefined && candidate.until > now()) ??
      (await fetchOnce(id, address));
    if (known.document !== undefined) {
      remember(documents, id, known, mostDocuments);
      return known.document;
    }
    const isPassing = known.problem?.error === "temporarily_unavailable";
    if (isPassing && kept?.document !== undefined && kept.at + staleMilliseconds > now())
      return kept.document;
    if (!isPassing) documents.delete(id);
    throw known.problem ?? new Error("A document neither came nor failed.");
  }

  return {
    async find(id, address) {
      const { allowedHosts, redirectSchemes } = settings();
      const problem = problemOfDocumentAddress(id, allowedHosts);
      if (problem !== undefined) throw new ClientProblem("invalid_client", problem);
      // Read again each time, since what is allowed may have changed.
      const { body, contentType } = await documentOf(id, address);
      try {
        return readMetadataDocument(id, body, contentType, redirectSchemes);
      } catch (error) {
        // Whoever mends it need not wait for as long as a right one is believed.
        documents.delete(id);
        if (error instanceof ClientProblem) remember(failures, id, failedBy(error), mostFailures);
        throw error;
      }
    },
  };
}

function tooMany(wait: number): ClientProblem {
  const retryAfter = Math.max(1, Math.ceil(wait / second));
  return new ClientProblem(
    "temporarily_unavailable",
    `Too many metadata documents of clients were asked for. Try again in ${retryAfter} s.`,
    { status: 429, retryAfter },
  );
}

function remember(map: Map<string, Known>, id: string, known: Known, most: number): void {
  map.delete(id);
  map.set(id, known);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
