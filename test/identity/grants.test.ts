import { describe, expect, test } from "vitest";
import { newRegistrationId, putRegistration } from "../../src/identity/registration-record.ts";
import type { Principal } from "../../src/model/principal.ts";
import { Secret } from "../../src/secret.ts";
import { type GrantedOptions, issue } from "./granted.ts";
import { codeOf, createHarness, type Harness, hour, signedIn } from "./harness.ts";

const clientId = "https://client.example.com/oauth.json";

/** Two tenants: Ada and an administrator in one, Bob in the other. */
async function prepare() {
  const harness = await createHarness();
  const { identity } = harness;
  const operator = identity.administration(harness.operator);
  await operator.createTenant({ id: "acme" });
  const ada = await signedIn(harness, "ada");
  const admin = await signedIn(harness, "admin", { roles: ["admin"] });
  const bob = await signedIn(harness, "bob", { tenant: "acme" });
  const give = (of: { readonly principal: Principal }, options: GrantedOptions = {}) =>
    issue(harness.store, of.principal.id, { tenant: of.principal.home, now: harness.time, ...options });
  return { harness, identity, operator, ada, admin, bob, give };
}

async function register(harness: Harness, clientName = "Registered"): Promise<string> {
  const id = newRegistrationId(harness.time);
  await harness.store.gateway.write([
    putRegistration(
      {
        ...{ id, clientName, redirectUris: ["http://127.0.0.1/callback"], authenticationMethod: "none" },
        ...{ secretHash: undefined, createdAt: harness.time, usedAt: undefined },
        expiresAt: harness.time + hour,
      },
      "absent",
    ),
  ]);
  return id;
}

/** Everything that is left of grants in a tenant. */
async function left({ store }: Harness, tenant = "default"): Promise<readonly string[]> {
  const kinds = ["grant", "access", "refresh", "code"] as const;
  const records = await Promise.all(kinds.map((kind) => store.tenant(tenant).list(kind)));
  return records.flat().map(({ kind, id }) => `${kind} ${id}`);
}

describe("grants", () => {
  test("are listed newest first: one's own, and for administrators those of the tenant", async () => {
    const { harness, identity, operator, ada, admin, bob, give } = await prepare();
    const first = await give(ada);
    harness.time += 1_000;
    const second = await give(admin, { clientId: "static", scopes: ["mcp:read"] });
    await give(bob);
    const own = await identity.administration(ada.principal).listGrants();
    expect(own).toEqual([
      {
        ...{ id: first.grant, clientId, clientName: "A client", clientKind: "metadata", user: "ada" },
        ...{ scopes: ["mcp"], lastUsedAt: undefined },
        createdAt: new Date(harness.time - 1_000).toISOString(),
        expiresAt: new Date(harness.time - 1_000 + 720 * hour).toISOString(),
      },
    ]);
    for (const as of [identity.administration(admin.principal), operator])
      expect((await as.listGrants()).map(({ id }) => id)).toEqual([second.grant, first.grant]);
  });

  test("that count no more are not listed", async () => {
    const { harness, operator, ada, give } = await prepare();
    await give(ada, { grantMilliseconds: hour });
    await give(ada, { generation: 7 });
    await give({ principal: { ...ada.principal, id: "usr_aaaaaaaaaaaaaaaa" } });
    harness.time += hour;
    expect(await operator.listGrants()).toEqual([]);
  });

  test("end whole, with all that was issued under them", async () => {
    const { harness, identity, ada, give } = await prepare();
    const kept = await give(ada);
    const ended = await give(ada);
    await give(ada, { grant: ended.grant });
    expect(await left(harness)).toHaveLength(5);
    await identity.administration(ada.principal).revokeGrant(ended.grant);
    expect(await left(harness)).toEqual([
      `grant ${kept.grant}`,
      expect.stringContaining(`access ${kept.grant}/`),
    ]);
  });

  test("end for those who may end them, and for others are not there", async () => {
    const { harness, identity, operator, ada, admin, bob, give } = await prepare();
    const { grant } = await give(ada);
    const olga = await signedIn(harness, "olga", { roles: ["operator"] });
    const operators = await give(olga);
    const attempt = (as: Principal, id: string) =>
      codeOf(
        identity
          .administration(as)
          .revokeGrant(id)
          .then(() => "done"),
      );
    expect(await attempt(bob.principal, grant)).toBe("not_found");
    expect(await attempt(ada.principal, operators.grant)).toBe("not_found");
    // Who has a longer reach is not an administrator's to change.
    expect(await attempt(admin.principal, operators.grant)).toBe("forbidden");
    for (const id of ["", "gra_x", `${grant}/`, grant.toUpperCase(), "x".repeat(10_000)])
      expect(await attempt(olga.principal, id), id.slice(0, 20)).toBe("not_found");
    expect(await attempt(admin.principal, grant)).toContain("done");
    await operator.revokeGrant(operators.grant);
    expect(await left(harness)).toEqual([]);
  });

  test.each([
    ["another password", { password: new Secret("another password") }],
    ["other roles", { roles: ["admin"] }],
    ["being disabled", { disabled: true }],
  ])("end with %s", async (_name, changes) => {
    const { harness, operator, ada, admin, give } = await prepare();
    await give(ada);
    const { grant } = await give(admin);
    await operator.updateUser("ada", changes);
    expect(await left(harness)).toEqual([`grant ${grant}`, expect.stringContaining(`access ${grant}/`)]);
  });

  test("go with the user, and with the tenant", async () => {
    const { harness, operator, ada, bob, give } = await prepare();
    await give(ada);
    await give(bob);
    await operator.removeUser("ada");
    await operator.removeTenant("acme");
    expect([...(await left(harness)), ...(await left(harness, "acme"))]).toEqual([]);
  });

  test("stay when only the name that is shown changes", async () => {
    const { harness, operator, ada, give } = await prepare();
    await give(ada);
    await operator.updateUser("ada", { displayName: "Ada" });
    expect(await left(harness)).toHaveLength(2);
  });
});

describe("clients", () => {
  test("that registered themselves are listed for operators, with the number of grants in all tenants", async () => {
    const { harness, operator, ada, bob, give } = await prepare();
    const unused = await register(harness);
    harness.time += 1_000;
    const used = await register(harness, "Used");
    await give(ada, { clientId: used });
    await give(bob, { clientId: used });
    expect(await operator.listRegistrations()).toEqual([
      expect.objectContaining({ clientId: used, clientName: "Used", grants: 2 }),
      {
        ...{
          clientId: unused,
          clientName: "Registered",
          redirectUris: ["http://127.0.0.1/callback"],
          grants: 0,
        },
        createdAt: new Date(harness.time - 1_000).toISOString(),
        expiresAt: new Date(harness.time - 1_000 + hour).toISOString(),
      },
    ]);
  });

  test("are revoked everywhere, however they are known", async () => {
    const { harness, operator, ada, admin, bob, give } = await prepare();
    const registered = await register(harness);
    const other = await give(admin, { clientId: "other" });
    for (const id of [registered, clientId, "static"]) {
      await give(ada, { clientId: id });
      await give(bob, { clientId: id });
      await operator.revokeClient(id);
      expect(await left(harness)).toEqual([`grant ${other.grant}`, expect.stringContaining("access")]);
      expect(await left(harness, "acme")).toEqual([]);
      expect(await codeOf(operator.revokeClient(id))).toBe("not_found");
    }
    expect(await operator.listRegistrations()).toEqual([]);
  });

  test("are no business of anybody else", async () => {
    const { harness, identity, ada, admin, give } = await prepare();
    const id = await register(harness);
    await give(ada, { clientId: id });
    for (const { principal } of [ada, admin]) {
      const as = identity.administration(principal);
      expect(await codeOf(as.listRegistrations())).toBe("forbidden");
      expect(await codeOf(as.revokeClient(id))).toBe("forbidden");
      expect(await codeOf(as.revokeClient("unknown"))).toBe("forbidden");
    }
    expect(await left(harness)).toHaveLength(2);
  });
});
