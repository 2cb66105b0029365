import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Attacker, embedAll, fetchAll, openAll, startAttacker, submitAll } from "./attacker.ts";
import { openBrowser, openPerson } from "./open-browser.ts";
import { fetchIn, openSite, type Site, signIn } from "./site.ts";

let browser: Browser;
let site: Site;
let attacker: Attacker;

beforeAll(async () => {
  browser = await openBrowser();
  site = await openSite();
  attacker = await startAttacker();
});
afterAll(async () => {
  await browser.close();
  await attacker[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

/** Everything that an attack could have changed, as `root` sees it; asked from a page of the gateway's own. */
async function stateOf(page: Page, url: string): Promise<string> {
  await page.goto(`${url}/openapi.json`);
  const lists: string[] = [];
  for (const path of ["users", "tokens", "tenants", "auth/sessions", "auth/session"]) {
    const { status, text } = await fetchIn(page, `/api/v1/${path}`);
    expect(status).toBe(200);
    lists.push(text.replaceAll(/,"last_used_at":"[^"]*"/g, ""));
  }
  return lists.join("\n");
}

/** What may be answered to another page: refusals, and the sign-in form with the way there. */
const harmless = /^(\w+ (blocked|400|401|403|404|405) .*|GET 303 \/|GET 200 \/login(\.css)?)$/;
/** What else may be answered to somebody who follows a link. */
const byLink = "GET 200 /";

describe.each([
  ["127.0.0.1", "127.0.0.1"],
  ["127.0.0.1", "localhost"],
  ["127.0.0.1", "evil.example"],
  ["localhost", "localhost"],
  ["localhost", "127.0.0.1"],
  ["gateway.localhost", "localhost"],
])("of the gateway at %s, a page of another port of %s", (name, from) => {
  const urls = () => {
    const host = `${name}:${site.port}`;
    return { host, url: `http://${host}`, bait: `http://${from}:${attacker.port}/` };
  };

  // Where nobody is signed in, nobody may become so either; that does not depend on names.
  const cases = name === "127.0.0.1" && from === "127.0.0.1" ? [true, false] : [true];
  test.each(cases)(
    "changes and reads nothing (somebody is signed in: %s)",
    { timeout: 180_000 },
    async (isSignedIn) => {
      const { host, url, bait } = urls();
      await using victim = await openPerson(browser, host);
      const { context, page } = victim;
      const own = await context.newPage();
      if (isSignedIn) await signIn(own, url, "root");
      const before = isSignedIn ? await stateOf(own, url) : "";
      const cookies = await context.cookies();
      const calls = site.upstream.seen.length;
      attacker.forget();
      victim.answers();

      await page.goto(bait);
      expect(await fetchAll(page, url)).toEqual([]);
      expect(await embedAll(page, url)).toEqual([]);
      await submitAll(page, bait, url);
      const direct = victim.answers();
      expect(direct.filter((answer) => !harmless.test(answer))).toEqual([]);
      expect(direct.length).toBeGreaterThan(200);
      expect(await openAll(page, bait, url)).toEqual([]);
      const linked = victim.answers();
      expect(linked.filter((answer) => !harmless.test(answer) && answer !== byLink)).toEqual([]);

      expect(site.upstream.seen.length).toBe(calls);
      expect(await context.cookies()).toEqual(cookies);
      if (isSignedIn) expect(await stateOf(own, url)).toBe(before);
      // Cookies know names and no ports (RFC 6265, section 8.5).
      if (name !== from) expect(attacker.cookies()).toEqual([]);
    },
  );

  test("shows neither the form nor the home page in a frame", async () => {
    const { host, url, bait } = urls();
    await using victim = await openPerson(browser, host);
    const { page } = victim;
    await signIn(page, url, "root");
    for (const path of ["/", "/login"]) {
      await page.goto(bait);
      await page.evaluate(`new Promise((resolve) => {
        const frame = document.createElement("iframe");
        Object.assign(frame, { src: ${JSON.stringify(url + path)}, onload: resolve });
        document.body.append(frame);
      })`);
      const [, frame] = page.frames();
      expect(frame).toBeDefined();
      expect(await frame?.locator("form, dl").count()).toBe(0);
      expect(await frame?.content()).not.toMatch(/Sign in|Signed in/);
    }
  });
});

test("a name that leads to this machine behind the browser's back is not the gateway's (DNS rebinding)", async () => {
  await using victim = await openPerson(browser, `evil.example:${site.port}`);
  const { page } = victim;
  await signIn(page, `http://127.0.0.1:${site.port}`, "root");
  for (const path of ["/", "/login", "/api/v1/integrations", "/api/v1/shop/find"])
    expect((await page.goto(`http://evil.example:${site.port}${path}`))?.status()).toBe(403);
  const fetched = await fetchIn(page, "/api/v1/shop/add", { body: {} });
  expect(fetched.status).toBe(403);
});

test("whom the attacks are made for can do what they try", async () => {
  const url = `http://127.0.0.1:${site.port}`;
  await using root = await openPerson(browser, `127.0.0.1:${site.port}`);
  const { page } = root;
  await signIn(page, url, "root");
  await page.goto(`${url}/openapi.json`);
  const password = "a password of mallory";
  for (const [path, body, status] of [
    ["/api/v1/tokens", { name: "stolen" }, 201],
    ["/api/v1/users", { name: "mallory", password, roles: ["operator"] }, 201],
    ["/api/v1/tenants", { id: "mallory" }, 201],
    ["/api/v1/shop/add", {}, 200],
  ] as const)
    expect([path, (await fetchIn(page, path, { body })).status]).toEqual([path, status]);
});
