import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import type { GatewayError } from "../../src/errors.ts";
import { newGrantId, putGrant } from "../../src/identity/grant-record.ts";
import type { Principal } from "../../src/model/principal.ts";
import { Secret } from "../../src/secret.ts";
import { bearer, signedIn, signIn } from "../identity/harness.ts";
import {
  agree,
  ask,
  comeBack,
  connect,
  exchangeOf,
  newAttempt,
  redirectUri,
  startStage,
  tokensOf,
} from "./stage.ts";

const timeout = 60_000;

/** The error's code, and that its message says something. */
async function refused(work: Promise<unknown>, says: string): Promise<GatewayError["code"]> {
  const error = await work.then(
    () => undefined,
    (thrown: GatewayError) => thrown,
  );
  expect(error?.message).toContain(says);
  return error?.code ?? "internal";
}

const yes = (seal: string) => ({ kind: "agree", scopes: ["mcp"], seal }) as const;

describe("a question", () => {
  test("says what the client asks for", { timeout }, async () => {
    const stage = await startStage();
    const { id, cookies } = await ask(stage, newAttempt({ resource: `${stage.url}/api/v1` }));
    expect(await stage.server.question(id, cookies)).toMatchObject({
      ...{ id, clientId: "app", clientName: "The app", clientKind: "static", clientHost: undefined },
      ...{ redirectUri, scopes: ["mcp", "mcp:read"], resource: `${stage.url}/api/v1` },
    });
  });

  test("belongs to the browser that it was begun in", { timeout }, async () => {
    const stage = await startStage();
    const mine = await ask(stage, newAttempt());
    const theirs = await ask(stage, newAttempt());
    const { question } = stage.server;
    for (const cookies of [undefined, "", theirs.cookies, mine.cookies.replace(/=[^;]{5}/, "=xxxxx")])
      expect(await refused(question(mine.id, cookies), "not begun in this browser")).toBe("not_found");
    const both = `a=b; ${theirs.cookies}; ${mine.cookies}`;
    expect((await question(mine.id, both)).id).toBe(mine.id);
    expect((await question(theirs.id, both)).id).toBe(theirs.id);
    for (const id of ["", "x", "../x", "x".repeat(43), "x".repeat(9_999)])
      expect(await refused(question(id, both), "question")).toBe("not_found");
  });

  test("ends after ten minutes, with its client, and when it was answered", { timeout }, async () => {
    const stage = await startStage();
    const late = await ask(stage, newAttempt());
    stage.harness.time += 600_000;
    expect(await refused(stage.server.question(late.id, late.cookies), "waited too long")).toBe("not_found");
    const gone = await ask(stage, newAttempt());
    const { settings } = stage.harness;
    const { authorizationServer } = settings.auth;
    if (authorizationServer === undefined) throw new Error("It is off.");
    stage.harness.settings = {
      ...settings,
      auth: { ...settings.auth, authorizationServer: { ...authorizationServer, clients: {} } },
    };
    expect(await refused(stage.server.question(gone.id, gone.cookies), "no client app")).toBe("not_found");
    stage.harness.settings = settings;
    const done = await ask(stage, newAttempt());
    await agree(stage, done, stage.person);
    expect(await refused(stage.server.question(done.id, done.cookies), "was answered")).toBe("not_found");
  });

  test("a browser keeps ten of them at most", { timeout }, async () => {
    const stage = await startStage();
    const jar = new Map<string, string>();
    const ids: string[] = [];
    for (let count = 0; count < 15; count += 1) {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
      const query = new URLSearchParams(newAttempt().parameters);
      const answer = await stage.send("GET", `/oauth/authorize?${query}`, { cookie });
      ids.push(new URL(answer.headers.location ?? "").searchParams.get("request") ?? "");
      for (const line of answer.headers["set-cookie"] ?? []) {
        const [, name = "", value = ""] = /^(__Host-[^=]+)=([^;]*)/.exec(line) ?? [];
        if (name === "") continue;
        if (line.includes("Max-Age=0")) jar.delete(name);
        else jar.set(name, value);
      }
    }
    expect(jar.size).toBe(10);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    expect((await stage.server.question(ids.at(-1) ?? "", cookie)).clientId).toBe("app");
    expect(await refused(stage.server.question(ids[0] ?? "", cookie), "not begun")).toBe("not_found");
  });
});

describe("an answer", () => {
  test("counts for whoever has seen the question, in the same session", { timeout }, async () => {
    const stage = await startStage();
    const { id, cookies } = await ask(stage, newAttempt());
    const { seal } = await stage.server.question(id, cookies);
    const { principal: eve } = await signedIn(stage.harness, "eve");
    const { principal: again } = await signIn(stage.harness.identity, "ada");
    const { answer } = stage.server;
    const cases: readonly (readonly [Principal, string])[] = [
      [eve, seal(stage.person)],
      [stage.person, seal(eve)],
      [again, seal(stage.person)],
      [stage.person, ""],
      [stage.person, `${seal(stage.person)}x`],
    ];
    for (const [principal, text] of cases)
      expect(await refused(answer(id, cookies, principal, yes(text)), "somebody else")).toBe("conflict");
    expect(await refused(answer(id, undefined, stage.person, yes(seal(stage.person))), "browser")).toBe(
      "not_found",
    );
    expect(await stage.store.tenant("default").list("grant")).toEqual([]);
    expect(await answer(id, cookies, stage.person, yes(seal(stage.person)))).toContain(id);
  });

  test("is given by people only", { timeout }, async () => {
    const stage = await startStage();
    const { id, cookies } = await ask(stage, newAttempt());
    const { seal } = await stage.server.question(id, cookies);
    const created = await stage.harness.identity.administration(stage.person).createToken({ name: "t" });
    const byToken = await stage.identity.authenticate(bearer(created.secret), undefined);
    for (const principal of [byToken, stage.harness.operator]) {
      const given = stage.server.answer(id, cookies, principal, yes(seal(principal)));
      expect(await refused(given, "Only people")).toBe("forbidden");
    }
  });

  test("counts once, however many come at the same time", { timeout }, async () => {
    const stage = await startStage();
    const other = await stage.other({ keys: () => [Buffer.alloc(32, 7)] });
    const keyed = await stage.other({ keys: () => [Buffer.alloc(32, 7)] });
    const { id, cookies } = await ask(other, newAttempt());
    const { seal } = await other.server.question(id, cookies);
    const given = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? other : keyed).server.answer(id, cookies, stage.person, yes(seal(stage.person))),
      ),
    );
    // People press twice, and see what the last press comes to.
    const urls = given.map((one) => (one.status === "fulfilled" ? one.value : String(one.reason)));
    expect(new Set(urls)).toEqual(new Set([expect.stringContaining(id)]));
    expect(await stage.store.tenant("default").list("grant")).toHaveLength(1);
  });

  test("that comes again is the same or none, and only until the browser has gone on", {
    timeout,
  }, async () => {
    const stage = await startStage();
    const { principal: eve } = await signedIn(stage.harness, "eve");
    const { answer, question } = stage.server;
    for (const kind of ["agree", "refuse"] as const) {
      const { id, cookies } = await ask(stage, newAttempt());
      const { seal } = await question(id, cookies);
      const decide = (who: Principal, what: "agree" | "refuse", scope: "mcp" | "mcp:read" = "mcp") =>
        answer(
          id,
          cookies,
          who,
          what === "agree"
            ? { kind: what, scopes: [scope], seal: seal(who) }
            : { kind: what, seal: seal(who) },
        );
      const first = await decide(stage.person, kind);
      expect(await decide(stage.person, kind)).toBe(first);
      const others = [
        decide(stage.person, kind === "agree" ? "refuse" : "agree"),
        ...(kind === "agree" ? [decide(stage.person, kind, "mcp:read"), decide(eve, kind)] : []),
      ];
      for (const other of others) expect(await refused(other, "answered already")).toBe("not_found");
      await stage.send("GET", new URL(first).pathname, { cookie: cookies });
      expect(await refused(decide(stage.person, kind), "no such question")).toBe("not_found");
    }
    expect(await stage.store.tenant("default").list("grant")).toHaveLength(1);
  });

  test("leads to one code, however often the browser comes back", { timeout }, async () => {
    const stage = await startStage();
    const attempt = newAttempt();
    const { id, cookies } = await ask(stage, attempt);
    const { seal } = await stage.server.question(id, cookies);
    const back = await stage.server.answer(id, cookies, stage.person, yes(seal(stage.person)));
    const { pathname } = new URL(back);
    const stolen = await stage.send("GET", pathname);
    expect(stolen.headers.location).toBeUndefined();
    expect(stolen.json["page"]).toContain("another browser");
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => stage.send("GET", pathname, { cookie: cookies })),
    );
    const codes = answers.flatMap(({ headers }) =>
      headers.location === undefined ? [] : [headers.location],
    );
    expect(codes).toHaveLength(1);
    const again = await stage.send("GET", pathname, { cookie: cookies });
    expect(again.headers.location).toBeUndefined();
    expect((await stage.post(exchangeOf(attempt, new URL(codes[0] ?? "")))).status).toBe(200);
  });

  test("allows no more than was asked for", { timeout }, async () => {
    const stage = await startStage();
    const { id, cookies } = await ask(stage, newAttempt({ scope: "mcp:read" }));
    const { seal } = await stage.server.question(id, cookies);
    for (const scopes of [["mcp"], [], ["mcp", "mcp:read"]] as const) {
      const given = stage.server.answer(id, cookies, stage.person, {
        ...{ kind: "agree", scopes, seal: seal(stage.person) },
      });
      expect(await refused(given, "not asked for")).toBe("bad_request");
    }
  });

  test("of somebody who is gone by now comes to nothing", { timeout }, async () => {
    const stage = await startStage();
    const attempt = newAttempt();
    const { id, cookies } = await ask(stage, attempt);
    const { seal } = await stage.server.question(id, cookies);
    const back = await stage.server.answer(id, cookies, stage.person, yes(seal(stage.person)));
    await stage.harness.identity.administration(stage.harness.operator).updateUser("ada", { disabled: true });
    const end = await stage.send("GET", new URL(back).pathname, { cookie: cookies });
    const told = new URL(end.headers.location ?? "http://x/").searchParams;
    expect(told.get("code")).toBeNull();
    expect(told.get("error")).toBe("access_denied");
    expect(told.get("error_description")).toContain("removed or disabled");
  });

  test("of a session that ended while the answer was on its way allows nothing", { timeout }, async () => {
    const stage = await startStage();
    const { id, cookies } = await ask(stage, newAttempt());
    const { seal } = await stage.server.question(id, cookies);
    const text = seal(stage.person);
    const operator = stage.harness.identity.administration(stage.harness.operator);
    // What ends all sessions of a user, such as another password, ends what was allowed before; so this one must not be allowed after it.
    await operator.updateUser("ada", { password: new Secret("another long passphrase") });
    expect(await refused(stage.server.answer(id, cookies, stage.person, yes(text)), "sign")).toBe(
      "forbidden",
    );
    expect(await stage.store.tenant("default").list("grant")).toEqual([]);
  });

  test("is one of 500 that count, and those that ended make room", { timeout }, async () => {
    const stage = await startStage();
    const { id: user } = stage.person;
    const records = stage.store.tenant("default");
    const [found] = await records.list("user");
    const grants = Array.from({ length: 499 }, () => {
      const times = { createdAt: stage.harness.time, expiresAt: stage.harness.time + 10_000 };
      const client = { clientId: "app", clientName: "app", clientKind: "static" } as const;
      const id = newGrantId(user);
      const generation = Number(found?.value["generation"]);
      return putGrant({ id, user, generation, ...client, scopes: ["mcp"], ...times, payload: {} }, "absent");
    });
    await records.write(grants);
    await agree(stage, await ask(stage, newAttempt()), stage.person);
    const asked = await ask(stage, newAttempt());
    await expect(agree(stage, asked, stage.person)).rejects.toMatchObject({ code: "forbidden" });
    stage.harness.time += 20_000;
    await agree(stage, asked, stage.person);
    // Nothing stays behind of those that ended: each write removes some.
    for (let count = 0; count < 10; count += 1) await ask(stage, newAttempt());
    const database = new DatabaseSync(stage.harness.file, { readOnly: true });
    const row = database.prepare("SELECT count(*) AS count FROM records WHERE kind = 'grant'").get();
    database.close();
    expect(row?.["count"]).toBe(2);
  });

  test("an answer before the user's removal gives no tokens after it", { timeout }, async () => {
    const stage = await startStage();
    const attempt = newAttempt();
    const asked = await ask(stage, attempt);
    const end = await agree(stage, asked, stage.person);
    await stage.harness.identity.administration(stage.harness.operator).removeUser("ada");
    expect((await stage.post(exchangeOf(attempt, end))).json["error"]).toBe("invalid_grant");
  });
});

test("two attempts of one client at the same time get their own tokens", { timeout }, async () => {
  const stage = await startStage();
  const attempts = [newAttempt({ state: "1" }), newAttempt({ state: "2" })];
  const asked = await Promise.all(attempts.map((attempt) => ask(stage, attempt)));
  const cookies = asked.map((one) => one.cookies).join("; ");
  const ends = [];
  for (const one of asked.toReversed())
    ends.unshift(await agree(stage, { ...one, cookies: one.cookies }, stage.person));
  expect(ends.map((end) => end.searchParams.get("state"))).toEqual(["1", "2"]);
  for (const [index, attempt] of attempts.entries()) {
    const [own, other] = [ends[index], ends[1 - index]];
    if (own === undefined || other === undefined) throw new Error("Lost.");
    const swapped = exchangeOf(attempt, other);
    if (index === 0) expect((await stage.post(swapped)).json["error"]).toBe("invalid_grant");
    tokensOf(await stage.post(exchangeOf(attempt, own)));
  }
  expect(cookies).toContain("__Host-gateway-consent-");
});

test("answers at the server are found at its other names", { timeout }, async () => {
  const stage = await startStage();
  const tokens = await connect(stage, {
    resource: stage.url.replace("127.0.0.1", "localhost").concat("/mcp"),
  });
  expect(tokens.scope).toBe("mcp");
  await expect(comeBack(stage, `${stage.url}/oauth/authorize/${"x".repeat(43)}`, "")).rejects.toThrow(
    "another browser",
  );
});
