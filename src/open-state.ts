import type { AuthorizationServer } from "./authorization-server/authorization-server.ts";
import { createAuthorizationServer } from "./authorization-server/create-authorization-server.ts";
import { GatewayError } from "./errors.ts";
import { checkIssuers, type IssuerProblem } from "./federation/check-issuers.ts";
import { createOidcSignIn } from "./federation/create-oidc-sign-in.ts";
import { createTokenVerifier } from "./federation/create-token-verifier.ts";
import type { OidcSignIn } from "./federation/oidc-sign-in.ts";
import { createIdentity } from "./identity/create-identity.ts";
import { createOpenIdentity } from "./identity/create-open-identity.ts";
import type { Identity } from "./identity/identity.ts";
import type { GatewayConfig } from "./model/config.ts";
import type { Discarded, KeyStatus, Rotation, RotationProgress } from "./model/keys.ts";
import type { Principal } from "./model/principal.ts";
import { createOwnAddress, type OwnAddress } from "./own-address.ts";
import { openSqliteStore } from "./store/sqlite/open-store.ts";
import { type Store, StoreError } from "./store/store.ts";
import { createHttpClient } from "./upstream/undici-client.ts";
import { createVault } from "./vault/create-vault.ts";
import { deriveKeys } from "./vault/derive-keys.ts";
import { discardKey } from "./vault/discard-key.ts";
import { guardVault } from "./vault/guard-vault.ts";
import { readKeyStatus } from "./vault/key-status.ts";
import { rotateKeys } from "./vault/rotate-keys.ts";
import { type Vault, VaultError } from "./vault/vault.ts";

/**
 * What outlives the process: the store that a configuration names, who may call according to it, and the keys that seal credentials in
 * it. Lives as long as the process; reloads change what it goes by.
 */
export interface OpenState {
  readonly identity: Identity;
  /** Where callers reach the gateway, which tokens are issued for. */
  readonly address: OwnAddress;
  /** Sign-in at an identity provider. */
  readonly oidcSignIn: OidcSignIn;
  /** The gateway's own, for MCP clients. */
  readonly authorizationServer: AuthorizationServer;
  /** `undefined`: the configuration names none. One that only a reload names is used for callers, and for credentials after a restart. */
  readonly store: Store | undefined;
  /** Its keys follow reloads. */
  readonly vault: Vault;
  /** Whoever runs the command line, acting in a tenant. Throws `not_found` for one that is not there. */
  operator(tenant?: string): Promise<Principal>;
  /**
   * Makes ready to go by another configuration. A store that is open stays the one; the first one that is needed is opened. What
   * is returned changes over to it at once; until then, and when this rejects, everything is as before.
   */
  reconfigure(config: GatewayConfig): Promise<() => void>;
  /**
   * Throws `internal`, for the operator, where something is stored that the configuration's keys can't open. For commands that use
   * credentials; others need no keys.
   */
  checkKeys(): Promise<void>;
  /** What is sealed with which key. `bad_request` when the configuration names no datastore. */
  keyStatus(): Promise<KeyStatus>;
  /** Seals everything with the first key of the configuration, while others use it. The same, and without a key too. */
  rotateKeys(progress: (progress: RotationProgress) => void): Promise<Rotation>;
  /**
   * Removes what nothing opens without a lost key, once `agree` was told what that is; `undefined`: it was not agreed. The same, and for
   * a key that is in the configuration, or that has sealed nothing.
   */
  discardKey(
    fingerprint: string,
    agree: (loss: Discarded) => Promise<boolean>,
  ): Promise<Discarded | undefined>;
  /** Writes a copy of the store to a new file; `bad_request` when the configuration names no datastore. */
  backup(file: string): Promise<void>;
  close(): Promise<void>;
}

/** Why issuers that a configuration names can't be relied on, found by asking them; needs no store. */
export async function findIssuerProblems({ auth, egress }: GatewayConfig): Promise<readonly IssuerProblem[]> {
  if (auth.oidc === undefined && auth.trustedIssuers.length === 0) return [];
  const http = createHttpClient({ allowedHosts: () => egress.allowedHosts });
  try {
    return await checkIssuers(auth, http);
  } finally {
    await http.close();
  }
}

/**
 * Opens the store of a configuration, if it has one, and what stands on it. Throws `GatewayError` for the operator.
 */
export async function openState(
  config: GatewayConfig,
  options: { readonly log: (message: string, cause?: unknown) => void },
): Promise<OpenState> {
  const { log } = options;
  let settings = config;
  let store = config.datastore === undefined ? undefined : await open(config.datastore);
  const vault = createVault(() => settings.server.encryptionKeys);
  const first = store;
  // By what the process began with, as is whom it answers: a reload moves it nowhere.
  const address = createOwnAddress(() => config.server);
  const http = createHttpClient({ allowedHosts: () => settings.egress.allowedHosts });
  const auth = () => settings.auth;
  const verifyToken = createTokenVerifier({ auth, http, log });
  const oidcSignIn = createOidcSignIn({ auth, store: () => store, http, address, log });
  const authorizationServer = createAuthorizationServer({
    ...{ auth, tenants: () => settings.tenants, store: () => store, http, address, log },
    keys: (purpose) => deriveKeys(settings.server.encryptionKeys, purpose),
  });
  let current = create();
  /** Those that a reload replaced, as they finish what is written late. */
  const retired = new Set<Promise<void>>();

  function create(): Identity {
    if (settings.auth.provider === "none")
      return createOpenIdentity({ settings: () => settings, store, log });
    if (store === undefined)
      throw new GatewayError("internal", "Sign-in needs a datastore, and none is open.");
    return createIdentity({ settings: () => settings, store, address, verifyToken, log });
  }

  function needed(what: string): Store {
    if (store !== undefined) return store;
    throw new GatewayError("bad_request", `The configuration names no datastore, ${what}.`);
  }

  const identity: Identity = {
    authenticate: (...request) => current.authenticate(...request),
    signIn: (attempt) => current.signIn(attempt),
    signInBy: (...account) => current.signInBy(...account),
    signOut: (presented) => current.signOut(presented),
    administration: (as) => current.administration(as),
    lookUp: (text) => current.lookUp(text),
    close: () => current.close(),
  };
  return {
    identity,
    ...{ address, oidcSignIn, authorizationServer },
    store: first,
    vault,
    operator: (tenant) => current.lookUp(tenant === undefined ? "operator" : `operator@${tenant}`),
    reconfigure: async (next) => {
      if (store === undefined && next.datastore !== undefined) store = await open(next.datastore);
      else if (next.datastore !== settings.datastore)
        log("What changed under `datastore:` takes effect with the next start.");
      if (store !== undefined)
        await inWords(
          guardVault(
            store,
            createVault(() => next.server.encryptionKeys),
          ),
        );
      return () => {
        const isOther = next.auth.provider !== settings.auth.provider;
        settings = next;
        if (!isOther) return;
        const closed = current.close().finally(() => retired.delete(closed));
        retired.add(closed);
        current = create();
      };
    },
    checkKeys: async () => {
      if (store !== undefined) await inWords(guardVault(store, vault));
    },
    keyStatus: async () => inWords(readKeyStatus(needed("so nothing is sealed"), vault)),
    rotateKeys: async (progress) =>
      inWords(rotateKeys({ store: needed("so nothing is sealed"), vault, progress })),
    discardKey: async (fingerprint, agree) =>
      inWords(discardKey({ store: needed("so nothing is sealed"), vault, fingerprint, agree })),
    backup: async (file) => inWords(needed("so there is nothing to copy").backup(file)),
    close: async () => {
      await Promise.all([...retired, current.close()]);
      await http.close();
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
    if (error instanceof VaultError) throw new GatewayError("bad_request", error.message);
    if (!(error instanceof StoreError)) throw error;
    throw new GatewayError("store_unavailable", error.message, { cause: error.cause });
  }
}
