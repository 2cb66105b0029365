import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBrowser, openPerson } from "./open-browser.ts";
import { hostile, openSite, password, type Site, signIn } from "./site.ts";

let browser: Browser;
let site: Site;

beforeAll(async () => {
  browser = await openBrowser();
  site = await openSite();
});
afterAll(async () => {
  await browser.close();
  await site[Symbol.asyncDispose]();
});

describe.each(["127.0.0.1", "localhost", "gateway.localhost"])("at %s", (name) => {
  const hostOf = (): string => `${name}:${site.port}`;
  const urlOf = (): string => `http://${hostOf()}`;

  test("the form is there for people and for their machines, and nothing complains", async () => {
    await using person = await openPerson(browser, hostOf());
    const { page } = person;
    await page.goto(`${urlOf()}/`);
    expect(page.url()).toBe(`${urlOf()}/login`);
    expect(await page.title()).toBe("Sign in – Gestalt Gateway");
    expect(await page.locator("html").getAttribute("lang")).toBe("en");
    expect(await page.locator("main").ariaSnapshot()).toBe(
      [
        "- main:",
        '  - heading "Sign in" [level=1]',
        "  - text: Name",
        '  - textbox "Name"',
        "  - text: Password",
        '  - textbox "Password"',
        '  - button "Sign in"',
      ].join("\n"),
    );
    // The stylesheet came, and the policy let it in.
    expect(await page.evaluate("getComputedStyle(document.querySelector('label')).display")).toBe("block");
    expect(await page.getByLabel("Name").getAttribute("autocomplete")).toBe("username");
    expect(await page.getByLabel("Password").getAttribute("autocomplete")).toBe("current-password");
    expect(person.complaints).toEqual([]);
    expect(person.answers()).toEqual(["GET 303 /", "GET 200 /login", "GET 200 /login.css"]);
  });

  test("it is filled in by keyboard alone, in the order it is read", async () => {
    await using person = await openPerson(browser, hostOf());
    const { page } = person;
    await page.goto(`${urlOf()}/login`);
    // A page takes its focus when it is first drawn, which may be a moment after it was loaded.
    const expectFocus = (what: string): Promise<void> =>
      expect
        .poll(() => page.evaluate("document.activeElement.id || document.activeElement.textContent"))
        .toBe(what);
    await expectFocus("name");
    await page.keyboard.type("ada");
    await page.keyboard.press("Tab");
    await expectFocus("password");
    await page.keyboard.type(password);
    await page.keyboard.press("Tab");
    await expectFocus("Sign in");
    const outline = "getComputedStyle(document.activeElement).outlineStyle";
    expect(await page.evaluate(outline)).toBe("solid");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${urlOf()}/`);
    await page.keyboard.press("Tab");
    await expectFocus("Connections");
    await page.keyboard.press("Tab");
    await expectFocus("Apps that act for you");
    await page.keyboard.press("Tab");
    await expectFocus("Sign out");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${urlOf()}/login`);
    expect(person.complaints).toEqual([]);
  });

  test("a wrong password says so and keeps the name, not the password", async () => {
    await using person = await openPerson(browser, hostOf());
    const { page } = person;
    await signIn(page, urlOf(), "ada", "a wrong password");
    expect(await page.getByRole("alert").textContent()).toBe("Name or password is wrong.");
    expect(await page.getByLabel("Name").inputValue()).toBe("ada");
    expect(await page.getByLabel("Password").inputValue()).toBe("");
    // The name is there already: what has to be typed again is the password.
    expect(await page.evaluate("document.activeElement.id")).toBe("password");
    expect(await page.getByLabel("Password").getAttribute("aria-describedby")).toBe("problem");
    expect(await person.context.cookies()).toEqual([]);
    await page.keyboard.type(password);
    await page.keyboard.press("Enter");
    await page.waitForURL(`${urlOf()}/`);
    expect(await page.getByRole("heading").textContent()).toBe("Signed in");
  });

  test("the right password leads home, with a cookie that no script and no other site gets", async () => {
    await using person = await openPerson(browser, hostOf());
    const { page } = person;
    await signIn(page, urlOf(), "ada");
    expect(page.url()).toBe(`${urlOf()}/`);
    expect(await page.locator("dd").allTextContents()).toEqual(["ada", "acme", "member"]);
    const cookies = await person.context.cookies();
    expect(cookies).toEqual([
      expect.objectContaining({
        name: "__Host-gateway-session",
        value: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
        domain: name,
        path: "/",
        secure: true,
        httpOnly: true,
        sameSite: "Lax",
      }),
    ]);
    expect(await page.evaluate("document.cookie")).toBe("");
    // Not by writing over it either.
    await page.evaluate("document.cookie = '__Host-gateway-session=mine; Path=/; Secure'");
    expect(await person.context.cookies()).toEqual(cookies);
    expect(await page.evaluate("localStorage.length + sessionStorage.length")).toBe(0);
    expect(person.complaints).toEqual([]);
  });

  test("what was typed as a name is shown as text", async () => {
    await using person = await openPerson(browser, hostOf());
    const { page } = person;
    await signIn(page, urlOf(), hostile.tenant, "a wrong password");
    expect(await page.getByLabel("Name").inputValue()).toBe(hostile.tenant);
    expect(await page.locator("svg, img, script").count()).toBe(0);
    expect(person.complaints.filter((text) => !text.includes("401"))).toEqual([]);
  });
});
