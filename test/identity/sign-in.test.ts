import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { hashPassword } from "../../src/identity/password-hash.ts";
import { networkOf } from "../../src/identity/sign-in-limits.ts";
import { Secret } from "../../src/secret.ts";
import { codeOf, createHarness, day, password, quickDerive, signedIn, signIn } from "./harness.ts";

const messageOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "signed in",
    (error: unknown) => (error instanceof GatewayError ? `${error.code}: ${error.message}` : String(error)),
  );

test("with argon2id, as it is served", async () => {
  const { deriveByArgon2 } = await import("../../src/identity/password-hash.ts");
  const harness = await createHarness({ derive: deriveByArgon2 });
  const { principal } = await signedIn(harness, "ada");
  expect(principal).toMatchObject({
    kind: "user",
    name: "ada",
    tenant: "default",
    home: "default",
    roles: ["member"],
  });
  const [user] = await harness.store.tenant("default").list("user");
  expect(user?.value["password"]).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  expect(await codeOf(signIn(harness.identity, "ada", "wrong horse battery"))).toBe("unauthenticated");
  expect(await codeOf(signIn(harness.identity, "nobody", ""))).toBe("unauthenticated");
});

test("one message, whatever is wrong", async () => {
  const harness = await createHarness();
  const admin = harness.identity.administration(harness.operator);
  await admin.createTenant({ id: "gone" });
  await signedIn(harness, "ada");
  await signedIn(harness, "off");
  await signedIn(harness, "lost", { tenant: "gone" });
  await admin.updateUser("off", { disabled: true });
  await harness.store.gateway.write([{ action: "delete", kind: "tenant", id: "gone", expected: "any" }]);
  const messages = await Promise.all([
    messageOf(signIn(harness.identity, "ada", "wrong horse battery")),
    messageOf(signIn(harness.identity, "nobody")),
    messageOf(signIn(harness.identity, "off")),
    messageOf(signIn(harness.identity, "lost")),
    messageOf(signIn(harness.identity, "-")),
    messageOf(signIn(harness.identity, "")),
    messageOf(signIn(harness.identity, "a".repeat(100_000))),
    messageOf(signIn(harness.identity, "ada\u0000")),
    messageOf(signIn(harness.identity, "аda")),
    messageOf(signIn(harness.identity, "ada", "x".repeat(100_000))),
  ]);
  expect([...new Set(messages)]).toEqual([expect.stringContaining("unauthenticated")]);
});

test("names are taken in any case, passwords in any normal form", async () => {
  const harness = await createHarness();
  const admin = harness.identity.administration(harness.operator);
  await admin.createUser({ name: "Ada@Example.com", password: new Secret("caf\u00e9 au lait pour tous") });
  expect(
    (await signIn(harness.identity, "ADA@example.COM", "cafe\u0301 au lait pour tous")).principal.name,
  ).toBe("ada@example.com");
});

test("a hash of other parameters is renewed at the next sign-in", async () => {
  const harness = await createHarness();
  const before = await signedIn(harness, "ada");
  const tenant = harness.store.tenant("default");
  const [record] = await tenant.list("user");
  if (record === undefined) throw new Error("no user");
  const old = await hashPassword(password, quickDerive, { memory: 8_192, passes: 1, lanes: 1 });
  await tenant.write([
    {
      action: "put",
      kind: "user",
      id: record.id,
      lookup: "ada",
      value: { ...record.value, password: old },
      expected: record.version,
    },
  ]);
  await signIn(harness.identity, "ada");
  const renewed = await tenant.get("user", record.id);
  expect(renewed?.value["password"]).toContain("$m=19456,t=2,p=1$");
  // That is no change of the password.
  expect(
    (await harness.identity.authenticate({ kind: "session", token: before.session }, undefined)).name,
  ).toBe("ada");
  expect((await signIn(harness.identity, "ada")).principal.name).toBe("ada");
});

describe("attempts are limited", () => {
  test("from one address, for all names; then one more each 6 s", async () => {
    const harness = await createHarness();
    await signedIn(harness, "ada");
    for (let count = 0; count < 10; count += 1) {
      expect(
        await codeOf(signIn(harness.identity, `user${count}`, "wrong horse battery", "198.51.100.7")),
      ).toBe("unauthenticated");
    }
    const error: unknown = await signIn(harness.identity, "ada", password, "198.51.100.7").catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: "rate_limited", retryable: true, details: { retry_after: 6 } });
    expect(await codeOf(signIn(harness.identity, "ada", password, "::ffff:198.51.100.7"))).toBe(
      "rate_limited",
    );
    harness.time += 6_000;
    expect((await signIn(harness.identity, "ada", password, "198.51.100.7")).principal.name).toBe("ada");
  });

  test("in parallel just the same", async () => {
    const harness = await createHarness();
    const codes = await Promise.all(
      Array.from({ length: 30 }, (_, number) =>
        codeOf(signIn(harness.identity, `u${number}`, "wrong horse battery")),
      ),
    );
    expect(codes.filter((code) => code === "unauthenticated")).toHaveLength(10);
    expect(codes.filter((code) => code === "rate_limited")).toHaveLength(20);
  });

  test("for one name from everywhere, but not where its user has signed in before", async () => {
    const harness = await createHarness();
    await signedIn(harness, "ada");
    const codes: string[] = [];
    for (let count = 0; count < 25; count += 1) {
      codes.push(await codeOf(signIn(harness.identity, "ada", "wrong horse battery", `203.0.113.${count}`)));
    }
    expect(codes.filter((code) => code === "unauthenticated")).toHaveLength(20);
    expect(await codeOf(signIn(harness.identity, "ada", password, "203.0.113.99"))).toBe("rate_limited");
    expect((await signIn(harness.identity, "ada", password, "192.0.2.1")).principal.name).toBe("ada");
  });

  test("not by those that succeed", async () => {
    const harness = await createHarness();
    await signedIn(harness, "ada");
    for (let count = 0; count < 40; count += 1)
      await signIn(harness.identity, "ada", password, `203.0.113.${count % 3}`);
  });

  test("a neighbour at the same address keeps nobody out who was there before", async () => {
    const harness = await createHarness();
    await signedIn(harness, "ada");
    for (let count = 0; count < 20; count += 1)
      await codeOf(signIn(harness.identity, `u${count}`, "wrong horse battery"));
    expect((await signIn(harness.identity, "ada")).principal.name).toBe("ada");
  });

  test("attempts that the store could not answer do not count", async () => {
    let broken = false;
    const harness = await createHarness({
      wrap: (store) => ({
        gateway: store.gateway,
        tenant: (id) => store.tenant(id),
        find: (...all) => (broken ? Promise.reject(new Error("disk")) : store.find(...all)),
        epoch: (kinds) => store.epoch(kinds),
        tenantsWith: (kind) => store.tenantsWith(kind),
        backup: (file) => store.backup(file),
        close: () => store.close(),
      }),
    });
    await signedIn(harness, "ada");
    broken = true;
    for (let count = 0; count < 30; count += 1) {
      expect(await codeOf(signIn(harness.identity, "ada", password, "203.0.113.5"))).toBe(
        "store_unavailable",
      );
    }
    broken = false;
    expect((await signIn(harness.identity, "ada", password, "203.0.113.5")).principal.name).toBe("ada");
  });
});

test("a storm of sign-ins is shed, not queued for ever", async () => {
  let running = 0;
  let most = 0;
  const harness = await createHarness({
    derive: async (...all) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running -= 1;
      return quickDerive(...all);
    },
  });
  const codes = await Promise.all(
    Array.from({ length: 60 }, (_, number) =>
      codeOf(signIn(harness.identity, `u${number}`, "wrong horse battery", `203.0.113.${number}`)),
    ),
  );
  expect(most).toBe(2);
  expect(codes.filter((code) => code === "unauthenticated")).toHaveLength(34);
  expect(codes.filter((code) => code === "overloaded")).toHaveLength(26);
  expect(await codeOf(signIn(harness.identity, "u", "wrong horse battery", "203.0.114.1"))).toBe(
    "unauthenticated",
  );
});

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["2001:DB8:0:0:1:2:3:4", "2001:db8:0:0::/64"],
  ["2001:db8:0:1::", "2001:db8:0:1::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
])("the network of %s is %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test("what a browser calls itself is kept as far as it can be shown", async () => {
  const harness = await createHarness();
  const { principal } = await signedIn(harness, "ada");
  const long = `Evil\u202e\n\u001b[31m\ud800${"x".repeat(300)}`;
  harness.time += 1_000;
  await harness.identity.signIn({
    name: "ada",
    password: new Secret(password),
    client: long,
    address: "192.0.2.1",
  });
  harness.time += 1_000;
  await harness.identity.signIn({
    name: "ada",
    password: new Secret(password),
    client: "\u0000",
    address: "192.0.2.1",
  });
  const clients = (await harness.identity.administration(principal).listSessions()).map(
    ({ client }) => client,
  );
  expect(clients[0]).toBeUndefined();
  expect(clients[1]).toMatch(/^Evil\[31m.x+$/u);
  expect([...(clients[1] ?? "")]).toHaveLength(200);
});

test("random bytes as name and password pass nowhere", async () => {
  const harness = await createHarness();
  await signedIn(harness, "ada");
  for (let count = 0; count < 50; count += 1) {
    harness.time += day;
    const text = randomBytes(count).toString("latin1");
    expect(await codeOf(signIn(harness.identity, text, text))).toBe("unauthenticated");
    expect(await codeOf(signIn(harness.identity, "ada", text))).toBe("unauthenticated");
  }
});
