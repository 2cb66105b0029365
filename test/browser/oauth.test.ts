import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type Scene, startScene, type Tokens } from "../attack/oauth-scene.ts";
import {
  type App,
  answer,
  grantsOf,
  headingOf,
  openUser,
  shownOn,
  signInThere,
  startApp,
} from "./oauth-site.ts";
import { openBrowser } from "./open-browser.ts";

let browser: Browser;
let scene: Scene;
let app: App;

beforeAll(async () => {
  [browser, scene, app] = await Promise.all([openBrowser(), startScene(), startApp()]);
});
afterAll(async () => {
  await browser?.close();
  await app?.[Symbol.asyncDispose]();
  await scene?.[Symbol.asyncDispose]();
});
afterEach(() => {
  vi.useRealTimers();
});

const register = (metadata: object = {}) => scene.register({ redirect_uris: [app.redirectUri], ...metadata });

/** What browsers have brought the app for a state. */
const broughtFor = (state: string): readonly URLSearchParams[] =>
  app.answers.filter((one) => one.get("state") === state);

describe("somebody connects an app", () => {
  test("with signing in on the way, calls by it, and ends it", async () => {
    await using person = await openUser(browser, scene);
    const { page } = person;
    const client = await register({ client_name: "Book Agent" });
    const begun = scene.begin(client);
    await page.goto(begun.url);
    expect(new URL(page.url()).pathname).toBe("/login");
    await signInThere(page, "ada");
    expect(new URL(page.url()).pathname).toBe("/oauth/consent");
    expect(await page.title()).toBe("Allow access? – Gestalt Gateway");
    const shown = await shownOn(page);
    expect(shown).toContain("An app that calls itself Book Agent. Nobody has verified this name");
    expect(shown).toContain(`To a program on this computer, at ${new URL(app.redirectUri).host}.`);
    expect(shown).toContain("You are signed in as ada, tenant default.");
    await answer(page, "Allow");
    expect(page.url().startsWith(`${app.redirectUri}?`)).toBe(true);
    expect(await page.title()).toBe("app");

    const [brought, ...more] = broughtFor(begun.state);
    expect([more.length, brought?.get("iss")]).toEqual([0, scene.url]);
    const reply = await scene.exchange(client, brought?.get("code") ?? "", begun.verifier);
    expect(reply.status).toBe(200);
    const tokens: Tokens = JSON.parse(reply.text);
    expect(tokens.scope).toBe("mcp");
    const called = await scene.mcp(tokens.access_token);
    expect([called.status, called.text.includes("shop_remove_book")]).toEqual([200, true]);
    // Nothing of the question is left in the browser.
    expect((await person.context.cookies(scene.url)).map(({ name }) => name)).toEqual([
      "__Host-gateway-session",
    ]);

    await page.goto(`${scene.url}/`);
    await page.getByRole("link", { name: "Apps that act for you" }).click();
    const entry = page.getByRole("region", { name: "Book Agent" });
    expect(await entry.textContent()).toContain("Use everything that you may use here");
    await entry.getByRole("button", { name: "End access of Book Agent" }).click();
    await page.waitForURL(/done=ended/);
    expect(await page.getByRole("status").textContent()).toMatch(/^Ended\./);
    expect((await scene.mcp(tokens.access_token)).status).toBe(401);
    expect(person.complaints).toEqual([]);
  });

  test("that calls itself by the other name of loopback", async () => {
    await using other = await startApp("localhost");
    await using person = await openUser(browser, scene, "ada");
    const client = await register({ redirect_uris: [other.redirectUri] });
    await person.page.goto(scene.begin(client).url);
    await answer(person.page, "Allow");
    expect(other.answers.map((one) => one.has("code"))).toEqual([true]);
    expect(person.complaints).toEqual([]);
  });

  test("at a port that was not registered", async () => {
    await using other = await startApp();
    await using person = await openUser(browser, scene, "ada");
    const client = await register({ redirect_uris: ["http://127.0.0.1/callback"] });
    await person.page.goto(scene.begin(client, { redirect_uri: other.redirectUri }).url);
    await answer(person.page, "Allow");
    expect(other.answers.map((one) => one.has("code"))).toEqual([true]);
    expect(person.complaints).toEqual([]);
  });

  test("to read only, which then shows it no more", async () => {
    await using person = await openUser(browser, scene, "ada");
    const client = await register();
    const begun = scene.begin(client);
    await person.page.goto(begun.url);
    await person.page.getByLabel(/^Only read/).check();
    await answer(person.page, "Allow");
    const code = broughtFor(begun.state)[0]?.get("code") ?? "";
    const tokens: Tokens = JSON.parse((await scene.exchange(client, code, begun.verifier)).text);
    expect(tokens.scope).toBe("mcp:read");
    const { text } = await scene.mcp(tokens.access_token);
    expect([text.includes("shop_list_books"), text.includes("shop_remove_book")]).toEqual([true, false]);
  });

  test("of a private-use scheme: the browser is told to open it, once, with the code", async () => {
    await using person = await openUser(browser, scene, "ada");
    const { page, context } = person;
    const client = await register({ redirect_uris: ["cursor://anysphere.cursor-mcp/oauth/callback"] });
    const begun = scene.begin(client);
    const opened: string[] = [];
    context.on("request", (request) => {
      if (request.url().startsWith("cursor:")) opened.push(request.url());
    });
    await page.goto(begun.url);
    expect(await shownOn(page)).toContain("that has registered cursor: for its links");
    const gone = page.waitForEvent("requestfailed", (request) => request.url().startsWith("cursor:"));
    await page.getByRole("button", { name: "Allow", exact: true }).click();
    await gone;
    expect(opened.length).toBe(1);
    const query = new URL(opened[0] ?? "").searchParams;
    expect([query.get("state"), query.get("iss")]).toEqual([begun.state, scene.url]);
    expect((await scene.exchange(client, query.get("code") ?? "", begun.verifier)).status).toBe(200);
    expect(person.complaints.filter((text) => /Content Security Policy/.test(text))).toEqual([]);
  });
});

test("who denies sends the app an answer without a code, where it is registered", async () => {
  await using person = await openUser(browser, scene, "ada");
  const { page } = person;
  const client = await register();
  const begun = scene.begin(client);
  await page.goto(begun.url);
  await answer(page, "Deny");
  const { origin, pathname } = new URL(page.url());
  expect(origin + pathname).toBe(app.redirectUri);
  const [brought] = broughtFor(begun.state);
  expect([brought?.get("error"), brought?.get("iss"), brought?.has("code")]).toEqual([
    "access_denied",
    scene.url,
    false,
  ]);
  expect(await grantsOf(scene, client)).toEqual([]);
  expect(person.complaints).toEqual([]);
});

describe("several at a time", () => {
  test("two apps in two windows, answered crosswise, each get their own", async () => {
    await using person = await openUser(browser, scene, "ada");
    const other = await person.context.newPage();
    const clients = [
      await register({ client_name: "First" }),
      await register({ client_name: "Second" }),
    ] as const;
    const begun = [scene.begin(clients[0]), scene.begin(clients[1])] as const;
    await person.page.goto(begun[0].url);
    await other.goto(begun[1].url);
    expect(await shownOn(person.page)).toContain("First");
    expect(await shownOn(other)).toContain("Second");
    await answer(other, "Allow");
    await answer(person.page, "Allow");
    const codes = begun.map(({ state }) => broughtFor(state).map((one) => one.get("code") ?? ""));
    expect(codes.map((own) => own.length)).toEqual([1, 1]);
    const crossed = await scene.exchange(clients[1], codes[0]?.[0] ?? "", begun[0].verifier);
    expect(crossed.status).toBe(400);
    const [, second] = codes;
    expect((await scene.exchange(clients[1], second?.[0] ?? "", begun[1].verifier)).status).toBe(200);
  });

  test("the same app twice: each answer has the state of its own question", async () => {
    await using person = await openUser(browser, scene, "ada");
    const other = await person.context.newPage();
    const client = await register();
    const begun = [scene.begin(client), scene.begin(client)] as const;
    await person.page.goto(begun[0].url);
    await other.goto(begun[1].url);
    await answer(person.page, "Deny");
    await answer(other, "Allow");
    expect(broughtFor(begun[0].state).map((one) => one.get("error"))).toEqual(["access_denied"]);
    const [allowed] = broughtFor(begun[1].state);
    const code = allowed?.get("code") ?? "";
    // Its code counts with its own verifier only.
    expect((await scene.exchange(client, code, begun[0].verifier)).status).toBe(400);
  });

  test("two people at once, each for themselves", async () => {
    await using ada = await openUser(browser, scene, "ada");
    await using eve = await openUser(browser, scene, "eve");
    const client = await register();
    const begun = [scene.begin(client), scene.begin(client)] as const;
    await Promise.all([ada.page.goto(begun[0].url), eve.page.goto(begun[1].url)]);
    await Promise.all([answer(ada.page, "Allow"), answer(eve.page, "Allow")]);
    for (const { state, verifier } of begun) {
      const code = broughtFor(state)[0]?.get("code") ?? "";
      expect((await scene.exchange(client, code, verifier)).status).toBe(200);
    }
    expect([...(await grantsOf(scene, client))].sort()).toEqual(["ada", "eve"]);
  });
});

describe("an answer counts once", () => {
  test("the back button leads to no second code", async () => {
    await using person = await openUser(browser, scene, "ada");
    const { page } = person;
    const client = await register();
    const begun = scene.begin(client);
    await page.goto(begun.url);
    await answer(page, "Allow");
    expect(broughtFor(begun.state).length).toBe(1);
    await page.goBack({ waitUntil: "commit" });
    const again = page.getByRole("button", { name: "Allow", exact: true });
    if ((await again.count()) > 0) await answer(page, "Allow");
    expect(await headingOf(page)).toBe("Not connected");
    await page.goForward({ waitUntil: "commit", timeout: 3_000 }).catch(() => null);
    const codes = new Set(broughtFor(begun.state).map((one) => one.get("code")));
    expect(codes.size).toBe(1);
    expect(await grantsOf(scene, client)).toEqual(["ada"]);
  });

  test("who presses twice in a hurry is connected once", async () => {
    await using person = await openUser(browser, scene, "ada");
    const { page } = person;
    const client = await register();
    const begun = scene.begin(client);
    await page.goto(begun.url);
    await page.getByRole("button", { name: "Allow", exact: true }).dblclick();
    await page.waitForURL((url) => url.href.startsWith(app.redirectUri));
    const codes = new Set(broughtFor(begun.state).map((one) => one.get("code")));
    expect(codes.size).toBe(1);
    expect(await grantsOf(scene, client)).toEqual(["ada"]);
    const [code] = codes;
    expect((await scene.exchange(client, code ?? "", begun.verifier)).status).toBe(200);
  });

  test("a code that comes again is refused, and ends what it has given", async () => {
    await using person = await openUser(browser, scene, "ada");
    const client = await register();
    const begun = scene.begin(client);
    await person.page.goto(begun.url);
    await answer(person.page, "Allow");
    const code = broughtFor(begun.state)[0]?.get("code") ?? "";
    const first = await scene.exchange(client, code, begun.verifier);
    const tokens: Tokens = JSON.parse(first.text);
    expect((await scene.mcp(tokens.access_token)).status).toBe(200);
    expect((await scene.exchange(client, code, begun.verifier)).status).toBe(400);
    expect((await scene.mcp(tokens.access_token)).status).toBe(401);
    expect((await scene.refresh(client, tokens.refresh_token)).status).toBe(400);
  });

  test("a question that has waited too long is over, and says how to go on", async () => {
    vi.useFakeTimers({ toFake: ["Date"], shouldAdvanceTime: true });
    await using slow = await startScene();
    await using person = await openUser(browser, slow, "ada");
    const { page } = person;
    const client = await slow.register({ redirect_uris: [app.redirectUri] });
    const begun = slow.begin(client);
    await page.goto(begun.url);
    vi.setSystemTime(Date.now() + 11 * 60_000);
    await answer(page, "Allow");
    expect(await headingOf(page)).toBe("Not connected");
    expect(await page.getByRole("alert").textContent()).toContain("Go back to the app");
    expect([broughtFor(begun.state).length, await grantsOf(slow, client)]).toEqual([0, []]);
  });
});

describe("whoever is signed in when the answer comes", () => {
  test("has to have seen the question: somebody else is shown it anew", async () => {
    await using person = await openUser(browser, scene, "ada");
    const { page } = person;
    const client = await register();
    const begun = scene.begin(client);
    await page.goto(begun.url);
    const other = await person.context.newPage();
    await other.goto(`${scene.url}/`);
    await other.getByRole("button", { name: "Sign out" }).click();
    await other.waitForURL(/login/);
    await signInThere(other, "eve");
    await answer(page, "Allow");
    expect(await headingOf(page)).toBe("Allow access?");
    expect(await page.getByRole("alert").textContent()).toMatch(/^Nothing has been allowed/);
    expect(await shownOn(page)).toContain("You are signed in as eve");
    expect([broughtFor(begun.state).length, await grantsOf(scene, client)]).toEqual([0, []]);
    await answer(page, "Allow");
    expect(broughtFor(begun.state).length).toBe(1);
    expect(await grantsOf(scene, client)).toEqual(["eve"]);
  });

  test("signs in first where the session has ended meanwhile, and answers then", async () => {
    await using person = await openUser(browser, scene, "ada");
    const { page } = person;
    const client = await register();
    const begun = scene.begin(client);
    await page.goto(begun.url);
    await person.context.clearCookies({ name: "__Host-gateway-session" });
    await answer(page, "Allow");
    expect(new URL(page.url()).pathname).toBe("/login");
    await signInThere(page, "ada");
    expect(await headingOf(page)).toBe("Allow access?");
    expect(broughtFor(begun.state).length).toBe(0);
    await answer(page, "Allow");
    expect(broughtFor(begun.state).length).toBe(1);
  });

  test("can become somebody else on the way", async () => {
    await using person = await openUser(browser, scene, "ada");
    const { page } = person;
    const client = await register();
    await page.goto(scene.begin(client).url);
    await page.getByRole("button", { name: "Not you?" }).click();
    await page.waitForURL(/\/login\?next=/);
    await signInThere(page, "eve");
    expect(await shownOn(page)).toContain("You are signed in as eve");
    await answer(page, "Allow");
    expect(await grantsOf(scene, client)).toEqual(["eve"]);
  });
});

test("by keyboard alone, from the link to the app", async () => {
  await using person = await openUser(browser, scene);
  const { page } = person;
  const client = await register();
  const begun = scene.begin(client);
  await page.goto(begun.url);
  // A page takes its focus when it is first drawn, which may be a moment after it was loaded.
  await expect.poll(() => page.evaluate("document.activeElement.id")).toBe("name");
  await page.keyboard.type("ada");
  await page.keyboard.press("Tab");
  await page.keyboard.type("correct horse battery staple");
  await page.keyboard.press("Enter");
  await page.waitForURL(/oauth\/consent/);
  for (let steps = 0; steps < 20; steps++) {
    await page.keyboard.press("Tab");
    if ((await page.evaluate("document.activeElement.value")) === "allow") break;
  }
  await page.keyboard.press("Space");
  await page.waitForURL((url) => url.href.startsWith(app.redirectUri));
  expect(broughtFor(begun.state).length).toBe(1);
});
