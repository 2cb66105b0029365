import { describe, expect, test } from "vitest";
import type { ConnectManual } from "../../../src/model/connections.ts";
import type { Principal } from "../../../src/model/principal.ts";
import { Secret } from "../../../src/secret.ts";
import {
  bearer,
  connection,
  createHarness,
  failureOf,
  field,
  type Harness,
  param,
  person,
} from "./harness.ts";

const ada = person("usr_ada");

function enter(
  { connecting }: Harness,
  as: Principal,
  fields: Readonly<Record<string, string>>,
  more: Partial<ConnectManual> = {},
): Promise<unknown> {
  const secrets = Object.entries(fields).map(([name, value]) => [name, new Secret(value)]);
  return connecting.connections(as).connectManual({
    provider: "crm",
    fields: Object.fromEntries(secrets),
    ...more,
  });
}

describe("a bearer token", () => {
  test.each([
    ["as it is", "tok-1", "tok-1"],
    ["with what comes along when it is copied", " \r\n\ttok-1\n", "tok-1"],
    ["with the prefix of the header", "Bearer tok-1", "tok-1"],
    ["with that in lower case", "bearer   tok-1\n", "tok-1"],
    ["of 8 KB", "x".repeat(8192), "x".repeat(8192)],
  ])("%s", async (_what, text, stored) => {
    const harness = await createHarness([connection(bearer())]);
    expect(await enter(harness, ada, { token: text })).toEqual({
      kind: "connected",
      provider: "crm",
      connection: "default",
      instance: "default",
      shared: false,
    });
    expect(await harness.secretOf(ada, "token")).toBe(stored);
  });

  test.each([
    ["nothing", {}],
    ["an empty text", { token: " \n" }],
    ["the prefix alone", { token: "Bearer " }],
    ["a line break inside", { token: "canary-a\r\nx-admin: 1" }],
    ["a NUL", { token: "canary-\0" }],
    ["what no header can hold", { token: "canary-\u{1f600}" }],
    ["a lone surrogate", { token: "canary-\ud800" }],
    ["more than 8 KB", { token: `canary-${"x".repeat(8192)}` }],
    ["an unknown field", { token: "canary-1", other: "canary-2" }],
    ["a field of every object", { token: "canary-1", toString: "canary-2" }],
    ["a token of this gateway", { token: `gst_api_canary-${"x".repeat(36)}` }],
    ["the same with a prefix", { token: `Bearer gst_api_canary-${"x".repeat(36)}` }],
  ])("is refused: %s", async (_what, fields) => {
    const harness = await createHarness([connection(bearer())]);
    const failure = await failureOf(enter(harness, ada, fields));
    expect(failure.code).toBe("bad_request");
    expect(failure.all).not.toContain("canary-");
    expect(await harness.secretOf(ada, "token")).toBeUndefined();
  });
});

describe("fields and params", () => {
  const auth = {
    type: "manual",
    fields: [
      field("user", { in: "basic", part: "username" }),
      field("password", { in: "basic", part: "password" }),
      field("key", { in: "query", parameter: "key" }),
      field("sid", { in: "cookie", cookie: "sid" }),
    ],
  } as const;

  test("only a basic password may be empty, and each goes where it may", async () => {
    const harness = await createHarness([connection(auth, { params: [param("site")] })]);
    const good = { user: "ada", password: "", key: "schlüssel", sid: "abc" };
    await enter(harness, ada, good, { params: { site: "eu" } });
    expect(await harness.secretOf(ada, "key")).toBe("schlüssel");
    // Forms have one list of fields.
    await enter(harness, ada, { ...good, password: "pässword", site: "eu" });
    const [status] = await harness.connecting.connections(ada).list();
    expect(status?.instances).toMatchObject([{ params: { site: "eu" }, refreshable: false }]);
    for (const wrong of [
      { user: "a:b" },
      { user: "" },
      { sid: "a;b" },
      { sid: "a b" },
      { key: "" },
      { key: "a\u0085b" },
    ])
      expect((await failureOf(enter(harness, ada, { ...good, ...wrong, site: "eu" }))).code).toBe(
        "bad_request",
      );
    expect((await failureOf(enter(harness, ada, good))).message).toContain("`site` (SITE)");
  });

  test("what is wrong with the names of instances is said", async () => {
    const harness = await createHarness([connection(bearer())]);
    for (const instance of ["", "A", "-a", "a/b", "a".repeat(64), "../a", "a\n"])
      expect((await failureOf(enter(harness, ada, { token: "t" }, { instance }))).code).toBe("bad_request");
    await enter(harness, ada, { token: "t" }, { instance: `a${"b".repeat(62)}` });
  });
});

describe("who may change what", () => {
  const connections = [
    connection(bearer(), { name: "own", mode: "user" }),
    connection(bearer(), { name: "tenant", mode: "tenant" }),
    connection(bearer(), { name: "either", mode: "either" }),
    connection({ type: "none" }, { name: "none", mode: "none" }),
    connection(bearer(), { name: "file", mode: "identity" }),
    connection({ type: "passthrough", header: "X-Key" }, { name: "passed", mode: "user" }),
  ];
  const admin = person("usr_admin", { roles: ["admin"] });
  const narrowed = { ...admin, scopes: ["crm"] };

  test.each([
    [ada, "own", undefined, "connected"],
    [ada, "own", true, "bad_request"],
    [ada, "tenant", undefined, "forbidden"],
    [admin, "tenant", undefined, "connected shared"],
    [admin, "tenant", false, "bad_request"],
    [ada, "either", undefined, "connected"],
    [ada, "either", true, "forbidden"],
    [admin, "either", true, "connected shared"],
    [admin, "either", undefined, "connected"],
    [admin, "none", undefined, "bad_request"],
    [admin, "file", undefined, "bad_request"],
    [admin, "passed", undefined, "bad_request"],
    [admin, "missing", undefined, "not_found"],
    [admin, "toString", undefined, "not_found"],
    [admin, undefined, undefined, "bad_request"],
    [narrowed, "own", undefined, "forbidden"],
    [narrowed, "missing", undefined, "forbidden"],
  ] as const)("%o on %s, shared %s: %s", async (as, name, shared, expected) => {
    const harness = await createHarness(connections);
    const [end] = await Promise.allSettled([
      enter(harness, as, { token: "t" }, { connection: name, shared }),
    ]);
    if (end?.status === "rejected") expect(end.reason).toMatchObject({ code: expected });
    else expect(end?.value).toMatchObject({ kind: "connected", shared: expected === "connected shared" });
  });

  test("what is hidden and what is unknown look the same", async () => {
    const harness = await createHarness(connections);
    harness.hidden.add("crm");
    const hidden = await failureOf(enter(harness, ada, { token: "t" }));
    harness.providers = [];
    const unknown = await failureOf(enter(harness, ada, { token: "t" }));
    expect([hidden.code, hidden.message]).toEqual([unknown.code, unknown.message]);
    expect(hidden.code).toBe("not_found");
    expect((await failureOf(harness.connecting.connections(ada).list("crm"))).message).toBe(hidden.message);
    expect(
      (await failureOf(harness.connecting.connections(ada).disconnect({ provider: "crm" }))).message,
    ).toBe(hidden.message);
  });
});
