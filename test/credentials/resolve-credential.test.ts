import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { createConnectUrl } from "../../src/credentials/connect-url.ts";
import { createCredentialStore } from "../../src/credentials/create-credential-store.ts";
import { createTokenKeeper } from "../../src/credentials/create-token-keeper.ts";
import type {
  CredentialFacts,
  CredentialStore,
  Owner,
  StoredOAuth,
} from "../../src/credentials/credential-store.ts";
import { createMintedTokens } from "../../src/credentials/oauth/minted-tokens.ts";
import { type TokenClient, TokenError } from "../../src/credentials/oauth/token-client.ts";
import { gatewayOwner, tenantOwner, userOwner } from "../../src/credentials/owner.ts";
import {
  createCredentialResolver,
  type ResolvingCredentials,
} from "../../src/credentials/resolve-credential.ts";
import type { ProviderConfig } from "../../src/model/config.ts";
import type { Credential } from "../../src/model/credential.ts";
import type { Principal } from "../../src/model/principal.ts";
import { Secret } from "../../src/secret.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import { principalOf } from "../principals.ts";
import { temporaryFolder } from "../store/temporary-folder.ts";
import { vaultOf } from "../vault/keys.ts";
import { requestOf, toolOf } from "./calling.ts";
import { factsOf } from "./stored.ts";

const tokenUrl = "https://id.example.com/token";
const issued: StoredOAuth = {
  issuer: undefined,
  tokenUrl,
  revocationUrl: undefined,
  clientId: "gateway",
  clientAuth: "header",
  resource: undefined,
  namedBy: "operator",
};
const never = new AbortController().signal;
const ann = principalOf("user", "usr_ann", "acme");

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let store: Store;
let credentials: CredentialStore;
let keeper: ReturnType<typeof createTokenKeeper>;
let provider: ProviderConfig;
let resolver: ResolvingCredentials;
/** What the token endpoint gives, one after the other; nothing left: it refuses. */
let tokens: string[];

beforeEach(async () => {
  folder = await temporaryFolder();
  store = await openSqliteStore(join(folder.path, "gateway.db"));
  const log = (): void => {};
  credentials = createCredentialStore({ store, vault: vaultOf("one"), log });
  tokens = [];
  const give = async (): ReturnType<TokenClient["refresh"]> => {
    const next = tokens.shift();
    if (next === undefined) throw new TokenError("refused", "The grant is over.", { code: "invalid_grant" });
    return {
      accessToken: new Secret(next),
      refreshToken: new Secret(`refresh-${next}`),
      ...{ expiresAt: undefined, scopes: undefined, answer: {} },
    };
  };
  keeper = createTokenKeeper({ credentials, refresh: give, changed: () => {}, log });
  const client: TokenClient = {
    authorizationUrl: () => Promise.reject(new Error("nobody signs in")),
    exchangeCode: give,
    refresh: give,
    clientCredentials: give,
    revoke: async () => false,
  };
  resolver = createCredentialResolver({
    provider: (name) => (name === provider.name ? provider : undefined),
    ...{ credentials, keeper, minted: createMintedTokens({ tokens: client }) },
    connectUrl: createConnectUrl(() => "https://gw.example.com"),
  });
});
afterEach(async () => {
  await keeper.close();
  await store.close();
  await folder.remove();
});

/** A provider `crm` with one connection, as a file has it. */
async function configure(connection: object, surface: object = { rest: restSurface }): Promise<void> {
  const file = { providers: { crm: { surfaces: surface, connections: { default: connection } } } };
  const loaded = await loadConfig("gestalt.yaml", {
    environment: { SECRET: "client-secret", NAME: "ann", WORD: "pässword" },
    references: "resolve",
    workingDirectory: folder.path,
    readFile: async () => new TextEncoder().encode(JSON.stringify(file)),
  });
  const [first] = loaded.config?.providers ?? [];
  if (first === undefined) throw new Error(JSON.stringify(loaded.diagnostics));
  provider = first;
}

const restSurface = {
  base_url: "https://crm.example.com",
  operations: [{ name: "read", method: "GET", path: "/read" }],
};
const oauth2 = {
  type: "oauth2",
  authorization_url: "https://id.example.com/authorize",
  token_url: tokenUrl,
  client_id: "gateway",
  client_secret: "${env:SECRET}",
};

async function put(
  owner: Owner,
  secrets: Readonly<Record<string, string>>,
  changes: Partial<CredentialFacts> = {},
  instance = "default",
): Promise<void> {
  const facts = factsOf(secrets, {
    type: "bearer",
    oauth: undefined,
    params: {},
    expiresAt: undefined,
    ...changes,
  });
  const reference = { ...owner, provider: "crm", connection: "default", instance };
  await credentials.put(reference, facts, "any", true);
}

function resolve(
  principal: Principal = ann,
  overrides: Parameters<typeof requestOf>[1] = {},
): Promise<Credential> {
  return resolver.resolve(requestOf(principal, overrides), toolOf(provider));
}

/** As it goes onto the wire. */
function sent({ headers, query, cookies = {}, params = {} }: Credential): object {
  const plain = (values: Readonly<Record<string, Secret>>): object =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.reveal()]));
  return { headers: plain(headers), query: plain(query), cookies: plain(cookies), params };
}

describe("a stored credential is sent as its connection says", () => {
  test("in several fields, headers, query, cookies and basic authentication", async () => {
    const fields = [
      { name: "user", basic: "username" },
      { name: "word", basic: "password" },
      { name: "key", header: "X-Key", prefix: "Key " },
      { name: "id", query: "id" },
      { name: "session", cookie: "sid" },
    ];
    await configure({ mode: "user", auth: { type: "manual", credentials: fields } });
    const secrets = { user: "ann", word: "pässword", key: "k", id: "i", session: "s" };
    await put(userOwner(ann), secrets, { type: "manual" });
    expect(sent(await resolve())).toEqual({
      headers: { authorization: `Basic ${Buffer.from("ann:pässword").toString("base64")}`, "x-key": "Key k" },
      query: { id: "i" },
      cookies: { sid: "s" },
      params: {},
    });
  });

  test("an access token in the header and with the prefix of the connection", async () => {
    await configure({ mode: "user", auth: { ...oauth2, header: "X-Access-Token", prefix: "token=" } });
    await put(userOwner(ann), { access_token: "a" }, { type: "oauth2", oauth: issued });
    expect(sent(await resolve())).toMatchObject({ headers: { "x-access-token": "token=a" } });
  });

  test("with its params, in their places and by their names", async () => {
    const params = {
      site: { header: "X-Site" },
      region: { default: "eu", query: "region" },
      hint: { required: false, query: "hint" },
    };
    await configure({ mode: "user", auth: { type: "bearer" }, params });
    await put(userOwner(ann), { token: "t" }, { params: { site: "one", gone: "x" } });
    expect(sent(await resolve())).toEqual({
      headers: { authorization: "Bearer t", "x-site": "one" },
      query: { region: "eu" },
      cookies: {},
      params: { site: "one", region: "eu" },
    });
  });

  test.each([
    [
      "another type",
      { type: "bearer" },
      { access_token: "a" },
      { type: "oauth2", oauth: issued },
      "another type",
    ],
    ["no such field", { type: "bearer" }, { other: "a" }, {}, "lacks a field"],
    ["a character that no header has", { type: "bearer" }, { token: "日" }, {}, "can't be sent in a header"],
    ["a line break", { type: "bearer" }, { token: "a\r\nx-evil: b" }, {}, "can't be sent in a header"],
    [
      "a token of another server",
      oauth2,
      { access_token: "a" },
      { type: "oauth2", oauth: { ...issued, tokenUrl: "https://old.example.com/token" } },
      "another server",
    ],
  ] as const)("and not at all with %s", async (_what, auth, secrets, changes, words) => {
    await configure({ mode: "user", auth });
    await put(userOwner(ann), secrets, changes);
    await expect(resolve()).rejects.toMatchObject({
      code: "reconnect_required",
      message: expect.stringContaining(words),
      details: {
        provider: "crm",
        connection: "default",
        instance: "default",
        connect_url: "https://gw.example.com/connect?provider=crm&connection=default&instance=default",
      },
    });
    const steps = await resolver.explain(provider, toolOf(provider), ann);
    expect(steps.at(-1)?.detail).toContain("reconnect_required");
  });

  test("and not without a param that the connection needs by now", async () => {
    await configure({ mode: "user", auth: { type: "bearer" }, params: { site: { header: "X-Site" } } });
    await put(userOwner(ann), { token: "t" });
    await expect(resolve()).rejects.toMatchObject({ code: "reconnect_required" });
  });

  test("and a token of an MCP server to no other server", async () => {
    const oauth = { ...issued, resource: "https://mcp.example.com/mcp" };
    const connection = { mode: "user", auth: { type: "mcp_oauth" } };
    await configure(connection, { mcp: { url: "https://mcp.example.com/mcp" } });
    await put(userOwner(ann), { access_token: "a" }, { type: "mcp_oauth", oauth });
    expect(sent(await resolve())).toMatchObject({ headers: { authorization: "Bearer a" } });
    await configure(connection, { mcp: { url: "https://mcp.example.org/mcp" } });
    await expect(resolve()).rejects.toMatchObject({ code: "reconnect_required" });
  });

  test("anew after its connection was declared in another way", async () => {
    await configure({
      mode: "user",
      auth: { type: "manual", credentials: [{ name: "token", header: "X-Old" }] },
    });
    await put(userOwner(ann), { token: "t" }, { type: "manual" });
    expect(sent(await resolve())).toMatchObject({ headers: { "x-old": "t" } });
    await configure({
      mode: "user",
      auth: { type: "manual", credentials: [{ name: "token", header: "X-New" }] },
    });
    expect(sent(await resolve())).toMatchObject({ headers: { "x-new": "t" } });
  });
});

describe("who acts in another tenant", () => {
  const visitor = { ...ann, tenant: "globex" };

  test("has credentials of its own there, apart from those at home and of a namesake", async () => {
    await configure({ mode: "user", auth: { type: "bearer" } });
    await put(userOwner(ann), { token: "at-home" });
    await put(userOwner({ ...ann, tenant: "globex", home: "globex" }), { token: "of-a-namesake" });
    await expect(resolve(visitor)).rejects.toMatchObject({ code: "not_connected" });
    await put(userOwner(visitor), { token: "of-the-visitor" });
    expect(sent(await resolve(visitor))).toMatchObject({
      headers: { authorization: "Bearer of-the-visitor" },
    });
    expect(sent(await resolve(ann))).toMatchObject({ headers: { authorization: "Bearer at-home" } });
  });

  test("is sent to a page that connects there", async () => {
    await configure({ mode: "user", auth: { type: "bearer" } });
    await expect(resolve(visitor, { instance: "work" })).rejects.toMatchObject({
      details: {
        connect_url:
          "https://gw.example.com/connect?provider=crm&connection=default&instance=work&tenant=globex",
      },
    });
  });
});

describe("a header that is passed on", () => {
  const configured = (): Promise<void> =>
    configure({ mode: "user", auth: { type: "passthrough", header: "X-Upstream-Token" } });
  const withHeaders = (headers: Readonly<Record<string, string>>): Parameters<typeof requestOf>[1] => ({
    header: (name) => headers[name],
  });

  test("is sent under its name, and keeps callers apart", async () => {
    await configured();
    const credential = await resolve(ann, withHeaders({ "x-upstream-token": " abc " }));
    expect(sent(credential)).toMatchObject({ headers: { "x-upstream-token": "abc" } });
    expect(credential.reference).toMatchObject({ tenant: "acme", owner: { kind: "user", id: "usr_ann" } });
  });

  test.each([
    ["absent", {}, "not_connected", "X-Upstream-Token"],
    ["empty", { "x-upstream-token": " " }, "not_connected", "X-Upstream-Token"],
    [
      "the gateway's own token",
      { "x-upstream-token": `Bearer gst_api_${"a".repeat(43)}` },
      "bad_request",
      "never passed on",
    ],
    ["no value of a header", { "x-upstream-token": "a\u0001b" }, "bad_request", "can't be passed on"],
  ])("is refused where it is %s", async (_what, headers, code, words) => {
    await configured();
    await expect(resolve(ann, withHeaders(headers))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words),
    });
  });

  test("is said not to be there on the command line", async () => {
    await configured();
    await expect(resolve(ann, { via: "cli" })).rejects.toThrow("command line");
  });

  test.each(["authorization", "Cookie", "X-Gateway-Tenant", "Mcp-Session-Id", "Proxy-Authorization"])(
    "is never %s, whatever is configured",
    async (header) => {
      await configured();
      const connection = provider.connections["default"];
      if (connection === undefined) throw new Error("no connection");
      const auth = { type: "passthrough", header } as const;
      provider = { ...provider, connections: { default: { ...connection, auth } } };
      const headers = { [header.toLowerCase()]: "secret" };
      await expect(resolve(ann, withHeaders(headers))).rejects.toMatchObject({ code: "not_connected" });
    },
  );
});

describe("a credential that was refused", () => {
  const refusal = { status: 401, challenge: undefined } as const;
  const renew = (refused: Credential): Promise<Credential | undefined> =>
    resolver.renew(refused, refusal, requestOf(ann), toolOf(provider));

  test("is replaced by a refresh, once", async () => {
    await configure({ mode: "user", auth: oauth2 });
    const secrets = { access_token: "one", refresh_token: "r" };
    await put(userOwner(ann), secrets, { type: "oauth2", oauth: issued });
    tokens = ["two"];
    const first = await resolve();
    const second = await renew(first);
    expect(second && sent(second)).toMatchObject({ headers: { authorization: "Bearer two" } });
    expect(await resolve()).toBe(second);
    // Whoever comes with the old one is given the new one.
    expect(await renew(first)).toBe(second);
  });

  test("says where to connect anew once the grant is over", async () => {
    await configure({ mode: "user", auth: oauth2 });
    const secrets = { access_token: "one", refresh_token: "r" };
    await put(userOwner(ann), secrets, { type: "oauth2", oauth: issued }, "work");
    const expected = {
      code: "reconnect_required",
      details: {
        instance: "work",
        connect_url: "https://gw.example.com/connect?provider=crm&connection=default&instance=work",
      },
    };
    await expect(renew(await resolve())).rejects.toMatchObject(expected);
    await expect(resolve()).rejects.toMatchObject(expected);
  });

  test("is minted again where the gateway gets it by itself", async () => {
    const { authorization_url: _none, ...minting } = { ...oauth2, grant: "client_credentials" };
    await configure({ mode: "identity", auth: minting });
    tokens = ["one", "two"];
    const first = await resolve();
    expect(await resolve()).toBe(first);
    const second = await renew(first);
    expect(second && sent(second)).toMatchObject({ headers: { authorization: "Bearer two" } });
    const refused = { status: 403, challenge: undefined } as const;
    expect(await resolver.renew(second ?? first, refused, requestOf(ann), toolOf(provider))).toBeUndefined();
  });

  test("of the file stays refused", async () => {
    const fields = [{ name: "token", value: "${env:SECRET}" }];
    await configure({ mode: "identity", auth: { type: "bearer", credentials: fields } });
    expect(await renew(await resolve())).toBeUndefined();
  });

  test("of a connection that is somebody else's by now stays refused", async () => {
    await configure({ mode: "user", auth: oauth2 });
    await put(userOwner(ann), { access_token: "one" }, { type: "oauth2", oauth: issued });
    const first = await resolve();
    await configure({ mode: "tenant", auth: oauth2 });
    expect(await renew(first)).toBeUndefined();
  });
});

describe("the references that count for a principal", () => {
  const instances = async (): Promise<readonly string[]> =>
    (await resolver.references(ann, "crm", "default")).map(
      ({ owner, instance }) => `${owner.kind}/${instance}`,
    );

  test("are its own, else those of the tenant", async () => {
    await configure({ mode: "either", auth: { type: "bearer" } });
    expect(await instances()).toEqual([]);
    await put(tenantOwner(ann), { token: "t" });
    expect(await instances()).toEqual(["tenant/default"]);
    await put(userOwner(ann), { token: "a" }, {}, "work");
    await put(userOwner(ann), { token: "b" }, {}, "home");
    expect(await instances()).toEqual(["user/home", "user/work"]);
    expect(await resolver.references(ann, "crm", "other")).toEqual([]);
    expect(await resolver.references(ann, "other", "default")).toEqual([]);
  });
});

describe("the source of a credential", () => {
  test("gives it as it is now, and nothing once it is gone", async () => {
    await configure({ mode: "user", auth: { type: "bearer" } });
    await put(userOwner(ann), { token: "one" });
    const [reference] = await resolver.references(ann, "crm", "default");
    if (reference === undefined) throw new Error("no reference");
    const source = resolver.source(reference);
    expect(sent(await source.current(never))).toMatchObject({ headers: { authorization: "Bearer one" } });
    await put(userOwner(ann), { token: "two" });
    expect(sent(await source.current(never))).toMatchObject({ headers: { authorization: "Bearer two" } });
    const stored = await credentials.get(reference);
    if (stored !== undefined) await credentials.remove(stored);
    await expect(source.current(never)).rejects.toMatchObject({ code: "not_connected" });
  });

  test.each(["tenant", "identity"])("gives nothing once the connection is `%s`", async (mode) => {
    await configure({ mode: "user", auth: oauth2 });
    await put(userOwner(ann), { access_token: "one" }, { type: "oauth2", oauth: issued });
    await put(gatewayOwner, { access_token: "own" }, { type: "oauth2", oauth: issued });
    const [reference] = await resolver.references(ann, "crm", "default");
    if (reference === undefined) throw new Error("no reference");
    const source = resolver.source(reference);
    await configure({ mode, auth: oauth2 });
    await expect(source.current(never)).rejects.toMatchObject({ code: "not_connected" });
  });

  test("of the gateway itself is there for its own connections only", async () => {
    await configure({ mode: "user", auth: oauth2 });
    expect(resolver.gatewaySource(provider, "default")).toBeUndefined();
    expect(resolver.gatewaySource(provider, "other")).toBeUndefined();
    await configure({ mode: "identity", auth: oauth2 });
    const source = resolver.gatewaySource(provider, "default");
    await expect(source?.current(never)).rejects.toMatchObject({
      code: "not_connected",
      details: { connect_url: "https://gw.example.com/connect?provider=crm&connection=default" },
    });
    await put(gatewayOwner, { access_token: "own" }, { type: "oauth2", oauth: issued });
    const own = await source?.current(never);
    expect(own && sent(own)).toMatchObject({ headers: { authorization: "Bearer own" } });
  });
});

describe("while things fail", () => {
  test("a store that can't be read is no reason to take another credential", async () => {
    await configure({ mode: "either", auth: { type: "bearer" } });
    await put(userOwner(ann), { token: "own" });
    await put(tenantOwner(ann), { token: "shared" });
    const failing: CredentialStore = {
      ...credentials,
      list: async (owner, ...rest) => {
        if (owner.owner.kind === "user")
          throw Object.assign(new Error("the disk is gone"), { code: "store_unavailable" });
        return credentials.list(owner, ...rest);
      },
    };
    const other = createCredentialResolver({
      provider: () => provider,
      ...{ credentials: failing, keeper },
      minted: { obtain: () => Promise.reject(new Error("none")), renew: async () => undefined },
      connectUrl: createConnectUrl(() => "https://gw.example.com"),
    });
    await expect(other.resolve(requestOf(ann), toolOf(provider))).rejects.toThrow("the disk is gone");
    const steps = await other.explain(provider, toolOf(provider), ann).catch((error: unknown) => error);
    expect(steps).toBeInstanceOf(Error);
  });

  test("an operation is not called without the credential that it needs", async () => {
    await configure({ mode: "user", auth: { type: "bearer" } });
    const tool = { ...toolOf(provider), connection: "gone" };
    await expect(resolver.resolve(requestOf(ann), tool)).rejects.toMatchObject({
      code: "provider_unavailable",
    });
  });
});
