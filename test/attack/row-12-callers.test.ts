import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Secret } from "../../src/secret.ts";
import { modernRequest, post } from "../server/mcp/wire.ts";
import { tokenCaller } from "./callers.ts";
import { type System, startSystem } from "./system.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

const password = "canary-password-of-ada-7f3a91";
const newPassword = "canary-second-password-22c0d4";
let upstream: Upstream;
let system: System;
/** Everything that must be found nowhere, by what it is. */
const secrets: Record<string, string> = { password, newPassword };

beforeAll(async () => {
  upstream = await startUpstream((_seen, response) => {
    response.writeHead(500, { "content-type": "application/json" }).end('{"error":"no"}');
  });
  system = await startSystem(
    {
      shop: {
        surfaces: {
          rest: { base_url: upstream.url, operations: [{ name: "find", method: "GET", path: "/find" }] },
        },
      },
      gone: {
        surfaces: {
          rest: {
            base_url: "http://127.0.0.1:9",
            operations: [{ name: "find", method: "GET", path: "/find" }],
          },
        },
      },
    },
    { settings: { auth: { provider: "local", query_token: "key" } } },
  );
});
afterAll(async () => {
  await system.close();
  await upstream[Symbol.asyncDispose]();
});

async function api(
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: unknown,
  method = body === undefined ? "GET" : "POST",
): Promise<Response> {
  const response = await fetch(`${system.url}/api/v1/${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  await response.clone().arrayBuffer();
  return response;
}

test("no token, session or password is in a log, in the store or on the wire to an upstream", async () => {
  const administration = await system.administration();
  await administration.createUser({ name: "ada", password: new Secret(password) });
  const token = await tokenCaller(administration, { name: "ci" });
  const rotated = await administration.rotateToken(token.id);
  const bearer = rotated.secret.reveal();
  secrets["token"] = bearer;
  secrets["token before it was rotated"] = token.headers["authorization"]?.replace("Bearer ", "") ?? "";

  const signedIn = await api("auth/login", {}, { name: "ada", password });
  const cookie = signedIn.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
  secrets["session"] = cookie.split("=", 2)[1] ?? "";
  expect(Object.values(secrets).every((secret) => secret.length > 20)).toBe(true);

  const authorization = `Bearer ${bearer}`;
  const basic = `Basic ${Buffer.from(`ada:${password}`).toString("base64")}`;
  for (const headers of [{ authorization }, { cookie }, { authorization, cookie }]) {
    for (const path of ["shop/find", "gone/find", "integrations", "auth/session", `nothing/${bearer}`])
      await api(path, headers);
    await api("shop/find", headers, { unknown: bearer });
  }
  for (const path of ["shop/find", "auth/session"]) {
    for (const name of ["key", "api_key", "access_token", "token", "x"]) {
      await api(`${path}?${name}=${bearer}`, {});
      await api(`${path}?${name}=${bearer}`, { cookie });
    }
  }
  for (const value of [
    bearer,
    `bearer  ${bearer}`,
    `Token ${bearer}`,
    basic,
    `Bearer ${bearer}x`,
    `Bearer ${secrets["session"]}`,
  ])
    await api("auth/session", { authorization: value });
  for (const value of [
    `${cookie}x`,
    `session=${secrets["session"]}`,
    `${cookie}; ${cookie}`,
    cookie.toLowerCase(),
  ])
    await api("auth/session", { cookie: value });
  for (const body of [
    { name: "ada", password: `${password}x` },
    { name: password, password: "x" },
    { name: "ada", password: { nested: password } },
    { name: "ada", pasword: password },
    `{"name":"ada","password":"${password}"`,
  ])
    await api("auth/login", {}, body);
  await api("users/ada", { cookie }, { password: newPassword, current_password: password }, "PATCH");
  const request = modernRequest("tools/call", { name: "shop_find", arguments: {} });
  await post(`${system.url}/mcp?api_key=${bearer}`, request.message, { ...request.headers, cookie });
  await post(`${system.url}/mcp`, request.message, { ...request.headers, authorization });

  // The query's switch is on for `key`: at least these calls went through.
  expect(upstream.seen.length).toBeGreaterThan(0);
  const folder = dirname(system.file);
  const places: [string, string][] = [
    ["the log", system.log.join("\n")],
    ["the wire to the upstream", upstream.bytes()],
  ];
  for (const name of await readdir(folder))
    if (name.startsWith("gestalt.db"))
      places.push([name, (await readFile(join(folder, name))).toString("latin1")]);
  expect(places.length).toBeGreaterThan(2);
  for (const [place, text] of places) {
    for (const [what, secret] of Object.entries(secrets)) {
      for (const form of [secret, Buffer.from(secret).toString("base64").replace(/=+$/, "").slice(2, -2)])
        expect(text.includes(form), `${what} is in ${place}`).toBe(false);
    }
  }
});
