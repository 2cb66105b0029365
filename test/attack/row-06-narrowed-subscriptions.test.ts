import type { IncomingMessage } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { Principal } from "../../src/model/principal.ts";
import { principalOf } from "../principals.ts";
import { jsonAnswer, startEndpoint, type TestEndpoint } from "../server/mcp/harness.ts";
import { baseHeaders, modernRequest, post, streamMessages } from "../server/mcp/wire.ts";

const uri = "file:///secret";
/** How the upstream tells of changes. */
let updates: ((params: JsonObject) => void)[];
/** What tokens of the one user may see files. */
let wide: Set<string>;
/** True while nobody can be authenticated. */
let isAway: boolean;
/** So often somebody was authenticated. */
let looks: number;
/** Ends the slow calls. */
let release: PromiseWithResolvers<void>;
let endpoint: TestEndpoint;

/** Anew each time, as after a change of roles. */
async function authenticate({ headers }: IncomingMessage): Promise<Principal> {
  looks += 1;
  if (isAway) throw new GatewayError("store_unavailable", "The store is away.");
  const token = String(headers["authorization"]);
  if (token === "revoked") throw new GatewayError("unauthenticated", "Sign in first.");
  return principalOf("user", "ada", "default", { scopes: wide.has(token) ? undefined : [] });
}

beforeEach(async () => {
  updates = [];
  wide = new Set(["wide"]);
  isAway = false;
  looks = 0;
  release = Promise.withResolvers();
  endpoint = await startEndpoint(
    {
      echo: { run: () => jsonAnswer({}) },
      slow: {
        run: async () => {
          await release.promise;
          return jsonAnswer({ canary: "canary" });
        },
      },
    },
    {
      authenticate,
      sees: ({ scopes }, { provider }) => provider !== "files" || scopes === undefined,
      servers: [
        {
          provider: "files",
          resources: { [uri]: {} },
          subscribe: async (_invocation, _tool, _credential, updated) => {
            updates.push(updated);
            return { end: () => {} };
          },
        },
      ],
      limits: {
        changeMilliseconds: 1,
        recheckMilliseconds: 20,
        conflictMilliseconds: 1,
        streamMilliseconds: 1,
      },
    },
  );
});
afterEach(() => endpoint.close());

const changed = (): void => {
  for (const updated of updates) updated({ uri });
};
/** Until an open stream was looked at again. */
const anotherLook = (): Promise<void> => {
  const before = looks;
  return expect.poll(() => looks, { timeout: 10_000 }).toBeGreaterThan(before + 1);
};
/** Longer than an update is on its way. */
const aWhile = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300));

interface Heard {
  readonly messages: readonly JsonObject[];
  close(): void;
}

/** Reads a stream for as long as it is open. */
async function hear(init: RequestInit): Promise<Heard> {
  const leaving = new AbortController();
  const response = await fetch(endpoint.url, { ...init, signal: leaving.signal });
  expect(response.status).toBe(200);
  const messages: JsonObject[] = [];
  void (async () => {
    for await (const message of streamMessages(response)) messages.push(message);
  })().catch(() => {});
  return { messages, close: () => leaving.abort() };
}

const updatesIn = ({ messages }: Heard): number =>
  messages.filter(({ method }) => method === "notifications/resources/updated").length;

async function openSession(token: string): Promise<Record<string, string>> {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "c", version: "1" } };
  const message = { jsonrpc: "2.0", id: 0, method: "initialize", params };
  const { headers } = await post(endpoint.url, message, { authorization: token });
  return { "mcp-session-id": headers.get("mcp-session-id") ?? "" };
}
const subscribe = (session: Record<string, string>, authorization: string) =>
  post(
    endpoint.url,
    { jsonrpc: "2.0", id: 1, method: "resources/subscribe", params: { uri } },
    { ...session, authorization },
  );
const get = (session: Record<string, string>, authorization: string): Promise<Heard> =>
  hear({ headers: { ...session, authorization, accept: "text/event-stream" } });

test("a session's stream tells only what the token on it may read now", async () => {
  const session = await openSession("wide");
  expect((await subscribe(session, "wide")).message["result"]).toEqual({});
  const stream = await get(session, "wide");
  changed();
  await expect.poll(() => updatesIn(stream), { timeout: 10_000 }).toBe(1);
  wide.delete("wide");
  await anotherLook();
  changed();
  await aWhile();
  expect(updatesIn(stream)).toBe(1);
  wide.add("wide");
  await anotherLook();
  changed();
  await expect.poll(() => updatesIn(stream), { timeout: 10_000 }).toBe(2);
});

test("a narrower token of the same user hears nothing of what a wider one has subscribed to, nor that it has", async () => {
  const session = await openSession("wide");
  await subscribe(session, "wide");
  const { message } = await subscribe(session, "narrow");
  expect(message["error"]).toMatchObject({ code: -32002, message: `Resource not found: ${uri}` });
  const narrow = await get(session, "narrow");
  changed();
  await aWhile();
  expect(updatesIn(narrow)).toBe(0);
  narrow.close();
  await aWhile();
  const stream = await get(session, "wide");
  changed();
  await expect.poll(() => updatesIn(stream), { timeout: 10_000 }).toBe(1);
});

test("a change waits while nobody can say whether it may be told, and is lost to nobody", async () => {
  const session = await openSession("wide");
  await subscribe(session, "wide");
  const stream = await get(session, "wide");
  isAway = true;
  await anotherLook();
  changed();
  await aWhile();
  expect(updatesIn(stream)).toBe(0);
  isAway = false;
  await expect.poll(() => updatesIn(stream), { timeout: 10_000 }).toBe(1);
});

test("nobody takes up a stream with a token that may do less than the one that it was begun with", async () => {
  const session = await openSession("wide");
  const lost = await fetch(endpoint.url, {
    method: "POST",
    headers: { ...baseHeaders, ...session, authorization: "wide" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 5, method: "tools/call", params: { name: "slow" } }),
  });
  const reader = lost.body?.getReader();
  const begun = Buffer.from((await reader?.read())?.value ?? []).toString("utf8");
  const [, id = ""] = /^id: (.+)$/m.exec(begun) ?? [];
  await reader?.cancel();
  release.resolve();
  const resume = (authorization: string) =>
    fetch(endpoint.url, {
      headers: { ...session, authorization, accept: "text/event-stream", "last-event-id": id },
    });
  const narrow = await resume("narrow");
  expect([narrow.status, await narrow.text()]).toEqual([400, expect.not.stringContaining("canary")]);
  expect(await (await resume("wide")).text()).toContain("canary");
});

test("a listening client whose roles have changed hears no more of what it may not read", async () => {
  const { message, headers } = modernRequest("subscriptions/listen", {
    notifications: { resourceSubscriptions: [uri], promptsListChanged: true },
  });
  const stream = await hear({
    method: "POST",
    headers: { ...baseHeaders, ...headers, authorization: "wide" },
    body: JSON.stringify(message),
  });
  await expect.poll(() => stream.messages.length, { timeout: 10_000 }).toBe(1);
  changed();
  await expect.poll(() => updatesIn(stream), { timeout: 10_000 }).toBe(1);
  wide.delete("wide");
  await anotherLook();
  changed();
  await aWhile();
  expect(updatesIn(stream)).toBe(1);
});
