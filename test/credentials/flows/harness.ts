import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Connecting, createConnections } from "../../../src/credentials/create-connections.ts";
import { createCredentialStore } from "../../../src/credentials/create-credential-store.ts";
import type { CredentialStore } from "../../../src/credentials/credential-store.ts";
import { createMcpAuthorization } from "../../../src/credentials/mcp-oauth/create-mcp-authorization.ts";
import { createTokenClient } from "../../../src/credentials/oauth/create-token-client.ts";
import { redirectUriFor } from "../../../src/credentials/redirect-uri.ts";
import type { ProviderConfig } from "../../../src/model/config.ts";
import type {
  ConnectionConfig,
  ConnectionParam,
  CredentialField,
  OAuth2Auth,
} from "../../../src/model/connection-config.ts";
import type {
  CredentialChange,
  OAuthCallback,
  StartedOAuth,
  StartOAuth,
} from "../../../src/model/connections.ts";
import type { Principal } from "../../../src/model/principal.ts";
import { Secret } from "../../../src/secret.ts";
import { openSqliteStore } from "../../../src/store/sqlite/open-store.ts";
import type { Store } from "../../../src/store/store.ts";
import { createHttpClient } from "../../../src/upstream/undici-client.ts";
import type { Vault } from "../../../src/vault/vault.ts";
import { usualProviderLimits } from "../../limits.ts";
import { temporaryFolder } from "../../store/temporary-folder.ts";
import { vaultOf } from "../../vault/keys.ts";
import { type AuthorizationServer, defaultClient } from "../authorization-server.ts";

export const minute = 60_000;
const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };

/** The subject over a real store, a real vault and the real way out, with a clock that only the test moves. */
export interface Harness {
  readonly file: string;
  readonly store: Store;
  readonly credentials: CredentialStore;
  readonly connecting: Connecting;
  /** Everything that was logged, causes included. */
  readonly log: string[];
  readonly changes: CredentialChange[];
  providers: readonly ProviderConfig[];
  time: number;
  baseUrl: string;
  /** Providers that nobody may know of. */
  readonly hidden: Set<string>;
  /** Access or other secret of a stored credential, by its field. */
  secretOf(
    as: Principal,
    field?: string,
    where?: Partial<{ connection: string; instance: string }>,
  ): Promise<string | undefined>;
}

export interface HarnessOptions {
  readonly wrap?: (store: Store) => Store;
  readonly vault?: Vault;
  readonly withStore?: boolean;
}

export async function createHarness(
  connections: readonly ConnectionConfig[],
  options: HarnessOptions = {},
): Promise<Harness> {
  const folder = await temporaryFolder();
  const file = join(folder.path, "gestalt.db");
  const real = await openSqliteStore(file, { now: () => harness.time });
  const store = options.wrap?.(real) ?? real;
  const http = createHttpClient({ allowedHosts: () => ["127.0.0.1"] });
  onTestFinished(async () => {
    await http.close();
    await real.close();
    await folder.remove();
  });
  const log: string[] = [];
  const changes: CredentialChange[] = [];
  const vault = options.vault ?? vaultOf("one");
  const write = (message: string, cause?: unknown): void => void log.push(`${message} ${everything(cause)}`);
  const now = (): number => harness.time;
  const own = options.withStore === false ? undefined : store;
  const baseUrl = (): string => harness.baseUrl;
  const shared = { store: own, vault, log: write, now, http, baseUrl };
  const credentials = createCredentialStore(shared);
  const hidden = new Set<string>();
  const connecting = createConnections({
    ...shared,
    providers: () => harness.providers,
    mayKnow: (_principal, provider) => !hidden.has(provider),
    credentials,
    tokens: createTokenClient(http, { now }),
    mcp: createMcpAuthorization({
      ...shared,
      redirectUri: (issuer) => redirectUriFor(harness.baseUrl, issuer),
    }),
    changed: (change) => changes.push(change),
  });
  const harness: Harness = {
    ...{ file, store: real, credentials, connecting, log, changes, hidden },
    providers: [provider(connections)],
    time: Date.now(),
    baseUrl: "http://127.0.0.1:4000",
    secretOf: async (as, field = "access_token", where = {}) => {
      const stored = await credentials.reread({
        tenant: as.tenant,
        owner: { kind: "user", id: as.id },
        ...{ provider: "crm", connection: "default", instance: "default" },
        ...where,
      });
      return stored?.secrets[field]?.reveal();
    },
  };
  return harness;
}

/** A person who is signed in. */
export function person(id: string, changes: Partial<Principal> = {}): Principal {
  return {
    kind: "user",
    id,
    name: id,
    tenant: "acme",
    home: changes.tenant ?? "acme",
    roles: [],
    scopes: undefined,
    credential: { kind: "session", id: `ses_${id}` },
    exposure: { kind: "all" },
    ...changes,
  };
}

export function provider(
  connections: readonly ConnectionConfig[],
  changes: Partial<ProviderConfig> = {},
): ProviderConfig {
  return {
    name: "crm",
    displayName: "CRM",
    description: undefined,
    headers: {},
    managedParameters: [],
    responseMapping: undefined,
    retries: { attempts: 0, budget: 1 },
    limits: usualProviderLimits,
    mcp: { enabled: true, toolPrefix: "crm_" },
    tenants: undefined,
    surfaces: [],
    connections: Object.fromEntries(connections.map((each) => [each.name, each])),
    select: { include: [], exclude: [] },
    allowedOperations: undefined,
    place,
    ...changes,
  };
}

export function connection(
  auth: ConnectionConfig["auth"],
  changes: Partial<ConnectionConfig> = {},
): ConnectionConfig {
  return {
    name: "default",
    displayName: "Default",
    description: undefined,
    mode: "user",
    auth,
    params: [],
    discovery: undefined,
    place,
    ...changes,
  };
}

/** A client of an authorization server of the tests. */
export function oauth2(server: AuthorizationServer, changes: Partial<OAuth2Auth> = {}): OAuth2Auth {
  return {
    type: "oauth2",
    grant: "authorization_code",
    authorizationUrl: server.authorizationUrl,
    tokenUrl: server.tokenUrl,
    revocationUrl: server.revocationUrl,
    issuer: server.issuer,
    clientId: defaultClient.id,
    clientSecret: new Secret(defaultClient.secret ?? ""),
    clientAuth: "header",
    exchange: "form",
    scopes: ["read"],
    scopeParameter: "scope",
    scopeSeparator: " ",
    resource: undefined,
    pkce: true,
    authorizationParameters: {},
    tokenParameters: {},
    refreshParameters: {},
    accessTokenPath: ["access_token"],
    header: "Authorization",
    prefix: "Bearer ",
    ...changes,
  };
}

export function bearer(): ConnectionConfig["auth"] {
  return {
    type: "bearer",
    fields: [field("token", { in: "header", header: "Authorization", prefix: "Bearer " })],
  };
}

export function field(name: string, target: CredentialField["target"]): CredentialField {
  return { name, label: name.toUpperCase(), description: undefined, value: undefined, target };
}

export function param(name: string, changes: Partial<ConnectionParam> = {}): ConnectionParam {
  return {
    name,
    label: name.toUpperCase(),
    description: undefined,
    required: true,
    default: undefined,
    fromToken: undefined,
    fromDiscovery: undefined,
    target: undefined,
    place,
    ...changes,
  };
}

export async function start(
  { connecting }: Harness,
  as: Principal,
  request: Partial<StartOAuth> = {},
): Promise<StartedOAuth> {
  const started = await connecting.connections(as).startOAuth({ provider: "crm", ...request });
  if (started.kind !== "started") throw new Error("nothing was started");
  return started;
}

/** What a browser brings back. */
export function callbackOf(url: URL): OAuthCallback {
  const get = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  return {
    state: get("state") ?? "",
    code: get("code"),
    issuer: get("iss"),
    error: get("error"),
    errorDescription: get("error_description"),
    redirectPath: /^\/api\/v1\/auth\/callback(?:\/(.+))?$/.exec(url.pathname)?.[1],
  };
}

/** Goes all the way. */
export async function connect(
  harness: Harness,
  server: AuthorizationServer,
  as: Principal,
  request: Partial<StartOAuth> = {},
  user = as.id,
): ReturnType<Connecting["finishOAuth"]> {
  const { authorizationUrl } = await start(harness, as, request);
  const callback = callbackOf(await server.approve(authorizationUrl, user));
  return harness.connecting.finishOAuth(as, { ...callback, browser: request.browser });
}

/** Code and message of the error that something rejects with. */
export async function failureOf(
  work: Promise<unknown>,
): Promise<{ code: string; message: string; all: string }> {
  try {
    const value = await work;
    throw new Error(`resolved: ${JSON.stringify(value)}`);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return {
      code: "code" in error ? String(error.code) : "none",
      message: error.message,
      all: everything(error),
    };
  }
}

/** Everything that an error says, its causes and members included. */
export function everything(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error) ?? "";
  return `${error.stack} ${JSON.stringify(error)} ${everything(error.cause)}`;
}
