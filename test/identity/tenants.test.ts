import { describe, expect, test } from "vitest";
import { createOpenIdentity } from "../../src/identity/create-open-identity.ts";
import { Secret } from "../../src/secret.ts";
import {
  auth,
  bearer,
  codeOf,
  cookie,
  createHarness,
  fileTenant,
  password,
  signedIn,
  signIn,
} from "./harness.ts";

const selected = { kind: "selected", providers: ["crm"], tools: ["mail_*"] } as const;

describe("tenants", () => {
  test("of the store are made, changed and removed; those of the file are beside them", async () => {
    const harness = await createHarness({ tenants: { umbrella: fileTenant("umbrella", selected) } });
    const admin = harness.identity.administration(harness.operator);
    expect(await admin.createTenant({ id: "acme" })).toEqual({
      id: "acme",
      displayName: "acme",
      exposure: { kind: "all" },
      origin: "store",
    });
    await admin.updateTenant("acme", { exposure: selected, displayName: "ACME Inc." });
    expect(await admin.listTenants()).toEqual([
      { id: "acme", displayName: "ACME Inc.", exposure: selected, origin: "store" },
      { id: "default", displayName: "Default", exposure: { kind: "all" }, origin: "file" },
      { id: "umbrella", displayName: "UMBRELLA", exposure: selected, origin: "file" },
    ]);
    await admin.updateTenant("acme", { displayName: "" });
    expect((await admin.getTenant("acme")).displayName).toBe("acme");
    await admin.removeTenant("acme");
    expect(await codeOf(admin.getTenant("acme"))).toBe("not_found");
    expect(await codeOf(admin.removeTenant("acme"))).toBe("not_found");
    expect(await codeOf(admin.updateTenant("acme", {}))).toBe("not_found");
  });

  test("of the file can't be changed, and neither can the default one", async () => {
    const harness = await createHarness({ tenants: { umbrella: fileTenant("umbrella") } });
    const admin = harness.identity.administration(harness.operator);
    for (const id of ["umbrella", "default"]) {
      expect(await codeOf(admin.createTenant({ id }))).toBe("conflict");
      expect(await codeOf(admin.updateTenant(id, { displayName: "x" }))).toBe("conflict");
      expect(await codeOf(admin.removeTenant(id))).toBe("conflict");
    }
  });

  test("the file wins over a stored one of the same id", async () => {
    const harness = await createHarness();
    const admin = harness.identity.administration(harness.operator);
    await admin.createTenant({ id: "acme" });
    const { session } = await signedIn(harness, "ada", { tenant: "acme" });
    harness.settings = { ...harness.settings, tenants: { acme: fileTenant("acme", selected) } };
    expect((await harness.identity.authenticate(cookie(session), undefined)).exposure).toEqual(selected);
    expect((await admin.listTenants()).find(({ id }) => id === "acme")?.origin).toBe("file");
    harness.settings = { ...harness.settings, tenants: {} };
    expect((await harness.identity.authenticate(cookie(session), undefined)).exposure).toEqual({
      kind: "all",
    });
  });

  test("changes of exposure hold from the next request on, from another process too", async () => {
    const harness = await createHarness();
    const other = await harness.other();
    await harness.identity.administration(harness.operator).createTenant({ id: "acme" });
    const { session } = await signedIn(harness, "ada", { tenant: "acme" });
    await other.identity.administration(harness.operator).updateTenant("acme", { exposure: selected });
    expect((await harness.identity.authenticate(cookie(session), undefined)).exposure).toEqual(selected);
  });

  test.each(["", "Acme", "a b", "_x", "a".repeat(64), "аcme", "a/b", "..", "a\u0000"])(
    "%j is no id",
    async (id) => {
      const harness = await createHarness();
      const admin = harness.identity.administration(harness.operator);
      expect(await codeOf(admin.createTenant({ id }))).toBe("bad_request");
      expect(await codeOf(admin.getTenant(id))).toBe("not_found");
      expect(await codeOf(admin.removeTenant(id))).toBe("not_found");
    },
  );

  test("two made at once are one, with nothing lost", async () => {
    const harness = await createHarness();
    const other = await harness.other();
    const codes = await Promise.all(
      [harness, other].map(({ identity }) =>
        codeOf(identity.administration(harness.operator).createTenant({ id: "acme" })),
      ),
    );
    expect(codes.filter((code) => code === "conflict")).toHaveLength(1);
    expect(await harness.identity.administration(harness.operator).listTenants()).toHaveLength(2);
  });

  test("nobody administers one that was removed meanwhile", async () => {
    const harness = await createHarness();
    const admin = harness.identity.administration(harness.operator);
    await admin.createTenant({ id: "acme" });
    const as = harness.identity.administration(await harness.identity.lookUp("operator@acme"));
    await admin.removeTenant("acme");
    for (const attempt of [
      as.listUsers(),
      as.createUser({ name: "ada", password: new Secret(password) }),
      as.createToken({ name: "ci", service: true }),
      as.listTokens(),
      as.listSessions(),
    ]) {
      expect(await codeOf(attempt)).toBe("not_found");
    }
  });
});

describe("principals by name", () => {
  test("are those that authentication gives", async () => {
    const harness = await createHarness({ tenants: { acme: fileTenant("acme", selected) } });
    const { principal, session } = await signedIn(harness, "ada", { actsFor: ["acme"] });
    const token = await harness.identity
      .administration(principal)
      .createToken({ name: "laptop", scopes: ["read:*"] });
    const admin = harness.identity.administration(await harness.identity.lookUp("operator@acme"));
    const service = await admin.createToken({ name: "ci@night", service: true });
    const { lookUp, authenticate } = harness.identity;
    expect(await lookUp("user:Ada")).toEqual({ ...principal, credential: undefined });
    expect(await lookUp("user:ada@acme")).toEqual({
      ...(await authenticate(cookie(session), "acme")),
      credential: undefined,
    });
    expect(await lookUp(`token:${token.id}`)).toEqual(await authenticate(bearer(token.secret), undefined));
    expect(await lookUp(`token:${token.id}@acme`)).toEqual(await authenticate(bearer(token.secret), "acme"));
    expect(await lookUp("token:ci@night")).toEqual(await authenticate(bearer(service.secret), undefined));
    expect(await lookUp(`token:${service.id}`)).toEqual(await lookUp("token:ci@night"));
    expect(await lookUp("operator")).toMatchObject({
      kind: "operator",
      tenant: "default",
      roles: ["operator"],
    });
    expect(await lookUp("operator@acme")).toMatchObject({
      kind: "operator",
      tenant: "acme",
      exposure: selected,
    });
  });

  test("a name with an at sign is read as a name first", async () => {
    const harness = await createHarness({ tenants: { acme: fileTenant("acme") } });
    await signedIn(harness, "ada@acme");
    const { name, tenant } = await harness.identity.lookUp("user:ada@acme");
    expect([name, tenant]).toEqual(["ada@acme", "default"]);
    expect(await codeOf(harness.identity.lookUp("user:ada@acme@acme"))).toBe("bad_request");
  });

  test.each([
    ["user:nobody", "not_found"],
    ["user:nobody@acme", "not_found"],
    ["user:ada@acme", "bad_request"],
    ["user:off", "bad_request"],
    ["token:nothing", "not_found"],
    ["token:tok_aaaaaaaaaaaaaaaa", "not_found"],
    ["token:twice", "bad_request"],
    ["anonymous", "not_found"],
    ["anonymous@acme", "not_found"],
    ["operator@nowhere", "not_found"],
    ["", "bad_request"],
    ["ada", "bad_request"],
    ["user:", "bad_request"],
    ["@acme", "bad_request"],
    ["group:ada", "bad_request"],
  ])("%j: %s", async (text, code) => {
    const harness = await createHarness({ tenants: { acme: fileTenant("acme") } });
    const admin = harness.identity.administration(harness.operator);
    await signedIn(harness, "ada");
    await signedIn(harness, "off");
    await admin.updateUser("off", { disabled: true });
    await admin.createToken({ name: "twice", service: true });
    await admin.createToken({ name: "twice", service: true });
    expect(await codeOf(harness.identity.lookUp(text))).toBe(code);
  });
});

describe("without sign-in", () => {
  const settings = {
    auth: { ...auth, provider: "none" as const },
    tenants: { default: fileTenant("default", selected) },
  };

  test("everybody is the one anonymous principal, whatever they present", async () => {
    const identity = createOpenIdentity({ settings: () => settings, store: undefined, log: () => {} });
    const principal = await identity.authenticate({ kind: "nothing" }, undefined);
    expect(principal).toEqual({
      ...{
        kind: "anonymous",
        id: "anonymous",
        name: "anonymous",
        tenant: "default",
        home: "default",
        roles: [],
      },
      ...{ scopes: undefined, credential: undefined, exposure: selected },
    });
    expect(await identity.authenticate(bearer("gst_api_x"), undefined)).toBe(principal);
    expect(await identity.lookUp("anonymous")).toEqual(principal);
    for (const tenant of ["default", "acme", ""]) {
      expect(await codeOf(identity.authenticate({ kind: "nothing" }, tenant))).toBe("forbidden");
    }
    expect(await codeOf(signIn(identity, "ada"))).toBe("not_found");
    await identity.signOut(cookie("x"));
    expect(await codeOf(identity.administration(await identity.lookUp("operator")).listTenants())).toBe(
      "bad_request",
    );
    await identity.close();
  });

  test("the command line administers a store, and anonymous callers don't", async () => {
    const harness = await createHarness();
    const identity = createOpenIdentity({ settings: () => settings, store: harness.store, log: () => {} });
    const operator = await identity.lookUp("operator");
    await identity.administration(operator).createTenant({ id: "acme" });
    expect(await identity.administration(operator).listTenants()).toHaveLength(2);
    const anonymous = await identity.authenticate({ kind: "nothing" }, undefined);
    expect(await codeOf(identity.administration(anonymous).listTenants())).toBe("forbidden");
    expect(await codeOf(identity.administration(anonymous).listTokens())).toBe("forbidden");
    expect(await codeOf(identity.lookUp("anonymous@acme"))).toBe("bad_request");
  });
});

test("a narrowed token of an operator stays at home, unless its user acts for other tenants in so many words", async () => {
  const harness = await createHarness({
    tenants: { acme: fileTenant("acme"), globex: fileTenant("globex") },
  });
  const { principal } = await signedIn(harness, "root", { roles: ["operator"], actsFor: ["globex"] });
  const own = harness.identity.administration(principal);
  const whole = bearer((await own.createToken({ name: "whole" })).secret);
  const narrowed = await own.createToken({ name: "narrowed", scopes: ["*"] });
  const service = { service: true, roles: ["operator"], scopes: ["*"] };
  const robot = bearer((await own.createToken({ name: "robot", ...service })).secret);
  const { authenticate, lookUp } = harness.identity;
  expect((await authenticate(whole, "acme")).tenant).toBe("acme");
  expect(await codeOf(authenticate(bearer(narrowed.secret), "acme"))).toBe("forbidden");
  expect((await authenticate(bearer(narrowed.secret), "globex")).tenant).toBe("globex");
  expect(await codeOf(authenticate(robot, "acme"))).toBe("forbidden");
  expect(await codeOf(lookUp(`token:${narrowed.id}@acme`))).toBe("bad_request");
});
