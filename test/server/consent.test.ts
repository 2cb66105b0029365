import { describe, expect, test } from "vitest";
import type {
  AuthorizationServer,
  ConsentDecision,
  ConsentQuestion,
} from "../../src/authorization-server/authorization-server.ts";
import { type ErrorCode, GatewayError } from "../../src/errors.ts";
import type { Principal } from "../../src/model/principal.ts";
import { principalOf } from "../principals.ts";
import { type Answer, openStage, type Stage, type StageOptions, session } from "./stage.ts";

const consentCookie = "__Host-gateway-consent-0123456789abcdef=bound";
const cookieOf = (name: string) => ({ cookie: `__Host-gateway-session=${session(name)}; ${consentCookie}` });
const signedIn = cookieOf("ada");
const own = { "sec-fetch-site": "same-origin" };
const link = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
const place = "/oauth/consent?request=question-1-of-a-browser";

const plain: Omit<ConsentQuestion, "seal"> = {
  id: "question-1-of-a-browser",
  clientId: "client-1",
  clientName: "Book Agent",
  clientKind: "registered",
  clientHost: undefined,
  redirectUri: "http://127.0.0.1:4711/callback",
  scopes: ["mcp", "mcp:read"],
  resource: "https://gw.example/mcp",
};

/** An authorization server with one question, that keeps what it is told. */
function scripted(question: Partial<ConsentQuestion> = {}, failure?: GatewayError) {
  const answers: { readonly who: string; readonly decision: ConsentDecision }[] = [];
  const seal = ({ name }: Principal): string => `sealed for ${name}`;
  const find = (id: string, cookies: string | undefined): void => {
    if (id !== "question-1-of-a-browser" || cookies?.includes(consentCookie) !== true)
      throw new GatewayError("not_found", "This question is over, or was asked in another browser.");
  };
  const server: AuthorizationServer = {
    owns: (path) => path.startsWith("/oauth/authorize"),
    handle: async () => {
      throw failure ?? new GatewayError("not_found", "Nothing.");
    },
    question: async (id, cookies) => {
      find(id, cookies);
      return { ...plain, seal, ...question };
    },
    answer: async (id, cookies, principal, decision) => {
      find(id, cookies);
      if (decision.seal !== seal(principal))
        throw new GatewayError("conflict", "Somebody else is signed in.");
      answers.push({ who: principal.name, decision });
      return "https://gw.example/oauth/authorize/question-1-of-a-browser";
    },
  };
  return { server, answers };
}

async function openScene(question: Partial<ConsentQuestion> = {}, options: StageOptions = {}) {
  const { server, answers } = scripted(question);
  const people = [principalOf("user", "ada"), principalOf("user", "grace"), principalOf("service", "bot")];
  const stage = await openStage({ people, authorizationServer: server, ...options });
  return {
    ...{ stage, answers },
    get: (path = place, headers: Readonly<Record<string, string>> = signedIn): Promise<Answer> =>
      stage.send("GET", path, { headers }),
    submit: (
      fields: Readonly<Record<string, string>> | string,
      headers: Readonly<Record<string, string>> = { ...own, ...signedIn },
      path = place,
    ) => submit(stage, path, fields, headers),
    [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
  };
}

function submit(
  stage: Stage,
  path: string,
  fields: Readonly<Record<string, string>> | string,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  return stage.send("POST", path, {
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body: String(new URLSearchParams(fields)),
  });
}

const allowed = { seal: "sealed for ada", access: "mcp", decision: "allow" };
const words = (text: string): string => text.replaceAll(/<[^>]*>/g, "").replaceAll(/\s+/g, " ");

describe("what the page says", () => {
  test("is who asks, where the access goes, as whom, what for, and how it ends", async () => {
    await using scene = await openScene();
    const { status, text, headers } = await scene.get(place, { ...signedIn, ...link });
    expect(status).toBe(200);
    expect(headers).toMatchObject({ "cache-control": "no-store", "x-frame-options": "DENY" });
    const shown = words(text);
    expect(shown).toContain("An app that calls itself Book Agent. Nobody has verified this name");
    expect(shown).toContain("To a program on this computer, at 127.0.0.1:4711. Any program that runs on");
    expect(shown).toContain("You are signed in as ada, tenant default.");
    expect(shown).toContain("Only read what you may read here.");
    expect(text).toContain('href="../apps"');
    expect(text).toContain('action="../logout?next=oauth%2Fconsent%3Frequest%3Dquestion-1-of-a-browser"');
    expect(text).not.toMatch(/<script|<style| style=| on\w+=/i);
  });

  test("has two buttons alike, and neither is taken before", async () => {
    await using scene = await openScene();
    const { text } = await scene.get();
    const buttons = [...text.matchAll(/<button type="submit" name="decision"([^>]*)>(\w+)</g)];
    expect(buttons.map(([, attributes, label]) => [attributes, label])).toEqual([
      [' value="deny"', "Deny"],
      [' value="allow"', "Allow"],
    ]);
    expect(text).not.toContain("autofocus");
  });

  test.each<readonly [Partial<ConsentQuestion>, RegExp]>([
    [{ clientKind: "static" }, /Book Agent, known to this gateway's operator\./],
    [
      { clientKind: "metadata", clientHost: "agent.example" },
      /An app of the web site agent\.example, which calls it Book Agent\. Only the site is verified/,
    ],
    [
      { clientKind: "metadata", clientHost: "evil.example", clientName: "Claude, verified by claude.ai" },
      /An app of the web site evil\.example, which calls it Claude, verified by claude\.ai\. Only the site/,
    ],
    [
      { redirectUri: "https://agent.example/back?a=b" },
      /To the web site agent\.example, and so to whoever runs it\./,
    ],
    [{ redirectUri: "cursor://anysphere.mcp/oauth" }, /registered cursor: for its links\./],
    [{ redirectUri: "http://localhost:1/" }, /To a program on this computer, at localhost:1\./],
    [{ redirectUri: "https://xn--pypal-4ve.example/" }, /To the web site xn--pypal-4ve\.example/],
  ])("of %j", async (question, expected) => {
    await using scene = await openScene(question);
    expect(words((await scene.get()).text).replaceAll("&#39;", "'")).toMatch(expected);
  });

  test("leaves no choice where there is none", async () => {
    await using scene = await openScene({ scopes: ["mcp:read"] });
    const { text } = await scene.get();
    expect(text).not.toContain('type="radio"');
    expect(text).toContain('<input type="hidden" name="access" value="mcp:read">');
    expect((await scene.submit(allowed)).status).toBe(400);
    expect((await scene.submit({ ...allowed, access: "mcp:read" })).status).toBe(200);
    expect(scene.answers.map(({ decision }) => decision)).toMatchObject([{ scopes: ["mcp:read"] }]);
  });

  test("takes what clients say for text without any power, and not all of it", async () => {
    const name = `\u202egnp.exe\u2066\u200b<img src=x onerror=alert(1)>&"'\n\u0000\ud800${"x".repeat(10_000)}`;
    await using scene = await openScene({
      clientName: name,
      clientId: `${name}"><script>`,
      clientHost: name,
    });
    const { text } = await scene.get();
    expect(text).toContain("<bdi>gnp.exe&lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#39;xxx");
    expect(text).not.toMatch(/<img|<script|\p{Bidi_Control}|\p{Cs}|\u200b/u);
    expect(text).not.toContain("\u0000");
    expect(text.length).toBeLessThan(6_000);
  });
});

describe("the content security policy", () => {
  test.each([
    "http://127.0.0.1:4711/callback",
    "https://agent.example/a/b?c=d",
    "cursor://anysphere.mcp/oauth",
    "http://[::1]:4711/callback",
    // Parsers take these for hosts.
    "https://a;script-src=*/",
    "https://'unsafe-inline'/",
    "no address\r\nset-cookie: a=b",
  ])("lets the form go to the gateway alone, wherever the answer goes: %s", async (redirectUri) => {
    await using scene = await openScene({ redirectUri });
    for (const { headers } of [await scene.get(), await scene.submit(allowed)]) {
      expect(headers["content-security-policy"]).toBe(
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      );
      expect(headers["set-cookie"]).toBeUndefined();
    }
  });
});

describe("signing in on the way", () => {
  test("leads back to the question", async () => {
    await using scene = await openScene();
    const { status, headers } = await scene.get(place, { ...link, cookie: consentCookie });
    const next = "oauth/consent?request=question-1-of-a-browser";
    expect([status, headers.location]).toEqual([303, `../login?${new URLSearchParams({ next })}`]);
    const form = await scene.get(`/login?${new URLSearchParams({ next })}`, {});
    expect(form.text).toContain(`<input type="hidden" name="next" value="${next}">`);
    const fields = { name: "ada", password: "correct horse", next };
    const done = await scene.submit(fields, own, "/login");
    expect([done.status, done.headers.location]).toEqual([303, next]);
  });

  test("happens for nothing that is over, or was asked in another browser", async () => {
    await using scene = await openScene();
    for (const path of [place, "/oauth/consent?request=question-2-of-a-browser"]) {
      const { status, text } = await scene.get(path, { ...link });
      expect(status).toBe(404);
      expect(text).toContain('<p role="alert">This question is over, or was asked in another browser.</p>');
    }
  });

  test("comes again after signing out to be somebody else", async () => {
    await using scene = await openScene();
    const { text } = await scene.get();
    const [, action = ""] = /action="\.\.(\/logout[^"]*)"/.exec(text) ?? [];
    const out = await scene.submit({}, { ...own, ...signedIn }, action);
    expect(out.status).toBe(303);
    expect(out.headers.location).toBe("login?next=oauth%2Fconsent%3Frequest%3Dquestion-1-of-a-browser");
    expect(scene.stage.ended).toEqual([session("ada")]);
    const elsewhere = await scene.submit({}, { ...own, ...signedIn }, "/logout?next=https://evil.example");
    expect(elsewhere.headers.location).toBe("login");
  });

  test.each([
    "",
    "?request=",
    "?request=question-1-of-a-browser&request=question-1-of-a-browser",
    "?request=question-1-of-a-browser&next=https://evil.example",
    "?request=question%2F1-of-a-browser",
    "?request=../x",
    `?request=${"q".repeat(300)}`,
  ])("does not begin from an address like %j", async (query) => {
    await using scene = await openScene();
    for (const headers of [signedIn, link]) {
      const { status, text } = await scene.get(`/oauth/consent${query}`, headers);
      expect(status).toBe(400);
      expect(text).toContain("The address of this page can&#39;t be read.");
    }
  });
});

describe("an answer", () => {
  test.each([
    ["allow", "mcp", { kind: "agree", scopes: ["mcp"], seal: "sealed for ada" }],
    ["allow", "mcp:read", { kind: "agree", scopes: ["mcp:read"], seal: "sealed for ada" }],
    ["deny", "mcp", { kind: "refuse", seal: "sealed for ada" }],
  ])(
    "of %s with %s goes to the authorization server, and on from there",
    async (decision, access, expected) => {
      await using scene = await openScene();
      const { status, headers, text } = await scene.submit({ ...allowed, decision, access });
      const onward = "https://gw.example/oauth/authorize/question-1-of-a-browser";
      expect([status, headers["refresh"], headers.location]).toEqual([200, `0;url=${onward}`, undefined]);
      expect(text).toContain(`<a href="${onward}">`);
      expect(text).toContain(decision === "allow" ? "<h1>Allowed</h1>" : "<h1>Refused</h1>");
      expect(headers["cache-control"]).toBe("no-store");
      expect(headers["referrer-policy"]).toBe("same-origin");
      expect(scene.answers).toEqual([{ who: "ada", decision: expected }]);
    },
  );

  test("counts for whoever has seen the question; somebody else sees it anew", async () => {
    await using scene = await openScene();
    const { status, text } = await scene.submit(allowed, { ...own, ...cookieOf("grace") });
    expect(status).toBe(409);
    expect(text).toContain('<p role="alert">Nothing has been allowed: since this page was opened');
    expect(text).toContain('name="seal" value="sealed for grace"');
    expect(scene.answers).toEqual([]);
    expect(
      (await scene.submit({ ...allowed, seal: "sealed for grace" }, { ...own, ...cookieOf("grace") })).status,
    ).toBe(200);
  });

  test("of nobody leads to signing in, and of another browser nowhere", async () => {
    await using scene = await openScene();
    const nobody = await scene.submit(allowed, { ...own, cookie: consentCookie });
    expect([nobody.status, nobody.headers.location?.startsWith("../login?next=")]).toEqual([303, true]);
    const foreign = await scene.submit(allowed, {
      ...own,
      cookie: `__Host-gateway-session=${session("ada")}`,
    });
    expect(foreign.status).toBe(404);
    expect(scene.answers).toEqual([]);
  });

  test.each<readonly [string, Readonly<Record<string, string>>]>([
    ["a page elsewhere", { ...signedIn, origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
    ["a page of another port", { ...signedIn, origin: "http://127.0.0.1:1", "sec-fetch-site": "same-site" }],
    ["a page without origin", { ...signedIn, origin: "null" }],
    ["a program with a cookie", { ...signedIn }],
    ["a program with a token", { ...own, authorization: `Bearer gst_api_${"ada".padEnd(43, "x")}` }],
  ])("of %s is refused", async (_who, headers) => {
    await using scene = await openScene();
    const { status } = await scene.submit(allowed, headers);
    expect(status).toBe(403);
    expect(scene.answers).toEqual([]);
  });

  test.each([
    "seal=sealed+for+ada&access=mcp",
    "seal=sealed+for+ada&access=mcp&decision=",
    "seal=sealed+for+ada&access=mcp&decision=deny&decision=allow",
    "seal=sealed+for+ada&access=mcp&access=mcp%3Aread&decision=allow",
    "seal=sealed+for+ada&access=admin&decision=allow",
    "access=mcp&decision=allow",
    "seal=sealed+for+ada&access=mcp&decision=allow&tenant=acme",
    "",
  ])("that no page of ours sends is refused: %j", async (fields) => {
    await using scene = await openScene();
    const { status, text } = await scene.submit(fields);
    expect(status).toBe(400);
    expect(text).toContain('role="alert"');
    expect(scene.answers).toEqual([]);
  });

  test("of a few kilobytes at most", async () => {
    await using scene = await openScene();
    expect((await scene.submit({ ...allowed, seal: "x".repeat(20_000) })).status).toBe(413);
  });

  test("by another method is none", async () => {
    await using scene = await openScene();
    const { status, headers } = await scene.stage.send("DELETE", place, { headers: signedIn });
    expect([status, headers.allow]).toEqual([405, "GET, POST"]);
  });
});

test("there is no such page without an authorization server, nor without sign-in", async () => {
  await using stage = await openStage();
  expect((await stage.send("GET", place, { headers: signedIn })).status).toBe(404);
  await using open = await openStage({
    auth: { provider: "none" },
    authorizationServer: scripted().server,
  });
  const { status, text } = await open.send("GET", place);
  expect([status, text.includes("Allow")]).toEqual([404, false]);
});

describe("what is refused before OAuth begins", () => {
  const failure = new GatewayError(
    "bad_request",
    'There is no client `<b onclick="alert(1)">`. Register anew…',
    { details: { error: "invalid_client" } },
  );
  const ask = async (error: GatewayError, headers: Readonly<Record<string, string>>): Promise<Answer> => {
    await using stage = await openStage({ authorizationServer: scripted({}, error).server });
    return await stage.send("GET", "/oauth/authorize/question-1-of-a-browser", { headers });
  };

  test.each<Readonly<Record<string, string>>>([
    link,
    { ...link, "sec-fetch-site": "none" },
    { accept: "text/html,application/xhtml+xml;q=0.9" },
  ])("is a page for people: %j", async (headers) => {
    const answer = await ask(failure, headers);
    expect(answer.status).toBe(400);
    expect(answer.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "gateway-error": "bad_request",
      "cache-control": "no-store",
      "x-frame-options": "DENY",
    });
    expect(answer.text).toMatch(
      /<h1>Not connected<\/h1>\n<p role="alert">There is no client <code>&lt;b onclick/,
    );
    expect(answer.text).toContain("<code>invalid_client</code>, HTTP 400.");
    expect(answer.text).toContain('href="../../login.css"');
    expect(answer.text).toContain('href="../../apps"');
  });

  test.each<Readonly<Record<string, string>>>([
    {},
    { accept: "*/*" },
    { accept: "application/json", "sec-fetch-dest": "empty" },
    { accept: "text/html", "sec-fetch-dest": "empty" },
  ])("is JSON for programs: %j", async (headers) => {
    const { status, json } = await ask(failure, headers);
    expect(status).toBe(400);
    expect(json).toEqual({
      error: "invalid_client",
      error_description: "There is no client `<b onclick='alert(1)'>`. Register anew?",
    });
  });

  test.each<readonly [ErrorCode, string, number]>([
    ["too_large", "invalid_request", 413],
    ["rate_limited", "temporarily_unavailable", 429],
    ["store_unavailable", "temporarily_unavailable", 503],
    ["unauthenticated", "invalid_client", 401],
  ])("is named as OAuth does: %s", async (code, expected, status) => {
    const answer = await ask(new GatewayError(code, "Because."), {});
    expect([answer.status, answer.json["error"]]).toEqual([status, expected]);
  });

  test("is said while the gateway ends: to try again, as OAuth has it, or on a page", async () => {
    const [entered, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const handle: AuthorizationServer["handle"] = async (_request, response) => {
      entered.resolve();
      await held.promise;
      response.end();
    };
    await using stage = await openStage({ authorizationServer: { ...scripted().server, handle } });
    const first = stage.send("GET", "/oauth/authorize");
    await entered.promise;
    const drained = stage.server.drain(60_000);
    const program = await stage.send("GET", "/oauth/authorize");
    expect([program.status, program.json["error"]]).toEqual([503, "temporarily_unavailable"]);
    const person = await stage.send("GET", "/oauth/authorize", { headers: link });
    expect([person.status, person.headers["content-type"]]).toEqual([503, "text/html; charset=utf-8"]);
    held.resolve();
    expect((await first).status).toBe(200);
    await drained;
  });

  test("says nothing of a fault of the gateway's own, but to the log", async () => {
    const { server } = scripted();
    const broken: AuthorizationServer = { ...server, handle: () => Promise.reject(new Error("the secret")) };
    await using stage = await openStage({ authorizationServer: broken });
    const { status, text } = await stage.send("GET", "/oauth/authorize", { headers: link });
    expect([status, text.includes("the secret")]).toEqual([500, false]);
    expect(text).toContain("Try again in a moment.");
    expect(stage.log.join("\n")).toContain("the secret");
  });
});
