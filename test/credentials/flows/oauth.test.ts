import { describe, expect, test } from "vitest";
import { startAuthorizationServer } from "../authorization-server.ts";
import {
  callbackOf,
  connect,
  connection,
  createHarness,
  failureOf,
  minute,
  oauth2,
  param,
  person,
  start,
} from "./harness.ts";

const ada = person("usr_ada");
const bob = person("usr_bob", { tenant: "globex" });

test("two people of two tenants connect at once, and each has the own token", async () => {
  await using server = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server))]);
  const people = [ada, bob];
  const begun = await Promise.all(people.map((as) => start(harness, as)));
  const answers = await Promise.all(
    begun.map(({ authorizationUrl }, index) => server.approve(authorizationUrl, people[index]?.id ?? "")),
  );
  const ended = await Promise.all(
    answers.map((url, index) => harness.connecting.finishOAuth(people[index] ?? ada, callbackOf(url))),
  );
  expect(ended.map(({ returnTo }) => returnTo)).toEqual(
    Array(2).fill("/connect?provider=crm&connection=default"),
  );
  for (const as of people) {
    const token = await harness.secretOf(as);
    expect(server.userOf(token ?? "")).toBe(as.id);
  }
  expect(harness.changes.map(({ kind, reference }) => [kind, reference.tenant, reference.owner.id])).toEqual(
    expect.arrayContaining([
      ["connected", "acme", "usr_ada"],
      ["connected", "globex", "usr_bob"],
    ]),
  );
});

test("five parallel authorizations of one person end each in their own instance", async () => {
  await using server = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server))]);
  const names = ["one", "two", "three", "four", "five"];
  const begun = await Promise.all(names.map((instance) => start(harness, ada, { instance })));
  for (const index of [3, 0, 4, 1, 2]) {
    const url = await server.approve(begun[index]?.authorizationUrl ?? "", `user-${names[index]}`);
    const ended = await harness.connecting.finishOAuth(ada, callbackOf(url));
    expect(ended).toMatchObject({ kind: "connected", instance: names[index], shared: false });
  }
  for (const instance of names) {
    const token = await harness.secretOf(ada, "access_token", { instance });
    expect(server.userOf(token ?? "")).toBe(`user-${instance}`);
  }
});

describe("who did not begin it can't end it", () => {
  test.each([
    ["another session", { ...ada, credential: { kind: "session", id: "ses_other" } } as const, {}],
    ["no session", { ...ada, credential: { kind: "token", id: "tok_a" } } as const, {}],
    ["another person of the tenant", person("usr_eve"), {}],
    ["another tenant", { ...ada, tenant: "globex", home: "acme" }, {}],
    ["the same id in another tenant", person("usr_ada", { tenant: "globex" }), {}],
    ["another browser", ada, { browser: "b2" }],
    ["no browser", ada, { browser: undefined }],
    ["another state", ada, { state: "A".repeat(43) }],
    ["no state", ada, { state: "" }],
    ["the path of an issuer", ada, { redirectPath: "0123456789abcdef" }],
  ])("%s", async (_what, as, changes) => {
    await using server = await startAuthorizationServer();
    const harness = await createHarness([connection(oauth2(server))]);
    const { authorizationUrl } = await start(harness, ada, { browser: "b1" });
    const callback = { ...callbackOf(await server.approve(authorizationUrl, "ada")), browser: "b1" };
    const failure = await failureOf(harness.connecting.finishOAuth(as, { ...callback, ...changes }));
    expect(failure).toMatchObject({
      code: "bad_request",
      message: expect.stringContaining("is not known here"),
    });
    expect(await harness.secretOf(ada)).toBeUndefined();
    expect(server.requestsTo("token")).toEqual([]);
  });

  test("somebody else's try does not use it up", async () => {
    await using server = await startAuthorizationServer();
    const harness = await createHarness([connection(oauth2(server))]);
    const { authorizationUrl } = await start(harness, ada);
    const callback = callbackOf(await server.approve(authorizationUrl, "ada"));
    await failureOf(harness.connecting.finishOAuth(person("usr_eve"), callback));
    await expect(harness.connecting.finishOAuth(ada, callback)).resolves.toMatchObject({ kind: "connected" });
  });

  test("who comes by a token may begin, and end it in a session", async () => {
    await using server = await startAuthorizationServer();
    const harness = await createHarness([connection(oauth2(server))]);
    const byToken = { ...ada, credential: { kind: "token", id: "tok_a" } } as const;
    const { authorizationUrl } = await start(harness, byToken);
    const callback = callbackOf(await server.approve(authorizationUrl, "ada"));
    await expect(harness.connecting.finishOAuth(ada, callback)).resolves.toMatchObject({ kind: "connected" });
  });
});

test("a state works once, also when it comes many times at once", async () => {
  await using server = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server))]);
  const { authorizationUrl } = await start(harness, ada);
  const callback = callbackOf(await server.approve(authorizationUrl, "ada"));
  const ends = await Promise.allSettled(
    Array.from({ length: 8 }, () => harness.connecting.finishOAuth(ada, callback)),
  );
  expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(server.requestsTo("token")).toHaveLength(1);
  expect(server.reuses()).toBe(0);
  const replay = await failureOf(harness.connecting.finishOAuth(ada, callback));
  expect(replay.message).toContain("is not known here");
});

test.each([
  [-1, true],
  [0, false],
  [1, false],
])("10 minutes and %i ms after its beginning: %s", async (more, works) => {
  await using server = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server))]);
  const { authorizationUrl, expiresAt } = await start(harness, ada);
  expect(expiresAt).toBe(harness.time + 10 * minute);
  const callback = callbackOf(await server.approve(authorizationUrl, "ada"));
  harness.time += 10 * minute + more;
  const [end] = await Promise.allSettled([harness.connecting.finishOAuth(ada, callback)]);
  expect(end?.status === "fulfilled").toBe(works);
  expect(server.requestsTo("token")).toHaveLength(works ? 1 : 0);
});

test("a denial is told and uses the state up", async () => {
  await using server = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server))]);
  const { authorizationUrl } = await start(harness, ada);
  const callback = callbackOf(await server.deny(authorizationUrl));
  expect(await failureOf(harness.connecting.finishOAuth(ada, callback))).toMatchObject({
    code: "bad_request",
    message: expect.stringContaining("The authorization was denied."),
  });
  expect((await failureOf(harness.connecting.finishOAuth(ada, callback))).message).toContain("is not known");
  expect(server.requestsTo("token")).toEqual([]);
});

test("the answer of another issuer is not believed, and no code goes anywhere (RFC 9207)", async () => {
  await using server = await startAuthorizationServer();
  await using attacker = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server))]);
  for (const issuer of [attacker.issuer, `${server.issuer}/`, undefined]) {
    const { authorizationUrl } = await start(harness, ada);
    const callback = callbackOf(await server.approve(authorizationUrl, "ada"));
    const failure = await failureOf(harness.connecting.finishOAuth(ada, { ...callback, issuer }));
    expect(failure.code).toBe("bad_request");
  }
  expect([...server.requestsTo("token"), ...attacker.requestsTo("token")]).toEqual([]);
});

test("with two servers each code goes to the one that gave it, whatever the order", async () => {
  await using one = await startAuthorizationServer();
  await using two = await startAuthorizationServer();
  const harness = await createHarness([
    connection(oauth2(one), { name: "one" }),
    connection(oauth2(two), { name: "two" }),
  ]);
  const first = await start(harness, ada, { connection: "one" });
  const second = await start(harness, ada, { connection: "two" });
  const ofTwo = callbackOf(await two.approve(second.authorizationUrl, "ada-two"));
  const ofOne = callbackOf(await one.approve(first.authorizationUrl, "ada-one"));
  // The state of one with the code of the other: the mix-up of RFC 9700, section 4.4.
  const mixed = await failureOf(harness.connecting.finishOAuth(ada, { ...ofTwo, state: ofOne.state }));
  expect(mixed.code).toBe("bad_request");
  expect(one.requestsTo("token")).toEqual([]);
  await harness.connecting.finishOAuth(ada, ofTwo);
  expect(two.userOf((await harness.secretOf(ada, "access_token", { connection: "two" })) ?? "")).toBe(
    "ada-two",
  );
  expect(await harness.secretOf(ada, "access_token", { connection: "one" })).toBeUndefined();
});

test("a code of another flow is refused by its verifier (RFC 9700, section 4.5)", async () => {
  await using server = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server))]);
  const mine = await start(harness, ada);
  const other = await start(harness, bob);
  const stolen = callbackOf(await server.approve(other.authorizationUrl, "bob"));
  const own = callbackOf(await server.approve(mine.authorizationUrl, "ada"));
  const failure = await failureOf(harness.connecting.finishOAuth(ada, { ...own, code: stolen.code }));
  expect(failure).toMatchObject({
    code: "bad_request",
    message: expect.stringContaining("Nothing was stored"),
  });
  expect(await harness.secretOf(ada)).toBeUndefined();
});

test("the 21st open authorization puts an end to the oldest, of that person only", async () => {
  await using server = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server))]);
  const other = await start(harness, person("usr_eve"));
  const urls: string[] = [];
  for (let count = 0; count < 21; count += 1) {
    harness.time += 1;
    urls.push((await start(harness, ada)).authorizationUrl);
  }
  const end = async (as: typeof ada, url = ""): Promise<unknown> =>
    harness.connecting.finishOAuth(as, callbackOf(await server.approve(url, as.id)));
  expect((await failureOf(end(ada, urls[0]))).message).toContain("is not known");
  for (const url of [urls[1], urls[20]]) await end(ada, url);
  await end(person("usr_eve"), other.authorizationUrl);
  expect((await harness.store.tenant("acme").list("flow")).length).toBe(18);
});

test("a hundred that begin at once leave twenty", async () => {
  await using server = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server))]);
  await Promise.all(Array.from({ length: 100 }, () => start(harness, ada)));
  expect((await harness.store.tenant("acme").list("flow")).length).toBe(20);
});

describe("what is asked for and what is kept", () => {
  test("params are asked for, taken from the token's answer, and have defaults", async () => {
    await using server = await startAuthorizationServer({
      answer: { extra: { team: { id: 42, name: "x".repeat(1_001) } } },
    });
    const params = [
      param("region", { default: "eu" }),
      param("team", { fromToken: ["team", "id"] }),
      param("title", { fromToken: ["team", "name"], default: "untitled" }),
      param("workspace"),
    ];
    const harness = await createHarness([connection(oauth2(server), { params })]);
    await connect(harness, server, ada, { params: { workspace: " acme " } });
    const [status] = await harness.connecting.connections(ada).list();
    expect(status?.instances[0]?.params).toEqual({
      region: "eu",
      team: "42",
      title: "untitled",
      workspace: "acme",
    });
    for (const given of [
      {},
      { workspace: "" },
      { workspace: "a\nb" },
      { workspace: "x".repeat(201) },
      { workspace: "a", team: "1" },
      { workspace: "a", other: "1" },
    ]) {
      const failure = await failureOf(start(harness, ada, { params: given }));
      expect(failure.code).toBe("bad_request");
    }
  });

  test("a token does not become a param, wherever the file looks for that", async () => {
    await using server = await startAuthorizationServer();
    const params = ["access_token", "refresh_token"].map((name) =>
      param(name, { fromToken: [name], required: false }),
    );
    const harness = await createHarness([connection(oauth2(server), { params })]);
    await connect(harness, server, ada);
    const [status] = await harness.connecting.connections(ada).list();
    expect(status?.instances[0]?.params).toEqual({});
  });

  test("a param that the token's answer lacks: nothing is stored, and the token is revoked", async () => {
    await using server = await startAuthorizationServer();
    const harness = await createHarness([
      connection(oauth2(server), { params: [param("team", { fromToken: ["team", "id"] })] }),
    ]);
    expect(await failureOf(connect(harness, server, ada))).toMatchObject({
      code: "upstream_failed",
      message: expect.stringContaining("Nothing was stored."),
    });
    expect(server.requestsTo("revoke")).toHaveLength(2);
    expect(await harness.secretOf(ada)).toBeUndefined();
  });

  test("scopes that a call lacked are asked for besides those granted", async () => {
    await using server = await startAuthorizationServer();
    const harness = await createHarness([connection(oauth2(server))]);
    await connect(harness, server, ada);
    const [stored] = await harness.credentials.list({
      tenant: "acme",
      owner: { kind: "user", id: "usr_ada" },
    });
    if (stored === undefined) throw new Error("nothing is stored");
    const state = { kind: "reconnect_required", reason: "More scopes.", wanted: ["write"] } as const;
    await harness.credentials.put(
      stored.reference,
      { ...stored, state, scopes: ["read", "list"] },
      stored,
      false,
    );
    const { authorizationUrl } = await start(harness, ada);
    expect(new URL(authorizationUrl).searchParams.get("scope")).toBe("read list write");
    await harness.connecting.finishOAuth(ada, callbackOf(await server.approve(authorizationUrl, "ada")));
    const [status] = await harness.connecting.connections(ada).list();
    expect(status).toMatchObject({ state: "ready", instances: [{ scopes: ["read", "list", "write"] }] });
  });

  test("connecting anew replaces the credential and ends no grant that the new one may be part of", async () => {
    await using server = await startAuthorizationServer();
    const harness = await createHarness([connection(oauth2(server))]);
    await connect(harness, server, ada, {}, "first");
    await connect(harness, server, ada, {}, "second");
    expect(server.userOf((await harness.secretOf(ada)) ?? "")).toBe("second");
    expect(server.requestsTo("revoke")).toEqual([]);
  });

  test.each(["transient", "refused", "misconfigured"])(
    "an exchange that fails (%s) stores nothing",
    async (kind) => {
      await using server = await startAuthorizationServer();
      const harness = await createHarness([connection(oauth2(server))]);
      if (kind === "transient") server.fail("token", { kind: "status", status: 500 });
      else
        server.fail("token", {
          kind: "error",
          error: kind === "refused" ? "invalid_grant" : "invalid_client",
        });
      const failure = await failureOf(connect(harness, server, ada));
      expect(failure.code).toBe(kind === "refused" ? "bad_request" : "upstream_failed");
      expect(failure.message).toContain("Nothing was stored");
      // What only the operator can mend is said to both.
      const isOperators = kind === "misconfigured";
      expect(failure.message.includes("operator")).toBe(isOperators);
      expect(harness.log.some((line) => line.includes("client_secret"))).toBe(isOperators);
      expect(await harness.secretOf(ada)).toBeUndefined();
    },
  );

  test("no param chooses where the client and its tokens go", async () => {
    await using server = await startAuthorizationServer({ issuerPath: "/acme" });
    const auth = oauth2(server, { tokenUrl: server.tokenUrl.replace("/acme", "/{site}") });
    const harness = await createHarness([connection(auth, { params: [param("site")] })]);
    expect((await failureOf(connect(harness, server, ada, { params: { site: "acme" } }))).code).toBe(
      "upstream_failed",
    );
    expect(server.requestsTo("token")).toEqual([]);
    expect(await harness.secretOf(ada)).toBeUndefined();
  });

  test("a configuration that changed in between ends it", async () => {
    await using server = await startAuthorizationServer();
    await using other = await startAuthorizationServer();
    const harness = await createHarness([connection(oauth2(server))]);
    const { authorizationUrl } = await start(harness, ada);
    const callback = callbackOf(await server.approve(authorizationUrl, "ada"));
    const [before] = harness.providers;
    if (before === undefined) throw new Error("there is a provider");
    harness.providers = [{ ...before, connections: { default: connection(oauth2(other)) } }];
    const failure = await failureOf(harness.connecting.finishOAuth(ada, callback));
    expect(failure).toMatchObject({ code: "bad_request", message: expect.stringContaining("has changed") });
    expect([...server.requestsTo("token"), ...other.requestsTo("token")]).toEqual([]);
  });

  test.each([
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "/connect\\..",
    "/connectx",
    "/",
    "/connect\n",
    "/connect#x",
    "javascript:alert(1)",
    "/connect/../../evil.example/%",
  ])("a way back to %j is refused", async (returnTo) => {
    await using server = await startAuthorizationServer();
    const harness = await createHarness([connection(oauth2(server))]);
    expect(await failureOf(start(harness, ada, { returnTo }))).toMatchObject({ code: "bad_request" });
  });

  test("a way back to a page of ours is taken", async () => {
    await using server = await startAuthorizationServer();
    const harness = await createHarness([connection(oauth2(server))]);
    const returnTo = "/connect?provider=crm&connection=default&tenant=acme&x=%2F..%2F";
    expect(await connect(harness, server, ada, { returnTo })).toMatchObject({ returnTo });
  });
});
