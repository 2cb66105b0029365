import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { federatedUserId } from "../../src/identity/federated-user.ts";
import type { Presented, VerifiedToken, VerifyToken } from "../../src/identity/identity.ts";
import { putUser } from "../../src/identity/user-record.ts";
import type { TrustedIssuerConfig } from "../../src/model/auth-config.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { createOwnAddress } from "../../src/own-address.ts";
import type { Secret } from "../../src/secret.ts";
import { bearer, codeOf, cookie, createHarness, fileTenant, hour, minute } from "./harness.ts";

const issuer = "https://issuer.example.com";

const trusted: TrustedIssuerConfig = {
  issuer,
  audiences: ["https://gateway.example.com"],
  jwksUrl: undefined,
  algorithms: ["RS256"],
  types: ["at+jwt"],
  requiredScopes: [],
  claims: { tenant: undefined, roles: undefined },
  place: { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 },
};

const token = (name: string): string =>
  `eyJhbGciOiJSUzI1NiJ9.${Buffer.from(name).toString("base64url")}.c2ln`;

/** A gateway that trusts an issuer; the verifier is a table of what tokens say. */
async function prepare(settings: Partial<TrustedIssuerConfig> = {}) {
  const one = { ...trusted, ...settings };
  const harness = await createHarness({
    auth: { trustedIssuers: [one] },
    tenants: { acme: fileTenant("acme") },
  });
  const said = new Map<string, Partial<VerifiedToken>>();
  let asked = 0;
  const verifyToken: VerifyToken = async (presented: Secret) => {
    asked += 1;
    const found = said.get(presented.reveal());
    if (found === undefined) return undefined;
    return {
      ...{ settings: one, issuer, subject: "ada", clientId: "ci", scopes: [], claims: {} },
      expiresAt: harness.time + hour,
      ...found,
    };
  };
  const address = createOwnAddress(() => ({
    ...{ host: "127.0.0.1", port: 8080, baseUrl: "https://gateway.example.com" },
  }));
  const { identity, store } = await harness.other({ verifyToken, address });
  const say = (name: string, what: Partial<VerifiedToken> = {}): Presented => {
    said.set(token(name), what);
    return bearer(token(name));
  };
  return { harness, identity, store, one, say, said, asked: () => asked };
}

const idOf = (subject: string, tenant = "default"): string => federatedUserId(issuer, subject, tenant);

describe("whom a token stands for", () => {
  test("a user of the tenant `default` with the role `member`, where no rule says more", async () => {
    const { identity, say } = await prepare();
    const id = idOf("ada");
    expect(await identity.authenticate(say("t"), undefined, "mcp")).toEqual({
      ...{ kind: "user", id, name: id, tenant: "default", home: "default", roles: ["member"] },
      ...{ scopes: undefined, exposure: { kind: "all" } },
      credential: { kind: "jwt", id: expect.stringMatching(/^[\w-]{43}$/) },
    });
  });

  test("nobody is known here by a name that an issuer lets people choose", async () => {
    const { identity, say } = await prepare();
    const claims = {
      preferred_username: "admin",
      name: "admin",
      email: "admin@example.com",
      email_verified: true,
    };
    const { name } = await identity.authenticate(say("t", { claims }), undefined, "mcp");
    expect(name).toBe(idOf("ada"));
  });

  test("the same for tokens of one client and subject, another one for another client", async () => {
    const { identity, say } = await prepare();
    const who = (presented: Presented) => identity.authenticate(presented, undefined, "mcp");
    const first = await who(say("1"));
    expect(await who(say("2"))).toEqual(first);
    const other = await who(say("3", { clientId: "other" }));
    expect(other).toEqual({ ...first, credential: other.credential });
    expect(other.credential).not.toEqual(first.credential);
    expect((await who(say("4", { subject: "bob" }))).id).not.toBe(first.id);
  });

  test("tenant and roles by claims", async () => {
    const { identity, say } = await prepare({
      claims: {
        tenant: { claim: "org", values: undefined },
        roles: { claim: "groups", values: { staff: "support", boss: "operator" } },
      },
    });
    const who = (claims: JsonObject) => identity.authenticate(say("t", { claims }), undefined, "mcp");
    expect(await who({ org: "acme", groups: ["staff", "others"] })).toMatchObject({
      ...{ id: idOf("ada", "acme"), home: "acme", tenant: "acme", roles: ["support"] },
    });
  });

  test.each<JsonObject>([
    {},
    { org: "nowhere" },
    { org: "ACME" },
    { org: null },
    { org: ["acme", "default"] },
    { org: 1 },
  ])("who belongs to no tenant is refused: %j", async (claims) => {
    const { identity, say } = await prepare({
      claims: { tenant: { claim: "org", values: undefined }, roles: undefined },
    });
    expect(await codeOf(identity.authenticate(say("t", { claims }), undefined, "mcp"))).toBe(
      "unauthenticated",
    );
  });

  test("the stored user who signs in at the issuer, with the roles that an administrator gave", async () => {
    const { identity, say, store, harness } = await prepare();
    const user = {
      ...{ id: idOf("ada"), name: "ada@example.com", displayName: undefined, passwordHash: undefined },
      ...{
        roles: ["support"],
        actsFor: "any" as const,
        disabled: false,
        movedTo: undefined,
        generation: 1,
        createdAt: 0,
      },
    } as const;
    await store.tenant("default").write([putUser(user, "absent")]);
    const found = await identity.authenticate(say("t"), undefined, "mcp");
    expect(found).toMatchObject({ id: user.id, name: "ada@example.com", roles: ["support"] });
    await identity.close();
    expect(await harness.store.tenant("default").get("use", `user:${user.id}`)).toBeDefined();
  });

  test("a stored user who is disabled is refused, used before or not", async () => {
    const { identity, say, harness } = await prepare();
    const user = {
      ...{ id: idOf("ada"), name: "ada@example.com", displayName: undefined, passwordHash: undefined },
      ...{
        roles: ["support"],
        actsFor: [],
        disabled: false,
        movedTo: undefined,
        generation: 1,
        createdAt: 0,
      },
    } as const;
    await harness.store.tenant("default").write([putUser(user, "absent")]);
    const presented = say("t");
    await identity.authenticate(presented, undefined, "mcp");
    await harness.identity.administration(harness.operator).updateUser(user.name, { disabled: true });
    expect(await codeOf(identity.authenticate(presented, undefined, "mcp"))).toBe("unauthenticated");
    expect(await codeOf(identity.authenticate(say("other"), undefined, "mcp"))).toBe("unauthenticated");
  });

  test("nothing is stored for who has no record", async () => {
    const { identity, say, harness } = await prepare();
    await identity.authenticate(say("t"), undefined, "mcp");
    await identity.close();
    for (const kind of ["user", "use", "account"] as const)
      expect(await harness.store.tenant("default").list(kind)).toEqual([]);
  });
});

describe("what it may do", () => {
  test("not act for other tenants, whatever its roles", async () => {
    const { identity, say } = await prepare({
      claims: { tenant: undefined, roles: { claim: "roles", values: { op: "operator" } } },
    });
    const presented = say("t", { claims: { roles: ["op"] } });
    expect(await identity.authenticate(presented, "default", "api")).toMatchObject({ roles: ["operator"] });
    expect(await codeOf(identity.authenticate(presented, "acme", "api"))).toBe("forbidden");
  });

  test("administer by its roles, but make no token for itself", async () => {
    const { identity, say } = await prepare({
      claims: { tenant: undefined, roles: { claim: "roles", values: { op: "operator" } } },
    });
    const operator = await identity.authenticate(say("t", { claims: { roles: ["op"] } }), undefined, "api");
    expect(await identity.administration(operator).listUsers()).toEqual([]);
    expect(await codeOf(identity.administration(operator).createToken({ name: "mine" }))).toBe("forbidden");
    const member = await identity.authenticate(say("m", { subject: "bob" }), undefined, "api");
    expect(await codeOf(identity.administration(member).listUsers())).toBe("forbidden");
    expect(await codeOf(identity.administration(member).createToken({ name: "mine" }))).not.toContain(
      "resolved",
    );
    expect(await identity.administration(member).listTokens()).toEqual([]);
  });

  test("make no API token, neither of the own user who is stored nor, as an administrator, of anybody", async () => {
    const { identity, say, store } = await prepare({
      claims: { tenant: undefined, roles: { claim: "roles", values: { boss: "admin" } } },
    });
    const person = {
      ...{ displayName: undefined, passwordHash: undefined, roles: ["member"], actsFor: [] },
      ...{ disabled: false, movedTo: undefined, generation: 1, createdAt: 0 },
    } as const;
    const stored = { ...person, id: idOf("ada"), name: "ada@example.com" };
    await store.tenant("default").write([putUser(stored, "absent")]);
    for (const roles of [["x"], ["boss"]]) {
      const as = await identity.authenticate(say(`t${roles}`, { claims: { roles } }), undefined, "api");
      const administration = identity.administration(as);
      for (const asked of [
        { name: "mine" },
        { name: "its", service: true },
        { name: "his", user: stored.name },
      ])
        expect(await codeOf(administration.createToken(asked))).toBe("forbidden");
      expect(await administration.listTokens()).toEqual([]);
    }
  });

  test.each([
    [["mcp"], ["mcp"], undefined],
    [["mcp", "tools"], ["tools", "x", "mcp"], undefined],
    [["mcp"], [], "mcp"],
    [["mcp", "tools"], ["mcp"], "mcp tools"],
    [["mcp"], ["MCP", "mcp2"], "mcp"],
  ])("required scopes %j, given %j", async (requiredScopes, scopes, missing) => {
    const { identity, say } = await prepare({ requiredScopes });
    const outcome = identity.authenticate(say("t", { scopes }), undefined, "mcp");
    if (missing === undefined) return expect((await outcome).scopes).toBeUndefined();
    return expect(outcome).rejects.toMatchObject({ code: "insufficient_scope", details: { scope: missing } });
  });
});

describe("how long it is believed", () => {
  test("a minute, and no longer than it says itself", async () => {
    const { identity, say, asked, harness } = await prepare();
    const use = (presented: Presented) => identity.authenticate(presented, undefined, "mcp");
    const presented = say("t");
    const principal = await use(presented);
    harness.time += minute - 1;
    expect(await use(presented)).toBe(principal);
    expect(asked()).toBe(1);
    harness.time += 1;
    expect(await use(presented)).toBe(principal);
    expect(asked()).toBe(2);
    const short = say("short", { expiresAt: harness.time + 1_000 });
    await use(short);
    harness.time += 1_000;
    await use(short);
    expect(asked()).toBe(4);
  });

  test("what is refused is asked for again each time", async () => {
    const { identity, asked } = await prepare();
    for (const count of [1, 2]) {
      expect(await codeOf(identity.authenticate(bearer(token("bad")), undefined, "mcp"))).toBe(
        "unauthenticated",
      );
      expect(asked()).toBe(count);
    }
  });

  test("a reload that trusts the issuer no more ends it at once", async () => {
    const { identity, say, harness } = await prepare();
    const presented = say("t");
    await identity.authenticate(presented, undefined, "mcp");
    harness.settings = { ...harness.settings, auth: { ...harness.settings.auth, trustedIssuers: [] } };
    expect(await codeOf(identity.authenticate(presented, undefined, "mcp"))).toBe("unauthenticated");
  });
});

describe("what is no token of an issuer is not even looked at", () => {
  test.each([
    "a.b",
    "a.b.c.d",
    "a.b.",
    ".b.c",
    "a..c",
    "eyJhbGciOiJub25lIn0.e30.",
    `${"a".repeat(16_385)}.b.c`,
    "a.b.c=",
    "a.b+.c",
    " a.b.c",
    "a.b.c\n",
  ])("%j", async (text) => {
    const { identity, said, asked } = await prepare();
    said.set(text, {});
    expect(await codeOf(identity.authenticate(bearer(text), undefined, "mcp"))).toBe("unauthenticated");
    expect(asked()).toBe(0);
  });

  test("nor as a session, nor where no issuer is trusted", async () => {
    const { identity, say, asked, harness } = await prepare();
    say("t");
    expect(await codeOf(identity.authenticate(cookie(token("t")), undefined, "mcp"))).toBe("unauthenticated");
    harness.settings = { ...harness.settings, auth: { ...harness.settings.auth, trustedIssuers: [] } };
    expect(await codeOf(identity.authenticate(bearer(token("t")), undefined, "mcp"))).toBe("unauthenticated");
    expect(asked()).toBe(0);
  });
});

test("an issuer whose keys can't be had is told apart from a bad token", async () => {
  const harness = await createHarness({ auth: { trustedIssuers: [trusted] } });
  const { identity } = await harness.other({
    verifyToken: async () => {
      throw new GatewayError("store_unavailable", "The issuer's keys can't be had.", { retryable: true });
    },
  });
  expect(await codeOf(identity.authenticate(bearer(token("t")), undefined, "mcp"))).toBe("store_unavailable");
});
