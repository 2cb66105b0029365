import { randomUUID } from "node:crypto";
import { type Lack, Shares } from "../../limits/shares.ts";
import type { McpLimits } from "./limits.ts";
import { type CallerIdentity, isSameCaller } from "./same-caller.ts";
import { isSamePrincipal, sharerOf } from "./same-principal.ts";

/** A part of a result. */
export interface KeptContent {
  readonly mimeType: string;
  /** As UTF-8, which takes the least room. */
  readonly text: Buffer;
}

/** The whole of a result of which a model was given a part. */
export interface KeptResult {
  /** By which its caller reads it. */
  readonly uri: string;
  /** The tool that gave it. */
  readonly tool: string;
  readonly contents: readonly KeptContent[];
  /** Milliseconds for which it will be kept, if nothing else needs the room. */
  readonly milliseconds: number;
}

/** What is kept, for whom. */
interface Entry {
  readonly owner: CallerIdentity;
  readonly tool: string;
  readonly contents: readonly KeptContent[];
  readonly bytes: number;
  readonly until: number;
}

/** The part of the room that one caller has. */
const callerShare = 0.25;
/** What a result takes besides its bytes. */
const overheadBytes = 1_000;
/** The URIs of kept results, and of files that results hold. */
const start = "gateway://results/";

/** Whether a URI looks like those of results. An upstream that is a gateway too may have such ones. */
export function isResultUri(uri: string): boolean {
  return uri.startsWith(start);
}

/** A URI for a part of a result, which nobody can guess. */
export function createResultUri(): string {
  return start + randomUUID();
}

/**
 * Keeps whole results in memory for the callers that they were given to, for a while and within bounds: of all callers together, three
 * quarters of that for one tenant, a quarter for one caller. What was kept longest makes room.
 *
 * @param now milliseconds of a clock that never goes back.
 */
export class KeptResults {
  readonly #limits: Pick<McpLimits, "keptResultBytes" | "keptResultMilliseconds">;
  readonly #now: () => number;
  /** The oldest first. */
  readonly #entries = new Map<string, Entry>();
  readonly #shares: Shares;
  #sweep: NodeJS.Timeout | undefined;

  constructor(limits: Pick<McpLimits, "keptResultBytes" | "keptResultMilliseconds">, now: () => number) {
    this.#limits = limits;
    this.#now = now;
    this.#shares = new Shares(() => ({
      total: limits.keptResultBytes,
      perCaller: limits.keptResultBytes * callerShare,
    }));
  }

  /** Bytes that are kept, roughly. */
  get bytes(): number {
    return this.#shares.all;
  }

  /** Keeps a result; `undefined`: there is not so much room for anything of this caller. */
  keep(owner: CallerIdentity, tool: string, contents: readonly KeptContent[]): KeptResult | undefined {
    this.#forgetExpired();
    const bytes = contents.reduce((sum, { text }) => sum + text.length, overheadBytes);
    if (bytes > this.#limits.keptResultBytes * (owner.kind === "anonymous" ? 1 : callerShare))
      return undefined;
    const sharer = sharerOf(owner);
    for (let lack = this.#shares.lack(sharer, bytes); lack; lack = this.#shares.lack(sharer, bytes)) {
      const oldest = this.#findOldest(lack, owner);
      if (oldest === undefined) return undefined;
      this.#forget(oldest);
    }
    const uri = createResultUri();
    const milliseconds = this.#limits.keptResultMilliseconds;
    const { kind, id, tenant, home, credential } = owner;
    const identity = { kind, id, tenant, home, credential };
    this.#entries.set(uri, { owner: identity, tool, contents, bytes, until: this.#now() + milliseconds });
    this.#shares.take(sharer, bytes);
    this.#sweepLater();
    return { uri, tool, contents, milliseconds };
  }

  /** The result of that URI, if it was given to this caller: another's does not exist. */
  find(uri: string, caller: CallerIdentity): KeptResult | undefined {
    const entry = this.#entries.get(uri);
    if (entry === undefined || !isSameCaller(entry.owner, caller)) return undefined;
    const { tool, contents, until } = entry;
    const milliseconds = until - this.#now();
    return milliseconds > 0 ? { uri, tool, contents, milliseconds } : undefined;
  }

  /** Forgets all of them. */
  close(): void {
    clearTimeout(this.#sweep);
    for (const uri of [...this.#entries.keys()]) this.#forget(uri);
  }

  /** What makes room: the caller's own or its tenant's, and another's only where neither has any. */
  #findOldest(lack: Lack, owner: CallerIdentity): string | undefined {
    let oldest: string | undefined;
    for (const [uri, entry] of this.#entries) {
      oldest ??= uri;
      const isMeant =
        lack === "caller" ? isSamePrincipal(entry.owner, owner) : entry.owner.tenant === owner.tenant;
      if (isMeant) return uri;
    }
    return lack === "all" ? oldest : undefined;
  }

  #forgetExpired(): void {
    const now = this.#now();
    // A reload may have made the time of later ones shorter.
    for (const [uri, { until }] of this.#entries) if (until <= now) this.#forget(uri);
  }

  /** What nobody comes for must not stay until somebody else gets a large result. */
  #sweepLater(): void {
    this.#sweep ??= setTimeout(() => {
      this.#sweep = undefined;
      this.#forgetExpired();
      if (this.#entries.size > 0) this.#sweepLater();
    }, this.#limits.keptResultMilliseconds).unref();
  }

  #forget(uri: string): void {
    const entry = this.#entries.get(uri);
    if (entry === undefined) return;
    this.#entries.delete(uri);
    this.#shares.giveBack(sharerOf(entry.owner), entry.bytes);
  }
}
