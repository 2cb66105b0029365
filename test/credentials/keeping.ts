import { join } from "node:path";
import { inspect } from "node:util";
import { expect } from "vitest";
import { createTokenKeeper } from "../../src/credentials/create-token-keeper.ts";
import type {
  CredentialFacts,
  CredentialStore,
  StoredCredential,
} from "../../src/credentials/credential-store.ts";
import type { CredentialChange } from "../../src/credentials/credentials.ts";
import type { RefreshTimings } from "../../src/credentials/refresh/timings.ts";
import type { TokenKeeper } from "../../src/credentials/token-keeper.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import { temporaryFolder } from "../store/temporary-folder.ts";
import { failingStore } from "./failing-store.ts";
import { credentialsOver, factsFor, newKey, openRefresher, referenceOf } from "./refreshing.ts";
import { RotatingIssuer } from "./rotating-issuer.ts";

/** A keeper over real SQLite, the real vault and token client, and an issuer that rotates; the clock alone is the test's. */
export interface Keeping {
  readonly issuer: RotatingIssuer;
  readonly credentials: CredentialStore;
  readonly keeper: TokenKeeper;
  readonly changes: CredentialChange[];
  readonly log: string[];
  /** Milliseconds since 1970. */
  now: number;
  fault: { fails: "nothing" | "writes" | "all" };
  /** Called with what is about to be refreshed, before the request and after its answer. */
  around: { before: (stored: StoredCredential) => Promise<void>; after: () => Promise<void> };
  /** Authorizes and stores; `life` in seconds. */
  connect(user: string, overrides?: Partial<CredentialFacts>): Promise<StoredCredential>;
  stored(user: string): Promise<StoredCredential | undefined>;
  obtain(user: string): Promise<StoredCredential | undefined>;
  /** Another keeper with a store of its own on the same file, as another process would have it. */
  another(timings?: Partial<RefreshTimings>): Promise<{ keeper: TokenKeeper; fault: Keeping["fault"] }>;
  close(): Promise<void>;
}

const quick: Partial<RefreshTimings> = {
  lease: 2_000,
  leaseRenewal: 300,
  patience: 6_000,
  firstLook: 5,
  longestLook: 50,
  firstWritePause: 10,
  longestWritePause: 20,
};

/** Opens one; `timings` besides those that are short anyway. */
export async function openKeeping(timings: Partial<RefreshTimings> = {}): Promise<Keeping> {
  const folder = await temporaryFolder();
  const file = join(folder.path, "gateway.db");
  const key = newKey();
  const issuer = await RotatingIssuer.start();
  const closers: (() => Promise<void>)[] = [];
  const log: string[] = [];
  const told: string[] = [];
  const changes: CredentialChange[] = [];
  const around: Keeping["around"] = { before: async () => undefined, after: async () => undefined };
  const now = (): number => keeping.now;

  const open = async (more: Partial<RefreshTimings>) => {
    const real = await openSqliteStore(file, { patience: 30_000 });
    const fault = failingStore(real);
    const credentials = credentialsOver(fault.store, key, (line) => log.push(line));
    const refresher = openRefresher(now);
    const keeper = createTokenKeeper({
      credentials,
      refresh: async (stored, signal) => {
        await around.before(stored);
        try {
          return await refresher.refresh(stored, signal);
        } finally {
          await around.after();
        }
      },
      changed: (change) => changes.push(change),
      log: (message, cause) => log.push(`${message} ${inspect(cause, { depth: 10 })}`),
      now,
      random: () => 0.5,
      timings: { ...quick, ...more },
    });
    closers.push(async () => {
      await keeper.close();
      await refresher.close();
      await real.close();
    });
    return { keeper, credentials, fault };
  };

  const { keeper, credentials, fault } = await open(timings);
  const keeping: Keeping = {
    ...{ issuer, credentials, keeper, changes, log, fault, around },
    now: 1_700_000_000_000,
    connect: async (user, overrides = {}) => {
      const facts = factsFor(issuer.authorize(user), keeping.now, `${issuer.url}/token`, overrides);
      return credentials.put(referenceOf(user), facts, "any", true);
    },
    stored: (user) => credentials.reread(referenceOf(user)),
    obtain: async (user) => {
      try {
        return await keeper.obtain(referenceOf(user), AbortSignal.timeout(20_000));
      } catch (error) {
        told.push(inspect(error, { depth: 10 }));
        throw error;
      }
    },
    another: (more = {}) => open({ ...timings, ...more }),
    async close() {
      for (const close of closers) await close();
      const said = [...log, ...told, inspect(changes, { depth: 10 })].join("\n");
      const leaked = [...issuer.secrets, "canary-of-the-issuer"].filter((secret) => said.includes(secret));
      await issuer.stop();
      await folder.remove();
      // Whatever a test is about: nothing secret, and nothing that a server says in its own words, is ever told.
      expect(leaked).toEqual([]);
    },
  };
  return keeping;
}
