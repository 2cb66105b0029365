import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAttacker } from "./attacker.ts";
import { authorizeThere, type ConnectSite, openConnectSite, signInHere } from "./connect-site.ts";
import { openBrowser, openPerson, type Person } from "./open-browser.ts";
import { fetchIn, hostile, signIn } from "./site.ts";

let browser: Browser;
let site: ConnectSite;

beforeAll(async () => {
  browser = await openBrowser();
  site = await openConnectSite();
});
afterAll(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

/** Whose token the upstream sees when somebody calls a tool of a provider. */
async function seenBy(person: Person, provider: string): Promise<string | undefined> {
  await person.page.goto(`${site.url}/openapi.json`);
  const { status, text } = await fetchIn(person.page, `/api/v1/${provider}/find`);
  if (status !== 200) return JSON.parse(text).error.code;
  const { authorization } = JSON.parse(text) as { authorization: string };
  const token = authorization.replace(/^Bearer /, "");
  return site.authorizations.userOf(token) ?? token;
}

/** Removes what an earlier test has left. */
async function disconnectAll({ page }: Person): Promise<void> {
  for (const provider of ["shop", "desk"]) {
    await page.goto(`${site.url}/connect?provider=${provider}`);
    const button = page.getByRole("button", { name: /^Disconnect/ });
    while ((await button.count()) > 0) await button.first().click();
  }
}

async function openSignedIn(user: string): Promise<Person> {
  const person = await openPerson(browser, site.host);
  await signIn(person.page, site.url, user);
  await disconnectAll(person);
  return person;
}

describe("by an authorization", () => {
  test("somebody follows the link of an error, signs in on the way, and comes back connected", async () => {
    await using prepared = await openSignedIn("ada");
    expect(await seenBy(prepared, "shop")).toBe("not_connected");
    await using person = await openPerson(browser, site.host);
    const { page } = person;
    await page.goto(`${site.url}/connect?provider=shop&connection=default`);
    expect(new URL(page.url()).pathname).toBe("/login");
    await signInHere(page, "ada");
    expect(page.url()).toBe(`${site.url}/connect?provider=shop&connection=default`);
    expect(await page.title()).toBe("Shop – Gestalt Gateway");
    expect(await page.locator("main").ariaSnapshot()).toContain('- button "Connect"');
    await authorizeThere(page, "ada-there");
    expect(page.url()).toBe(`${site.url}/connect?provider=shop&connection=default&done=connected`);
    expect(await page.getByRole("status").textContent()).toMatch(/^Connected\. /);
    expect(person.complaints).toEqual([]);
    expect((await person.context.cookies(site.url)).map(({ name }) => name)).toEqual([
      "__Host-gateway-session",
    ]);
    expect(await seenBy(person, "shop")).toBe("ada-there");
  });

  test("two people connect at the same time, each for themselves", async () => {
    await using ada = await openSignedIn("ada");
    await using grace = await openSignedIn("grace");
    const connect = async ({ page }: Person, user: string): Promise<void> => {
      await page.goto(`${site.url}/connect?provider=shop`);
      await authorizeThere(page, user);
    };
    await Promise.all([connect(ada, "ada-there"), connect(grace, "grace-there")]);
    for (const [person, user] of [
      [ada, "ada-there"],
      [grace, "grace-there"],
    ] as const)
      expect(await seenBy(person, "shop")).toBe(user);
    expect([...ada.complaints, ...grace.complaints]).toEqual([]);
  });

  test("what somebody else began is not finished in one's own browser", async () => {
    await using ada = await openSignedIn("ada");
    await using grace = await openSignedIn("grace");
    await grace.page.goto(`${site.url}/connect?provider=shop`);
    await grace.page.getByRole("button", { name: "Connect" }).click();
    const address = await grace.page.getByRole("link", { name: /^Continue to / }).getAttribute("href");
    await ada.page.goto(address ?? "");
    await ada.page.getByLabel("User").fill("ada-there");
    await ada.page.getByRole("button", { name: "Allow" }).click();
    await ada.page.waitForLoadState();
    expect(await ada.page.getByRole("heading").textContent()).toBe("Not connected");
    expect(await seenBy(ada, "shop")).toBe("not_connected");
    expect(await seenBy(grace, "shop")).toBe("not_connected");
  });

  test("who declines is told so, and can begin again", async () => {
    await using person = await openSignedIn("ada");
    const { page } = person;
    await page.goto(`${site.url}/connect?provider=shop`);
    await authorizeThere(page, "ada-there", "Deny");
    expect(await page.getByRole("alert").textContent()).toContain("access_denied");
    // The stylesheet came here too.
    await page.waitForLoadState("load");
    expect(await page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth")).not.toBe("none");
    await page.getByRole("link", { name: "Connections" }).click();
    await page.getByRole("link", { name: /^Connect Shop/ }).click();
    await authorizeThere(page, "ada-there");
    expect(await seenBy(person, "shop")).toBe("ada-there");
  });

  test("back, forward and reload do nothing again", async () => {
    await using person = await openSignedIn("ada");
    const { page } = person;
    await page.goto(`${site.url}/connect?provider=shop`);
    await authorizeThere(page, "ada-there");
    const tokens = site.authorizations.requestsTo("token").length;
    await page.reload();
    expect(await page.getByRole("status").textContent()).toMatch(/^Connected\. /);
    for (const step of ["back", "back", "back", "back", "forward", "forward", "forward", "forward"]) {
      // What a form has led to is not shown again without asking; that is no page to come to.
      const options = { waitUntil: "commit", timeout: 3_000 } as const;
      await (step === "back" ? page.goBack(options) : page.goForward(options)).catch(() => null);
    }
    expect(site.authorizations.requestsTo("token").length).toBe(tokens);
    expect(site.authorizations.reuses()).toBe(0);
    expect(await seenBy({ ...person, page: await person.context.newPage() }, "shop")).toBe("ada-there");
  });

  test("it ends with a button, here and there", async () => {
    await using person = await openSignedIn("ada");
    const { page } = person;
    await page.goto(`${site.url}/connect?provider=shop`);
    await authorizeThere(page, "ada-there");
    await page.getByRole("button", { name: "Disconnect" }).click();
    await page.waitForLoadState();
    expect(await page.getByRole("status").textContent()).toBe("Disconnected.");
    expect(site.authorizations.requestsTo("revoke").length).toBeGreaterThan(0);
    expect(await seenBy(person, "shop")).toBe("not_connected");
  });
});

describe("by a token", () => {
  test("the form is filled in by keyboard alone, and says what is wrong", async () => {
    await using person = await openSignedIn("ada");
    const { page } = person;
    await page.goto(`${site.url}/connect?provider=desk`);
    const field = page.getByLabel("API Token");
    expect(await field.getAttribute("type")).toBe("password");
    expect(await field.getAttribute("autocomplete")).toBe("off");
    const helped = await field.getAttribute("aria-describedby");
    expect(await page.locator(`#${helped}`).textContent()).toBe("In your settings.");
    await field.focus();
    // The gateway's own tokens are for nobody else.
    await page.keyboard.type(`gst_api_${"x".repeat(43)}`);
    await page.keyboard.press("Enter");
    await page.waitForLoadState();
    expect(await page.getByRole("alert").textContent()).toContain("API token of this gateway");
    expect(await field.inputValue()).toBe("");
    expect(await page.evaluate("document.activeElement.name")).toBe("field.token");
    await page.keyboard.type("token-of-ada");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Connect");
    await page.keyboard.press("Enter");
    await page.waitForURL(/done=connected/);
    expect(person.complaints.filter((text) => !text.includes("400"))).toEqual([]);
    expect(await page.content()).not.toContain("token-of-ada");
    expect(await seenBy(person, "desk")).toBe("token-of-ada");
  });

  test("several accounts have names, and a call names one of them", async () => {
    await using person = await openSignedIn("ada");
    const { page } = person;
    for (const name of ["home", "work"]) {
      await page.goto(`${site.url}/connect?provider=desk`);
      await page.getByLabel("API Token").fill(`token-${name}`);
      await page.getByLabel("Name of this account").fill(name);
      await page.getByRole("button", { name: /^(Connect|Reconnect)$/ }).click();
      await page.waitForURL(/done=connected/);
    }
    expect(await seenBy(person, "desk")).toBe("instance_selection_required");
    const { text } = await fetchIn(page, "/api/v1/desk/find?_instance=work");
    expect(JSON.parse(text)).toEqual({ authorization: "Bearer token-work" });
    const listed = JSON.parse((await fetchIn(page, "/api/v1/integrations/desk/operations")).text);
    expect(listed.operations[0].input_schema.properties._instance.enum).toEqual(["home", "work"]);
    await page.goto(`${site.url}/connect?provider=desk`);
    await page.getByRole("button", { name: "Disconnect home" }).click();
    await page.waitForURL(/done=disconnected/);
    expect(await seenBy(person, "desk")).toBe("token-work");
  });
});

test("texts that look like markup are shown, and nothing complains", async () => {
  await using person = await openSignedIn("ada");
  const { page } = person;
  for (const path of [
    "/connect",
    "/connect?provider=desk",
    "/connect?provider=desk&connection=default&instance=a",
  ]) {
    await page.goto(`${site.url}${path}`);
    const shown = await page.evaluate<string>("document.body.innerText");
    expect(shown).toContain(hostile.provider);
    expect(shown).toContain(hostile.tenant);
    expect(await page.locator("svg, img, script").count()).toBe(0);
  }
  expect(person.complaints).toEqual([]);
});

test("pages of others neither submit the forms nor show them in a frame", async () => {
  await using attacker = await startAttacker();
  await using victim = await openSignedIn("ada");
  const { page } = victim;
  await page.goto(`http://127.0.0.1:${attacker.port}/`);
  for (const action of ["connect", "disconnect", "choose"]) {
    await page.evaluate(`new Promise((resolve) => {
      const frame = document.createElement("iframe");
      frame.name = "frame";
      document.body.append(frame);
      const form = document.createElement("form");
      Object.assign(form, { method: "post", target: "frame", action: ${JSON.stringify(`${site.url}/connect?provider=desk&connection=default`)} });
      for (const [name, value] of [["action", "${action}"], ["field.token", "token-of-mallory"], ["instance", ""]])
        Object.assign(form.appendChild(document.createElement("input")), { name, value });
      document.body.append(form);
      frame.onload = resolve;
      form.submit();
      setTimeout(resolve, 2_000);
    })`);
  }
  await page.evaluate(`new Promise((resolve) => {
    const frame = document.createElement("iframe");
    Object.assign(frame, { src: ${JSON.stringify(`${site.url}/connect`)}, onload: resolve });
    document.body.append(frame);
  })`);
  for (const frame of page.frames().slice(1)) expect(await frame.content()).not.toContain("Connections");
  expect(await seenBy(victim, "desk")).toBe("not_connected");
});
