import { describe, expect, test } from "vitest";
import { principalOf } from "../principals.ts";
import { type Answer, openStage, type Stage, session, token } from "./stage.ts";

/** `ada` sees all, `bob` one tool of `books`, `eve` nothing. */
const people = [principalOf("user", "ada"), principalOf("user", "bob"), principalOf("user", "eve")];
const open = (): Promise<Stage> =>
  openStage({
    people,
    sees: ({ id }, tool) => id === "ada" || (id === "bob" && tool === "books_find"),
  });
const as = (id: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token(id)}` });

describe("integrations", () => {
  test("are those that the caller may know of, and tools that it can't see are not counted", async () => {
    await using stage = await open();
    const list = async (id: string): Promise<unknown> =>
      (await stage.send("GET", "/api/v1/integrations", { headers: as(id) })).json["integrations"];
    expect(await list("ada")).toMatchObject([
      { name: "books", tools: 3, surfaces: [{ kind: "rest", tools: 3 }] },
      { name: "vault", tools: 2 },
    ]);
    const [books, ...more] = (await list("bob")) as readonly unknown[];
    expect(books).toMatchObject({ name: "books", tools: 1, surfaces: [{ kind: "rest", tools: 1 }] });
    expect(more).toEqual([]);
  });

  test("tell who gets none what to do", async () => {
    await using stage = await open();
    const answer = await stage.send("GET", "/api/v1/integrations", { headers: as("eve") });
    expect(answer.json).toEqual({ integrations: [], message: "No tools configured." });
    const others = await stage.send("GET", "/api/v1/integrations", { headers: as("ada") });
    expect(Object.keys(others.json)).toEqual(["integrations"]);
  });

  test("a session and a token see the same", async () => {
    await using stage = await open();
    for (const path of [
      "/api/v1/integrations",
      "/api/v1/integrations/books/operations",
      "/api/v1/books/find",
      "/api/v1/vault/open",
    ]) {
      const cookie = { cookie: `__Host-gateway-session=${session("bob")}` };
      const bySession = await stage.send("GET", path, { headers: cookie });
      const byToken = await stage.send("GET", path, { headers: as("bob") });
      expect([bySession.status, bySession.text]).toEqual([byToken.status, byToken.text]);
    }
  });
});

describe("unknown and hidden are the same", () => {
  /** All that comes back, but for the name that was asked for and the time. */
  const seen = ({ status, headers, text }: Answer, name: string): string =>
    JSON.stringify([status, { ...headers, date: "", "content-length": "" }, text.replaceAll(name, "NAME")]);

  test.each(["bob", "eve"])("for %s", async (id) => {
    await using stage = await open();
    const json = { ...as(id), "content-type": "application/json" };
    for (const [method, path, body] of [
      ["GET", "/api/v1/integrations/NAME/operations", undefined],
      ["GET", "/api/v1/NAME/open", undefined],
      ["GET", "/api/v1/NAME/open?a=1&customer_id=default", undefined],
      ["POST", "/api/v1/NAME/open", "{}"],
      ["POST", "/api/v1/NAME/open", '{"a":'],
      ["POST", "/api/v1/NAME/open?a=1", "{}"],
      ["DELETE", "/api/v1/NAME/open", undefined],
    ] as const) {
      const ask = async (name: string): Promise<string> =>
        seen(await stage.send(method, path.replace("NAME", name), { headers: json, body }), name);
      expect(await ask("vault"), `${method} ${path}`).toBe(await ask("blank"));
    }
    for (const path of ["/api/v1/books/NAME", "/api/v1/books/NAME?x=y"]) {
      const ask = async (name: string): Promise<string> =>
        seen(await stage.send("POST", path.replace("NAME", name), { headers: json, body: "{}" }), name);
      expect(await ask("bill"), path).toBe(await ask("will"));
      expect(await ask("add"), path).toBe(await ask("odd"));
    }
    expect(stage.calls).toEqual([]);
  });
});

test("who calls is told nothing of what its tenant gets beyond what it sees itself", async () => {
  const exposure = { kind: "selected", providers: ["books", "payroll"], tools: ["vault_open"] } as const;
  await using stage = await openStage({ people: [principalOf("user", "bob", "default", { exposure })] });
  const { json, text } = await stage.send("GET", "/api/v1/auth/session", { headers: as("bob") });
  expect(json).toMatchObject({ name: "bob", tenant: "default" });
  expect(text).not.toMatch(/payroll|vault_open|exposure/);
});

describe("readiness", () => {
  const names = (answer: Answer): unknown =>
    (answer.json["providers"] as readonly { readonly name: string }[] | undefined)?.map(({ name }) => name);

  test("lists to callers what they may know of, and nothing to strangers", async () => {
    await using stage = await open();
    expect((await stage.send("GET", "/readyz")).json).toEqual({ status: "ready" });
    expect((await stage.send("GET", "/ready", { headers: as("mallory") })).json).toEqual({ status: "ready" });
    expect(names(await stage.send("GET", "/readyz", { headers: as("ada") }))).toEqual(["books", "vault"]);
    expect(names(await stage.send("GET", "/readyz", { headers: as("bob") }))).toEqual(["books"]);
    const elsewhere = { ...as("ada"), host: "evil.example" };
    expect((await stage.send("GET", "/readyz", { headers: elsewhere })).json).toEqual({ status: "ready" });
  });

  test("lists them to everybody where nobody signs in", async () => {
    await using stage = await openStage({ auth: { provider: "none" } });
    expect(names(await stage.send("GET", "/readyz"))).toEqual(["books", "vault"]);
  });
});

test("nobody keeps what one caller got for another", async () => {
  await using stage = await open();
  const own = await stage.send("GET", "/api/v1/integrations", { headers: as("ada") });
  expect(own.headers["cache-control"]).toBe("no-store");
  const passed = await stage.send("GET", "/api/v1/books/find", { headers: as("ada") });
  expect(passed.headers["cache-control"]).toBe("no-store");
  for (const { headers } of [own, passed])
    expect(headers.vary).toBe("authorization, cookie, x-gateway-tenant");
});
