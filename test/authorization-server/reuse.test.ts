import { describe, expect, test } from "vitest";
import { fileTenant, signedIn } from "../identity/harness.ts";
import {
  type Answer,
  agree,
  ask,
  connect,
  exchangeOf,
  newAttempt,
  refreshOf,
  second,
  startStage,
  tokensOf,
  use,
} from "./stage.ts";

const timeout = 60_000;

/** The different bodies of the answers that gave tokens. */
function families(answers: readonly Answer[]): readonly string[] {
  return [...new Set(answers.filter(({ status }) => status === 200).map(({ text }) => text))];
}

function refusals(answers: readonly Answer[]): readonly unknown[] {
  return [...new Set(answers.filter(({ status }) => status !== 200).map(({ json }) => json["error"]))];
}

describe("codes", () => {
  test("a replayed code is refused, and what came of it ends", { timeout }, async () => {
    const stage = await startStage();
    const attempt = newAttempt();
    const exchange = exchangeOf(attempt, await agree(stage, await ask(stage, attempt), stage.person));
    const tokens = tokensOf(await stage.post(exchange));
    stage.harness.time += 1;
    const again = await stage.post(exchange);
    expect(again).toMatchObject({ status: 400, json: { error: "invalid_grant" } });
    expect(again.json["error_description"]).toContain("used before");
    expect(await use(stage, tokens.access)).toBe("unauthenticated");
    expect(await stage.post(refreshOf(tokens.refresh))).toMatchObject({ status: 400 });
    expect(stage.harness.logged.join()).toContain('A code of the client "app" for the user usr_');
    expect(stage.harness.logged.join()).not.toContain(exchange["code"]);
  });

  test("a code that is tried with a wrong verifier or by another client still counts", {
    timeout,
  }, async () => {
    const stage = await startStage();
    const attempt = newAttempt();
    const exchange = exchangeOf(attempt, await agree(stage, await ask(stage, attempt), stage.person));
    const wrong = [
      { ...exchange, code_verifier: "x".repeat(43) },
      { ...exchange, client_id: "rival" },
      { ...exchange, redirect_uri: "https://app.example/cb?a=1" },
      { ...exchange, resource: "https://elsewhere.example/mcp" },
      { ...exchange, code: `${exchange["code"]}x` },
    ];
    for (const parameters of wrong)
      expect((await stage.post(parameters)).json["error"]).toMatch(/^invalid_(grant|target)$/);
    expect(await use(stage, tokensOf(await stage.post(exchange)).access)).toBe("ada everything");
  });

  test("of fifty who exchange a code at once, one gets tokens", { timeout }, async () => {
    const stage = await startStage();
    const other = await stage.other();
    const attempt = newAttempt();
    const exchange = exchangeOf(attempt, await agree(stage, await ask(stage, attempt), stage.person));
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? stage : other).post(exchange)),
    );
    expect(families(answers)).toHaveLength(1);
    for (const error of refusals(answers)) expect(error).toBe("invalid_grant");
  });

  test("who arrives before the first is done gets the same answer", { timeout }, async () => {
    const stage = await startStage();
    const attempt = newAttempt();
    const exchange = exchangeOf(attempt, await agree(stage, await ask(stage, attempt), stage.person));
    const tokens = tokensOf(await stage.post(exchange));
    // Handles what has come a moment ago.
    const late = await stage.other({ now: () => stage.harness.time - 1 });
    const again = await late.post(exchange);
    expect(tokensOf(again)).toEqual(tokens);
    expect(await use(stage, tokens.access)).toBe("ada everything");
  });
});

describe("refresh tokens", () => {
  test("the same request gets the same answer again for ten seconds", { timeout }, async () => {
    const stage = await startStage();
    const { refresh } = await connect(stage);
    const first = await stage.post(refreshOf(refresh));
    stage.harness.time += 9 * second;
    const other = await stage.other();
    const again = await other.post(refreshOf(refresh));
    expect(again.status).toBe(200);
    expect(again.json).toEqual(first.json);
    expect(await use(stage, tokensOf(again).access)).toBe("ada everything");
    expect((await stage.post(refreshOf(tokensOf(again).refresh))).status).toBe(200);
  });

  test("after that, the token was stolen from somebody: the grant ends", { timeout }, async () => {
    const stage = await startStage();
    const { refresh } = await connect(stage);
    const next = tokensOf(await stage.post(refreshOf(refresh)));
    stage.harness.time += 11 * second;
    const again = await stage.post(refreshOf(refresh));
    expect(again).toMatchObject({ status: 400, json: { error: "invalid_grant" } });
    expect(again.json["error_description"]).toContain("used before");
    expect(await use(stage, next.access)).toBe("unauthenticated");
    expect((await stage.post(refreshOf(next.refresh))).json["error"]).toBe("invalid_grant");
    expect(stage.harness.logged.join()).toContain('A refresh token of the client "app"');
    expect(stage.harness.logged.join()).not.toContain(refresh);
  });

  test("who comes late among many calls gets what the last one got", { timeout }, async () => {
    const stage = await startStage();
    const { refresh } = await connect(stage);
    const second = tokensOf(await stage.post(refreshOf(refresh)));
    const third = tokensOf(await stage.post(refreshOf(second.refresh)));
    const other = await stage.other();
    for (const late of [refresh, second.refresh])
      expect(tokensOf(await other.post(refreshOf(late)))).toEqual(third);
    const fourth = tokensOf(await stage.post(refreshOf(third.refresh)));
    expect(tokensOf(await stage.post(refreshOf(refresh)))).toEqual(fourth);
    expect(await use(stage, fourth.access)).toBe("ada everything");
  });

  test("ten seconds after its own use it is a stolen one, whatever came since", { timeout }, async () => {
    const stage = await startStage();
    const { refresh } = await connect(stage);
    let next = tokensOf(await stage.post(refreshOf(refresh)));
    stage.harness.time += 6 * second;
    next = tokensOf(await stage.post(refreshOf(next.refresh)));
    stage.harness.time += 5 * second;
    expect((await stage.post(refreshOf(refresh))).json["error"]).toBe("invalid_grant");
    expect(await use(stage, next.access)).toBe("unauthenticated");
  });

  test("so it is where too many were used since", { timeout }, async () => {
    const stage = await startStage();
    const { refresh } = await connect(stage);
    let next = tokensOf(await stage.post(refreshOf(refresh)));
    for (let round = 0; round < 20; round += 1) next = tokensOf(await stage.post(refreshOf(next.refresh)));
    expect((await stage.post(refreshOf(refresh))).json["error"]).toBe("invalid_grant");
  });

  test("another request with the same token is no repetition", { timeout }, async () => {
    const stage = await startStage();
    const { refresh } = await connect(stage);
    const next = tokensOf(await stage.post(refreshOf(refresh)));
    expect((await stage.post({ ...refreshOf(refresh), scope: "mcp" })).json["error"]).toBe("invalid_grant");
    expect(await use(stage, next.access)).toBe("unauthenticated");
  });

  test("another client can neither use it nor end it", { timeout }, async () => {
    const stage = await startStage();
    const { refresh, access } = await connect(stage);
    expect((await stage.post(refreshOf(refresh, "rival"))).json["error"]).toBe("invalid_grant");
    const revoked = await stage.post({ token: refresh, client_id: "rival" }, {}, "/oauth/revoke");
    expect(revoked.status).toBe(200);
    expect(await use(stage, access)).toBe("ada everything");
    expect((await stage.post(refreshOf(refresh))).status).toBe(200);
  });

  test("of fifty who refresh at once, all get the same new tokens", { timeout }, async () => {
    const stage = await startStage();
    const other = await stage.other();
    let { refresh } = await connect(stage);
    for (let round = 0; round < 3; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? stage : other).post(refreshOf(refresh))),
      );
      expect(refusals(answers)).toEqual([]);
      expect(families(answers)).toHaveLength(1);
      const [first] = answers;
      if (first === undefined) throw new Error("Nobody was answered.");
      const tokens = tokensOf(first);
      expect(await use(stage, tokens.access)).toBe("ada everything");
      refresh = tokens.refresh;
      stage.harness.time += 20 * second;
    }
  });

  test("what is kept does not grow as tokens are refreshed", { timeout }, async () => {
    const stage = await startStage();
    let tokens = await connect(stage);
    const first = tokens;
    for (let round = 0; round < 30; round += 1) {
      stage.harness.time += second;
      tokens = tokensOf(await stage.post(refreshOf(tokens.refresh)));
    }
    const records = stage.store.tenant("default");
    expect(await records.list("refresh")).toHaveLength(1);
    expect(await records.list("access")).toHaveLength(10);
    expect(await use(stage, tokens.access)).toBe("ada everything");
    expect(await use(stage, first.access)).toBe("unauthenticated");
  });

  test("scopes can be narrowed, and come back, and are never widened", { timeout }, async () => {
    const stage = await startStage();
    const all = await connect(stage);
    const narrow = tokensOf(await stage.post({ ...refreshOf(all.refresh), scope: "mcp:read" }));
    expect(narrow.scope).toBe("mcp:read");
    expect(await use(stage, narrow.access)).toBe("ada read:*");
    const back = tokensOf(await stage.post(refreshOf(narrow.refresh)));
    expect(await use(stage, back.access)).toBe("ada everything");
    const reader = await connect(stage, {}, ["mcp:read"]);
    expect(reader.scope).toBe("mcp:read");
    expect((await stage.post({ ...refreshOf(reader.refresh), scope: "mcp" })).json["error"]).toBe(
      "invalid_scope",
    );
    const resource = { ...refreshOf(reader.refresh), resource: `${stage.url}/api/v1` };
    expect((await stage.post(resource)).json["error"]).toBe("invalid_target");
    expect(await use(stage, tokensOf(await stage.post(refreshOf(reader.refresh))).access)).toBe("ada read:*");
  });

  test("what ends sessions ends grants, and so does removal", { timeout }, async () => {
    const stage = await startStage();
    const tokens = await connect(stage);
    const { administration } = stage.harness.identity;
    const operator = administration(stage.harness.operator);
    await operator.updateUser("ada", { disabled: true });
    expect(await stage.post(refreshOf(tokens.refresh))).toMatchObject({
      status: 400,
      json: { error: "invalid_grant" },
    });
    await operator.updateUser("ada", { disabled: false });
    expect(await stage.post(refreshOf(tokens.refresh))).toMatchObject({ status: 400 });
    expect(await use(stage, tokens.access)).toBe("unauthenticated");
    await operator.removeUser("ada");
    expect(await stage.store.tenant("default").list("grant")).toEqual([]);
  });

  test("a tenant that the file no longer names ends what its users' clients may refresh", {
    timeout,
  }, async () => {
    const stage = await startStage();
    const { harness } = stage;
    const { settings } = harness;
    harness.settings = { ...settings, tenants: { acme: fileTenant("acme") } };
    const { principal: person } = await signedIn(harness, "eve", { tenant: "acme" });
    const { refresh } = await connect({ ...stage, person });
    const attempt = newAttempt();
    const asked = await ask(stage, attempt);
    harness.settings = settings;
    const end = await agree(stage, asked, person);
    expect([end.searchParams.get("code"), end.searchParams.get("error")]).toEqual([null, "access_denied"]);
    expect((await stage.post(refreshOf(refresh))).json["error"]).toBe("invalid_grant");
    // By mistake, perhaps: nothing was removed.
    harness.settings = { ...settings, tenants: { acme: fileTenant("acme") } };
    tokensOf(await stage.post(refreshOf(refresh)));
  });

  test("a grant that ends while it is refreshed gives no tokens that count", { timeout }, async () => {
    const stage = await startStage();
    for (let round = 0; round < 10; round += 1) {
      const { refresh } = await connect(stage);
      const [grant] = await stage.harness.identity.administration(stage.person).listGrants();
      const id = grant?.id ?? "";
      const [answer] = await Promise.all([
        stage.post(refreshOf(refresh)),
        stage.harness.identity.administration(stage.person).revokeGrant(id),
      ]);
      if (answer.status === 200) {
        expect(await use(stage, tokensOf(answer).access)).toBe("unauthenticated");
        expect((await stage.post(refreshOf(tokensOf(answer).refresh))).json["error"]).toBe("invalid_grant");
      }
      for (const kind of ["grant", "access", "refresh", "code"] as const)
        expect(await stage.store.tenant("default").list(kind)).toEqual([]);
    }
  });
});

describe("revocation", () => {
  test("a refresh token ends the grant, an access token itself", { timeout }, async () => {
    const stage = await startStage();
    const tokens = await connect(stage);
    const revoke = (token: string) => stage.post({ token, client_id: "app" }, {}, "/oauth/revoke");
    expect(await revoke(tokens.access)).toMatchObject({ status: 200, text: "" });
    expect(await use(stage, tokens.access)).toBe("unauthenticated");
    const next = tokensOf(await stage.post(refreshOf(tokens.refresh)));
    expect(await use(stage, next.access)).toBe("ada everything");
    expect((await revoke(next.refresh)).status).toBe(200);
    expect(await use(stage, next.access)).toBe("unauthenticated");
    expect(await stage.store.tenant("default").list("grant")).toEqual([]);
    for (const token of [next.refresh, "unknown", "gst_oat_x", "a.b.c"])
      expect((await revoke(token)).status).toBeLessThan(401);
  });
});
