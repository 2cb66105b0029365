import { describe, expect, test } from "vitest";
import type { ProtectedSurface } from "../../src/identity/identity.ts";
import { createOwnAddress } from "../../src/own-address.ts";
import { Secret } from "../../src/secret.ts";
import { authorizationServer, baseUrl, type GrantedOptions, issue } from "./granted.ts";
import { bearer, codeOf, cookie, createHarness, type Harness, hour, password, signedIn } from "./harness.ts";

const address = createOwnAddress(() => ({ host: "127.0.0.1", port: 8080, baseUrl }));

/** A gateway that issues tokens, with Ada, who may use all of it. */
async function prepare() {
  const harness = await createHarness({ auth: { authorizationServer } });
  const { identity } = await harness.other({ address });
  const ada = await signedIn(harness, "ada", { roles: ["support"] });
  const give = (options: GrantedOptions = {}) =>
    issue(harness.store, ada.principal.id, { now: harness.time, ...options });
  const use = (token: string, surface: ProtectedSurface = "mcp", actFor?: string) =>
    identity.authenticate(bearer(token), actFor, surface);
  return { harness, identity, ada, give, use, as: await operatorOf(harness) };
}

async function operatorOf({ identity, operator }: Harness) {
  return identity.administration(operator);
}

describe("whom a token stands for", () => {
  test("the user who has agreed, by the grant", async () => {
    const { give, use, ada } = await prepare();
    const { token, grant } = await give();
    expect(await use(token)).toEqual({ ...ada.principal, credential: { kind: "grant", id: grant } });
  });

  test.each([
    [["mcp"], ["mcp"], undefined],
    [["mcp", "mcp:read"], ["mcp", "mcp:read"], undefined],
    [["mcp:read"], ["mcp:read"], ["read:*"]],
    [["mcp:read"], ["mcp"], ["read:*"]],
    [["mcp"], ["mcp:read"], ["read:*"]],
  ])("scopes %j of a grant with %j", async (scopes, grantScopes, expected) => {
    const { give, use } = await prepare();
    const { token } = await give({ scopes, grantScopes });
    expect((await use(token)).scopes).toEqual(expected);
  });

  test.each([
    [[], ["mcp"]],
    [["mcp"], []],
    [["openid"], ["openid"]],
    [["mcp:write"], ["mcp"]],
  ])(
    "scopes %j of a grant with %j allow nothing, and the client hears which would",
    async (scopes, grantScopes) => {
      const { give, use } = await prepare();
      const { token } = await give({ scopes, grantScopes });
      await expect(use(token)).rejects.toMatchObject({
        code: "insufficient_scope",
        details: { scope: "mcp" },
        message: expect.stringContaining("`mcp`"),
      });
    },
  );

  test("the same object for the same token, and an equal one for the next token of the grant", async () => {
    const { give, use } = await prepare();
    const first = await give();
    const next = await give({ grant: first.grant });
    const principal = await use(first.token);
    expect(await use(first.token)).toBe(principal);
    expect(await use(next.token)).toEqual(principal);
  });
});

describe("where it counts", () => {
  const other = createOwnAddress(() => ({
    host: "127.0.0.1",
    port: 8080,
    baseUrl: "https://other.example.com",
  }));

  test.each<[string, readonly ProtectedSurface[]]>([
    [`${baseUrl}/mcp`, ["mcp"]],
    [`${baseUrl}/api/v1`, ["api"]],
    [`${baseUrl}/mcp/`, []],
    [`${baseUrl}/MCP`, []],
    [`${baseUrl}`, []],
    [`${baseUrl}/`, []],
    [`${baseUrl}/api`, []],
    [`${baseUrl}/api/v1/`, []],
    [`${baseUrl}:443/mcp`, []],
    [`${baseUrl}/mcp#`, []],
    [`${baseUrl}/mcp?`, []],
    ["http://gateway.example.com/mcp", []],
    ["https://gateway.example.com.evil.example/mcp", []],
    ["https://GATEWAY.example.com/mcp", []],
    ["http://127.0.0.1:8080/mcp", []],
    ["https://other.example.com/mcp", []],
    [`${baseUrl}/mcp ${baseUrl}/api/v1`, []],
  ])("issued for %s", async (audience, surfaces) => {
    const { give, use } = await prepare();
    const { token } = await give({ audience });
    for (const surface of ["mcp", "api", "other"] as const) {
      const outcome = await codeOf(use(token, surface));
      const expected = surfaces.includes(surface) ? "resolved" : "unauthenticated";
      expect(outcome.split(":")[0], surface).toBe(expected);
      // In any order: what is remembered of one surface opens no other.
      expect((await codeOf(use(token, surface))).split(":")[0]).toBe(expected);
    }
  });

  test("who asks for no surface gets in nowhere", async () => {
    const { give, identity } = await prepare();
    const { token } = await give();
    expect(await codeOf(identity.authenticate(bearer(token), undefined))).toBe("unauthenticated");
  });

  test("the refusal says where it would count", async () => {
    const { give, use } = await prepare();
    const { token } = await give({ audience: `${baseUrl}/api/v1` });
    await expect(use(token)).rejects.toThrow(`Ask for one with \`resource=${baseUrl}/mcp\`.`);
    await expect(use(token, "other")).rejects.toThrow("for MCP and for the HTTP API only");
  });

  test("another gateway over a copy of the store takes none of them", async () => {
    const { harness, give, use } = await prepare();
    const { token } = await give();
    const elsewhere = await harness.other({ address: other });
    const nowhere = await harness.other();
    await use(token);
    for (const { identity } of [elsewhere, nowhere])
      expect(await codeOf(identity.authenticate(bearer(token), undefined, "mcp"))).toBe("unauthenticated");
  });

  test("a base URL that a reload changes leaves the old tokens behind", async () => {
    const harness = await createHarness({ auth: { authorizationServer } });
    let url = baseUrl;
    const moving = createOwnAddress(() => ({ host: "127.0.0.1", port: 8080, baseUrl: url }));
    const { identity } = await harness.other({ address: moving });
    const ada = await signedIn(harness, "ada");
    const { token } = await issue(harness.store, ada.principal.id, { now: harness.time });
    await identity.authenticate(bearer(token), undefined, "mcp");
    url = "https://moved.example.com";
    expect(await codeOf(identity.authenticate(bearer(token), undefined, "mcp"))).toBe("unauthenticated");
  });

  test("API tokens and sessions count everywhere", async () => {
    const { identity, ada } = await prepare();
    const { secret } = await identity.administration(ada.principal).createToken({ name: "laptop" });
    for (const surface of ["mcp", "api", "other"] as const) {
      await identity.authenticate(bearer(secret), undefined, surface);
      await identity.authenticate(cookie(ada.session), undefined, surface);
    }
  });

  test("an access token is no session, and a grant's id and a hash are no tokens", async () => {
    const { identity, give, harness } = await prepare();
    const { token, grant } = await give();
    const [record] = await harness.store.tenant("default").list("access");
    const refreshing = token.replace("gst_oat_", "gst_ort_");
    const api = token.replace("gst_oat_", "gst_api_");
    for (const text of [
      grant,
      record?.lookup ?? "",
      record?.id ?? "",
      refreshing,
      api,
      `${token}A`,
      token.slice(0, -1),
    ])
      expect(await codeOf(identity.authenticate(bearer(text), undefined, "mcp"))).toBe("unauthenticated");
    expect(await codeOf(identity.authenticate(cookie(token), undefined, "mcp"))).toBe("unauthenticated");
  });
});

describe("when it ends", () => {
  type Prepared = Awaited<ReturnType<typeof prepare>>;
  const ends: readonly (readonly [
    string,
    GrantedOptions,
    (prepared: Prepared, grant: string) => Promise<unknown>,
  ])[] = [
    ["with its time", {}, async ({ harness }) => (harness.time += hour)],
    ["with the grant's time", { grantMilliseconds: 60_000 }, async ({ harness }) => (harness.time += 60_000)],
    [
      "with the grant",
      {},
      ({ harness }, id) =>
        harness.store.tenant("default").write([{ action: "delete", kind: "grant", id, expected: "any" }]),
    ],
    [
      "by revocation of the token alone",
      {},
      async ({ harness }) => {
        const [record] = await harness.store.tenant("default").list("access");
        await harness.store
          .tenant("default")
          .write([{ action: "delete", kind: "access", id: record?.id ?? "", expected: "any" }]);
      },
    ],
    ["when the user is disabled", {}, ({ as }) => as.updateUser("ada", { disabled: true })],
    ["when the user is removed", {}, ({ as }) => as.removeUser("ada")],
    ["with another password", {}, ({ as }) => as.updateUser("ada", { password: new Secret(`${password}!`) })],
    ["with other roles", {}, ({ as }) => as.updateUser("ada", { roles: ["member"] })],
    [
      "when the authorization server is switched off",
      {},
      async ({ harness }) => {
        harness.settings = {
          ...harness.settings,
          auth: { ...harness.settings.auth, authorizationServer: undefined },
        };
      },
    ],
  ];

  test.each(ends)("%s, whether it was used before or not", async (_name, options, end) => {
    const prepared = await prepare();
    const used = await prepared.give(options);
    await prepared.use(used.token);
    await end(prepared, used.grant);
    expect(await codeOf(prepared.use(used.token))).toBe("unauthenticated");
  });

  test("a user who is enabled again has to agree again", async () => {
    const { as, give, use } = await prepare();
    const { token } = await give();
    await as.updateUser("ada", { disabled: true });
    await as.updateUser("ada", { disabled: false });
    expect(await codeOf(use(token))).toBe("unauthenticated");
    expect((await codeOf(use((await give({ generation: 2 })).token))).split(":")[0]).toBe("resolved");
    // A grant from before with a token from now is none either.
    const old = await give({ generation: 1 });
    expect(await codeOf(use(old.token))).toBe("unauthenticated");
  });

  test("with the tenant", async () => {
    const { harness, as, use } = await prepare();
    await as.createTenant({ id: "acme" });
    const bob = await signedIn(harness, "bob", { tenant: "acme" });
    const { token } = await issue(harness.store, bob.principal.id, { tenant: "acme", now: harness.time });
    expect(await use(token)).toMatchObject({ name: "bob", home: "acme", tenant: "acme" });
    await as.removeTenant("acme");
    expect(await codeOf(use(token))).toBe("unauthenticated");
  });
});

describe("what it can't do", () => {
  test("act for another tenant, whatever the user may", async () => {
    const { harness, as, use } = await prepare();
    await as.createTenant({ id: "acme" });
    const olga = await signedIn(harness, "olga", { roles: ["operator"], actsFor: "any" });
    const { token } = await issue(harness.store, olga.principal.id, { now: harness.time });
    expect(await use(token, "mcp", "default")).toMatchObject({ tenant: "default" });
    expect(await codeOf(use(token, "mcp", "acme"))).toBe("forbidden");
    expect(await codeOf(use(token, "mcp", "nowhere"))).toBe("forbidden");
  });

  test("administer anything, also what is the user's own", async () => {
    const { harness, identity, use } = await prepare();
    const olga = await signedIn(harness, "olga", { roles: ["operator", "admin"] });
    const { token } = await issue(harness.store, olga.principal.id, { now: harness.time });
    const as = identity.administration(await use(token));
    const attempts: readonly (readonly [string, () => Promise<unknown>])[] = [
      ["listUsers", () => as.listUsers()],
      ["createUser", () => as.createUser({ name: "eve", password: new Secret(password) })],
      ["updateUser", () => as.updateUser("olga", { displayName: "Eve" })],
      [
        "password",
        () =>
          as.updateUser("olga", {
            password: new Secret("another one"),
            currentPassword: new Secret(password),
          }),
      ],
      ["removeUser", () => as.removeUser("ada")],
      ["listTokens", () => as.listTokens()],
      ["createToken", () => as.createToken({ name: "mine" })],
      ["a service's", () => as.createToken({ name: "mine", service: true })],
      ["rotateToken", () => as.rotateToken("tok_aaaaaaaaaaaaaaaa")],
      ["revokeToken", () => as.revokeToken("tok_aaaaaaaaaaaaaaaa")],
      ["listSessions", () => as.listSessions()],
      ["revokeSession", () => as.revokeSession(olga.principal.credential?.id ?? "")],
      ["listGrants", () => as.listGrants()],
      ["revokeGrant", () => as.revokeGrant("gra_x")],
      ["listRegistrations", () => as.listRegistrations()],
      ["revokeClient", () => as.revokeClient("client")],
      ["createTenant", () => as.createTenant({ id: "mine" })],
      ["updateTenant", () => as.updateTenant("default", { displayName: "Mine" })],
      ["removeTenant", () => as.removeTenant("default")],
    ];
    for (const [name, attempt] of attempts) expect(await codeOf(attempt()), name).toBe("forbidden");
    await expect(as.createToken({ name: "mine" })).rejects.toThrow(
      "An MCP client that acts for somebody administers nothing. Sign in, or use an API token.",
    );
  });
});

test("its use is remembered for the grant and for the user", async () => {
  const { harness, identity, ada, give, use } = await prepare();
  const { token, grant } = await give();
  await use(token);
  await identity.close();
  const uses = await harness.store.tenant("default").list("use");
  expect(uses.map(({ id }) => id)).toEqual(
    expect.arrayContaining([`grant:${grant}`, `user:${ada.principal.id}`]),
  );
});

test("nothing that is stored or logged holds a token", async () => {
  const { harness, give, use } = await prepare();
  const { token } = await give();
  await use(token);
  const records = await Promise.all(
    (["access", "grant", "use"] as const).map((kind) => harness.store.tenant("default").list(kind)),
  );
  expect(JSON.stringify([records, harness.logged])).not.toContain(token.slice(8, 30));
});
