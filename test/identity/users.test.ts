import { describe, expect, test } from "vitest";
import type { Administration } from "../../src/model/administration.ts";
import type { Principal } from "../../src/model/principal.ts";
import { Secret } from "../../src/secret.ts";
import {
  bearer,
  codeOf,
  createHarness,
  fileTenant,
  type Harness,
  password,
  signedIn,
  signIn,
} from "./harness.ts";

const secret = new Secret("another battery horse");

async function cast(harness: Harness) {
  const by = (name: string, roles: readonly string[], tenant = "default") =>
    signedIn(harness, name, { roles, tenant });
  const principals = {
    root: (await by("root", ["operator"])).principal,
    admin: (await by("admin", ["admin"])).principal,
    member: (await by("member", ["member"])).principal,
    stranger: (await by("stranger", ["admin"], "acme")).principal,
  };
  const token = await harness.identity
    .administration(principals.root)
    .createToken({ name: "narrow", scopes: ["*"] });
  const narrowed = await harness.identity.authenticate(bearer(token.secret), undefined);
  return { ...principals, narrowed };
}

const create = () => createHarness({ tenants: { acme: fileTenant("acme") } });

test("users are created with what was asked for, lower case, and listed by name", async () => {
  const harness = await create();
  const admin = harness.identity.administration(harness.operator);
  const made = await admin.createUser({
    ...{ name: "Zoe@Example.com", displayName: "Zoë", password: secret, roles: ["support", "support"] },
    actsFor: ["acme"],
  });
  expect(made).toEqual({
    ...{ id: made.id, name: "zoe@example.com", displayName: "Zoë", tenant: "default", roles: ["support"] },
    ...{
      actsFor: ["acme"],
      disabled: false,
      createdAt: new Date(harness.time).toISOString(),
      lastUsedAt: undefined,
    },
  });
  await admin.createUser({ name: "ada", password: secret });
  expect((await admin.listUsers()).map(({ name, roles }) => [name, roles])).toEqual([
    ["ada", ["member"]],
    ["zoe@example.com", ["support"]],
  ]);
  expect(await codeOf(admin.createUser({ name: "ADA", password: secret }))).toBe("conflict");
});

test.each([
  { name: "" },
  { name: "-ada" },
  { name: "ada lovelace" },
  { name: "аda" },
  { name: "ada\u0000" },
  { name: "a".repeat(129) },
  { roles: ["Admin"] },
  { roles: ["__proto__"] },
  { roles: [""] },
  { roles: Array.from({ length: 51 }, (_, number) => `r${number}`) },
  { actsFor: ["ACME"] },
  { displayName: "\u202eevil" },
  { displayName: "x".repeat(201) },
  { password: new Secret("short") },
  { password: new Secret("grace.hopper@navy"), name: "grace.hopper@navy" },
])("%j can't be stored", async (wrong) => {
  const harness = await create();
  const admin = harness.identity.administration(harness.operator);
  expect(await codeOf(admin.createUser({ name: "grace", password: secret, ...wrong }))).toBe("bad_request");
  expect(await admin.listUsers()).toEqual([]);
});

describe("who may do what", () => {
  type Who = keyof Awaited<ReturnType<typeof cast>>;
  const attempts: readonly (readonly [
    string,
    (as: Administration) => Promise<unknown>,
    Readonly<Record<Who, string>>,
  ])[] = [
    [
      "list users",
      (as) => as.listUsers(),
      {
        root: "resolved",
        admin: "resolved",
        member: "forbidden",
        stranger: "resolved",
        narrowed: "forbidden",
      },
    ],
    [
      "create a user",
      (as) => as.createUser({ name: "new", password: secret }),
      {
        root: "resolved",
        admin: "resolved",
        member: "forbidden",
        stranger: "resolved",
        narrowed: "forbidden",
      },
    ],
    [
      "create an operator",
      (as) => as.createUser({ name: "new", password: secret, roles: ["operator"] }),
      {
        root: "resolved",
        admin: "forbidden",
        member: "forbidden",
        stranger: "forbidden",
        narrowed: "forbidden",
      },
    ],
    [
      "create who acts for others",
      (as) => as.createUser({ name: "new", password: secret, actsFor: "any" }),
      {
        root: "resolved",
        admin: "forbidden",
        member: "forbidden",
        stranger: "forbidden",
        narrowed: "forbidden",
      },
    ],
    [
      "give a role",
      (as) => as.updateUser("member", { roles: ["support"] }),
      {
        root: "resolved",
        admin: "resolved",
        member: "forbidden",
        stranger: "not_found",
        narrowed: "forbidden",
      },
    ],
    [
      "make a member operator",
      (as) => as.updateUser("member", { roles: ["operator"] }),
      {
        root: "resolved",
        admin: "forbidden",
        member: "forbidden",
        stranger: "not_found",
        narrowed: "forbidden",
      },
    ],
    [
      "let a member act for others",
      (as) => as.updateUser("member", { actsFor: ["acme"] }),
      {
        root: "resolved",
        admin: "forbidden",
        member: "forbidden",
        stranger: "not_found",
        narrowed: "forbidden",
      },
    ],
    [
      "set a member's password",
      (as) => as.updateUser("member", { password: secret }),
      {
        root: "resolved",
        admin: "resolved",
        member: "bad_request",
        stranger: "not_found",
        narrowed: "forbidden",
      },
    ],
    [
      "set an operator's password",
      (as) => as.updateUser("root", { password: secret }),
      {
        root: "bad_request",
        admin: "forbidden",
        member: "forbidden",
        stranger: "not_found",
        narrowed: "forbidden",
      },
    ],
    [
      "disable a member",
      (as) => as.updateUser("member", { disabled: true }),
      {
        root: "resolved",
        admin: "resolved",
        member: "forbidden",
        stranger: "not_found",
        narrowed: "forbidden",
      },
    ],
    [
      "remove an operator",
      (as) => as.removeUser("root"),
      {
        root: "conflict",
        admin: "forbidden",
        member: "forbidden",
        stranger: "not_found",
        narrowed: "forbidden",
      },
    ],
    [
      "remove a member",
      (as) => as.removeUser("member"),
      {
        root: "resolved",
        admin: "resolved",
        member: "forbidden",
        stranger: "not_found",
        narrowed: "forbidden",
      },
    ],
    [
      "remove nobody",
      (as) => as.removeUser("nobody"),
      {
        root: "not_found",
        admin: "not_found",
        member: "forbidden",
        stranger: "not_found",
        narrowed: "forbidden",
      },
    ],
    [
      "change nobody",
      (as) => as.updateUser("nobody", {}),
      {
        root: "not_found",
        admin: "not_found",
        member: "forbidden",
        stranger: "not_found",
        narrowed: "forbidden",
      },
    ],
    [
      "change one's display name",
      (as) => as.updateUser("member", { displayName: "Me" }),
      {
        root: "resolved",
        admin: "resolved",
        member: "resolved",
        stranger: "not_found",
        narrowed: "forbidden",
      },
    ],
    [
      "list tenants",
      (as) => as.listTenants(),
      {
        root: "resolved",
        admin: "forbidden",
        member: "forbidden",
        stranger: "forbidden",
        narrowed: "forbidden",
      },
    ],
    [
      "look at a tenant",
      (as) => as.getTenant("acme"),
      {
        root: "resolved",
        admin: "forbidden",
        member: "forbidden",
        stranger: "resolved",
        narrowed: "forbidden",
      },
    ],
    [
      "look at no tenant",
      (as) => as.getTenant("nowhere"),
      {
        root: "not_found",
        admin: "forbidden",
        member: "forbidden",
        stranger: "forbidden",
        narrowed: "forbidden",
      },
    ],
    [
      "create a tenant",
      (as) => as.createTenant({ id: "new" }),
      {
        root: "resolved",
        admin: "forbidden",
        member: "forbidden",
        stranger: "forbidden",
        narrowed: "forbidden",
      },
    ],
    [
      "change a tenant",
      (as) => as.updateTenant("acme", {}),
      {
        root: "conflict",
        admin: "forbidden",
        member: "forbidden",
        stranger: "forbidden",
        narrowed: "forbidden",
      },
    ],
    [
      "remove a tenant",
      (as) => as.removeTenant("acme"),
      {
        root: "conflict",
        admin: "forbidden",
        member: "forbidden",
        stranger: "forbidden",
        narrowed: "forbidden",
      },
    ],
    [
      "list tokens",
      (as) => as.listTokens(),
      {
        root: "resolved",
        admin: "resolved",
        member: "resolved",
        stranger: "resolved",
        narrowed: "forbidden",
      },
    ],
    [
      "make a token of one's own",
      (as) => as.createToken({ name: "own" }),
      {
        root: "resolved",
        admin: "resolved",
        member: "resolved",
        stranger: "resolved",
        narrowed: "forbidden",
      },
    ],
    [
      "make a service token",
      (as) => as.createToken({ name: "ci", service: true }),
      {
        root: "resolved",
        admin: "resolved",
        member: "forbidden",
        stranger: "resolved",
        narrowed: "forbidden",
      },
    ],
    [
      "make an operator's service token",
      (as) => as.createToken({ name: "ci", service: true, roles: ["operator"] }),
      {
        root: "resolved",
        admin: "forbidden",
        member: "forbidden",
        stranger: "forbidden",
        narrowed: "forbidden",
      },
    ],
    [
      "make a service token that acts for others",
      (as) => as.createToken({ name: "ci", service: true, actsFor: ["acme"] }),
      {
        root: "resolved",
        admin: "forbidden",
        member: "forbidden",
        stranger: "forbidden",
        narrowed: "forbidden",
      },
    ],
    [
      "make a token for a member",
      (as) => as.createToken({ name: "for", user: "member" }),
      {
        root: "resolved",
        admin: "resolved",
        member: "resolved",
        stranger: "not_found",
        narrowed: "forbidden",
      },
    ],
    [
      "make a token for somebody else",
      (as) => as.createToken({ name: "for", user: "admin" }),
      {
        root: "resolved",
        admin: "resolved",
        member: "forbidden",
        stranger: "not_found",
        narrowed: "forbidden",
      },
    ],
    [
      "make a token for an operator",
      (as) => as.createToken({ name: "for", user: "root" }),
      {
        root: "resolved",
        admin: "forbidden",
        member: "forbidden",
        stranger: "not_found",
        narrowed: "forbidden",
      },
    ],
    [
      "make a token without end",
      (as) => as.createToken({ name: "own", expiresIn: "never" }),
      {
        root: "resolved",
        admin: "resolved",
        member: "forbidden",
        stranger: "resolved",
        narrowed: "forbidden",
      },
    ],
    [
      "list sessions",
      (as) => as.listSessions(),
      {
        root: "resolved",
        admin: "resolved",
        member: "resolved",
        stranger: "resolved",
        narrowed: "forbidden",
      },
    ],
  ];

  test.each(attempts)("%s", async (_, attempt, expected) => {
    const outcomes: Record<string, string> = {};
    for (const who of Object.keys(expected)) {
      const harness = await create();
      const principals: Readonly<Record<string, Principal>> = await cast(harness);
      const as = principals[who];
      if (as === undefined) throw new Error(who);
      outcomes[who] = (await codeOf(attempt(harness.identity.administration(as)))).replace(/:.*/s, "");
    }
    expect(outcomes).toEqual(expected);
  });

  test("anonymous callers administer nothing", async () => {
    const harness = await create();
    const anonymous: Principal = { ...harness.operator, kind: "anonymous", roles: ["operator", "admin"] };
    const as = harness.identity.administration(anonymous);
    for (const [, attempt] of attempts) expect(await codeOf(attempt(as))).toBe("forbidden");
  });
});

describe("one's own password", () => {
  test("is changed with the one that is there, and ends all sessions", async () => {
    const harness = await create();
    const { principal, session } = await signedIn(harness, "ada");
    const own = harness.identity.administration(principal);
    expect(await codeOf(own.updateUser("ada", { password: secret }))).toBe("bad_request");
    expect(await codeOf(own.updateUser("ada", { password: secret, currentPassword: secret }))).toBe(
      "forbidden",
    );
    await own.updateUser("ada", { password: secret, currentPassword: new Secret(password) });
    expect(await codeOf(harness.identity.authenticate({ kind: "session", token: session }, undefined))).toBe(
      "unauthenticated",
    );
    expect(await codeOf(signIn(harness.identity, "ada"))).toBe("unauthenticated");
    expect(await harness.store.tenant("default").list("session")).toEqual([]);
    expect((await signIn(harness.identity, "ada", secret.reveal())).principal.name).toBe("ada");
  });

  test("can't be tried out without end", async () => {
    const harness = await create();
    const { principal } = await signedIn(harness, "ada");
    const own = harness.identity.administration(principal);
    const codes = [];
    for (let count = 0; count < 7; count += 1) {
      codes.push(await codeOf(own.updateUser("ada", { password: secret, currentPassword: secret })));
    }
    expect(codes).toEqual([...Array(5).fill("forbidden"), "rate_limited", "rate_limited"]);
  });
});

describe("operators", () => {
  test("the last one who can sign in stays, over all tenants", async () => {
    const harness = await create();
    await signedIn(harness, "root", { roles: ["operator"] });
    const { principal } = await signedIn(harness, "other", { roles: ["operator"], tenant: "acme" });
    const here = harness.identity.administration(harness.operator);
    const there = harness.identity.administration(await harness.identity.lookUp("operator@acme"));
    await here.updateUser("root", { disabled: true });
    for (const attempt of [
      there.updateUser("other", { roles: ["member"] }),
      there.updateUser("other", { disabled: true }),
      there.removeUser("other"),
      harness.identity.administration(principal).updateUser("other", { roles: [] }),
    ]) {
      expect(await codeOf(attempt)).toBe("conflict");
    }
    await here.updateUser("root", { disabled: false });
    await there.removeUser("other");
    expect(await codeOf(here.removeUser("root"))).toBe("conflict");
    expect((await here.listUsers()).map(({ name }) => name)).toEqual(["root"]);
  });

  test("two who lower each other at once don't both succeed", async () => {
    const harness = await create();
    await signedIn(harness, "one", { roles: ["operator"] });
    await signedIn(harness, "two", { roles: ["operator"] });
    const other = await harness.other();
    const codes = await Promise.all([
      codeOf(harness.identity.administration(harness.operator).updateUser("one", { roles: [] })),
      codeOf(other.identity.administration(harness.operator).updateUser("two", { roles: [] })),
    ]);
    const left = await harness.identity.administration(harness.operator).listUsers();
    expect(left.some(({ roles }) => roles.includes("operator"))).toBe(true);
    expect(codes).toContain("conflict");
  });

  test("a tenant with the last one of them can't be removed", async () => {
    const harness = await create();
    const admin = harness.identity.administration(harness.operator);
    await admin.createTenant({ id: "team" });
    await signedIn(harness, "root", { roles: ["operator"], tenant: "team" });
    expect(await codeOf(admin.removeTenant("team"))).toBe("conflict");
    await signedIn(harness, "spare", { roles: ["operator"] });
    await admin.removeTenant("team");
  });

  test("who acts for other tenants is out of reach for administrators of the own one", async () => {
    const harness = await create();
    const { principal: admin } = await signedIn(harness, "admin", { roles: ["admin"] });
    const { principal: far } = await signedIn(harness, "far", { actsFor: ["acme"] });
    const as = harness.identity.administration(admin);
    const token = await harness.identity.administration(far).createToken({ name: "laptop" });
    for (const attempt of [
      as.updateUser("far", { password: secret }),
      as.updateUser("far", { displayName: "x" }),
      as.removeUser("far"),
      as.createToken({ name: "mine", user: "far" }),
      as.rotateToken(token.id),
      as.revokeToken(token.id),
      as.revokeSession(far.credential?.id ?? ""),
    ]) {
      expect(await codeOf(attempt)).toBe("forbidden");
    }
    await harness.identity.administration(far).rotateToken(token.id);
  });
});

describe("changes at the same time", () => {
  test("none is lost", async () => {
    const harness = await create();
    const { principal } = await signedIn(harness, "ada");
    const other = await harness.other();
    await Promise.all([
      harness.identity.administration(harness.operator).updateUser("ada", { roles: ["support"] }),
      other.identity.administration(principal).updateUser("ada", { displayName: "Ada" }),
    ]);
    const [ada] = await harness.identity.administration(harness.operator).listUsers();
    expect(ada).toMatchObject({ displayName: "Ada", roles: ["support"] });
  });

  test("two users of one name are one", async () => {
    const harness = await create();
    const there = await harness.identity.lookUp("operator@acme");
    const codes = await Promise.all([
      codeOf(harness.identity.administration(harness.operator).createUser({ name: "ada", password: secret })),
      codeOf(harness.identity.administration(there).createUser({ name: "Ada", password: secret })),
    ]);
    expect(codes.filter((code) => code === "conflict")).toHaveLength(1);
  });
});

test("removing a user removes the tokens, the sessions and every trace", async () => {
  const harness = await create();
  const { principal } = await signedIn(harness, "ada");
  await harness.identity.administration(principal).createToken({ name: "laptop" });
  await signedIn(harness, "grace");
  await harness.identity.close();
  await harness.identity.administration(harness.operator).removeUser("ada");
  const tenant = harness.store.tenant("default");
  const left = await Promise.all(
    (["user", "token", "session", "use"] as const).map((kind) => tenant.list(kind)),
  );
  expect(left.map((records) => records.length)).toEqual([1, 0, 1, 2]);
});

test("users and tokens can't be made without end", async () => {
  const harness = await create();
  const { principal } = await signedIn(harness, "ada");
  const own = harness.identity.administration(principal);
  const codes = [];
  for (let count = 0; count < 22; count += 1) codes.push(await codeOf(own.createToken({ name: "t" })));
  expect(codes.filter((code) => code === "rate_limited")).toHaveLength(2);
  const [token] = await own.listTokens();
  expect(await codeOf(own.rotateToken(token?.id ?? ""))).toBe("rate_limited");
  harness.time += 6_000;
  expect(await codeOf(own.createToken({ name: "t" }))).toContain("resolved");
});

test("who was removed is not whoever got the name next", async () => {
  const harness = await create();
  const { member } = await cast(harness);
  const admin = harness.identity.administration(harness.operator);
  await admin.removeUser("member");
  const next = await admin.createUser({ name: "member", password: secret, roles: ["admin"] });
  const former = harness.identity.administration(member);
  expect(await codeOf(former.createToken({ name: "theirs" }))).toBe("forbidden");
  expect(await codeOf(former.updateUser("member", { password: new Secret("taken over by me") }))).toBe(
    "forbidden",
  );
  expect(await codeOf(former.updateUser("member", { displayName: "Me" }))).toBe("forbidden");
  expect((await admin.listUsers()).find(({ name }) => name === "member")).toEqual(next);
  expect(await admin.listTokens()).toHaveLength(1);
});

test.each([{ roles: ["operator"] }, { actsFor: ["acme"] }, { actsFor: "any" }] as const)(
  "what was made before somebody got further than the tenant (%j) gets nobody there",
  async (changes) => {
    const harness = await create();
    const { root, admin } = await cast(harness);
    const planted = await harness.identity
      .administration(admin)
      .createToken({ name: "planted", user: "member", expiresIn: "never" });
    const use = () => harness.identity.authenticate(bearer(planted.secret), undefined);
    await harness.identity.administration(root).updateUser("member", { roles: ["support"] });
    expect((await use()).roles).toEqual(["support"]);
    await harness.identity.administration(root).updateUser("member", changes);
    expect(await codeOf(use())).toBe("unauthenticated");
    expect((await harness.identity.administration(root).listTokens()).map(({ name }) => name)).toEqual([
      "narrow",
    ]);
    // Those that are made from then on were made by somebody who may.
    const later = await harness.identity.administration(root).createToken({ name: "later", user: "member" });
    await harness.identity.administration(root).updateUser("member", { roles: ["operator", "support"] });
    expect((await harness.identity.authenticate(bearer(later.secret), undefined)).name).toBe("member");
  },
);
