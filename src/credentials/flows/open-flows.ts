import { hash, randomBytes } from "node:crypto";
import { GatewayError } from "../../errors.ts";
import type { Principal } from "../../model/principal.ts";
import { type Store, type StoredRecord, StoreError, type TenantStore } from "../../store/store.ts";
import { markInUse } from "../../vault/key-marker.ts";
import { openFields, type SealedRecord, sealFields } from "../../vault/seal-fields.ts";
import { VaultError } from "../../vault/vault.ts";
import { MalformedRecordError } from "../check-record.ts";
import { userOwner } from "../owner.ts";
import type { FlowParts } from "./flow-parts.ts";
import { type Flow, flowText, readFlow } from "./flow-record.ts";

/** From then on a flow is over. */
export const flowMilliseconds = 10 * 60_000;
/** Most flows of one principal at a time; the oldest goes for a new one. */
const mostFlows = 20;
/** A little more than there usually are. */
const pageSize = mostFlows + 10;
/** A removal that finds the record sealed anew is tried so often. */
const attempts = 10;

const kind = "flow";
/** 32 bytes. */
const ticketForm = /^[A-Za-z0-9_-]{43}$/;

/** A flow that is there and belongs to who asked for it. */
export interface FoundFlow {
  readonly flow: Flow;
  /** Whether it is in time, and in the session that it was begun in. */
  counts(): boolean;
  /** Uses it up, also when it does not count any more. False: it does not, or somebody else has taken it. */
  take(): Promise<boolean>;
}

/**
 * The flows under way. Each belongs to one principal in one tenant: what another one presents leads to nothing. The ticket, 32 random
 * bytes, is all that finds it, and the store has only its hash.
 *
 * Throws `GatewayError` `store_unavailable`.
 */
export class OpenFlows {
  readonly #parts: Pick<FlowParts, "vault" | "now" | "log">;
  readonly #store: Store;

  constructor(parts: Pick<FlowParts, "vault" | "now" | "log">, store: Store) {
    this.#parts = parts;
    this.#store = store;
  }

  /** Keeps a flow. What is returned finds it, once, for 10 minutes from its start. */
  async keep(as: Principal, flow: Flow): Promise<string> {
    const ticket = newTicket();
    const prefix = prefixOf(as);
    const id = prefix + hash("sha256", ticket, "base64url");
    const { vault } = this.#parts;
    const record: SealedRecord = { tenant: as.tenant, kind, id, version: 1, value: {} };
    const sealed = sealFields(vault, record, { flow: flowText(flow) });
    const value = { version: record.version, sealed };
    const expiresAt = flow.startedAt + flowMilliseconds;
    await guarded(async () => {
      await markInUse(this.#store, vault);
      const store = this.#store.tenant(as.tenant);
      await store.write([{ action: "put", kind, id, value, expiresAt, expected: "absent" }]);
      await trim(store, prefix);
    });
    return ticket;
  }

  /** The flow of a ticket; `undefined`: there is none for this principal, in this session. Nothing is used up yet. */
  async find(as: Principal, ticket: string): Promise<FoundFlow | undefined> {
    if (!ticketForm.test(ticket)) return undefined;
    const id = prefixOf(as) + hash("sha256", ticket, "base64url");
    const store = this.#store.tenant(as.tenant);
    const record = await guarded(() => store.get(kind, id));
    const flow = record && this.#open(as, record);
    if (record === undefined || flow === undefined) return undefined;
    const counts = (): boolean => isInTime(flow, this.#parts.now()) && isSameSession(flow, as);
    return {
      flow,
      counts,
      take: async () => {
        const isGone = await guarded(() => remove(store, record));
        return isGone && counts();
      },
    };
  }

  #open(as: Principal, { id, value }: StoredRecord): Flow | undefined {
    const { vault, log } = this.#parts;
    try {
      const sealedFor = { tenant: as.tenant, kind, id, version: 1, value } as const;
      const fields = openFields(vault, sealedFor, value["sealed"]);
      const text = fields["flow"];
      if (text === undefined) throw new MalformedRecordError("A flow is empty.");
      return readFlow(text);
    } catch (error) {
      if (error instanceof VaultError && error.code !== "forged")
        throw unavailable("What was begun can't be opened: the key that sealed it is missing.", error);
      if (!(error instanceof VaultError || error instanceof MalformedRecordError)) throw error;
      log("A flow in the store is not as this gateway writes it, and counts as unknown.", error);
      return undefined;
    }
  }
}

/** Removes a flow, once. False: it is gone already. */
async function remove(store: TenantStore, record: StoredRecord): Promise<boolean> {
  let current: StoredRecord | undefined = record;
  for (let attempt = 1; current !== undefined; attempt += 1) {
    try {
      await store.write([{ action: "delete", kind, id: record.id, expected: current.version }]);
      return true;
    } catch (error) {
      if (!isConflict(error) || attempt === attempts) throw error;
    }
    // It was used up, or only sealed anew with another key.
    current = await store.get(kind, record.id);
  }
  return false;
}

/** 32 random bytes as text. */
export function newTicket(): string {
  return randomBytes(32).toString("base64url");
}

/** Ids of one principal's flows stand together. */
function prefixOf(as: Principal): string {
  return `${hash("sha256", userOwner(as).owner.id, "base64url").slice(0, 22)}.`;
}

/**
 * Removes the oldest flows of a principal, but for so many. Done after each that comes, and not before: of several that come at once the
 * last one finds all others.
 */
async function trim(store: TenantStore, prefix: string): Promise<void> {
  const own = await allOf(store, prefix);
  const superfluous = own
    .toSorted((one, other) => (one.expiresAt ?? 0) - (other.expiresAt ?? 0))
    .slice(0, Math.max(0, own.length - mostFlows));
  if (superfluous.length === 0) return;
  // `any`: it does not matter who removes them.
  await store.write(superfluous.map(({ id }) => ({ action: "delete", kind, id, expected: "any" })));
}

async function allOf(store: TenantStore, prefix: string): Promise<readonly StoredRecord[]> {
  const found: StoredRecord[] = [];
  for (let after = prefix; ; ) {
    const page = await store.list(kind, { after, limit: pageSize });
    const own = page.filter(({ id }) => id.startsWith(prefix));
    found.push(...own);
    const last = own.at(-1);
    if (last === undefined || own.length < pageSize) return found;
    after = last.id;
  }
}

/** A clock that is set back makes nothing last longer than twice the time. */
function isInTime({ startedAt }: Flow, now: number): boolean {
  return Math.abs(now - startedAt) < flowMilliseconds;
}

/** What was begun in a session ends in it and in no other one, and what was begun outside of sessions may end in any. */
function isSameSession({ session }: Flow, as: Principal): boolean {
  return session === undefined || session === sessionOf(as);
}

/** Id of the session that a principal comes by; `undefined`: it comes by none. */
export function sessionOf({ credential }: Principal): string | undefined {
  return credential?.kind === "session" ? credential.id : undefined;
}

function isConflict(error: unknown): boolean {
  return error instanceof StoreError && error.code === "conflict";
}

async function guarded<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw unavailable("What is begun can't be kept or found at the moment.", error);
  }
}

function unavailable(what: string, cause: unknown): GatewayError {
  return new GatewayError("store_unavailable", `${what} Try again later.`, { cause, retryable: true });
}
