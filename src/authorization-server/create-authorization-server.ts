import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import { complainOnce } from "../complain-once.ts";
import { GatewayError } from "../errors.ts";
import { MalformedRecordError } from "../identity/check-record.ts";
import { endGrant } from "../identity/end-grants.ts";
import { type FileTenants, findTenant } from "../identity/find-tenant.ts";
import { believingNothing, type GuardedStore, guardStore } from "../identity/guard-store.ts";
import { readUser } from "../identity/user-record.ts";
import type { AuthConfig, AuthorizationServerConfig } from "../model/auth-config.ts";
import type { OwnAddress } from "../own-address.ts";
import type { Store } from "../store/store.ts";
import type { HttpClient } from "../upstream/http-client.ts";
import { readAccountId } from "./account-id.ts";
import type { AuthorizationServer } from "./authorization-server.ts";
import { createBrowserBinding } from "./browser-binding.ts";
import { hashOfRequest } from "./code-record.ts";
import { questionSeconds } from "./configure-provider.ts";
import { createClientRules } from "./create-client-rules.ts";
import { type LetProviderAnswer, loadProvider, type ProviderParts } from "./load-provider.ts";
import { createQuestions } from "./questions.ts";
import type { RequestState } from "./request-state.ts";
import { createEndpoints, isEndpointPath } from "./serve-endpoints.ts";
import { settleTokens } from "./settle-tokens.ts";

/** What the authorization server stands on. */
export interface AuthorizationServerParts {
  /** As of now; a reload changes it. */
  readonly auth: () => AuthConfig;
  /** Those of the file, as of now. */
  readonly tenants: () => FileTenants;
  /** `undefined`: none is open, and the server is off. */
  readonly store: () => Store | undefined;
  readonly http: HttpClient;
  readonly address: OwnAddress;
  /**
   * Keys of 32 bytes for a purpose, the newest first: the first one signs, all of them verify. None where none are configured: then what is
   * under way in browsers ends with the process.
   */
  readonly keys: (purpose: string) => readonly Buffer[];
  readonly log: (message: string, cause?: unknown) => void;
  /** Milliseconds since 1970; the system's clock by default. */
  readonly now?: () => number;
}

/** Longest wait for the store. */
const storeMilliseconds = 10_000;
/** Base URLs and sets of keys whose provider is kept; reloads make others. */
const mostProviders = 8;

/** Makes it. What it stands on is loaded when it is first used. */
export function createAuthorizationServer(parts: AuthorizationServerParts): AuthorizationServer {
  const { auth, address, now = Date.now } = parts;
  const log: AuthorizationServerParts["log"] = complainOnce(parts.log, now);
  const own = [randomBytes(32)];
  const keys = (purpose: string): readonly Buffer[] => {
    const configured = parts.keys(purpose);
    return configured.length === 0 ? own : configured;
  };
  const states = new AsyncLocalStorage<RequestState>();
  const state = (): RequestState => {
    const current = states.getStore();
    if (current === undefined) throw new Error("The protocol library works without a request.");
    return current;
  };
  const store = guarding({ ...parts, log });
  const clients = createClientRules({
    ...{ store: parts.store, http: parts.http, log, now },
    settings: () => settingsOf(auth()),
  });
  const binding = createBrowserBinding(() => keys("consent"), questionSeconds);
  const settings = (): AuthorizationServerConfig => {
    const current = settingsOf(auth());
    if (current === undefined || parts.store() === undefined) throw off();
    return current;
  };
  const questions = createQuestions({ store, clients, binding, now, log });
  const providers = new Map<string, Promise<LetProviderAnswer>>();

  function provider(issuer: string): Promise<LetProviderAnswer> {
    const cookieKeys = keys("oauth cookies").map((key) => key.toString("base64url"));
    const name = [issuer, ...cookieKeys].join(" ");
    const known = providers.get(name);
    if (known !== undefined) return known;
    const loaded = load({
      ...{ issuer, cookieKeys, store, clients, binding, address, settings, state, now },
      isAccount: (id) => isAccount(store(), parts.tenants(), id),
      settle: async (body) => {
        const current = state();
        const answer = await settleTokens({ store, settings, now, log }, current, body, hashOf(current));
        if (answer?.status === 200 && current.client !== undefined) await clients.used(current.client);
        return answer;
      },
      revoke: () => revoke(store(), state()),
    });
    providers.set(name, loaded);
    const [oldest] = providers.keys();
    if (providers.size > mostProviders && oldest !== undefined) providers.delete(oldest);
    // What could not be loaded is tried again.
    loaded.catch(() => providers.delete(name));
    return loaded;
  }

  async function load(library: ProviderParts): Promise<LetProviderAnswer> {
    try {
      return await loadProvider(library);
    } catch (error) {
      log("The authorization server could not be loaded, so nobody can connect an MCP client.", error);
      throw new GatewayError(
        "internal",
        "This gateway can't connect apps at the moment: its authorization server could not be loaded. Tell whoever runs the gateway; its log says why.",
        { cause: error },
      );
    }
  }

  const serve = createEndpoints({
    ...{ clients, address, now, binding, provider, log },
    run: async (current, work) => {
      await states.run(current, work);
      if (!(current.failure instanceof MalformedRecordError)) return;
      const thrown = believingNothing(log, () => Promise.reject(current.failure));
      current.failure = await thrown.catch((error: unknown) => error);
    },
  });
  const isOn = (): boolean => settingsOf(auth()) !== undefined && parts.store() !== undefined;
  return {
    owns: (path) => isOn() && isEndpointPath(path, address.baseUrls()),
    handle: async (request, response, target) => {
      const baseUrl = address.baseUrlFor(request.headers.host);
      await serve({ ...target, request, response, baseUrl, settings: settings() });
    },
    question: async (...asked) => {
      settings();
      return questions.question(...asked);
    },
    answer: async (...given) => {
      settings();
      return questions.answer(...given);
    },
  };
}

/** Nobody can be asked where nobody signs in. */
function settingsOf({ provider, authorizationServer }: AuthConfig): AuthorizationServerConfig | undefined {
  return provider === "none" ? undefined : authorizationServer;
}

/** The store as it is now, guarded. */
function guarding({ store, log }: AuthorizationServerParts): () => GuardedStore {
  let last: { readonly store: Store; readonly guarded: GuardedStore } | undefined;
  return () => {
    const current = store();
    if (current === undefined) throw off();
    if (last?.store !== current)
      last = { store: current, guarded: guardStore(current, storeMilliseconds, log) };
    return last.guarded;
  };
}

/** Whether whoever allowed something is still there, with their tenant, and it was not ended by what ends sessions. */
async function isAccount(store: GuardedStore, tenants: FileTenants, id: string): Promise<boolean> {
  const account = readAccountId(id);
  if (account === undefined || (await findTenant(store, tenants, account.tenant)) === undefined) return false;
  const found = await store.tenant(account.tenant).get("user", account.user);
  if (found === undefined) return false;
  const { disabled, generation } = readUser(found, account.user);
  return !disabled && generation === account.generation;
}

/** What makes two requests with the same code or refresh token the same request. */
function hashOf({ parameters, client }: RequestState): string {
  const rest = ["grant_type", "redirect_uri", "scope"].map((name) => parameters.get(name) ?? undefined);
  return hashOfRequest(client?.id, ...rest, ...parameters.getAll("resource"));
}

/** RFC 7009: a refresh token ends the grant, an access token only itself. */
async function revoke(
  store: GuardedStore,
  { failure, ended, presented, revokedAccess }: RequestState,
): Promise<void> {
  if (failure !== undefined || ended === undefined) return;
  if (presented?.kind === "refresh") {
    await endGrant(store.tenant(presented.record.tenant), presented.record.grant);
  } else if (revokedAccess !== undefined) {
    const { tenant, id } = revokedAccess;
    await store.tenant(tenant).write([{ action: "delete", kind: "access", id, expected: "any" }]);
  }
}

function off(): GatewayError {
  return new GatewayError("not_found", "This gateway is no authorization server.");
}
