import { expect, test } from "vitest";
import { type Store, StoreError } from "../../src/store/store.ts";
import {
  agree,
  ask,
  comeBack,
  connect,
  dump,
  newAttempt,
  refreshOf,
  startStage,
  tokensOf,
  use,
} from "./stage.ts";

const timeout = 60_000;
/** Processes that share a flow share keys. */
const keys = (): readonly Buffer[] => [Buffer.alloc(32, 1)];

/** What of a store fails: reading, writing, or what is written about grants alone. */
type Broken = "no" | "reads" | "writes" | "grants";

/** A store that fails while the test says so. */
function breakable(store: Store): { readonly store: Store; broken: Broken } {
  const state = { broken: "no" as Broken };
  const failing = async <Answer>(kind: Broken, work: () => Promise<Answer>): Promise<Answer> => {
    if (state.broken === kind) throw new StoreError("unavailable", "The disk is gone.");
    return work();
  };
  const wrapTenant = (tenant: ReturnType<Store["tenant"]>): typeof tenant =>
    Object.assign(Object.create(tenant), {
      get: (...asked: Parameters<typeof tenant.get>) => failing("reads", () => tenant.get(...asked)),
      write: (...[changes]: Parameters<typeof tenant.write>) =>
        failing(
          state.broken === "grants" && changes.some(({ kind }) => kind === "grant") ? "grants" : "writes",
          () => tenant.write(changes),
        ),
      list: (...asked: Parameters<typeof tenant.list>) => failing("reads", () => tenant.list(...asked)),
    });
  const wrapped: Store = Object.assign(Object.create(store), {
    find: (...asked: Parameters<Store["find"]>) => failing("reads", () => store.find(...asked)),
    tenant: (id: string) => wrapTenant(store.tenant(id)),
    gateway: wrapTenant(store.gateway),
  });
  return Object.assign(state, { store: wrapped });
}

test("while the store fails, everybody is told to come back, and nothing is lost", { timeout }, async () => {
  const stage = await startStage();
  const tokens = await connect(stage);
  const breaking = breakable(stage.store);
  const faulty = await stage.other({ store: () => breaking.store });
  for (const broken of ["reads", "writes"] as const) {
    breaking.broken = broken;
    const answer = await faulty.post(refreshOf(tokens.refresh));
    expect(answer).toMatchObject({ status: 503, json: { error: "temporarily_unavailable" } });
    expect(answer.headers["retry-after"]).toBe("1");
    const revoked = await faulty.post({ token: tokens.refresh, client_id: "app" }, {}, "/oauth/revoke");
    expect(revoked.status).toBe(503);
    const asked = await faulty.send(
      "GET",
      `/oauth/authorize?${new URLSearchParams(newAttempt().parameters)}`,
    );
    if (broken === "writes") expect(asked.json["code"]).toBe("store_unavailable");
    expect(asked.text).not.toContain("disk");
  }
  breaking.broken = "no";
  expect(await use(stage, tokensOf(await faulty.post(refreshOf(tokens.refresh))).access)).toBe(
    "ada everything",
  );
});

test("records that nobody here has written are not believed", { timeout }, async () => {
  const stage = await startStage();
  const tokens = await connect(stage);
  const records = stage.store.tenant("default");
  const [refresh] = await records.list("refresh");
  if (refresh === undefined) throw new Error("There is none.");
  for (const value of [{}, { ...refresh.value, current: 1 }, { ...refresh.value, more: true }]) {
    const { kind, id, lookup, expiresAt } = refresh;
    await records.write([{ ...{ action: "put", kind, id, lookup, expiresAt, value, expected: "any" } }]);
    const answer = await stage.post(refreshOf(tokens.refresh));
    expect(answer).toMatchObject({ status: 503, json: { error: "temporarily_unavailable" } });
  }
  expect(stage.harness.logged.join()).toContain("was not believed");
  expect(stage.harness.logged.join()).not.toContain(tokens.refresh);
});

test("a question that can't be stored is not asked", { timeout }, async () => {
  const stage = await startStage();
  const breaking = breakable(stage.store);
  const faulty = await stage.other({ store: () => breaking.store });
  breaking.broken = "writes";
  await expect(ask(faulty, newAttempt())).rejects.toThrow("No question");
  expect(JSON.parse(await dump(stage.store)).flat()).toEqual([]);
});

test("a store that fails at every request is told of once in a while", { timeout }, async () => {
  const stage = await startStage();
  const tokens = await connect(stage);
  const breaking = breakable(stage.store);
  const faulty = await stage.other({ store: () => breaking.store });
  breaking.broken = "reads";
  for (let count = 0; count < 20; count += 1)
    expect((await faulty.post(refreshOf(tokens.refresh))).status).toBe(503);
  expect(stage.harness.logged.filter((line) => line.includes("could not be read or written"))).toHaveLength(
    1,
  );
});

test("an answer that was cut short between its two writes allows nothing, and can be begun anew", {
  timeout,
}, async () => {
  const stage = await startStage({ keys });
  const { id, cookies } = await ask(stage, newAttempt());
  const breaking = breakable(stage.store);
  const faulty = await stage.other({ store: () => breaking.store });
  const { seal } = await faulty.server.question(id, cookies);
  breaking.broken = "grants";
  const decision = { kind: "agree", scopes: ["mcp"], seal: seal(stage.person) } as const;
  await expect(faulty.server.answer(id, cookies, stage.person, decision)).rejects.toMatchObject({
    code: "store_unavailable",
  });
  breaking.broken = "no";
  // The form once more, and a browser that goes on all the same.
  await expect(stage.server.question(id, cookies)).rejects.toMatchObject({ code: "not_found" });
  const end = await comeBack(stage, `${stage.url}/oauth/authorize/${id}`, cookies);
  expect([end.searchParams.get("code"), end.searchParams.get("error")]).toEqual([null, "access_denied"]);
  const attempt = newAttempt();
  expect(
    (await agree(stage, await ask(stage, attempt), stage.person)).searchParams.get("code"),
  ).not.toBeNull();
});

test("browsers come back, clients register and people are asked again once the store is there", {
  timeout,
}, async () => {
  const stage = await startStage({ keys });
  const breaking = breakable(stage.store);
  const faulty = await stage.other({ store: () => breaking.store });
  const asked = await ask(stage, newAttempt());
  const { seal } = await stage.server.question(asked.id, asked.cookies);
  const client = JSON.stringify({ redirect_uris: ["http://127.0.0.1/"], token_endpoint_auth_method: "none" });
  const json = { "content-type": "application/json" };
  const decision = { kind: "agree", scopes: ["mcp"], seal: seal(stage.person) } as const;
  for (const broken of ["reads", "writes"] as const) {
    breaking.broken = broken;
    expect(await faulty.send("POST", "/oauth/register", json, client)).toMatchObject({ status: 503 });
    const answer = faulty.server.answer(asked.id, asked.cookies, stage.person, decision);
    await expect(answer).rejects.toMatchObject({ code: "store_unavailable" });
  }
  breaking.broken = "no";
  expect((await faulty.send("POST", "/oauth/register", json, client)).status).toBe(201);
  const back = await faulty.server.answer(asked.id, asked.cookies, stage.person, decision);
  for (const broken of ["reads", "writes"] as const) {
    breaking.broken = broken;
    const failed = await faulty.send("GET", new URL(back).pathname, { cookie: asked.cookies });
    expect([failed.headers.location, failed.json["code"]]).toEqual([undefined, "store_unavailable"]);
  }
  breaking.broken = "no";
  const end = await comeBack(faulty, back, asked.cookies);
  expect(end.searchParams.get("code")).not.toBeNull();
});

test("who asks for too much at once waits", { timeout }, async () => {
  const stage = await startStage();
  const query = new URLSearchParams(newAttempt({ client_id: "nobody" }).parameters);
  const answers = [];
  for (let count = 0; count < 620; count += 1)
    answers.push(await stage.send("GET", `/oauth/authorize?${query}`));
  expect(answers[0]?.json["code"]).toBe("bad_request");
  expect(answers.at(-1)?.json).toMatchObject({ code: "rate_limited" });
  expect(Number(answers.at(-1)?.json["retry_after"])).toBeGreaterThan(0);
});
