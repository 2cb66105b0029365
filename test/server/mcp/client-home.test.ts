import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import type { ClientPeer } from "../../../src/model/invocation.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { jsonAnswer, startEndpoint, type TestEndpoint, type TestTool } from "./harness.ts";
import { baseHeaders, openSession, post, streamMessages, type WireSession } from "./wire.ts";

let endpoint: TestEndpoint;
/** Of the calls so far. */
let peers: ClientPeer[];
let release: PromiseWithResolvers<void>;
/** Of the subscriptions so far: how to tell of a change, and by their URI those that were ended. */
let subscribed: { readonly uri: unknown; readonly updated: (params: JsonObject) => void }[];
let ended: unknown[];

const tools: Record<string, TestTool> = {
  meet: {
    run: ({ peer }) => {
      peers.push(peer);
      return jsonAnswer("met");
    },
  },
  stay: {
    run: async ({ peer }) => {
      peers.push(peer);
      peer.notify("notifications/message", { level: "info", data: "here" });
      await release.promise;
      return jsonAnswer("left");
    },
  },
};

beforeEach(async () => {
  peers = [];
  subscribed = [];
  ended = [];
  release = Promise.withResolvers();
  endpoint = await startEndpoint(tools, {
    limits: { changeMilliseconds: 1, askMilliseconds: 300, subscriptionsPerSession: 2 },
    servers: [
      {
        provider: "team",
        resources: { "test://a": {}, "test://b": {}, "test://c": {} },
        subscribe: async ({ arguments: { uri } }, _tool, _credential, updated) => {
          if (uri === "test://refused") throw new GatewayError("unsupported", "It has no subscriptions.");
          subscribed.push({ uri: uri ?? "", updated });
          return { end: () => ended.push(uri ?? "") };
        },
      },
    ],
  });
});
afterEach(async () => {
  release.resolve();
  await endpoint.close();
  expect(endpoint.logged).toEqual([]);
});

function getStream(session: WireSession): Promise<Response> {
  return fetch(endpoint.url, { headers: { ...session.headers, accept: "text/event-stream" } });
}

async function next(messages: AsyncGenerator<JsonObject>): Promise<JsonObject> {
  const { value, done } = await messages.next();
  return done === true ? { ended: true } : value;
}

/** The client as the last call knows it. */
async function meet(session: WireSession): Promise<NonNullable<ClientPeer["home"]>> {
  await session.request("tools/call", { name: "meet" });
  const home = peers.at(-1)?.home;
  if (home === undefined) throw new Error("There is no home.");
  return home;
}

function startStay(session: WireSession): Promise<Response> {
  return fetch(endpoint.url, {
    method: "POST",
    headers: { ...baseHeaders, ...session.headers },
    body: JSON.stringify({ jsonrpc: "2.0", id: "stay", method: "tools/call", params: { name: "stay" } }),
  });
}

describe("a client beyond its calls", () => {
  test("is one per session, and goes with it", async () => {
    const [session, other] = [await openSession(endpoint.url), await openSession(endpoint.url)];
    const home = await meet(session);
    expect(await meet(session)).toBe(home);
    expect((await meet(other)).key).not.toBe(home.key);
    expect(home.gone.aborted).toBe(false);
    await fetch(endpoint.url, { method: "DELETE", headers: session.headers });
    expect(home.gone.aborted).toBe(true);
    expect((await meet(other)).gone.aborted).toBe(false);
  });

  test("tells those who follow of its roots, and no others", async () => {
    const session = await openSession(endpoint.url, "2025-11-25", { roots: { listChanged: true } });
    const home = await meet(session);
    const heard: string[] = [];
    const unfollow = home.follow((change) => heard.push(change));
    await session.notify("notifications/roots/list_changed");
    await session.request("logging/setLevel", { level: "error" });
    unfollow();
    await session.notify("notifications/roots/list_changed");
    expect(heard).toEqual(["roots", "log-level"]);
  });
});

describe("a question that belongs to no call", () => {
  const asking = { elicitation: {} };
  const never = new AbortController().signal;

  async function answer(session: WireSession, question: JsonObject): Promise<void> {
    const result = { action: "accept", content: {} };
    await post(endpoint.url, { jsonrpc: "2.0", id: question["id"], result }, session.headers);
  }

  test("goes over the GET stream", async () => {
    const session = await openSession(endpoint.url, "2025-11-25", asking);
    const messages = streamMessages(await getStream(session));
    const home = await meet(session);
    const asked = home.ask("elicitation/create", { message: "Who?" }, never);
    const question = await next(messages);
    expect(question).toMatchObject({ method: "elicitation/create", params: { message: "Who?" } });
    await answer(session, question);
    expect(await asked).toEqual({ action: "accept", content: {} });
  });

  test("waits a little for it", async () => {
    const session = await openSession(endpoint.url, "2025-11-25", asking);
    const home = await meet(session);
    const asked = home.ask("elicitation/create", { message: "Who?" }, never);
    const messages = streamMessages(await getStream(session));
    await answer(session, await next(messages));
    expect(await asked).toMatchObject({ action: "accept" });
  });

  test("or over the stream of any call", async () => {
    const session = await openSession(endpoint.url, "2025-11-25", asking);
    const messages = streamMessages(await startStay(session));
    await next(messages);
    const asked = peers.at(-1)?.home?.ask("elicitation/create", { message: "Who?" }, never);
    await answer(session, await next(messages));
    expect(await asked).toMatchObject({ action: "accept" });
  });

  test("is refused where the client has no stream, can't be asked, or is gone", async () => {
    const session = await openSession(endpoint.url, "2025-11-25", asking);
    const home = await meet(session);
    const codeOf = (asked: Promise<unknown>): Promise<unknown> =>
      asked.then(
        () => "answered",
        (error: unknown) => (error instanceof GatewayError ? error.code : error),
      );
    expect(await codeOf(home.ask("elicitation/create", {}, never))).toBe("unsupported");
    expect(await codeOf(home.ask("sampling/createMessage", {}, never))).toBe("unsupported");
    expect(await codeOf(home.ask("elicitation/create", {}, AbortSignal.abort()))).toBe("cancelled");
    const messages = streamMessages(await getStream(session));
    const asked = codeOf(home.ask("elicitation/create", {}, never));
    await next(messages);
    await fetch(endpoint.url, { method: "DELETE", headers: session.headers });
    expect(await asked).toBe("cancelled");
  });
});

describe("log messages", () => {
  test("come by the level that the client wants, over the call's stream or the session's own", async () => {
    const session = await openSession(endpoint.url);
    const home = await meet(session);
    expect(home.logLevel()).toBeUndefined();
    const messages = streamMessages(await getStream(session));
    home.notify("notifications/message", { level: "debug", data: 1 });
    expect(await next(messages)).toMatchObject({ params: { level: "debug", data: 1 } });
    expect((await session.request("logging/setLevel", { level: "warning" })).message["result"]).toEqual({});
    expect(home.logLevel()).toBe("warning");
    home.notify("notifications/message", { level: "notice", data: 2 });
    home.notify("notifications/message", { level: "critical", data: 3 });
    expect(await next(messages)).toMatchObject({ params: { level: "critical", data: 3 } });

    release.resolve();
    const quiet = await session.request("tools/call", { name: "stay" });
    expect(quiet.messages).toHaveLength(1);
    await session.request("logging/setLevel", { level: "info" });
    const loud = await session.request("tools/call", { name: "stay" });
    expect(loud.messages.map(({ method }) => method)).toEqual(["notifications/message", undefined]);
  });

  test.each([{}, { level: "loud" }, { level: 3 }])("%o is no level", async (params) => {
    const session = await openSession(endpoint.url);
    const { message } = await session.request("logging/setLevel", params);
    expect(message["error"]).toMatchObject({ code: -32602 });
  });
});

describe("subscriptions", () => {
  test("tell over the GET stream, until they are ended", async () => {
    const session = await openSession(endpoint.url);
    const messages = streamMessages(await getStream(session));
    const uri = "test://a";
    expect((await session.request("resources/subscribe", { uri })).message["result"]).toEqual({});
    expect((await session.request("resources/subscribe", { uri })).message["result"]).toEqual({});
    expect(subscribed).toHaveLength(1);
    subscribed[0]?.updated({ uri });
    expect(await next(messages)).toEqual({
      jsonrpc: "2.0",
      method: "notifications/resources/updated",
      params: { uri },
    });
    expect((await session.request("resources/unsubscribe", { uri })).message["result"]).toEqual({});
    expect(ended).toEqual([uri]);
    expect((await session.request("resources/unsubscribe", { uri })).message["result"]).toEqual({});
    subscribed[0]?.updated({ uri });
    const home = await meet(session);
    home.notify("notifications/message", { level: "error", data: "last" });
    expect(await next(messages)).toMatchObject({ method: "notifications/message" });
  });

  test("are so many in a session, and end with it", async () => {
    const session = await openSession(endpoint.url);
    for (const uri of ["test://a", "test://b"]) await session.request("resources/subscribe", { uri });
    const refused = await session.request("resources/subscribe", { uri: "test://c" });
    expect(refused.message["error"]).toMatchObject({ message: expect.stringContaining("unsubscribe") });
    expect(ended).toEqual([]);
    await fetch(endpoint.url, { method: "DELETE", headers: session.headers });
    await expect.poll(() => ended).toEqual(["test://a", "test://b"]);
  });

  test("that fail leave nothing behind", async () => {
    const session = await openSession(endpoint.url);
    const answers = [
      await session.request("resources/subscribe", { uri: "test://refused" }),
      await session.request("resources/subscribe", {}),
      await session.request("resources/unsubscribe", { uri: 1 }),
    ];
    expect(answers.map(({ message }) => message["error"])).toMatchObject([
      { code: -32603, data: { code: "unsupported" } },
      { code: -32602 },
      { code: -32602 },
    ]);
    for (const uri of ["test://a", "test://b"])
      expect((await session.request("resources/subscribe", { uri })).message["result"]).toEqual({});
  });
});

test("what is not of any protocol and nobody knows is no method", async () => {
  const session = await openSession(endpoint.url);
  const { message } = await session.request("server/discover");
  expect(message["error"]).toMatchObject({ code: -32601 });
});
