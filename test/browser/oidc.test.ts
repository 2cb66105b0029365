import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { logInThere, type OidcSite, openOidcSite, signInThere, stealTheWayBack } from "./oidc-site.ts";
import { openBrowser, openPerson, type Person } from "./open-browser.ts";

let browser: Browser;
let site: OidcSite;

beforeAll(async () => {
  browser = await openBrowser();
  site = await openOidcSite();
});
afterAll(async () => {
  await browser.close();
  await site[Symbol.asyncDispose]();
});
beforeEach(() => {
  const claims = (login: string, org: string) => ({
    ...{ email: `${login}@example.com`, email_verified: true, name: login.toUpperCase(), org },
    realm: { groups: ["Staff"] },
  });
  site.people.clear();
  site.people.set("ada", claims("ada", "Acme, Inc."));
  site.people.set("grace", claims("grace", "Globex"));
});

/** From the gateway's sign-in page to the first page of the provider. */
async function beginAt(page: Page, path = "/login"): Promise<void> {
  await page.goto(`${site.url}${path}`);
  await page.getByRole("link", { name: "Sign in with Example ID" }).click();
  await page.waitForURL(`${site.issuer}/**`);
}

/** Somebody's browser. The provider's pages would like fonts from far away, which there is no need to wait for. */
async function openVisitor(): Promise<Person> {
  const person = await openPerson(browser, site.host);
  await person.context.route("**://fonts.googleapis.com/**", (route) => route.abort());
  return person;
}

async function openSignedIn(login: string): Promise<Person> {
  const person = await openVisitor();
  await beginAt(person.page);
  await signInThere(person.page, login);
  return person;
}

/** Signs in at the provider, and keeps the way back. */
async function steal(person: Person, login: string): Promise<string> {
  await beginAt(person.page);
  await logInThere(person.page, login);
  const stolen = await stealTheWayBack(person.page, site);
  expect(stolen).toContain("code=");
  return stolen;
}

const sessionsOf = async (context: BrowserContext): Promise<readonly string[]> =>
  (await context.cookies(site.url)).map(({ name }) => name);

const facts = (page: Page): Promise<string[]> => page.locator("dd").allTextContents();

describe("signing in at a provider", () => {
  test("leads home, by the keyboard alone, as who the provider says", async () => {
    await using person = await openVisitor();
    const { page } = person;
    // The provider's pages have complaints of their own.
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (message.location().url.startsWith(site.url)) complaints.push(message.text());
    });
    await page.goto(site.url);
    await page.waitForURL(`${site.url}/login`);
    // Browsers give the focus a moment after the page is there.
    await expect
      .poll(() => page.evaluate("document.activeElement.textContent"))
      .toBe("Sign in with Example ID");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${site.issuer}/**`);
    await signInThere(page, "ada");
    expect(page.url()).toBe(`${site.url}/`);
    expect(await facts(page)).toEqual(["ada@example.com", "acme", "member"]);
    // Nothing is left of the way.
    expect(await sessionsOf(person.context)).toEqual(["__Host-gateway-session"]);
    expect(complaints).toEqual([]);
  });

  test("goes on with the page that somebody wanted", async () => {
    await using person = await openVisitor();
    await beginAt(person.page, `/login?next=${encodeURIComponent("connect?provider=shop")}`);
    await signInThere(person.page, "ada");
    expect(person.page.url()).toBe(`${site.url}/connect?provider=shop`);
  });

  test("is for each person in their own browser", async () => {
    await using ada = await openSignedIn("ada");
    await using grace = await openSignedIn("grace");
    expect(await facts(ada.page)).toEqual(["ada@example.com", "acme", "member"]);
    expect(await facts(grace.page)).toEqual(["grace@example.com", "globex", "member"]);
    const acme: unknown = JSON.parse(await site.command("users", "list", "--tenant", "acme", "--json"));
    expect(JSON.stringify(acme)).toContain("ada@example.com");
    expect(JSON.stringify(acme)).not.toContain("grace");
  });

  test("again, as somebody else, replaces the session", async () => {
    await using person = await openSignedIn("ada");
    const [before] = await person.context.cookies(site.url);
    await person.context.clearCookies({ domain: "localhost" });
    await beginAt(person.page);
    await signInThere(person.page, "grace");
    expect(await facts(person.page)).toEqual(["grace@example.com", "globex", "member"]);
    const [after, ...more] = await person.context.cookies(site.url);
    expect(more).toEqual([]);
    expect(after?.value).not.toBe(before?.value);
  });

  test("in two tabs at once works in both", async () => {
    await using person = await openVisitor();
    const other = await person.context.newPage();
    await beginAt(person.page, "/login?next=connect");
    await beginAt(other, "/login?next=apps");
    await signInThere(person.page, "ada");
    expect(person.page.url()).toBe(`${site.url}/connect`);
    await signInThere(other, "ada");
    expect(other.url()).toBe(`${site.url}/apps`);
  });

  test("with other roles or another tenant ends what was before", async () => {
    await using before = await openSignedIn("ada");
    site.people.set("ada", { ...site.people.get("ada"), realm: { groups: ["Chiefs"] } });
    await using chief = await openSignedIn("ada");
    expect(await facts(chief.page)).toEqual(["ada@example.com", "acme", "admin"]);
    await before.page.reload();
    expect(before.page.url()).toBe(`${site.url}/login`);
    site.people.set("ada", { ...site.people.get("ada"), org: "Globex" });
    await using moved = await openSignedIn("ada");
    expect((await facts(moved.page)).slice(1)).toEqual(["globex", "admin"]);
    await chief.page.reload();
    expect(chief.page.url()).toBe(`${site.url}/login`);
  });
});

describe("nobody gets in", () => {
  test.each([
    ["without a verified address", { email_verified: false }, "Verify it at Example ID"],
    ["of another domain", { email: "ada@evil.example" }, "is of no domain that is let in"],
    ["of no tenant", { org: "Evil, Inc." }, "`org`"],
  ])("%s, and is told what to do", async (_case, claims, words) => {
    site.people.set("eve", { ...site.people.get("ada"), email: "eve@example.com", ...claims });
    await using person = await openSignedIn("eve");
    const { page } = person;
    expect(await page.getByRole("heading").textContent()).toBe("Not signed in");
    expect(await page.getByRole("alert").textContent()).toContain(words.replaceAll("`", ""));
    await page.waitForLoadState("load");
    expect(await page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth")).not.toBe("none");
    expect(await sessionsOf(person.context)).toEqual([]);
    await page.getByRole("link", { name: "Sign in again" }).click();
    expect(page.url()).toBe(`${site.url}/login`);
  });

  test("who cancels there", async () => {
    await using person = await openVisitor();
    await beginAt(person.page);
    await person.page.getByRole("link", { name: "Cancel" }).click();
    await person.page.waitForURL(`${site.url}/login/callback**`);
    expect(await person.page.getByRole("alert").textContent()).toContain("access_denied");
    expect(await sessionsOf(person.context)).toEqual([]);
  });

  test("by a password", async () => {
    await using person = await openVisitor();
    await person.page.goto(`${site.url}/login`);
    expect(await person.page.locator("form, input").count()).toBe(0);
    const answer = await person.context.request.post(`${site.url}/api/v1/auth/login`, {
      data: { name: "ada@example.com", password: "none" },
    });
    expect([answer.status(), await answer.text()]).toEqual([404, expect.stringContaining("Example ID")]);
  });

  test("who was disabled", async () => {
    site.people.set("late", { ...site.people.get("ada"), email: "late@example.com" });
    await using person = await openSignedIn("late");
    expect((await facts(person.page))[0]).toBe("late@example.com");
    await site.command("users", "disable", "late@example.com", "--tenant", "acme");
    await person.page.reload();
    await person.page.waitForURL(`${site.url}/login`);
    await person.page.getByRole("link", { name: "Sign in with Example ID" }).click();
    await person.page.waitForURL(`${site.url}/login/callback**`);
    expect(await person.page.getByRole("alert").textContent()).toContain("is disabled");
  });
});

describe("an attacker", () => {
  test("does not get a victim into the attacker's account by the own way back", async () => {
    await using mallory = await openVisitor();
    const stolen = await steal(mallory, "grace");
    await using victim = await openVisitor();
    await victim.page.goto(stolen);
    expect(await victim.page.getByRole("alert").textContent()).toContain("another browser");
    expect(await sessionsOf(victim.context)).toEqual([]);
    // Nor while the victim is signed in, or on the way.
    await using ada = await openSignedIn("ada");
    await ada.page.goto(stolen);
    await ada.page.goto(site.url);
    expect((await facts(ada.page))[0]).toBe("ada@example.com");
  });

  test("does not get in by the victim's way back", async () => {
    await using ada = await openVisitor();
    const stolen = await steal(ada, "ada");
    await using mallory = await openVisitor();
    await mallory.page.goto(stolen);
    expect(await mallory.page.getByRole("alert").textContent()).toContain("another browser");
    expect(await sessionsOf(mallory.context)).toEqual([]);
    // The victim still gets in: nobody else has used it up.
    await ada.page.goto(stolen);
    expect((await facts(ada.page))[0]).toBe("ada@example.com");
  });

  test("does not swap states or codes between two ways back", async () => {
    await using ada = await openVisitor();
    const mine = await steal(ada, "ada");
    await using mallory = await openVisitor();
    const theirs = new URL(await steal(mallory, "grace"));
    // The attacker's state in the victim's answer, then the attacker's code under the victim's state.
    const [withState, withCode] = [new URL(mine), new URL(mine)];
    withState.searchParams.set("state", theirs.searchParams.get("state") ?? "");
    withCode.searchParams.set("code", theirs.searchParams.get("code") ?? "");
    for (const url of [withState, withCode]) {
      await ada.page.goto(url.href);
      expect(await ada.page.getByRole("heading").textContent()).toBe("Not signed in");
      expect(await sessionsOf(ada.context)).not.toContain("__Host-gateway-session");
    }
  });

  test("gains nothing by an address from the history, or by the back button", async () => {
    await using ada = await openVisitor();
    let back = "";
    ada.page.on("request", (request) => {
      if (request.url().includes("/login/callback")) back = request.url();
    });
    await beginAt(ada.page);
    await signInThere(ada.page, "ada");
    expect((await facts(ada.page))[0]).toBe("ada@example.com");
    await ada.page.goto(back);
    expect(await ada.page.getByRole("heading").textContent()).toBe("Not signed in");
    await ada.page.goBack({ waitUntil: "commit" });
    await ada.page.goto(site.url);
    expect((await facts(ada.page))[0]).toBe("ada@example.com");
    await using other = await openVisitor();
    await other.page.goto(back);
    expect(await sessionsOf(other.context)).toEqual([]);
  });

  test("reads no code in a referrer, and nothing in the gateway's log", async () => {
    await using ada = await openVisitor();
    const referrers: (string | undefined)[] = [];
    ada.page.on("request", (request) => referrers.push(request.headers()["referer"]));
    await beginAt(ada.page);
    await ada.page.getByRole("link", { name: "Cancel" }).click();
    await ada.page.waitForURL(`${site.url}/login/callback**`);
    await ada.page.getByRole("link", { name: "Sign in again" }).click();
    await ada.page.waitForURL(`${site.url}/login`);
    expect(referrers.filter((referrer) => /code=|state=/.test(referrer ?? ""))).toEqual([]);
    expect(site.told()).not.toMatch(/code=|state=|eyJ/);
  });
});

test("who is signed in there already comes straight back", async () => {
  await using person = await openSignedIn("ada");
  await person.page.getByRole("button", { name: "Sign out" }).click();
  await person.page.waitForURL(`${site.url}/login`);
  expect(await sessionsOf(person.context)).toEqual([]);
  await person.page.getByRole("link", { name: "Sign in with Example ID" }).click();
  await person.page.waitForURL(`${site.url}/`);
  expect((await facts(person.page))[0]).toBe("ada@example.com");
});
