import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Browser, type Page, readForm, type Scene, send, startScene, whereNext } from "./oauth-scene.ts";

// Confused deputies: what one person, browser or client was allowed must not count for another one. Over HTTP, at the whole gateway; with a
// real browser it is in test/browser/oauth-attacks.test.ts.

let scene: Scene;
beforeAll(async () => {
  scene = await startScene();
});
afterAll(() => scene[Symbol.asyncDispose]());

/** Presses a button and gives where the browser would go on, without going there. */
async function answer(browser: Browser, page: Page, button: "allow" | "deny"): Promise<URL> {
  const { action, fields } = readForm(page, button);
  const reply = await browser.submitTo(action, fields);
  return new URL(whereNext(reply) ?? "", action);
}

async function grantsOf(user: string): Promise<readonly string[]> {
  const administration = await scene.system.administration();
  return (await administration.listGrants()).flatMap((grant) =>
    grant.user === user ? [grant.clientId] : [],
  );
}

/** Puts cookies of one browser into another one, as a neighbouring host or port can, except those that are bound to their host. */
function toss(from: Browser, to: Browser): void {
  for (const [key, cookie] of from.jar) if (!cookie.name.startsWith("__Host-")) to.jar.set(key, cookie);
}

describe("consent is for one client, one person, one browser and one request (FastMCP CVE-2026-27124, GHSA-rww4)", () => {
  test("consent to one client is none to another, nor to the same one the next time", async () => {
    const ada = await scene.browser("ada");
    const [honest, evil] = [await scene.register(), await scene.register({ client_name: "Claude" })];
    await scene.code(ada, scene.begin(honest));
    for (const client of [evil, honest]) {
      const page = await ada.open(scene.begin(client).url);
      expect([page.status, page.url]).toEqual([200, expect.stringContaining("/oauth/consent?")]);
      expect(page.text).toContain('value="allow"');
    }
    expect(await grantsOf("ada")).not.toContain(evil.id);
  });

  test("a link to the question, or to what follows it, is of no use to whom it is sent", async () => {
    const [eve, ada] = [await scene.browser("eve"), await scene.browser("ada")];
    const page = await eve.open(scene.begin(await scene.register()).url);
    expect((await ada.get(page.url)).status).toBe(404);
    const onward = await answer(eve, page, "allow");
    const end = await ada.get(onward.href);
    expect([end.status, end.headers.location]).toEqual([400, undefined]);
  });

  test("no cookie that a neighbour can set carries somebody's answer on in another browser", async () => {
    const [eve, ada] = [await scene.browser("eve"), await scene.browser("ada")];
    const onward = await answer(eve, await eve.open(scene.begin(await scene.register()).url), "allow");
    toss(eve, ada);
    const end = await ada.get(onward.href);
    expect([end.status, end.headers.location]).toEqual([400, undefined]);
    // Nor was eve's answer used up by that.
    const own = await eve.get(onward.href);
    expect(new URL(own.headers.location ?? "").searchParams.has("code")).toBe(true);
  });

  test("nobody answers for who is signed in now with what somebody else has seen", async () => {
    const browser = await scene.browser("eve");
    const client = await scene.register();
    const page = await browser.open(scene.begin(client).url);
    await browser.signIn("ada");
    const { action, fields } = readForm(page, "allow");
    const reply = await browser.submitTo(action, fields);
    expect(reply.status).toBe(409);
    expect(reply.text).toContain("somebody else");
    expect([...(await grantsOf("ada")), ...(await grantsOf("eve"))]).not.toContain(client.id);
  });
});

describe("who finishes is who has begun (LibreChat CVE-2026-31944)", () => {
  test("a code is that of the person who has agreed, whoever signs in meanwhile", async () => {
    const browser = await scene.browser("eve");
    const client = await scene.register();
    const begun = scene.begin(client);
    const onward = await answer(browser, await browser.open(begun.url), "allow");
    await browser.signIn("ada");
    const end = await browser.get(onward.href);
    const code = new URL(end.headers.location ?? "").searchParams.get("code") ?? "";
    expect((await scene.exchange(client, code, begun.verifier)).status).toBe(200);
    expect(await grantsOf("eve")).toContain(client.id);
    expect(await grantsOf("ada")).not.toContain(client.id);
  });
});

describe("refusing leads to the client's own address only (n8n CVE-2026-42230)", () => {
  test.each(["redirect_uri", "redirect_url", "return_to", "next", "state", "client_id"])(
    "whatever stands in the address as %s",
    async (name) => {
      const ada = await scene.browser("ada");
      const client = await scene.register();
      const begun = scene.begin(client);
      const page = await ada.open(begun.url);
      const evil = new URLSearchParams({ [name]: "https://evil.example/cb" });
      const { action, fields } = readForm(page, "deny");
      const added = await ada.submitTo(`${action}&${evil}`, fields);
      expect([added.status, whereNext(added)]).toEqual([400, undefined]);
      const onward = await answer(ada, page, "deny");
      const end = new URL((await ada.get(`${onward.href}?${evil}`)).headers.location ?? "");
      expect(`${end.origin}${end.pathname}`).toBe(client.redirectUri);
      expect([end.searchParams.get("error"), end.searchParams.get("state")]).toEqual([
        "access_denied",
        begun.state,
      ]);
      expect(end.href).not.toContain("evil");
    },
  );

  test("nowhere, once the client is gone", async () => {
    const ada = await scene.browser("ada");
    const client = await scene.register();
    const onward = await answer(ada, await ada.open(scene.begin(client).url), "deny");
    await (await scene.system.administration()).revokeClient(client.id);
    const end = await ada.get(onward.href);
    expect([end.status, end.headers.location]).toEqual([403, undefined]);
  });
});

test("cookies that bind are bound to this host, hidden from scripts, and short-lived", async () => {
  const ada = await scene.browser("ada");
  await scene.code(ada, scene.begin(await scene.register()));
  const binding = ada.cookies.filter((cookie) => cookie.startsWith("__Host-gateway-consent-"));
  expect(binding.length).toBeGreaterThan(0);
  for (const cookie of binding)
    expect(cookie).toMatch(/; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=(600|0)$/);
  // What is over leaves none behind.
  expect([...ada.jar.values()].map(({ name }) => name)).toEqual(["__Host-gateway-session"]);
});

test("a page elsewhere can't use a browser's cookies at the endpoints of clients", async () => {
  const preflight = await send("OPTIONS", `${scene.url}/oauth/token`, {
    ...{ origin: "https://evil.example", "access-control-request-method": "POST" },
  });
  const reply = await send(
    "POST",
    `${scene.url}/oauth/token`,
    { origin: "https://evil.example", "content-type": "application/x-www-form-urlencoded" },
    "grant_type=refresh_token",
  );
  for (const { headers } of [preflight, reply])
    expect(headers["access-control-allow-credentials"]).toBeUndefined();
});
