import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { createConnectUrl } from "../../src/credentials/connect-url.ts";
import { createCredentialStore } from "../../src/credentials/create-credential-store.ts";
import { createTokenKeeper } from "../../src/credentials/create-token-keeper.ts";
import type { CredentialStore } from "../../src/credentials/credential-store.ts";
import { createMintedTokens } from "../../src/credentials/oauth/minted-tokens.ts";
import { TokenError } from "../../src/credentials/oauth/token-client.ts";
import { gatewayOwner, tenantOwner, userOwner } from "../../src/credentials/owner.ts";
import {
  createCredentialResolver,
  type ResolvingCredentials,
} from "../../src/credentials/resolve-credential.ts";
import { GatewayError } from "../../src/errors.ts";
import type { ProviderConfig } from "../../src/model/config.ts";
import type { Credential } from "../../src/model/credential.ts";
import type { InvocationRequest } from "../../src/model/invocation.ts";
import type { Principal } from "../../src/model/principal.ts";
import { Secret } from "../../src/secret.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import { principalOf } from "../principals.ts";
import { temporaryFolder } from "../store/temporary-folder.ts";
import { vaultOf } from "../vault/keys.ts";
import { requestOf, toolOf } from "./calling.ts";
import {
  mintedToken,
  passedHeader,
  type SelectionRow,
  selectionConfiguration,
  selectionEnvironment,
  selectionFiles,
  selectionProviders,
  selectionRows,
  surfaces,
} from "./selection-rows.ts";
import { factsOf } from "./stored.ts";

const addresses = {
  http: "http://127.0.0.1:4010",
  graphql: "http://127.0.0.1:4011/graphql",
  mcp: "http://127.0.0.1:4012/mcp",
  token: "http://127.0.0.1:4013/token",
};

/** The resolver over real SQLite, the real vault and the real keeper; only the token endpoint is a stand-in. */
interface Fixture {
  readonly providers: ReadonlyMap<string, ProviderConfig>;
  readonly store: Store;
  readonly credentials: CredentialStore;
  readonly resolver: ResolvingCredentials;
  close(): Promise<void>;
}

async function openFixture(): Promise<Fixture> {
  const folder = await temporaryFolder();
  const loaded = await loadConfig("gestalt.yaml", {
    environment: selectionEnvironment,
    references: "resolve",
    workingDirectory: folder.path,
    readFile: async () =>
      new TextEncoder().encode(JSON.stringify({ providers: selectionConfiguration(addresses) })),
  });
  const unexpected = loaded.diagnostics.filter(
    ({ code }) => !["unused-connection", "no-encryption-key", "default-datastore"].includes(code),
  );
  if (loaded.config === undefined || unexpected.length > 0) throw new Error(JSON.stringify(unexpected));
  const providers = new Map(loaded.config.providers.map((provider) => [provider.name, provider]));
  const store = await openSqliteStore(join(folder.path, "gateway.db"));
  const log = (): void => {};
  const credentials = createCredentialStore({ store, vault: vaultOf("one"), log });
  const refuse = async (): Promise<never> => {
    throw new TokenError("refused", "Nothing is refreshed here.");
  };
  const keeper = createTokenKeeper({ credentials, refresh: refuse, changed: () => {}, log });
  const minted = createMintedTokens({
    tokens: {
      authorizationUrl: refuse,
      exchangeCode: refuse,
      refresh: refuse,
      revoke: refuse,
      clientCredentials: async () => ({
        accessToken: new Secret(mintedToken),
        ...{ refreshToken: undefined, expiresAt: undefined, scopes: undefined, answer: {} },
      }),
    },
  });
  const resolver = createCredentialResolver({
    provider: (name) => providers.get(name),
    ...{ credentials, keeper, minted },
    connectUrl: createConnectUrl(() => "https://gw.example.com"),
  });
  return {
    ...{ providers, store, credentials, resolver },
    close: async () => {
      await keeper.close();
      await store.close();
      await folder.remove();
    },
  };
}

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture.close());

/** Every row has a tenant and a caller of its own. */
function callerOf(row: SelectionRow): Principal {
  const number = selectionRows.indexOf(row);
  return principalOf("user", `usr_${number}`, `tenant-${number}`);
}

async function storeSlots(row: SelectionRow): Promise<void> {
  const caller = callerOf(row);
  const abroad = { ...caller, tenant: `${caller.tenant}-b`, home: `${caller.tenant}-b` };
  const owners = {
    user: userOwner(caller),
    tenant: tenantOwner(caller),
    other: userOwner({ ...caller, id: `${caller.id}-b` }),
    foreign: userOwner(abroad),
    elsewhere: tenantOwner(abroad),
    gateway: gatewayOwner,
  };
  for (const { owner, connection, instance, ready, type, token } of row.stored) {
    const reference = { ...owners[owner], provider: row.provider.name, connection, instance };
    const secrets = type === "bearer" ? { token } : { access_token: token };
    const { oauth: issuedBy } = factsOf({});
    const facts = factsOf(secrets, {
      type,
      params: {},
      expiresAt: undefined,
      state: ready
        ? { kind: "ready" }
        : { kind: "reconnect_required", reason: "It was revoked.", wanted: [] },
      oauth:
        type === "bearer" || issuedBy === undefined ? undefined : { ...issuedBy, tokenUrl: addresses.token },
    });
    await fixture.credentials.put(reference, facts, "any", true);
  }
}

function callOf(row: SelectionRow): InvocationRequest {
  return requestOf(callerOf(row), {
    connection: row.connection,
    instance: row.instance,
    header: (name) => (name === passedHeader.toLowerCase() ? row.header : undefined),
  });
}

async function resolve(row: SelectionRow): Promise<Credential> {
  const provider = fixture.providers.get(row.provider.name);
  if (provider === undefined) throw new Error(`No provider ${row.provider.name}`);
  return fixture.resolver.resolve(callOf(row), toolOf(provider));
}

/** What an upstream would see of a credential. */
function tokenIn({ headers }: Credential): string | undefined {
  const passed = headers[passedHeader.toLowerCase()]?.reveal();
  return passed ?? headers["authorization"]?.reveal().replace("Bearer ", "");
}

describe("which credential a call uses", () => {
  test("is told by at least 150 rows over all surfaces, each with a name of its own", () => {
    expect(selectionRows.length).toBeGreaterThanOrEqual(150);
    expect(new Set(selectionRows.map(({ name }) => name)).size).toBe(selectionRows.length);
    expect(new Set(selectionProviders.map(({ surface }) => surface))).toEqual(new Set(surfaces));
    expect(Object.keys(selectionFiles).length).toBeGreaterThan(0);
  });

  test.each(selectionRows)("$name", async (row) => {
    await storeSlots(row);
    const { expected } = row;
    if (expected.kind === "token") {
      const credential = await resolve(row);
      expect(tokenIn(credential)).toBe(expected.token);
      // Made once, for as long as nothing changes.
      if (row.header === undefined) expect(await resolve(row)).toBe(credential);
      return;
    }
    const error = await resolve(row).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof GatewayError)) throw new Error(`No GatewayError: ${String(error)}`);
    expect(error.code).toBe(expected.code);
    expect(error.details["instances"]).toEqual(expected.instances);
    for (const name of expected.instances ?? []) expect(error.message).toContain(`\`${name}\``);
    for (const { token } of row.stored)
      expect(JSON.stringify([error.message, error.details])).not.toContain(token);
    if (error.code === "bad_request") return;
    expect(error.details).toMatchObject({ provider: row.provider.name, connection: row.provider.bound });
    if (error.code === "instance_selection_required" || row.provider.kind === "passthrough") return;
    const url = new URL(String(error.details["connect_url"]));
    expect(`${url.origin}${url.pathname}`).toBe("https://gw.example.com/connect");
    expect(url.searchParams.get("provider")).toBe(row.provider.name);
    expect(url.searchParams.get("connection")).toBe(row.provider.bound);
    expect(error.message).toContain(url.href);
  });

  test.each(selectionRows)("is told without the tool: $name", async (row) => {
    await storeSlots(row);
    const provider = fixture.providers.get(row.provider.name);
    if (provider === undefined) throw new Error(`No provider ${row.provider.name}`);
    const { provider: name, operation, connection } = toolOf(provider);
    const missing = await fixture.resolver.missing(callOf(row), { provider: name, operation, connection });
    const resolved = await resolve(row).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    // Nothing is waited for where nothing is declared, or where calls bring it along.
    if (connection === undefined) expect(missing).toBeUndefined();
    else if (row.provider.kind !== "passthrough") expect(missing).toEqual(resolved);
  });

  // What is said of arguments and of headers depends on the call.
  const plain = selectionRows.filter(
    ({ connection, instance, provider }) =>
      connection === undefined && instance === undefined && provider.kind !== "passthrough",
  );
  test.each(plain)("is explained as it is: $name", async (row) => {
    await storeSlots(row);
    const provider = fixture.providers.get(row.provider.name);
    if (provider === undefined) throw new Error(`No provider ${row.provider.name}`);
    const steps = await fixture.resolver.explain(provider, toolOf(provider), callerOf(row));
    const last = steps.at(-1)?.detail ?? "";
    if (row.expected.kind === "error") expect(last).toContain(`\`${row.expected.code}\``);
    else expect(last).not.toContain("refused");
    for (const { token } of row.stored) expect(JSON.stringify(steps)).not.toContain(token);
  });
});
