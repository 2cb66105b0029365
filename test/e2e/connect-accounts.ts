import { expect } from "vitest";
import type { AuthorizationServer } from "../credentials/authorization-server.ts";

/** Somebody at a gateway, by what their requests carry. */
export interface Account {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the HTTP API answered. */
export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  readonly body: any;
  readonly headers: Headers;
}

/** Sends one request to the HTTP API. */
export async function askApi(
  url: string,
  { headers }: Pick<Account, "headers">,
  method: string,
  path: string,
  body?: object,
): Promise<ApiAnswer> {
  const response = await fetch(`${url}/api/v1/${path}`, {
    method,
    headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    redirect: "manual",
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") === true;
  return {
    status: response.status,
    text,
    body: isJson ? JSON.parse(text) : undefined,
    headers: response.headers,
  };
}

/** Begins an authorization, plays the person at the authorization server, and comes back to the gateway. */
export async function authorizeAt(
  url: string,
  account: Account,
  server: AuthorizationServer,
  target: object,
  user = account.name,
): Promise<ApiAnswer> {
  const started = await askApi(url, account, "POST", "auth/start-oauth", target);
  expect(started.status, started.text).toBe(200);
  const callback = await server.approve(started.body.authorization_url, user);
  const response = await fetch(callback, { headers: account.headers, redirect: "manual" });
  return {
    status: response.status,
    text: await response.text(),
    body: undefined,
    headers: response.headers,
  };
}
