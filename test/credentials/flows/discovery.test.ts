import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ConnectionConfig } from "../../../src/model/connection-config.ts";
import type { Connected, PendingSelection } from "../../../src/model/connections.ts";
import { Secret } from "../../../src/secret.ts";
import { startAuthorizationServer } from "../authorization-server.ts";
import {
  bearer,
  connect,
  connection,
  createHarness,
  failureOf,
  field,
  type Harness,
  minute,
  oauth2,
  param,
  person,
  provider,
} from "./harness.ts";

const ada = person("usr_ada");

interface Upstream {
  readonly url: string;
  readonly requests: IncomingMessage[];
  answer: (request: IncomingMessage, response: ServerResponse) => void;
}

async function startUpstream(body: unknown): Promise<Upstream> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    upstream.answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sites`;
  const upstream: Upstream = {
    ...{ url, requests },
    answer: (_request, response) => void response.end(JSON.stringify(body)),
  };
  return upstream;
}

function discovering(url: string, auth: ConnectionConfig["auth"] = bearer()): ConnectionConfig {
  return connection(auth, {
    params: [
      param("site", { fromDiscovery: ["id"] }),
      param("plan", { fromDiscovery: ["plan"], default: "free" }),
    ],
    discovery: {
      url,
      items: ["sites"],
      id: ["id"],
      label: ["name"],
      place: { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 },
    },
  });
}

function enter(harness: Harness, as = ada, token = "canary-token"): Promise<Connected | PendingSelection> {
  return harness.connecting
    .connections(as)
    .connectManual({ provider: "crm", fields: { token: new Secret(token) } });
}

async function choose(harness: Harness, as = ada): Promise<PendingSelection> {
  const pending = await enter(harness, as);
  if (pending.kind !== "pending") throw new Error("there is nothing to choose");
  return pending;
}

const two = {
  sites: [
    { id: "s1", name: "One", plan: "pro" },
    { id: 2, name: "Two" },
  ],
};

test("what there is one of is taken", async () => {
  const upstream = await startUpstream({ sites: [{ id: "s1", name: "One", plan: "pro" }] });
  const harness = await createHarness([discovering(upstream.url)]);
  expect(await enter(harness)).toMatchObject({ kind: "connected" });
  const [status] = await harness.connecting.connections(ada).list();
  expect(status?.instances[0]?.params).toEqual({ site: "s1", plan: "pro" });
  expect(upstream.requests[0]?.headers["authorization"]).toBe("Bearer canary-token");
});

test("of several one is chosen, once, by whoever connects", async () => {
  const upstream = await startUpstream(two);
  const harness = await createHarness([discovering(upstream.url)]);
  const pending = await choose(harness);
  expect(pending.choices).toEqual([
    { id: "s1", label: "One" },
    { id: "2", label: "Two" },
  ]);
  expect(await harness.secretOf(ada, "token")).toBeUndefined();
  const { connections } = harness.connecting;
  const others = [
    person("usr_eve"),
    person("usr_ada", { tenant: "globex" }),
    { ...ada, credential: { kind: "session", id: "ses_other" } } as const,
  ];
  for (const other of others.slice(0, 2))
    expect((await failureOf(connections(other).select(pending.pending, "2"))).message).toContain(
      "is not known",
    );
  expect((await failureOf(connections(ada).select(pending.pending, "3"))).message).toContain(
    "not one of the choices",
  );
  expect((await failureOf(connections(ada).select("A".repeat(43), "2"))).message).toContain("is not known");
  expect(await connections(ada).select(pending.pending, "2")).toMatchObject({ kind: "connected" });
  expect((await failureOf(connections(ada).select(pending.pending, "2"))).message).toContain("is not known");
  const [status] = await connections(ada).list();
  expect(status?.instances[0]?.params).toEqual({ site: "2", plan: "free" });
  expect(await harness.secretOf(ada, "token")).toBe("canary-token");
});

test("another session of the same person does not choose, and learns nothing of the choices", async () => {
  const upstream = await startUpstream(two);
  const harness = await createHarness([discovering(upstream.url)]);
  const { pending } = await choose(harness);
  const elsewhere = { ...ada, credential: { kind: "session", id: "ses_other" } } as const;
  for (const choice of ["nothing", "s1"])
    expect(
      (await failureOf(harness.connecting.connections(elsewhere).select(pending, choice))).message,
    ).toContain("is not known");
});

test.each([
  [-1, true],
  [0, false],
])("a choice 10 minutes and %i ms later: %s", async (more, works) => {
  const upstream = await startUpstream(two);
  const harness = await createHarness([discovering(upstream.url)]);
  const { pending, expiresAt } = await choose(harness);
  expect(expiresAt).toBe(harness.time + 10 * minute);
  harness.time += 10 * minute + more;
  const [end] = await Promise.allSettled([harness.connecting.connections(ada).select(pending, "s1")]);
  expect(end?.status === "fulfilled").toBe(works);
});

test("the ticket of an authorization is no choice, and the other way round", async () => {
  await using server = await startAuthorizationServer();
  const upstream = await startUpstream(two);
  const harness = await createHarness([
    discovering(upstream.url),
    connection(oauth2(server), { name: "oauth" }),
  ]);
  const target = { provider: "crm", connection: "default" };
  const pending = await harness.connecting
    .connections(ada)
    .connectManual({ ...target, fields: { token: new Secret("t") } });
  const state = pending.kind === "pending" ? pending.pending : "";
  const callback = { state, code: "c", issuer: server.issuer, error: undefined, errorDescription: undefined };
  expect((await failureOf(harness.connecting.finishOAuth(ada, callback))).message).toContain("is not known");
  const started = await harness.connecting
    .connections(ada)
    .startOAuth({ provider: "crm", connection: "oauth" });
  const url = new URL(started.kind === "started" ? started.authorizationUrl : "");
  const asChoice = harness.connecting.connections(ada).select(url.searchParams.get("state") ?? "", "s1");
  expect((await failureOf(asChoice)).message).toContain("is not known");
});

test("a new token of an authorization is asked with, chosen for, and kept", async () => {
  await using server = await startAuthorizationServer();
  const upstream = await startUpstream(two);
  const harness = await createHarness([discovering(upstream.url, oauth2(server))]);
  const ended = await connect(harness, server, ada, { returnTo: "/connect?x=1" });
  expect(ended).toMatchObject({ kind: "pending", returnTo: "/connect?x=1" });
  if (ended.kind !== "pending") throw new Error("there is nothing to choose");
  await harness.connecting.connections(ada).select(ended.pending, "s1");
  const token = (await harness.secretOf(ada)) ?? "";
  expect(server.userOf(token)).toBe("usr_ada");
  expect(upstream.requests[0]?.headers["authorization"]).toBe(`Bearer ${token}`);
});

test("headers of the provider are sent, and fields go into query, cookie and basic", async () => {
  const upstream = await startUpstream(two);
  const auth = {
    type: "manual",
    fields: [
      field("user", { in: "basic", part: "username" }),
      field("password", { in: "basic", part: "password" }),
      field("key", { in: "query", parameter: "key" }),
      field("sid", { in: "cookie", cookie: "sid" }),
    ],
  } as const;
  const harness = await createHarness([]);
  harness.providers = [
    provider([discovering(`${upstream.url}?a=1`, auth)], { headers: { "X-Version": new Secret("7") } }),
  ];
  const values = { user: "ada", password: "p", key: "k&=", sid: "s" };
  const fields = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, new Secret(value)]));
  await harness.connecting.connections(ada).connectManual({ provider: "crm", fields });
  const [request] = upstream.requests;
  expect(request?.url).toBe("/sites?a=1&key=k%26%3D");
  expect(request?.headers).toMatchObject({
    "x-version": "7",
    cookie: "sid=s",
    authorization: `Basic ${Buffer.from("ada:p").toString("base64")}`,
  });
});

describe("answers that nothing is stored after", () => {
  const send =
    (
      status: number,
      body: string | Buffer,
      headers: Readonly<Record<string, string>> = {},
    ): Upstream["answer"] =>
    (_request, response) =>
      void response.writeHead(status, headers).end(body);

  test.each<[string, string, Upstream["answer"]]>([
    ["401", "bad_request", send(401, "canary-answer")],
    ["403", "bad_request", send(403, "canary-answer")],
    ["500", "upstream_failed", send(500, "canary-answer")],
    ["a redirect", "upstream_failed", send(302, "", { location: "/canary-answer" })],
    ["no JSON", "upstream_failed", send(200, "canary-answer")],
    ["no UTF-8", "upstream_failed", send(200, Buffer.from([0x22, 0xff, 0x22]))],
    ["nothing", "upstream_failed", send(200, "")],
    ["no list", "upstream_failed", send(200, '{"sites":{"canary-answer":1}}')],
    ["a list elsewhere", "upstream_failed", send(200, '[{"id":1}]')],
    ["an empty list", "bad_request", send(200, '{"sites":[]}')],
    [
      "items without an id",
      "bad_request",
      send(200, '{"sites":[{},null,1,"a",{"id":null},{"id":{}},{"id":""}]}'),
    ],
    [
      "ids that can't be seen",
      "bad_request",
      send(200, '{"sites":[{"id":"\\u202e"},{"id":"a\\u200bb"},{"id":"a\\nb"}]}'),
    ],
    ["an id that is too long", "bad_request", send(200, `{"sites":[{"id":"${"x".repeat(201)}"}]}`)],
    ["too much", "answer_too_large", send(200, `{"sites":["${"x".repeat(1024 * 1024)}"]}`)],
    ["a reset", "upstream_failed", (request) => void request.socket.destroy()],
  ])("%s: %s", async (_what, code, answer) => {
    const upstream = await startUpstream({});
    upstream.answer = answer;
    const harness = await createHarness([discovering(upstream.url)]);
    const failure = await failureOf(enter(harness));
    expect(failure).toMatchObject({ code, message: expect.stringContaining("Nothing was stored.") });
    expect(failure.all + harness.log.join()).not.toContain("canary-");
    expect(await harness.secretOf(ada, "token")).toBeUndefined();
    expect(upstream.requests.filter(({ url }) => url !== "/sites")).toEqual([]);
  });

  test("the tokens of an authorization are revoked then", async () => {
    await using server = await startAuthorizationServer();
    const upstream = await startUpstream({ sites: [] });
    const harness = await createHarness([discovering(upstream.url, oauth2(server))]);
    expect((await failureOf(connect(harness, server, ada))).code).toBe("bad_request");
    expect(server.requestsTo("revoke").length).toBeGreaterThan(0);
  });
});

test("labels are made plain, items of one id are one, and 200 are the most", async () => {
  const hostile = [
    { id: "a", name: "\u202eevil\u200b\n<b>" },
    { id: "a", name: "again" },
    { id: "b", name: { deep: 1 } },
    { id: "c", name: "x".repeat(300) },
    JSON.parse('{"id":"d","__proto__":{"name":"inherited"}}'),
    { id: "e", name: "plan", plan: "a\nb" },
  ];
  const many = Array.from({ length: 500 }, (_unused, index) => ({ id: index, name: `n${index}` }));
  const upstream = await startUpstream({ sites: [...hostile, ...many] });
  const harness = await createHarness([discovering(upstream.url)]);
  const { choices, pending } = await choose(harness);
  expect(choices).toHaveLength(200);
  expect(choices.slice(0, 5)).toEqual([
    { id: "a", label: "evil<b>" },
    { id: "b", label: "b" },
    { id: "c", label: "x".repeat(200) },
    { id: "d", label: "d" },
    { id: "e", label: "plan" },
  ]);
  await harness.connecting.connections(ada).select(pending, "e");
  const [status] = await harness.connecting.connections(ada).list();
  expect(status?.instances[0]?.params).toEqual({ site: "e", plan: "free" });
});
