import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import type { VerifiedAccount } from "../../src/identity/identity.ts";
import type { OidcConfig } from "../../src/model/auth-config.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { Secret } from "../../src/secret.ts";
import {
  bearer,
  codeOf,
  cookie,
  createHarness,
  fileTenant,
  type Harness,
  hour,
  password,
  signedIn,
  signIn,
} from "./harness.ts";

const issuer = "https://id.example";
const browser = { client: "Browser/1", address: "192.0.2.1" };

function oidcOf(further: Partial<OidcConfig> = {}): OidcConfig {
  return {
    ...{
      issuer,
      clientId: "gateway",
      clientSecret: undefined,
      scopes: ["openid"],
      displayName: "Example ID",
    },
    ...{ allowedDomains: undefined, claims: { tenant: undefined, roles: undefined } },
    ...further,
  };
}

const claimRules = (tenant?: string, roles?: string, values?: Readonly<Record<string, string>>) => ({
  tenant: tenant === undefined ? undefined : { claim: tenant, values: undefined },
  roles: roles === undefined ? undefined : { claim: roles, values },
});

function accountOf(subject: string, claims: JsonObject = {}): VerifiedAccount {
  const email = { email: `${subject}@example.com`, email_verified: true };
  return { issuer, subject, claims: { sub: subject, ...email, ...claims } };
}

const openHarness = (oidc: Partial<OidcConfig> = {}) =>
  createHarness({
    auth: { provider: "oidc", oidc: oidcOf(oidc) },
    tenants: { acme: fileTenant("acme"), globex: fileTenant("globex") },
  });

function configure(harness: Harness, oidc: Partial<OidcConfig>): void {
  harness.settings = { ...harness.settings, auth: { ...harness.settings.auth, oidc: oidcOf(oidc) } };
}

const enter = ({ identity }: Harness, subject: string, claims: JsonObject = {}) =>
  identity.signInBy(accountOf(subject, claims), browser);

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => "resolved",
    (thrown: unknown) => thrown,
  );
  return error instanceof GatewayError ? `${error.code}: ${error.message}` : String(error);
}

const operatorIn = async ({ identity }: Harness, tenant = "default") =>
  identity.administration(await identity.lookUp(`operator@${tenant}`));

describe("the first time", () => {
  test("makes a user with a session, and no password", async () => {
    const harness = await openHarness();
    const { principal, session, milliseconds } = await enter(harness, "ada", { name: "Ada L." });
    expect(principal).toMatchObject({
      ...{ kind: "user", name: "ada@example.com", tenant: "default", home: "default", roles: ["member"] },
      id: expect.stringMatching(/^usr_[a-z2-7]{26}$/),
      credential: { kind: "session", id: expect.any(String) },
      scopes: undefined,
    });
    expect(milliseconds).toBe(12 * hour);
    expect((await harness.identity.authenticate(cookie(session), undefined)).id).toBe(principal.id);
    const [user] = await (await operatorIn(harness)).listUsers();
    expect(user).toMatchObject({ name: "ada@example.com", displayName: "Ada L.", disabled: false });
    const [record] = await harness.store.tenant("default").list("user");
    expect(record?.value["password"]).toBe("none");
    const [{ client } = { client: "" }] = await (await operatorIn(harness)).listSessions();
    expect(client).toBe("Browser/1");
  });

  test("the next times lead to the same user", async () => {
    const harness = await openHarness();
    const first = await enter(harness, "ada");
    const second = await enter(harness, "ada", { email: "ada.lovelace@example.com", name: "Ada Lovelace" });
    expect(second.principal).toMatchObject({ id: first.principal.id, name: "ada@example.com" });
    expect((await harness.identity.authenticate(cookie(first.session), undefined)).id).toBe(
      first.principal.id,
    );
    expect((await (await operatorIn(harness)).listUsers()).map(({ displayName }) => displayName)).toEqual([
      "Ada Lovelace",
    ]);
  });

  test("at the same time, too", async () => {
    const harness = await openHarness();
    const other = await harness.other();
    const all = await Promise.all(
      [1, 2, 3].map((number) =>
        (number === 2 ? other : harness).identity.signInBy(accountOf("ada"), browser),
      ),
    );
    expect(new Set(all.map(({ principal }) => principal.id)).size).toBe(1);
    for (const { session } of all) await harness.identity.authenticate(cookie(session), undefined);
    expect(await (await operatorIn(harness)).listUsers()).toHaveLength(1);
  });

  test("of another subject, or at another issuer, is somebody else", async () => {
    const harness = await openHarness();
    const ids = [(await enter(harness, "ada")).principal.id, (await enter(harness, "Ada")).principal.id];
    configure(harness, { issuer: "https://other.example" });
    const elsewhere = { ...accountOf("ada"), issuer: "https://other.example" };
    ids.push((await harness.identity.signInBy(elsewhere, browser)).principal.id);
    expect(new Set(ids).size).toBe(3);
    expect(await codeOf(enter(harness, "ada"))).toBe("forbidden");
  });
});

describe("a name", () => {
  test.each<readonly [string, string, JsonObject, RegExp]>([
    ["is the verified address", "s1", { email: "Ada@Example.COM" }, /^ada@example\.com$/],
    [
      "is never one that is not verified",
      "s1",
      { email_verified: false, preferred_username: "ada" },
      /^ada-[a-z2-7]{6}$/,
    ],
    ["is none that somebody only says is verified", "s1", { email_verified: "true" }, /^s1-[a-z2-7]{6}$/],
    [
      "is no address by another way",
      "s1",
      { email_verified: false, preferred_username: "boss@example.com" },
      /^boss-example\.com-[a-z2-7]{6}$/,
    ],
    ["is no address in a subject", "boss@example.com", { email: null }, /^boss-example\.com-[a-z2-7]{6}$/],
    ["is what can be a name", "a|b/c Ö", { email: null }, /^a-b-c--[a-z2-7]{6}$/],
    ["is there in any case", "日本", { email: null }, /^user-[a-z2-7]{6}$/],
    ["is short enough", "x".repeat(250), { email: null }, /^x{121}-[a-z2-7]{6}$/],
    [
      "holds nothing invisible",
      "s1",
      { email: null, preferred_username: "ad\u202ea\u0000" },
      /^ada-[a-z2-7]{6}$/,
    ],
    [
      "is no text of another type",
      "s1",
      { email: ["a@example.com"], preferred_username: { a: 1 } },
      /^s1-[a-z2-7]{6}$/,
    ],
  ])("%s", async (_case, subject, claims, expected) => {
    const harness = await openHarness();
    expect((await enter(harness, subject, claims)).principal.name).toMatch(expected);
  });

  test.each(["ci", "root", "admin", "deploy-bot"])(
    "that policies may mean is not there for whoever likes to be called so: %s",
    async (wanted) => {
      const harness = await openHarness();
      const claims = { email: null, preferred_username: wanted };
      const { principal } = await enter(harness, wanted, claims);
      expect(principal.name).toBe(`${wanted}-${principal.id.slice(4, 10)}`);
    },
  );

  test("that somebody has is not given again, and links nobody", async () => {
    const harness = await openHarness();
    const admin = await operatorIn(harness, "acme");
    const local = await admin.createUser({
      name: "ada@example.com",
      password: new Secret(password),
      roles: ["admin"],
    });
    const first = await enter(harness, "ada");
    const second = await enter(harness, "second", { email: "ada@example.com" });
    expect(first.principal.id).not.toBe(local.id);
    expect(first.principal).toMatchObject({ tenant: "default", roles: ["member"] });
    for (const { principal } of [first, second])
      expect(principal.name).toBe(`ada@example.com-${principal.id.slice(4, 10)}`);
    expect(first.principal.name).not.toBe(second.principal.name);
    expect(await admin.listUsers()).toMatchObject([{ name: "ada@example.com", roles: ["admin"] }]);
  });
});

describe("allowed domains", () => {
  test.each<readonly [string, JsonObject, boolean]>([
    ["a verified address of one", { email: "a@example.com" }, true],
    ["in upper case", { email: "A@EXAMPLE.COM" }, true],
    ["of another one of them", { email: "a@example.org" }, true],
    ["with much before it", { email: "a.b+c@example.com" }, true],
    ["of another domain", { email: "a@evil.com" }, false],
    ["of a domain below it", { email: "a@sub.example.com" }, false],
    ["of a domain that begins so", { email: "a@example.com.evil.com" }, false],
    ["of a domain that ends so", { email: "a@evilexample.com" }, false],
    ["with two signs", { email: "a@evil.com@example.com" }, false],
    ["with two signs, the other way", { email: "a@example.com@evil.com" }, false],
    ["with a quoted one", { email: '"a@evil.com"@example.com' }, false],
    ["with a comment", { email: "a@evil.com(@example.com)" }, false],
    ["with a name before it", { email: "A <a@example.com>" }, false],
    ["with a dot at the end", { email: "a@example.com." }, false],
    ["with a space at the end", { email: "a@example.com " }, false],
    ["with a line end", { email: "a@evil.com\n@example.com" }, false],
    ["with a letter that looks the same", { email: "a@ехample.com" }, false],
    ["with a letter that becomes the same in lower case", { email: "a@example.\u212aom" }, false],
    ["with a wide one", { email: "a＠example.com" }, false],
    ["with a dot of another script", { email: "a@example。com" }, false],
    ["with something invisible", { email: "a@example.com\u200b" }, false],
    ["with nothing before it", { email: "@example.com" }, false],
    ["of two dots", { email: "a@example..com" }, false],
    ["that is only the domain", { email: "example.com" }, false],
    ["as a list", { email: ["a@example.com"] }, false],
    ["not verified", { email: "a@example.com", email_verified: false }, false],
    ["verified by a text", { email: "a@example.com", email_verified: "true" }, false],
    ["verified by a number", { email: "a@example.com", email_verified: 1 }, false],
    ["of which nothing is said", { email: "a@example.com", email_verified: null }, false],
    ["not there", { email: null }, false],
  ])("%s", async (_case, claims, isIn) => {
    const harness = await openHarness({ allowedDomains: ["example.com", "example.org"] });
    expect(await messageOf(enter(harness, "ada", claims))).toMatch(
      isIn ? /^resolved$/ : /^forbidden: .*(Verify it at|is of no domain)/,
    );
    expect(await harness.store.tenant("default").list("user")).toHaveLength(isIn ? 1 : 0);
    expect(await harness.store.gateway.list("account")).toHaveLength(isIn ? 1 : 0);
  });

  test("that name none let nobody in", async () => {
    const harness = await openHarness({ allowedDomains: [] });
    expect(await codeOf(enter(harness, "ada"))).toBe("forbidden");
  });
});

describe("tenants by claims", () => {
  test.each<readonly [string, JsonObject, string | undefined]>([
    ["by its name", { org: "acme" }, "acme"],
    ["in a list", { org: ["acme", "unknown!"] }, "acme"],
    ["missing", {}, undefined],
    ["null", { org: null }, undefined],
    ["unknown", { org: "nowhere" }, undefined],
    ["several", { org: ["acme", "globex"] }, undefined],
    ["empty", { org: "" }, undefined],
    ["of another type", { org: { acme: true } }, undefined],
    ["in another case", { org: "ACME" }, undefined],
    ["of objects' own", { org: "__proto__" }, undefined],
  ])("%s", async (_case, claims, tenant) => {
    const harness = await openHarness({ claims: claimRules("org") });
    const told = enter(harness, "ada", claims);
    if (tenant !== undefined) return expect((await told).principal).toMatchObject({ tenant, home: tenant });
    expect(await messageOf(told)).toMatch(/^forbidden: .*`org`.*let you in/);
  });

  test("by a way into objects, by a whole name, and by what values mean", async () => {
    const harness = await openHarness({
      claims: {
        tenant: { claim: "https://a.b/c.d", values: { "Acme, Inc.": "acme", x: "gone" } },
        roles: undefined,
      },
    });
    const tenantOf = async (claims: JsonObject) => messageOf(enter(harness, "ada", claims));
    expect(await tenantOf({ "https://a.b/c.d": "Acme, Inc." })).toBe("resolved");
    expect(await tenantOf({ "https://a": { "b/c": { d: "Acme, Inc." } } })).toBe("resolved");
    expect(await tenantOf({ "https://a.b/c.d": ["Acme, Inc.", "Other"] })).toBe("resolved");
    for (const value of ["acme", "x", "constructor", "__proto__"])
      expect(await tenantOf({ "https://a.b/c.d": value })).toContain("forbidden");
  });

  test("that change move the person: what was there ends", async () => {
    const harness = await openHarness({ claims: claimRules("org") });
    const before = await enter(harness, "ada", { org: "acme" });
    const acme = harness.identity.administration(before.principal);
    const { secret } = await acme.createToken({ name: "mine" });
    const after = await enter(harness, "ada", { org: "globex" });
    expect(after.principal).toMatchObject({ tenant: "globex", home: "globex" });
    expect(after.principal.id).not.toBe(before.principal.id);
    expect(await codeOf(harness.identity.authenticate(cookie(before.session), undefined))).toBe(
      "unauthenticated",
    );
    expect(await codeOf(harness.identity.authenticate(bearer(secret), undefined))).toBe("unauthenticated");
    const [left] = await (await operatorIn(harness, "acme")).listUsers();
    expect(left).toMatchObject({ name: "ada@example.com", disabled: true });
    expect(await (await operatorIn(harness, "acme")).listSessions()).toEqual([]);

    const back = await enter(harness, "ada", { org: "acme" });
    expect(back.principal.id).toBe(before.principal.id);
    expect(await codeOf(harness.identity.authenticate(cookie(before.session), undefined))).toBe(
      "unauthenticated",
    );
    expect(await codeOf(harness.identity.authenticate(cookie(after.session), undefined))).toBe(
      "unauthenticated",
    );
    expect((await harness.identity.authenticate(cookie(back.session), undefined)).tenant).toBe("acme");
  });

  test("an administrator's word is not undone by coming back", async () => {
    const harness = await openHarness({ claims: claimRules("org") });
    const { principal } = await enter(harness, "ada", { org: "acme" });
    await enter(harness, "ada", { org: "globex" });
    await (await operatorIn(harness, "acme")).updateUser(principal.name, { disabled: true });
    expect(await messageOf(enter(harness, "ada", { org: "acme" }))).toMatch(
      /^forbidden: Your user .* is disabled/,
    );
  });

  test("while both are under way, one tenant is left", async () => {
    const harness = await openHarness({ claims: claimRules("org") });
    const other = await harness.other();
    await enter(harness, "ada", { org: "acme" });
    const all = await Promise.allSettled(
      ["acme", "globex", "acme", "globex"].map((org, index) =>
        (index < 2 ? harness : other).identity.signInBy(accountOf("ada", { org }), browser),
      ),
    );
    const good = await Promise.all(
      all
        .flatMap((one) => (one.status === "fulfilled" ? [one.value.session] : []))
        .map((session) =>
          harness.identity.authenticate(cookie(session), undefined).then(
            ({ tenant }) => tenant,
            () => undefined,
          ),
        ),
    );
    expect(new Set(good.filter((tenant) => tenant !== undefined)).size).toBe(1);
  });
});

describe("roles by claims", () => {
  test.each<readonly [string, JsonObject, readonly string[]]>([
    ["a list", { groups: ["dev", "ops"] }, ["dev", "ops"]],
    ["a text", { groups: "dev" }, ["dev"]],
    ["none", {}, []],
    ["those of power are not given by chance", { groups: ["operator", "admin", "dev"] }, ["dev"]],
    ["what is no name of a role", { groups: ["Dev", "a b", "", 1, null, { a: 1 }, "dev"] }, ["dev"]],
    ["each once", { groups: ["dev", "dev"] }, ["dev"]],
  ])("%s", async (_case, claims, roles) => {
    const harness = await openHarness({ claims: claimRules(undefined, "groups") });
    expect((await enter(harness, "ada", claims)).principal.roles).toEqual(roles);
  });

  test("named by the file, all of them", async () => {
    const harness = await openHarness({
      claims: claimRules(undefined, "a.b", { Chiefs: "operator", Devs: "dev" }),
    });
    const { principal } = await enter(harness, "ada", { a: { b: ["Chiefs", "Devs", "dev", "admin"] } });
    expect(principal.roles).toEqual(["operator", "dev"]);
  });

  test("that change end the sessions of before; the others stay", async () => {
    const harness = await openHarness({ claims: claimRules(undefined, "groups") });
    const first = await enter(harness, "ada", { groups: ["dev", "ops"] });
    const second = await enter(harness, "ada", { groups: ["ops", "dev"] });
    await harness.identity.authenticate(cookie(first.session), undefined);
    const third = await enter(harness, "ada", { groups: ["dev"] });
    expect(third.principal.roles).toEqual(["dev"]);
    for (const { session } of [first, second])
      expect(await codeOf(harness.identity.authenticate(cookie(session), undefined))).toBe("unauthenticated");
    await harness.identity.authenticate(cookie(third.session), undefined);
  });

  test("that reach beyond the tenant take tokens away that its administrators may know", async () => {
    const harness = await openHarness({ claims: claimRules(undefined, "groups", { Chiefs: "operator" }) });
    const { principal } = await enter(harness, "ada");
    const { secret } = await harness.identity.administration(principal).createToken({ name: "mine" });
    await harness.identity.authenticate(bearer(secret), undefined);
    await enter(harness, "ada", { groups: "Chiefs" });
    expect(await codeOf(harness.identity.authenticate(bearer(secret), undefined))).toBe("unauthenticated");
  });

  test("where nothing is said of them stay as administrators set them", async () => {
    const harness = await openHarness();
    const { principal } = await enter(harness, "ada", { groups: ["operator"] });
    expect(principal.roles).toEqual(["member"]);
    await (await operatorIn(harness)).updateUser(principal.name, { roles: ["admin"] });
    expect((await enter(harness, "ada", { roles: ["member"] })).principal.roles).toEqual(["admin"]);
  });
});

describe("such a user", () => {
  test("can be disabled", async () => {
    const harness = await openHarness();
    const { principal, session } = await enter(harness, "ada");
    await (await operatorIn(harness)).updateUser(principal.name, { disabled: true });
    expect(await codeOf(harness.identity.authenticate(cookie(session), undefined))).toBe("unauthenticated");
    expect(await messageOf(enter(harness, "ada"))).toMatch(
      /^forbidden: Your user `ada@example.com` .*disabled/,
    );
    await (await operatorIn(harness)).updateUser(principal.name, { disabled: false });
    expect((await enter(harness, "ada")).principal.id).toBe(principal.id);
  });

  test("that was removed comes back without anything of before", async () => {
    const harness = await openHarness();
    const { principal, session } = await enter(harness, "ada");
    await (await operatorIn(harness)).updateUser(principal.name, { roles: ["admin"] });
    await (await operatorIn(harness)).removeUser(principal.name);
    harness.time += 1_000;
    const again = await enter(harness, "ada");
    expect(again.principal).toMatchObject({ id: principal.id, roles: ["member"] });
    expect(await codeOf(harness.identity.authenticate(cookie(session), undefined))).toBe("unauthenticated");
  });

  test("has no password and gets none", async () => {
    const harness = await openHarness();
    const { principal } = await enter(harness, "ada");
    const change = { password: new Secret("another password of mine"), currentPassword: new Secret("") };
    for (const as of [await operatorIn(harness), harness.identity.administration(principal)])
      expect(await messageOf(as.updateUser(principal.name, change))).toMatch(
        /^bad_request: .*identity provider/,
      );
    harness.settings = {
      ...harness.settings,
      auth: { ...harness.settings.auth, provider: "local", oidc: undefined },
    };
    for (const text of ["", "none", password])
      expect(await codeOf(signIn(harness.identity, principal.name, text))).toBe("unauthenticated");
    expect(await codeOf(enter(harness, "ada"))).toBe("not_found");
  });

  test("has sessions like everybody: the oldest goes", async () => {
    const harness = await openHarness();
    const sessions: Secret[] = [];
    for (let count = 0; count < 22; count += 1) {
      harness.time += 1_000;
      sessions.push((await enter(harness, "ada")).session);
    }
    const codes = await Promise.all(
      sessions.map((session) => codeOf(harness.identity.authenticate(cookie(session), undefined))),
    );
    expect(codes.map((code) => code === "unauthenticated")).toEqual(sessions.map((_, index) => index < 2));
  });

  test("is in a tenant that is there", async () => {
    const harness = await openHarness({ claims: claimRules("org") });
    await harness.identity.administration(harness.operator).createTenant({ id: "late" });
    expect((await enter(harness, "ada", { org: "late" })).principal.tenant).toBe("late");
    await harness.identity.administration(harness.operator).removeTenant("late");
    expect(await codeOf(enter(harness, "ada", { org: "late" }))).toBe("forbidden");
  });
});

test("nobody signs in by a password meanwhile; their tokens go on", async () => {
  const harness = await createHarness();
  const { principal } = await signedIn(harness, "root");
  const { secret } = await harness.identity.administration(principal).createToken({ name: "mine" });
  harness.settings = {
    ...harness.settings,
    auth: { ...harness.settings.auth, provider: "oidc", oidc: oidcOf() },
  };
  expect(await messageOf(signIn(harness.identity, "root"))).toMatch(/^not_found: .*Example ID.*`\/login`/);
  expect((await harness.identity.authenticate(bearer(secret), undefined)).name).toBe("root");
});

test("a record that was written by nobody is not believed", async () => {
  const harness = await openHarness();
  await enter(harness, "ada");
  const [account] = await harness.store.gateway.list("account");
  await harness.store.gateway.write([
    { action: "put", kind: "account", id: account?.id ?? "", value: { tenant: "default" }, expected: "any" },
  ]);
  expect(await codeOf(enter(harness, "ada"))).toBe("store_unavailable");
});
