import { expect } from "vitest";
import type { AuthorizationServer } from "../credentials/authorization-server.ts";
import { password } from "./connections-workplace.ts";

/** Signs somebody in to a gateway; the `Cookie` header of a browser. */
export async function signInAt(url: string, name: string): Promise<string> {
  const response = await fetch(new URL("/api/v1/auth/login", url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, password }),
  });
  expect(response.status, await response.text()).toBe(200);
  return cookiesOf(response);
}

/**
 * A browser in which somebody opens the page that a command has shown, submits its form, allows everything at the authorization server,
 * and comes back.
 *
 * @param url where the gateway is in truth: the file of the tests names no port.
 */
export async function authorizeInBrowser(
  url: string,
  page: string,
  cookie: string,
  issuer: AuthorizationServer,
  fields: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { pathname, search } = new URL(page);
  const form = await fetch(new URL(pathname + search, url), { headers: { cookie }, redirect: "manual" });
  const shown = await form.text();
  expect(form.status, shown).toBe(200);
  const proposed = /id="instance"[^>]* value="([^"]*)"/.exec(shown)?.[1] ?? "";
  const response = await fetch(new URL(pathname + search, url), {
    method: "POST",
    headers: { cookie, "sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded" },
    body: String(new URLSearchParams({ action: "connect", instance: proposed, ...fields })),
    redirect: "manual",
  });
  const text = await response.text();
  const link = /href="(https?:[^"]+\/authorize\?[^"]+)"/.exec(text)?.[1]?.replaceAll("&amp;", "&");
  if (link === undefined) throw new Error(`There is no link to the server: ${response.status} ${text}`);
  const back = await fetch(await issuer.approve(link, "somebody"), {
    headers: { cookie: [cookie, cookiesOf(response)].filter(Boolean).join("; ") },
    redirect: "manual",
  });
  expect(back.status, await back.text()).toBe(303);
}

function cookiesOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((header) => header.split(";", 1)[0])
    .join("; ");
}
