import { expect, test } from "vitest";
import { createTokenClient } from "../../../src/credentials/oauth/create-token-client.ts";
import { createMintedTokens, type MintedTokens } from "../../../src/credentials/oauth/minted-tokens.ts";
import type { ConnectionConfig, OAuth2Auth } from "../../../src/model/connection-config.ts";
import { Secret } from "../../../src/secret.ts";
import { noAbort, startClient } from "../../upstream/loopback.ts";
import {
  type AuthorizationServer,
  defaultClient,
  startAuthorizationServer,
} from "../authorization-server.ts";

interface Stage extends AsyncDisposable {
  readonly server: AuthorizationServer;
  readonly minted: MintedTokens;
  readonly connection: ConnectionConfig;
  advance(milliseconds: number): void;
  requests(): number;
}

function connectionOf(server: AuthorizationServer): ConnectionConfig {
  const auth: OAuth2Auth = {
    type: "oauth2",
    grant: "client_credentials",
    authorizationUrl: undefined,
    tokenUrl: server.tokenUrl,
    revocationUrl: undefined,
    issuer: undefined,
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
    header: "authorization",
    prefix: "Bearer ",
  };
  return {
    name: "machine",
    displayName: "Machine",
    description: undefined,
    mode: "identity",
    auth,
    params: [],
    discovery: undefined,
    place: { file: "/gateway.yaml", line: 1, column: 1, endLine: 1, endColumn: 1 },
  };
}

async function stage(): Promise<Stage> {
  let clock = 1_700_000_000_000;
  const now = (): number => clock;
  const http = startClient();
  const server = await startAuthorizationServer({ now });
  return {
    server,
    minted: createMintedTokens({ tokens: createTokenClient(http, { now }), now }),
    connection: connectionOf(server),
    advance: (milliseconds) => {
      clock += milliseconds;
    },
    requests: () => server.requestsTo("token").length,
    async [Symbol.asyncDispose]() {
      await http.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

test("a thousand callers get one token by one request", async () => {
  await using on = await stage();
  const all = await Promise.all(
    Array.from({ length: 1000 }, () => on.minted.obtain("crm", on.connection, noAbort())),
  );
  expect(on.requests()).toBe(1);
  const [first] = all;
  expect(new Set(all).size).toBe(1);
  expect(on.server.userOf(first?.accessToken.reveal() ?? "")).toBe("client:gateway");
});

test("another one is got ahead of the end, beside calls that go on with the old one", async () => {
  await using on = await stage();
  const first = await on.minted.obtain("crm", on.connection, noAbort());
  on.advance(239_000);
  expect(await on.minted.obtain("crm", on.connection, noAbort())).toBe(first);
  expect(on.requests()).toBe(1);
  on.advance(2_000);
  expect(await on.minted.obtain("crm", on.connection, noAbort())).toBe(first);
  await expect
    .poll(async () => (await on.minted.obtain("crm", on.connection, noAbort())).version)
    .toBe(first.version + 1);
  expect(on.requests()).toBe(2);
});

test("when it is over, calls wait; failures come at once until the pause is over, and longer each time", async () => {
  await using on = await stage();
  const obtain = (): Promise<unknown> => on.minted.obtain("crm", on.connection, noAbort());
  await obtain();
  on.advance(300_000);
  on.server.fail("token", { kind: "status", status: 503 });
  const failure = {
    code: "upstream_failed",
    retryable: true,
    details: { provider: "crm", connection: "machine" },
  };
  await expect(obtain()).rejects.toMatchObject(failure);
  await expect(obtain()).rejects.toMatchObject(failure);
  expect(on.requests()).toBe(2);
  on.advance(1_000);
  await expect(obtain()).rejects.toMatchObject(failure);
  on.advance(1_000);
  await expect(obtain()).rejects.toMatchObject(failure);
  expect(on.requests()).toBe(3);
  on.server.heal();
  on.advance(1_000);
  await obtain();
  expect(on.requests()).toBe(4);
});

test("a client that is not accepted is for the operator", async () => {
  await using on = await stage();
  on.server.fail("token", { kind: "error", error: "invalid_client" });
  const error: unknown = await on.minted
    .obtain("crm", on.connection, noAbort())
    .catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: "upstream_failed", retryable: false });
  expect(String(error)).toContain("invalid_client");
  expect(String(error)).not.toContain(defaultClient.secret);
});

test("waits for what the server asks", async () => {
  await using on = await stage();
  on.server.fail("token", { kind: "status", status: 429, headers: { "retry-after": "30" } }, 1);
  await expect(on.minted.obtain("crm", on.connection, noAbort())).rejects.toThrow();
  on.advance(29_000);
  await expect(on.minted.obtain("crm", on.connection, noAbort())).rejects.toThrow();
  expect(on.requests()).toBe(1);
  on.advance(1_000);
  await on.minted.obtain("crm", on.connection, noAbort());
});

test("waits neither for ever, whatever the server asks, nor for as long as the clock was set back", async () => {
  await using on = await stage();
  const failure = { kind: "status", status: 429, headers: { "retry-after": "31536000" } } as const;
  on.server.fail("token", failure, 2);
  await expect(on.minted.obtain("crm", on.connection, noAbort())).rejects.toThrow();
  on.advance(300_000);
  await expect(on.minted.obtain("crm", on.connection, noAbort())).rejects.toThrow();
  expect(on.requests()).toBe(2);
  on.advance(-3_600_000);
  const token = await on.minted.obtain("crm", on.connection, noAbort());
  const second = await on.minted.renew("crm", on.connection, token.version, noAbort());
  on.advance(-3_600_000);
  expect(await on.minted.renew("crm", on.connection, second?.version ?? 0, noAbort())).toBeDefined();
});

test("a refused token is replaced once, for all who were refused; a refused replacement stands", async () => {
  await using on = await stage();
  const first = await on.minted.obtain("crm", on.connection, noAbort());
  const renewed = await Promise.all(
    Array.from({ length: 100 }, () => on.minted.renew("crm", on.connection, first.version, noAbort())),
  );
  expect(new Set(renewed).size).toBe(1);
  expect(on.requests()).toBe(2);
  const [second] = renewed;
  // Late news of the first one.
  expect(await on.minted.renew("crm", on.connection, first.version, noAbort())).toBe(second);
  expect(await on.minted.renew("crm", on.connection, second?.version ?? 0, noAbort())).toBeUndefined();
  expect(on.requests()).toBe(2);
  on.advance(30_000);
  const third = await on.minted.renew("crm", on.connection, second?.version ?? 0, noAbort());
  expect(third?.version).toBe((second?.version ?? 0) + 1);
});

test("an abort ends the waiting of one caller only", async () => {
  await using on = await stage();
  on.server.fail("token", { kind: "slow", milliseconds: 100 });
  const controller = new AbortController();
  const first = on.minted.obtain("crm", on.connection, controller.signal);
  const second = on.minted.obtain("crm", on.connection, noAbort());
  controller.abort(new Error("gone"));
  await expect(first).rejects.toThrow("gone");
  await second;
  expect(on.requests()).toBe(1);
});

test("a connection that was read anew gets a token anew, with a version of its own", async () => {
  await using on = await stage();
  const first = await on.minted.obtain("crm", on.connection, noAbort());
  const second = await on.minted.obtain("crm", connectionOf(on.server), noAbort());
  expect(second.version).toBeGreaterThan(first.version);
});
