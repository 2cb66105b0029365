import { describe, expect, test } from "vitest";
import { Secret } from "../../../src/secret.ts";
import { startAuthorizationServer } from "../authorization-server.ts";
import { bearer, connect, connection, createHarness, failureOf, oauth2, person } from "./harness.ts";

const ada = person("usr_ada");
const admin = person("usr_admin", { roles: ["admin"] });

test("tokens are revoked at their server, the refresh token first, and gone", async () => {
  await using server = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server))]);
  await connect(harness, server, ada);
  const token = (await harness.secretOf(ada)) ?? "";
  const connections = harness.connecting.connections(ada);
  expect(await connections.disconnect({ provider: "crm" })).toEqual({
    ...{ provider: "crm", connection: "default", instance: "default" },
    revoked: "yes",
  });
  expect(server.requestsTo("revoke").map(({ parameters }) => parameters["token_type_hint"])).toEqual([
    "refresh_token",
    "access_token",
  ]);
  expect(server.userOf(token)).toBeUndefined();
  expect(await harness.secretOf(ada)).toBeUndefined();
  expect(harness.changes.at(-1)).toMatchObject({
    kind: "disconnected",
    reference: { owner: { id: "usr_ada" } },
  });
  expect((await failureOf(connections.disconnect({ provider: "crm" }))).code).toBe("not_found");
});

test("a server that does not revoke does not keep a credential here", async () => {
  await using server = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server))]);
  await connect(harness, server, ada);
  server.fail("revoke", { kind: "status", status: 500 });
  const connections = harness.connecting.connections(ada);
  expect(await connections.disconnect({ provider: "crm" })).toMatchObject({ revoked: "failed" });
  expect(await harness.secretOf(ada)).toBeUndefined();
});

test("tokens of a client that the file does not name any more go nowhere", async () => {
  await using server = await startAuthorizationServer();
  await using other = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server))]);
  await connect(harness, server, ada);
  const [before] = harness.providers;
  if (before === undefined) throw new Error("there is a provider");
  harness.providers = [{ ...before, connections: { default: connection(oauth2(other)) } }];
  const disconnected = await harness.connecting.connections(ada).disconnect({ provider: "crm" });
  expect(disconnected).toMatchObject({ revoked: "failed" });
  expect(other.requests).toEqual([]);
  expect(await harness.secretOf(ada)).toBeUndefined();
});

test("where nothing can be revoked that is said", async () => {
  await using server = await startAuthorizationServer();
  const harness = await createHarness([
    connection(oauth2(server, { revocationUrl: undefined })),
    connection(bearer(), { name: "typed" }),
  ]);
  await connect(harness, server, ada, { connection: "default" });
  const connections = harness.connecting.connections(ada);
  await connections.connectManual({
    provider: "crm",
    connection: "typed",
    fields: { token: new Secret("t") },
  });
  for (const name of ["default", "typed"])
    expect(await connections.disconnect({ provider: "crm", connection: name })).toMatchObject({
      revoked: "unsupported",
    });
});

describe("which one is meant", () => {
  test("the only one, or the one that is named", async () => {
    const harness = await createHarness([connection(bearer())]);
    const connections = harness.connecting.connections(ada);
    for (const instance of ["one", "two"])
      await connections.connectManual({ provider: "crm", instance, fields: { token: new Secret("t") } });
    expect(await failureOf(connections.disconnect({ provider: "crm" }))).toMatchObject({
      code: "instance_selection_required",
      message: expect.stringContaining("`one`, `two`"),
    });
    expect((await failureOf(connections.disconnect({ provider: "crm", instance: "three" }))).code).toBe(
      "not_found",
    );
    expect(await connections.disconnect({ provider: "crm", instance: "two" })).toMatchObject({
      instance: "two",
    });
    expect(await connections.disconnect({ provider: "crm" })).toMatchObject({ instance: "one" });
  });

  test("nobody else's, nor what the tenant shares, unless one may", async () => {
    const harness = await createHarness([connection(bearer(), { mode: "either" })]);
    const fields = { token: new Secret("t") };
    await harness.connecting.connections(ada).connectManual({ provider: "crm", fields });
    await harness.connecting.connections(admin).connectManual({ provider: "crm", fields, shared: true });
    const eve = harness.connecting.connections(person("usr_eve"));
    expect((await failureOf(eve.disconnect({ provider: "crm" }))).code).toBe("not_found");
    expect((await failureOf(eve.disconnect({ provider: "crm", shared: true }))).code).toBe("forbidden");
    expect(
      (await failureOf(harness.connecting.connections(admin).disconnect({ provider: "crm" }))).code,
    ).toBe("not_found");
    await harness.connecting.connections(admin).disconnect({ provider: "crm", shared: true });
    expect(await harness.secretOf(ada, "token")).toBe("t");
  });

  test("a narrowed token disconnects nothing", async () => {
    const harness = await createHarness([connection(bearer())]);
    await harness.connecting
      .connections(ada)
      .connectManual({ provider: "crm", fields: { token: new Secret("t") } });
    const narrowed = harness.connecting.connections({ ...ada, scopes: ["crm"] });
    expect((await failureOf(narrowed.disconnect({ provider: "crm" }))).code).toBe("forbidden");
    expect(await harness.secretOf(ada, "token")).toBe("t");
  });
});

test("what was refreshed meanwhile is revoked as it is now, and removed", async () => {
  await using server = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server))]);
  await connect(harness, server, ada);
  const [stored] = await harness.credentials.list({ tenant: "acme", owner: { kind: "user", id: "usr_ada" } });
  if (stored === undefined) throw new Error("nothing is stored");
  const { accessToken, refreshToken } = server.issue("usr_ada");
  server.fail("revoke", { kind: "slow", milliseconds: 1_000 }, 1);
  const disconnecting = harness.connecting.connections(ada).disconnect({ provider: "crm" });
  await expect.poll(() => server.requestsTo("revoke").length, { timeout: 10_000 }).toBe(1);
  const secrets = { access_token: new Secret(accessToken), refresh_token: new Secret(refreshToken ?? "") };
  await harness.credentials.put(stored.reference, { ...stored, secrets }, stored, true);
  expect(await disconnecting).toMatchObject({ revoked: "yes" });
  expect(server.userOf(accessToken)).toBeUndefined();
  expect(await harness.secretOf(ada)).toBeUndefined();
});

test("a refresh that is under way is waited for, and what it brings is revoked", async () => {
  await using server = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server))]);
  await connect(harness, server, ada);
  const [stored] = await harness.credentials.list({
    tenant: "acme",
    owner: { kind: "user", id: "usr_ada" },
  });
  if (stored === undefined) throw new Error("nothing is stored");
  const lease = await harness.credentials.lease(stored.reference, "refresher", 60_000);
  const disconnecting = harness.connecting.connections(ada).disconnect({ provider: "crm" });
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(server.requestsTo("revoke")).toEqual([]);
  const { accessToken, refreshToken } = server.issue("usr_ada");
  const secrets = {
    access_token: new Secret(accessToken),
    refresh_token: new Secret(refreshToken ?? ""),
  };
  await harness.credentials.put(stored.reference, { ...stored, secrets }, stored, true);
  await lease?.release();
  expect(await disconnecting).toMatchObject({ revoked: "yes" });
  expect(server.userOf(accessToken)).toBeUndefined();
  expect(await harness.secretOf(ada)).toBeUndefined();
  expect(await harness.credentials.lease(stored.reference, "refresher", 1_000)).toBeDefined();
});

test.each(["oauth", "typed"])(
  "two who disconnect at once (%s): one does, and the other finds nothing",
  async (kind) => {
    await using server = await startAuthorizationServer();
    const harness = await createHarness([connection(kind === "oauth" ? oauth2(server) : bearer())]);
    const fields = { token: new Secret("t") };
    if (kind === "oauth") await connect(harness, server, ada);
    else await harness.connecting.connections(ada).connectManual({ provider: "crm", fields });
    const ends = await Promise.allSettled(
      Array.from({ length: 2 }, () => harness.connecting.connections(ada).disconnect({ provider: "crm" })),
    );
    expect(ends.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(harness.changes.filter(({ kind }) => kind === "disconnected")).toHaveLength(1);
  },
);
