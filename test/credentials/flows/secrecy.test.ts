import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { expect, test } from "vitest";
import { Secret } from "../../../src/secret.ts";
import { defaultClient, startAuthorizationServer } from "../authorization-server.ts";
import {
  callbackOf,
  connect,
  connection,
  createHarness,
  failureOf,
  field,
  type Harness,
  oauth2,
  person,
  start,
} from "./harness.ts";

const ada = person("usr_ada");

/** All bytes of the store, and of what SQLite keeps beside it. */
async function bytesOf({ file }: Harness): Promise<string> {
  const names = (await readdir(dirname(file))).filter((name) => name.startsWith(basename(file)));
  const contents = await Promise.all(names.map((name) => readFile(join(dirname(file), name), "latin1")));
  return contents.join("\n");
}

test("nothing secret of an authorization is in the store, the log, errors, or what callers are told", async () => {
  await using server = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server))]);
  const said: unknown[] = [];
  const snapshots: string[] = [];
  const states: string[] = [];
  for (const fault of ["none", "status", "invalid_grant", "none"]) {
    const started = await start(harness, ada, { browser: "canary-browser" });
    snapshots.push(await bytesOf(harness));
    const url = await server.approve(started.authorizationUrl, "ada");
    states.push(callbackOf(url).state);
    if (fault === "status") server.fail("token", { kind: "status", status: 500 }, 1);
    if (fault === "invalid_grant") server.fail("token", { kind: "error", error: fault }, 1);
    const callback = { ...callbackOf(url), browser: "canary-browser" };
    if (fault === "none") said.push(await harness.connecting.finishOAuth(ada, callback));
    else said.push((await failureOf(harness.connecting.finishOAuth(ada, callback))).all);
    said.push((await failureOf(harness.connecting.finishOAuth(ada, callback))).all);
    snapshots.push(await bytesOf(harness));
  }
  said.push(await harness.connecting.connections(ada).list(), harness.log, harness.changes);
  const tokens = [await harness.secretOf(ada), await harness.secretOf(ada, "refresh_token")];
  said.push(await harness.connecting.connections(ada).disconnect({ provider: "crm" }));
  const sent = server
    .requestsTo("token")
    .flatMap(({ parameters }) => [parameters["code"], parameters["code_verifier"]]);
  const canaries = [...tokens, ...sent, ...states, defaultClient.secret];
  expect(canaries.length).toBe(15);
  const everywhere = [...snapshots, JSON.stringify(said)];
  for (const canary of canaries) {
    expect(canary?.length).toBeGreaterThan(15);
    expect(everywhere.filter((text) => text.includes(canary ?? ""))).toEqual([]);
  }
});

test("nothing of what somebody typed in, nor the gateway's own ticket", async () => {
  const auth = {
    type: "manual",
    fields: [
      field("user", { in: "basic", part: "username" }),
      field("password", { in: "basic", part: "password" }),
      field("key", { in: "header", header: "X-Key", prefix: "" }),
    ],
  } as const;
  const harness = await createHarness([connection(auth)]);
  const connections = harness.connecting.connections(ada);
  const said: unknown[] = [];
  const type = (values: Readonly<Record<string, string>>): Promise<unknown> =>
    connections.connectManual({
      provider: "crm",
      fields: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, new Secret(value)])),
    });
  const good = { user: "canary-user", password: "canary-password", key: "canary-key" };
  for (const wrong of [
    { user: "canary-a:b" },
    { key: "canary-ö\u{1f600}" },
    { key: "canary-\r\n" + "x\ny" },
    { other: "canary-o" },
  ])
    said.push((await failureOf(type({ ...good, ...wrong }))).all);
  said.push(await type(good), await connections.list(), harness.log, harness.changes);
  expect(JSON.stringify(said) + (await bytesOf(harness))).not.toContain("canary-");
  expect(await harness.secretOf(ada, "key")).toBe("canary-key");
});

test("addresses that people are sent to hold no secret but the state", async () => {
  await using server = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server))]);
  const { authorizationUrl } = await start(harness, ada);
  const { searchParams } = new URL(authorizationUrl);
  await connect(harness, server, ada);
  expect([...searchParams.keys()].toSorted()).toEqual([
    ...[
      "client_id",
      "code_challenge",
      "code_challenge_method",
      "redirect_uri",
      "response_type",
      "scope",
      "state",
    ],
  ]);
  expect(searchParams.get("state")).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(searchParams.get("redirect_uri")).toBe("http://127.0.0.1:4000/api/v1/auth/callback");
  expect(authorizationUrl).not.toContain(encodeURIComponent(defaultClient.secret ?? ""));
});
