import { GatewayError } from "../errors.ts";
import { believingNothing, type GuardedTenantStore, guardStore } from "../identity/guard-store.ts";
import {
  isRegistrationId,
  newRegistrationId,
  putRegistration,
  type RegistrationRecord,
  readRegistration,
  registrationsFrom,
} from "../identity/registration-record.ts";
import type { Store } from "../store/store.ts";
import { ClientProblem } from "./client-rules.ts";

/** Clients that registered themselves, as they are kept: in the gateway's own tenant, since they belong to nobody. */
export interface Registrations {
  /** `undefined` for those that are over as well. Throws `GatewayError` `store_unavailable`. */
  find(id: string): Promise<RegistrationRecord | undefined>;
  /** Keeps a new one. Throws {@link ClientProblem} where there are too many that nobody uses. */
  add(client: NewRegistration): Promise<RegistrationRecord>;
  /** Puts the end of one off; written at most once a day. */
  used(id: string): Promise<void>;
}

/** What a client registers. */
export interface NewRegistration
  extends Pick<RegistrationRecord, "redirectUris" | "authenticationMethod" | "secretHash"> {
  /** `undefined`: it is called by its id. */
  readonly name: string | undefined;
}

/** The bounds of what is kept, as of now. */
export interface RegistrationBounds {
  /** Registrations that nobody has used, of all together. */
  readonly mostUnused: number;
  /** They end after so long; 0: there are none any more. */
  readonly unusedMilliseconds: number;
  /** How long a grant lasts without use: a client lives longer than what people allow it. */
  readonly grantMilliseconds: number;
}

const minute = 60_000;
const day = 24 * 60 * minute;
/** Somebody may be on the way through the browser with a registration of this age, so that it does not give way to others. */
const graceMilliseconds = 10 * minute;
/** From the last use. */
const usedMilliseconds = 90 * day;
const storeMilliseconds = 5_000;
const pageSize = 1_000;
/** Registrations that wait for the ones before. */
const mostWaiting = 100;

/** Registrations over a store. `log` hears of failures of the store. */
export function createRegistrations(parts: {
  readonly store: () => Store | undefined;
  readonly bounds: () => RegistrationBounds;
  readonly now: () => number;
  readonly log: (message: string, cause?: unknown) => void;
}): Registrations {
  const { now, log } = parts;
  // One after the other, so that all of a flood are counted.
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  function records(): GuardedTenantStore {
    const store = parts.store();
    if (store === undefined) throw new GatewayError("store_unavailable", "This gateway has no datastore.");
    return guardStore(store, storeMilliseconds, log).gateway;
  }

  function isOver(record: RegistrationRecord): boolean {
    return record.usedAt === undefined && record.createdAt + parts.bounds().unusedMilliseconds <= now();
  }

  async function find(id: string): Promise<RegistrationRecord | undefined> {
    if (!isRegistrationId(id)) return undefined;
    return await believingNothing(log, async () => {
      const found = await records().get("registration", id);
      const record = found === undefined ? undefined : readRegistration(found, id);
      return record === undefined || isOver(record) ? undefined : record;
    });
  }

  /** The oldest first. Ids sort by time, and what was made before these is used or over. */
  async function unused(): Promise<readonly RegistrationRecord[]> {
    const all: RegistrationRecord[] = [];
    let after = registrationsFrom(now() - parts.bounds().unusedMilliseconds);
    for (;;) {
      const page = (await records().page("registration", after, pageSize)).map((found) =>
        readRegistration(found),
      );
      all.push(...page.filter((record) => record.usedAt === undefined && !isOver(record)));
      const end = page.at(-1)?.id;
      if (end === undefined || end <= after || page.length < pageSize) return all;
      after = end;
    }
  }

  async function add({ name, ...client }: NewRegistration): Promise<RegistrationRecord> {
    const { mostUnused, unusedMilliseconds } = parts.bounds();
    const unusedOnes = await unused();
    const tooMany = unusedOnes.length + 1 - mostUnused;
    const leaving = unusedOnes.slice(0, Math.max(0, tooMany));
    const youngest = leaving.at(-1)?.createdAt ?? 0;
    const wait = youngest + graceMilliseconds - now();
    if (leaving.length < tooMany || wait > 0) throw full(wait);
    const createdAt = now();
    const id = newRegistrationId(createdAt);
    const record: Omit<RegistrationRecord, "version"> = {
      ...{ ...client, id, clientName: name ?? id },
      ...{ createdAt, usedAt: undefined, expiresAt: createdAt + unusedMilliseconds },
    };
    await records().write([
      ...leaving.map(
        ({ id, version }) => ({ action: "delete", kind: "registration", id, expected: version }) as const,
      ),
      putRegistration(record, "absent"),
    ]);
    return { ...record, version: 0 };
  }

  /** Where one of those that give way is used at that moment, others do. */
  async function addAgain(client: NewRegistration): Promise<RegistrationRecord> {
    try {
      return await add(client);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== "conflict") throw error;
      return await add(client);
    }
  }

  return {
    find,
    add(client) {
      if (waiting >= mostWaiting) throw full(minute);
      waiting += 1;
      const added = last.then(() => believingNothing(log, () => addAgain(client)));
      last = added.catch(() => undefined).finally(() => (waiting -= 1));
      return added;
    },
    async used(id) {
      try {
        const record = await find(id);
        if (record === undefined || (record.usedAt !== undefined && record.usedAt + day > now())) return;
        const usedAt = now();
        // A day more, since it is written once a day.
        const expiresAt = usedAt + day + Math.max(usedMilliseconds, parts.bounds().grantMilliseconds);
        await records().write([putRegistration({ ...record, usedAt, expiresAt }, record.version)]);
      } catch (error) {
        // Of two uses at once one loses, and says the same.
        if (error instanceof GatewayError && error.code === "conflict") return;
        log("The use of a registered client could not be written. It may have to register again.", error);
      }
    },
  };
}

function full(wait: number): ClientProblem {
  return new ClientProblem(
    "temporarily_unavailable",
    "Too many clients have registered here that nobody has used yet. Try again later, or ask the gateway's operator for a client of your own (auth.authorization_server.clients).",
    { status: 429, retryAfter: Math.max(1, Math.ceil(Math.min(wait, graceMilliseconds) / 1_000)) },
  );
}
