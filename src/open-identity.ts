import { GatewayError } from "./errors.ts";
import { createIdentity } from "./identity/create-identity.ts";
import { createOpenIdentity } from "./identity/create-open-identity.ts";
import type { Identity } from "./identity/identity.ts";
import type { GatewayConfig } from "./model/config.ts";
import type { Principal } from "./model/principal.ts";
import { openSqliteStore } from "./store/sqlite/open-store.ts";
import { type Store, StoreError } from "./store/store.ts";

/** Who may call, over the store that a configuration names. Lives as long as the process; reloads change what it goes by. */
export interface OpenIdentity {
  readonly identity: Identity;
  /** Whoever runs the command line, acting in a tenant. Throws `not_found` for one that is not there. */
  operator(tenant?: string): Promise<Principal>;
  /**
   * Makes ready to go by another configuration. A store that is open stays the one; the first one that is needed is opened. What
   * is returned changes over to it at once; until then, and when this rejects, everything is as before.
   */
  reconfigure(config: GatewayConfig): Promise<() => void>;
  /** Writes a copy of the store to a new file; `bad_request` when the configuration names no datastore. */
  backup(file: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens the store of a configuration, if it has one, and the identity over it. Throws `GatewayError` for the operator. */
export async function openIdentity(
  config: GatewayConfig,
  options: { readonly log: (message: string, cause?: unknown) => void },
): Promise<OpenIdentity> {
  const { log } = options;
  let settings = config;
  let store = config.datastore === undefined ? undefined : await open(config.datastore);
  let current = create();
  /** Those that a reload replaced, as they finish what is written late. */
  const retired: Promise<void>[] = [];

  function create(): Identity {
    if (settings.auth.provider === "none")
      return createOpenIdentity({ settings: () => settings, store, log });
    if (store === undefined)
      throw new GatewayError("internal", "Sign-in needs a datastore, and none is open.");
    return createIdentity({ settings: () => settings, store, log });
  }

  const identity: Identity = {
    authenticate: (presented, actFor) => current.authenticate(presented, actFor),
    signIn: (attempt) => current.signIn(attempt),
    signOut: (presented) => current.signOut(presented),
    administration: (as) => current.administration(as),
    lookUp: (text) => current.lookUp(text),
    close: () => current.close(),
  };
  return {
    identity,
    operator: (tenant) => current.lookUp(tenant === undefined ? "operator" : `operator@${tenant}`),
    reconfigure: async (next) => {
      if (store === undefined && next.datastore !== undefined) store = await open(next.datastore);
      else if (next.datastore !== settings.datastore)
        log("What changed under `datastore:` takes effect with the next start.");
      return () => {
        const isOther = next.auth.provider !== settings.auth.provider;
        settings = next;
        if (!isOther) return;
        retired.push(current.close());
        current = create();
      };
    },
    backup: async (file) => {
      if (store === undefined)
        throw new GatewayError(
          "bad_request",
          "The configuration names no datastore, so there is nothing to copy.",
        );
      await inWords(store.backup(file));
    },
    close: async () => {
      await Promise.all([...retired, current.close()]);
      await store?.close();
    },
  };
}

function open(file: string): Promise<Store> {
  return inWords(openSqliteStore(file));
}

/** What a store says of itself is meant for the operator, and so are commands. */
async function inWords<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new GatewayError("store_unavailable", error.message, { cause: error.cause });
  }
}
