import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readForm, type Scene, send, startScene, type Tokens, whereNext } from "./oauth-scene.ts";

// Secrets of the authorization server: each with its value planted in a whole flow, failures included, and then looked for.

let scene: Scene;
beforeAll(async () => {
  scene = await startScene();
});
afterAll(() => scene[Symbol.asyncDispose]());

test("no code, token, verifier, secret, seal or cookie is in a log, in the store, or in an answer that does not hand it out", async () => {
  const secrets = new Map<string, string>();
  const answers: string[] = [];
  const keep = (name: string, value: string | null | undefined): string => {
    if (value === null || value === undefined || value === "") throw new Error(`No ${name}.`);
    secrets.set(name, value);
    return value;
  };
  const ada = await scene.browser("ada");
  const client = await scene.register({ token_endpoint_auth_method: "client_secret_basic" });
  keep("client secret", client.secret);
  const begun = scene.begin(client);
  keep("verifier", begun.verifier);
  const page = await ada.open(begun.url);
  const { action, fields } = readForm(page, "allow");
  keep("seal", fields.get("seal"));
  for (const { name, value } of ada.jar.values()) keep(name, value.replace(/\..*$/, ""));
  const onward = new URL(whereNext(await ada.submitTo(action, fields)) ?? "", action).href;
  const back = new URL((await ada.get(onward)).headers.location ?? "");
  const code = keep("code", back.searchParams.get("code"));
  // What is refused first: each secret in a wrong place.
  const refused = [
    await ada.get(onward),
    await ada.open(`${scene.url}/oauth/authorize/${code}`),
    await ada.open(`${scene.url}/oauth/consent?request=${code}`),
    await scene.exchange({ ...client, secret: `${client.secret}x` }, code, begun.verifier),
    await scene.exchange(client, code, `${begun.verifier}x`),
    await scene.exchange(client, `${code}x`, begun.verifier),
    await scene.mcp(code),
    await send("GET", `${scene.url}/mcp?access_token=${code}`),
    await send("POST", `${scene.url}/oauth/token?code=${code}&client_secret=${client.secret}`, {
      "content-type": "application/x-www-form-urlencoded",
    }),
    await send("POST", `${scene.url}/oauth/token/${code}`, { authorization: `Basic ${client.secret}` }),
  ];
  for (const { status, text } of refused) {
    expect(status, text).toBeGreaterThanOrEqual(400);
    answers.push(text);
  }
  const first = await scene.exchange(client, code, begun.verifier);
  expect(first.status, first.text).toBe(200);
  const tokens: Tokens = JSON.parse(first.text);
  keep("access token", tokens.access_token);
  keep("refresh token", tokens.refresh_token);
  const next: Tokens = JSON.parse((await scene.refresh(client, tokens.refresh_token)).text);
  keep("second access token", next.access_token);
  const refresh = keep("second refresh token", next.refresh_token);
  const later = [
    await scene.mcp(refresh),
    await scene.mcp(`${next.access_token}x`),
    await send("GET", `${scene.url}/api/v1/tools?x=${next.access_token}`),
    await send("GET", `${scene.url}/oauth/revoke?token=${refresh}`),
    await scene.refresh(client, next.refresh_token, { resource: "https://elsewhere.example/mcp" }),
    // The replay ends the grant, which the log tells.
    await scene.refresh(client, tokens.refresh_token, { scope: "mcp:read" }),
    await scene.refresh(client, refresh),
  ];
  for (const { status, text } of later) {
    expect(status, text).toBeGreaterThanOrEqual(400);
    answers.push(text);
  }
  const { store, log } = scene.system;
  if (store === undefined) throw new Error("There is no store.");
  expect(log.join("\n")).toContain("was used twice");
  const kinds = ["grant", "access", "refresh", "code", "session", "interaction", "registration"] as const;
  const stored: string[] = [];
  for (const tenant of [store.gateway, store.tenant("default")])
    for (const kind of kinds) stored.push(JSON.stringify(await tenant.list(kind)));
  for (const [name, secret] of secrets) {
    expect(log.join("\n"), `the ${name} in the log`).not.toContain(secret);
    expect(stored.join("\n"), `the ${name} in the store`).not.toContain(secret);
    expect(answers.join("\n"), `the ${name} in an answer`).not.toContain(secret);
  }
});

/** The status that a path is answered with, to the letter. */
function post(path: string): Promise<number | undefined> {
  const { hostname, port } = new URL(scene.url);
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return new Promise((resolve, reject) => {
    const sent = request({ method: "POST", hostname, port, path, headers }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode));
    });
    sent.once("error", reject);
    sent.end();
  });
}

test("no other spelling of an endpoint's path leads to it", async () => {
  const spellings = [
    ...[
      "/oauth/token/",
      "//oauth/token",
      "/%6fauth/token",
      "/oauth/%74oken",
      "/OAuth/token",
      "/oauth//token",
    ],
    ...["/oauth/token;x", "/oauth/./token", "/x/../oauth/token", "/oauth/token%00", "/oauth/token%20"],
    ...["/oauth\\token", "/oauth/register/", "/oauth/jwks", "/oauth/end", "/oauth/me", "/oauth/introspect"],
    ...["/oauth/authorize/", "/oauth/authorize/x", "/oauth/device", "/oauth/par", "/interaction/x", "/reg"],
  ];
  for (const path of spellings) {
    // What a proxy may have read as another path is refused before anybody looks for it.
    const refused = /\/\.{1,2}\/|%00|\\/.test(path) ? [400, 404] : [404];
    expect(refused, path).toContain(await post(path));
  }
});
