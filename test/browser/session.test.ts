import type { Browser } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openBrowser, openPerson, type Person } from "./open-browser.ts";
import { fetchIn, hostile, openSite, privateAnswer, type Site, signIn } from "./site.ts";

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

const mcpHeaders = { accept: "application/json, text/event-stream" };
const listTools = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
const callTool = (name: string): object => ({
  ...{ jsonrpc: "2.0", id: 2, method: "tools/call" },
  params: { name, arguments: {} },
});

describe.each(["127.0.0.1", "localhost", "gateway.localhost"])("at %s", (name) => {
  let host: string;
  let url: string;
  let api: string;
  beforeEach(() => {
    host = `${name}:${site.port}`;
    url = `http://${host}`;
    api = `${url}/api/v1`;
  });

  /** Somebody who has signed in, on a page of the gateway that may ask it. */
  async function openSignedIn(user: string): Promise<Person> {
    const person = await openPerson(browser, host);
    await signIn(person.page, url, user);
    await person.page.goto(`${url}/openapi.json`);
    return person;
  }

  /** Opens an MCP session from the page, and returns how requests of it are sent. */
  async function openMcp({ page }: Person): Promise<(message: object) => Promise<string>> {
    const clientInfo = { name: "page", version: "1" };
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
    const body = JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params });
    const headers = { "content-type": "application/json", ...mcpHeaders };
    const session = await page.evaluate<string>(
      `fetch("/mcp", ${JSON.stringify({ method: "POST", headers, body })}).then((response) => response.headers.get("mcp-session-id"))`,
    );
    const further = { ...mcpHeaders, "mcp-session-id": session, "mcp-protocol-version": "2025-11-25" };
    await fetchIn(page, "/mcp", {
      headers: further,
      body: { jsonrpc: "2.0", method: "notifications/initialized" },
    });
    return async (message) => {
      const { status, text } = await fetchIn(page, "/mcp", { headers: further, body: message });
      return `${status} ${text}`;
    };
  }

  test("a page of the gateway's own lists and calls tools, over the HTTP API and MCP", async () => {
    await using ada = await openSignedIn("ada");
    const { page } = ada;
    const list = await fetchIn(page, "/api/v1/integrations");
    expect(list.status).toBe(200);
    expect(JSON.parse(list.text).integrations).toEqual([
      expect.objectContaining({ name: "shop", display_name: hostile.provider }),
    ]);
    expect(await fetchIn(page, "/api/v1/shop/find")).toMatchObject({ status: 200 });
    expect((await fetchIn(page, "/api/v1/shop/add", { body: {} })).text).toContain(privateAnswer);
    const send = await openMcp(ada);
    expect(await send(listTools)).toContain("shop_find");
    expect(await send(callTool("shop_add"))).toContain(privateAnswer);
    // The page can't read its own cookie, but may take it away.
    expect(await fetchIn(page, "/api/v1/auth/logout", { method: "POST" })).toMatchObject({ status: 204 });
    expect(await ada.context.cookies()).toEqual([]);
    expect((await fetchIn(page, "/api/v1/integrations")).status).toBe(401);
  });

  test("people in two browsers see their own tools, and nothing of each other's", async () => {
    await using ada = await openSignedIn("ada");
    await using grace = await openSignedIn("grace");
    for (const [person, own, other] of [
      [ada, "shop", "bank"],
      [grace, "bank", "shop"],
    ] as const) {
      const { page } = person;
      const list = JSON.parse((await fetchIn(page, "/api/v1/integrations")).text);
      expect(list.integrations.map((one: { name: string }) => one.name)).toEqual([own]);
      expect((await fetchIn(page, `/api/v1/${own}/find`)).status).toBe(200);
      expect((await fetchIn(page, `/api/v1/${other}/find`)).status).toBe(404);
      const send = await openMcp(person);
      const tools = await send(listTools);
      expect(tools).toContain(`${own}_find`);
      expect(tools).not.toContain(`${other}_`);
      expect(await send(callTool(`${own}_find`))).toContain(privateAnswer);
      expect(await send(callTool(`${other}_find`))).toContain("Unknown tool");
      expect((await fetchIn(page, "/api/v1/users")).status).toBe(403);
    }
  });

  test("after signing out the back button shows nothing, and the old cookie opens nothing", async () => {
    await using ada = await openPerson(browser, host);
    const { page, context } = ada;
    await signIn(page, url, "ada");
    const cookies = await context.cookies();
    for (const path of ["/api/v1/integrations", "/api/v1/shop/find", "/api/v1/shop/page", "/"])
      await page.goto(`${url}${path}`);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(`${url}/login`);
    expect(await context.cookies()).toEqual([]);
    for (const expected of [
      "/login",
      "/api/v1/shop/page",
      "/api/v1/shop/find",
      "/api/v1/integrations",
      "/login",
    ]) {
      // A page that the browser kept whole is shown without loading.
      await page.goBack({ waitUntil: "commit" });
      expect(new URL(page.url()).pathname).toBe(expected);
      const shown = await page.evaluate("document.documentElement.outerHTML");
      expect(shown).toMatch(expected === "/login" ? /<h1>Sign in/ : /unauthenticated/);
      expect(shown).not.toMatch(/ada|acme|shop_|private answer/);
    }
    await context.addCookies(cookies);
    await page.goto(`${url}/`);
    expect(page.url()).toBe(`${url}/login`);
    expect((await page.goto(`${api}/integrations`))?.status()).toBe(401);
  });

  test("a session that the command line has revoked is over with the next request of an open page", async () => {
    await using ada = await openSignedIn("ada");
    const { page } = ada;
    expect((await fetchIn(page, "/api/v1/shop/find")).status).toBe(200);
    const send = await openMcp(ada);
    const { sessions } = JSON.parse((await fetchIn(page, "/api/v1/auth/sessions")).text);
    const { id } = sessions.find(({ current }: { current: boolean }) => current);
    await site.command("sessions", "revoke", id, "--tenant", "acme");
    expect((await fetchIn(page, "/api/v1/shop/find")).status).toBe(401);
    expect(await send(callTool("shop_find"))).toMatch(/^401 /);
    await page.goto(`${url}/`);
    expect(page.url()).toBe(`${url}/login`);
    // Signing in again replaces the cookie that is worth nothing.
    await signIn(page, url, "ada");
    expect(page.url()).toBe(`${url}/`);
  });

  test("names that look like markup, and pages of upstreams, are shown and run nowhere", async () => {
    await using root = await openSignedIn("root");
    const { page } = root;
    const created = await fetchIn(page, "/api/v1/tokens", { body: { name: hostile.user } });
    expect(created.status).toBe(201);
    const { id } = JSON.parse(created.text);
    await site.command("tokens", "create", hostile.tenant, "--user", "ada", "--tenant", "acme");
    root.answers();
    for (const [path, text] of [
      ["/", undefined],
      ["/api/v1/tokens", hostile.user],
      ["/api/v1/users", undefined],
      ["/api/v1/tenants", hostile.tenant],
      ["/api/v1/integrations", hostile.provider],
      ["/api/v1/integrations/shop/operations", hostile.provider],
      [`/api/v1/users/${encodeURIComponent(hostile.user)}`, undefined],
      [`/api/v1/${encodeURIComponent(hostile.provider)}/find`, undefined],
      [`/${hostile.provider}`, undefined],
    ] as const) {
      await page.goto(`${url}${path}`);
      if (text !== undefined) expect(await page.evaluate("document.body.innerText")).toContain("alert(");
      expect(await page.locator("svg, img, script").count()).toBe(0);
    }
    expect((await page.goto(`${api}/shop/page`))?.status()).toBe(200);
    // The page is shown, but belongs to nobody: no script, no cookie, no request in the name of who looks at it.
    expect(await page.title()).toBe("page");
    expect(await page.evaluate("self.origin")).toBe("null");
    const dialogs = root.complaints.filter((complaint) =>
      /^(alert|confirm|prompt|beforeunload):/.test(complaint),
    );
    expect(dialogs).toEqual([]);
    await site.command("tokens", "revoke", id);
  });
});
