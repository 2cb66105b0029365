import type { Browser, Page } from "playwright-core";
import { expect } from "vitest";
import { password } from "../attack/callers.ts";
import type { Client, Scene } from "../attack/oauth-scene.ts";
import { startHttp } from "../upstream/loopback.ts";
import { openPerson, type Person } from "./open-browser.ts";
import { signIn } from "./site.ts";

/** An app that waits on loopback for what browsers bring it, as MCP clients do. */
export interface App extends AsyncDisposable {
  readonly redirectUri: string;
  /** The queries that browsers have come with. */
  readonly answers: readonly URLSearchParams[];
}

/** Starts it on a free port. @param name the loopback name that it calls itself by. */
export async function startApp(name = "127.0.0.1"): Promise<App> {
  const answers: URLSearchParams[] = [];
  const server = await startHttp(({ url = "/" }, response) => {
    const { pathname, searchParams } = new URL(url, "http://app");
    if (pathname === "/callback") answers.push(searchParams);
    response.writeHead(pathname === "/callback" ? 200 : 404, { "content-type": "text/html" });
    response.end(
      '<!doctype html><link rel="icon" href="data:,"><title>app</title><p>You can close this.</p>',
    );
  });
  const { port } = new URL(server.url);
  return {
    redirectUri: `http://${name}:${port}/callback`,
    answers,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Somebody's browser, signed in as a user, if one is named. */
export async function openUser(browser: Browser, scene: Scene, user?: string): Promise<Person> {
  const person = await openPerson(browser, new URL(scene.url).host);
  if (user !== undefined) await signIn(person.page, scene.url, user, password);
  return person;
}

/** Fills in the form that somebody was led to. */
export async function signInThere(page: Page, user: string): Promise<void> {
  await page.getByLabel("Name", { exact: true }).fill(user);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForLoadState();
}

/** Answers the question that is shown, and waits for what comes then: the page in between goes on by itself, but to an app without a page. */
export async function answer(page: Page, button: "Allow" | "Deny"): Promise<void> {
  await page.getByRole("button", { name: button, exact: true }).click();
  await expect
    .poll(
      async () => {
        if (new URL(page.url()).pathname !== "/oauth/consent") return "elsewhere";
        return page
          .locator("h1")
          .textContent({ timeout: 1_000 })
          .catch(() => "between two pages");
      },
      { timeout: 30_000 },
    )
    .not.toMatch(/^(?:Allowed|Refused|between two pages)$/);
  await page.waitForLoadState();
}

/** The title of the page, as people read it out. */
export async function headingOf(page: Page): Promise<string | null> {
  return page.getByRole("heading", { level: 1 }).textContent();
}

/** All that the page says, in one line. */
export async function shownOn(page: Page): Promise<string> {
  return ((await page.locator("main").textContent()) ?? "").replaceAll(/\s+/g, " ");
}

/** Names of the users who let a client act for them. */
export async function grantsOf(scene: Scene, { id }: Client): Promise<readonly string[]> {
  const administration = await scene.system.administration();
  const grants = await administration.listGrants();
  return grants.flatMap(({ clientId, user }) => (clientId === id ? [user] : []));
}
