import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { createIdentity } from "../../src/identity/create-identity.ts";
import { Secret } from "../../src/secret.ts";
import { bearer, codeOf, cookie, createHarness, day, fileTenant, hour, signedIn, signIn } from "./harness.ts";

describe("tokens", () => {
  test("a user's token is the user, with the user's roles", async () => {
    const harness = await createHarness();
    const { principal } = await signedIn(harness, "ada", { roles: ["member", "support"] });
    const created = await harness.identity
      .administration(principal)
      .createToken({ name: "laptop", scopes: ["read:crm", "mail/send_*"] });

    expect(created.secret.reveal()).toMatch(/^gst_api_[\w-]{43}$/);
    expect(await harness.identity.authenticate(bearer(created.secret), undefined)).toEqual({
      ...principal,
      scopes: ["read:crm", "mail/send_*"],
      credential: { kind: "token", id: created.id },
    });
  });

  test("a service token is a principal of its own", async () => {
    const harness = await createHarness({
      tenants: { acme: fileTenant("acme", { kind: "selected", providers: ["crm"], tools: [] }) },
    });
    const as = await harness.identity.lookUp("operator@acme");
    const { id, secret } = await harness.identity
      .administration(as)
      .createToken({ name: "ci", service: true, roles: ["deploy"] });

    expect(await harness.identity.authenticate(bearer(secret), undefined)).toEqual({
      ...{ kind: "service", id, name: "ci", tenant: "acme", home: "acme", roles: ["deploy"] },
      scopes: undefined,
      credential: { kind: "token", id },
      exposure: { kind: "selected", providers: ["crm"], tools: [] },
    });
  });

  test("an empty list of scopes stays one", async () => {
    const harness = await createHarness();
    const admin = harness.identity.administration(harness.operator);
    const { secret } = await admin.createToken({ name: "none", service: true, scopes: [] });
    expect((await harness.identity.authenticate(bearer(secret), undefined)).scopes).toEqual([]);
  });

  test("expire at the millisecond, whatever is kept of them", async () => {
    const harness = await createHarness();
    const admin = harness.identity.administration(harness.operator);
    const { secret } = await admin.createToken({ name: "short", service: true, expiresIn: hour });
    harness.time += hour - 1;
    await harness.identity.authenticate(bearer(secret), undefined);
    harness.time += 1;
    expect(await codeOf(harness.identity.authenticate(bearer(secret), undefined))).toBe("unauthenticated");
    // Nor do they come to life where the clock is set back by less than nothing was asked.
    harness.time += 100 * day;
    expect(await codeOf(harness.identity.authenticate(bearer(secret), undefined))).toBe("unauthenticated");
  });

  test("and sessions are over by this clock too, whatever the store still gives", async () => {
    const harness = await createHarness();
    const { session } = await signedIn(harness, "ada");
    const admin = harness.identity.administration(harness.operator);
    const { secret } = await admin.createToken({ name: "short", service: true, expiresIn: hour });
    let time = harness.time;
    const { settings, store } = harness;
    const identity = createIdentity({ store, settings: () => settings, now: () => time, log: () => {} });
    time += hour - 1;
    await identity.authenticate(bearer(secret), undefined);
    await identity.authenticate(cookie(session), undefined);
    time += 12 * hour;
    const fresh = createIdentity({ store, settings: () => settings, now: () => time, log: () => {} });
    for (const one of [identity, fresh]) {
      expect(await codeOf(one.authenticate(bearer(secret), undefined))).toBe("unauthenticated");
      expect(await codeOf(one.authenticate(cookie(session), undefined))).toBe("unauthenticated");
      await one.close();
    }
  });

  test("rotating refuses the old secret, and the lifetime begins again", async () => {
    const harness = await createHarness();
    const admin = harness.identity.administration(harness.operator);
    const before = await admin.createToken({ name: "ci", service: true, expiresIn: 2 * hour });
    harness.time += hour;
    const after = await admin.rotateToken(before.id);
    expect(after.id).toBe(before.id);
    expect(after.hint).not.toBe(before.hint);
    expect(await codeOf(harness.identity.authenticate(bearer(before.secret), undefined))).toBe(
      "unauthenticated",
    );
    harness.time += 2 * hour - 1;
    expect((await harness.identity.authenticate(bearer(after.secret), undefined)).id).toBe(before.id);
    expect(after.rotatedAt).toBeDefined();
  });
});

test("a refusal says what to send, and what may be wrong with what was sent", async () => {
  const { identity } = await createHarness();
  for (const presented of [{ kind: "nothing" } as const, bearer("gst_api_x"), cookie("x")])
    await expect(identity.authenticate(presented, undefined)).rejects.toThrow(
      /^Authentication is required.*Bearer gst_api_.*expired or was revoked\.$/,
    );
});

describe("the object of a principal", () => {
  test("is the same while nothing about it changes, whatever changes besides", async () => {
    const harness = await createHarness({ tenants: { acme: fileTenant("acme") } });
    const { session, principal } = await signedIn(harness, "ada", { actsFor: ["acme"] });
    expect(await harness.identity.authenticate(cookie(session), undefined)).toBe(principal);
    expect(await harness.identity.authenticate(cookie(session), "default")).toEqual(principal);
    const acting = await harness.identity.authenticate(cookie(session), "acme");
    expect(acting).toEqual({ ...principal, tenant: "acme", exposure: { kind: "all" } });

    await signedIn(harness, "grace");
    expect(await harness.identity.authenticate(cookie(session), undefined)).toBe(principal);
    expect(await harness.identity.authenticate(cookie(session), "acme")).toBe(acting);
    const [first, second] = await Promise.all([
      harness.identity.authenticate(cookie(session), "acme"),
      harness.identity.authenticate(cookie(session), "acme"),
    ]);
    expect(first).toBe(acting);
    expect(second).toBe(acting);
  });

  test("is another one as soon as roles, exposure or scopes differ", async () => {
    const harness = await createHarness();
    const { principal } = await signedIn(harness, "ada");
    const { secret } = await harness.identity.administration(principal).createToken({ name: "laptop" });
    const before = await harness.identity.authenticate(bearer(secret), undefined);
    await harness.identity.administration(harness.operator).updateUser("ada", { roles: ["support"] });
    const after = await harness.identity.authenticate(bearer(secret), undefined);
    expect(before.roles).toEqual(["member"]);
    expect(after.roles).toEqual(["support"]);

    harness.settings = {
      ...harness.settings,
      tenants: { default: fileTenant("default", { kind: "selected", providers: [], tools: [] }) },
    };
    expect((await harness.identity.authenticate(bearer(secret), undefined)).exposure).toEqual({
      ...{ kind: "selected", providers: [], tools: [] },
    });
  });

  test("can't be changed by who holds it", async () => {
    const harness = await createHarness();
    const { principal } = await signedIn(harness, "ada");
    expect(() => Object.assign(principal, { roles: ["operator"] })).toThrow(TypeError);
  });
});

describe("acting for tenants", () => {
  test("who may not act for a tenant learns nothing of it", async () => {
    const harness = await createHarness({
      tenants: { acme: fileTenant("acme"), umbrella: fileTenant("umbrella") },
    });
    const { session } = await signedIn(harness, "ada", { actsFor: ["acme", "nowhere"] });
    const messages = await Promise.all(
      [
        "umbrella",
        "nowhere",
        "unknown",
        "",
        "ACME",
        "acme ",
        "аcme",
        "__proto__",
        "constructor",
        "x".repeat(5_000),
      ].map(async (tenant) => {
        const error: unknown = await harness.identity
          .authenticate(cookie(session), tenant)
          .catch((thrown: unknown) => thrown);
        return error instanceof GatewayError ? `${error.code} ${error.message}` : error;
      }),
    );
    expect([...new Set(messages)]).toHaveLength(1);
    expect(messages[0]).toContain("forbidden");
    expect((await harness.identity.authenticate(cookie(session), "acme")).tenant).toBe("acme");
  });

  test("operators and those who act for any reach every tenant that is there", async () => {
    const harness = await createHarness({ tenants: { acme: fileTenant("acme") } });
    const { session } = await signedIn(harness, "root", { roles: ["operator"] });
    const { session: any } = await signedIn(harness, "any", { actsFor: "any" });
    for (const token of [session, any]) {
      expect((await harness.identity.authenticate(cookie(token), "acme")).home).toBe("default");
      expect(await codeOf(harness.identity.authenticate(cookie(token), "nowhere"))).toBe("forbidden");
    }
  });

  test("nothing is authenticated by naming a tenant", async () => {
    const harness = await createHarness();
    expect(await codeOf(harness.identity.authenticate({ kind: "nothing" }, "acme"))).toBe("unauthenticated");
    expect(await codeOf(harness.identity.authenticate(bearer("gst_api_x"), "default"))).toBe(
      "unauthenticated",
    );
  });
});

describe("what is refused on the very next request", () => {
  type Kept = Awaited<ReturnType<typeof prepare>>;
  async function prepare() {
    const harness = await createHarness();
    const operator = harness.identity.administration(harness.operator);
    await operator.createTenant({ id: "acme" });
    const { principal, session } = await signedIn(harness, "ada", { tenant: "acme" });
    const { id, secret } = await harness.identity.administration(principal).createToken({ name: "laptop" });
    // Kept from now on.
    await harness.identity.authenticate(cookie(session), undefined);
    await harness.identity.authenticate(bearer(secret), undefined);
    return { harness, principal, session, token: { id, secret } };
  }

  const both = ["token", "session"] as const;
  const cases: readonly {
    readonly name: string;
    readonly refused: readonly ("token" | "session")[];
    readonly change: (kept: Kept, identity: Kept["harness"]["identity"]) => Promise<unknown>;
  }[] = [
    {
      name: "a revoked token",
      refused: ["token"],
      change: async ({ token }, identity) =>
        identity.administration(await identity.lookUp("operator@acme")).revokeToken(token.id),
    },
    {
      name: "a revoked session",
      refused: ["session"],
      change: async ({ principal }, identity) =>
        identity
          .administration(await identity.lookUp("operator@acme"))
          .revokeSession(principal.credential?.id ?? ""),
    },
    {
      name: "a session signed out",
      refused: ["session"],
      change: async ({ session }, identity) => identity.signOut(cookie(session)),
    },
    {
      name: "a disabled user",
      refused: both,
      change: async (_, identity) =>
        identity.administration(await identity.lookUp("operator@acme")).updateUser("ada", { disabled: true }),
    },
    {
      name: "a removed user",
      refused: both,
      change: async (_, identity) =>
        identity.administration(await identity.lookUp("operator@acme")).removeUser("ada"),
    },
    {
      name: "a removed tenant",
      refused: both,
      change: async (_, identity) =>
        identity.administration(await identity.lookUp("operator")).removeTenant("acme"),
    },
    {
      name: "another password",
      refused: ["session"],
      change: async (_, identity) =>
        identity
          .administration(await identity.lookUp("operator@acme"))
          .updateUser("ada", { password: new Secret("another battery horse") }),
    },
    {
      name: "other roles",
      refused: ["session"],
      change: async (_, identity) =>
        identity.administration(await identity.lookUp("operator@acme")).updateUser("ada", { roles: [] }),
    },
  ];

  describe.each(cases)("$name", ({ refused, change }) => {
    test.each(["the same process", "another process"])("changed by %s", async (where) => {
      const kept = await prepare();
      const { harness, session, token } = kept;
      await change(kept, where === "the same process" ? harness.identity : (await harness.other()).identity);
      const now = {
        token: await codeOf(harness.identity.authenticate(bearer(token.secret), undefined)),
        session: await codeOf(harness.identity.authenticate(cookie(session), undefined)),
      };
      for (const kind of both) {
        if (refused.includes(kind)) expect(now[kind], kind).toBe("unauthenticated");
        else expect(now[kind], kind).toContain("resolved");
      }
    });
  });

  test("a tenant that is made again has nobody of the old one", async () => {
    const { harness, session, token } = await prepare();
    const admin = harness.identity.administration(harness.operator);
    await admin.removeTenant("acme");
    await admin.createTenant({ id: "acme" });
    expect(await codeOf(harness.identity.authenticate(bearer(token.secret), undefined))).toBe(
      "unauthenticated",
    );
    expect(await codeOf(harness.identity.authenticate(cookie(session), undefined))).toBe("unauthenticated");
    expect(await codeOf(signIn(harness.identity, "ada"))).toBe("unauthenticated");
  });

  test("a removal that was cut short leaves nobody behind", async () => {
    const { harness, session, token } = await prepare();
    await harness.store.gateway.write([{ action: "delete", kind: "tenant", id: "acme", expected: "any" }]);
    expect(await codeOf(harness.identity.authenticate(bearer(token.secret), undefined))).toBe(
      "unauthenticated",
    );
    await harness.identity.administration(harness.operator).createTenant({ id: "acme" });
    expect(await codeOf(harness.identity.authenticate(bearer(token.secret), undefined))).toBe(
      "unauthenticated",
    );
    expect(await codeOf(harness.identity.authenticate(cookie(session), undefined))).toBe("unauthenticated");
  });

  test("a user of the same name is another one", async () => {
    const { harness, principal, token } = await prepare();
    const as = await harness.identity.lookUp("operator@acme");
    await harness.identity.administration(as).removeUser("ada");
    const again = await signedIn(harness, "ada", { tenant: "acme" });
    expect(again.principal.id).not.toBe(principal.id);
    expect(await codeOf(harness.identity.authenticate(bearer(token.secret), undefined))).toBe(
      "unauthenticated",
    );
  });

  test("a tenant that the file does not declare any more", async () => {
    const harness = await createHarness({ tenants: { acme: fileTenant("acme") } });
    const { session } = await signedIn(harness, "ada", { tenant: "acme" });
    harness.settings = { ...harness.settings, tenants: {} };
    expect(await codeOf(harness.identity.authenticate(cookie(session), undefined))).toBe("unauthenticated");
  });
});
