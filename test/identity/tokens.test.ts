import { describe, expect, test } from "vitest";
import { bearer, codeOf, createHarness, day, fileTenant, hour, signedIn } from "./harness.ts";

test("a token is told once, and listed without its secret, newest first", async () => {
  const harness = await createHarness();
  const { principal } = await signedIn(harness, "ada");
  const own = harness.identity.administration(principal);
  const first = await own.createToken({ name: "laptop", scopes: ["read:*"] });
  harness.time += 1_000;
  const second = await own.createToken({ name: "phone" });
  const { secret, ...shown } = first;
  expect(shown).toEqual({
    ...{
      id: first.id,
      name: "laptop",
      tenant: "default",
      user: "ada",
      scopes: ["read:*"],
      roles: [],
      actsFor: [],
    },
    createdAt: new Date(harness.time - 1_000).toISOString(),
    rotatedAt: undefined,
    expiresAt: new Date(harness.time - 1_000 + 30 * day).toISOString(),
    lastUsedAt: undefined,
    hint: secret.reveal().slice(0, 12),
  });
  const listed = await own.listTokens();
  expect(listed.map(({ id }) => id)).toEqual([second.id, first.id]);
  expect(JSON.stringify(listed)).not.toContain(secret.reveal().slice(12));
});

test.each([
  { name: "" },
  { name: " x" },
  { name: "x".repeat(101) },
  { name: "line\nbreak" },
  { name: "\u202eevil" },
  { scopes: [""] },
  { scopes: ["crm/"] },
  { scopes: ["write:crm"] },
  { scopes: ["*", "crm crm"] },
  { expiresIn: 0 },
  { expiresIn: -1 },
  { expiresIn: 1.5 },
  { expiresIn: Number.NaN },
  { expiresIn: Number.POSITIVE_INFINITY },
  { expiresIn: 101 * 366 * day },
  { roles: ["X"] },
  { actsFor: ["Y Y"] },
  { service: true, user: "ada" },
  { service: false },
])("%j can't be stored", async (wrong) => {
  const harness = await createHarness();
  const admin = harness.identity.administration(harness.operator);
  expect(await codeOf(admin.createToken({ name: "ci", service: true, ...wrong }))).toBe("bad_request");
  expect(await admin.listTokens()).toEqual([]);
});

test("a user's token has no roles and tenants of its own", async () => {
  const harness = await createHarness();
  const { principal } = await signedIn(harness, "root", { roles: ["operator"] });
  const own = harness.identity.administration(principal);
  expect(await codeOf(own.createToken({ name: "x", roles: ["support"] }))).toBe("bad_request");
  expect(await codeOf(own.createToken({ name: "x", actsFor: "any" }))).toBe("bad_request");
});

test("tokens of one's own are made at home", async () => {
  const harness = await createHarness({ tenants: { acme: fileTenant("acme") } });
  const { session } = await signedIn(harness, "root", { roles: ["operator"] });
  const away = await harness.identity.authenticate({ kind: "session", token: session }, "acme");
  const as = harness.identity.administration(away);
  expect(await codeOf(as.createToken({ name: "x" }))).toBe("bad_request");
  const { tenant } = await as.createToken({ name: "x", service: true });
  expect(tenant).toBe("acme");
});

test("lifetimes: the file's by default, longer only for administrators", async () => {
  const harness = await createHarness();
  const { principal } = await signedIn(harness, "ada");
  const own = harness.identity.administration(principal);
  const admin = harness.identity.administration(harness.operator);
  expect(await codeOf(own.createToken({ name: "x", expiresIn: 30 * day + 1 }))).toBe("forbidden");
  expect(await codeOf(own.createToken({ name: "x", expiresIn: 30 * day }))).toContain("resolved");
  const given = await admin.createToken({ name: "x", user: "ada", expiresIn: 300 * day });
  expect(given.expiresAt).toBe(new Date(harness.time + 300 * day).toISOString());
  const endless = await admin.createToken({ name: "x", user: "ada", expiresIn: "never" });
  expect(endless.expiresAt).toBeUndefined();
  harness.time += 5_000 * day;
  expect((await harness.identity.authenticate(bearer(endless.secret), undefined)).name).toBe("ada");
});

describe("other people's tokens", () => {
  test("are not there for who is no administrator, nor those of other tenants for anybody", async () => {
    const harness = await createHarness({ tenants: { acme: fileTenant("acme") } });
    const ada = await signedIn(harness, "ada");
    const eve = await signedIn(harness, "eve");
    const admin = await signedIn(harness, "admin", { roles: ["admin"], tenant: "acme" });
    const token = await harness.identity.administration(ada.principal).createToken({ name: "laptop" });
    const service = await harness.identity
      .administration(harness.operator)
      .createToken({ name: "ci", service: true });
    for (const who of [eve, admin]) {
      const as = harness.identity.administration(who.principal);
      expect(await as.listTokens()).toEqual([]);
      for (const id of [token.id, service.id, "tok_aaaaaaaaaaaaaaaa", "", "../x", ada.principal.id]) {
        expect(await codeOf(as.rotateToken(id))).toBe("not_found");
        expect(await codeOf(as.revokeToken(id))).toBe("not_found");
        expect(await codeOf(as.revokeSession(id))).toBe("not_found");
      }
      expect(await codeOf(as.revokeSession(ada.principal.credential?.id ?? ""))).toBe("not_found");
    }
    expect(await codeOf(harness.identity.authenticate(bearer(token.secret), undefined))).toContain(
      "resolved",
    );
  });

  test("a service sees and revokes itself, but can't rotate itself", async () => {
    const harness = await createHarness();
    const admin = harness.identity.administration(harness.operator);
    const { id, secret } = await admin.createToken({ name: "ci", service: true });
    const other = await admin.createToken({ name: "cd", service: true });
    const itself = harness.identity.administration(
      await harness.identity.authenticate(bearer(secret), undefined),
    );
    expect((await itself.listTokens()).map((token) => token.id)).toEqual([id]);
    expect(await codeOf(itself.rotateToken(id))).toBe("forbidden");
    expect(await codeOf(itself.revokeToken(other.id))).toBe("not_found");
    await itself.revokeToken(id);
    expect(await codeOf(harness.identity.authenticate(bearer(secret), undefined))).toBe("unauthenticated");
  });

  test("an administrator can't get an operator's service token", async () => {
    const harness = await createHarness();
    const { id } = await harness.identity
      .administration(harness.operator)
      .createToken({ name: "ops", service: true, roles: ["operator"] });
    const { principal } = await signedIn(harness, "admin", { roles: ["admin"] });
    const as = harness.identity.administration(principal);
    expect(await codeOf(as.rotateToken(id))).toBe("forbidden");
    expect(await codeOf(as.revokeToken(id))).toBe("forbidden");
  });
});

test("two rotations at once leave one secret", async () => {
  const harness = await createHarness();
  const admin = harness.identity.administration(harness.operator);
  const { id } = await admin.createToken({ name: "ci", service: true });
  const other = await harness.other();
  const made = await Promise.allSettled([
    admin.rotateToken(id),
    other.identity.administration(harness.operator).rotateToken(id),
  ]);
  const secrets = made.flatMap((one) => (one.status === "fulfilled" ? [one.value.secret] : []));
  const codes = await Promise.all(
    secrets.map((secret) => codeOf(harness.identity.authenticate(bearer(secret), undefined))),
  );
  expect(codes.filter((code) => code.startsWith("resolved"))).toHaveLength(1);
});

test("a user has at most a hundred tokens", async () => {
  const harness = await createHarness();
  await signedIn(harness, "ada");
  const admin = harness.identity.administration(harness.operator);
  for (let count = 0; count < 100; count += 1) await admin.createToken({ name: `t${count}`, user: "ada" });
  expect(await codeOf(admin.createToken({ name: "one more", user: "ada" }))).toBe("conflict");
  harness.time += hour;
  const [one] = await admin.listTokens();
  await admin.revokeToken(one?.id ?? "");
  await admin.createToken({ name: "one more", user: "ada" });
});
