import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from "@modelcontextprotocol/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import { asObject } from "../../../src/json-object.ts";
import type { Invocation } from "../../../src/model/invocation.ts";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import type { McpLimits } from "../../../src/server/mcp/limits.ts";
import { type Behaviour, cancellation, jsonAnswer, startEndpoint, type TestEndpoint } from "./harness.ts";
import { accept, acceptAll, roundsOf } from "./rounds.ts";
import { streamMessages } from "./wire.ts";

const form = (message: string): JsonObject => ({
  message,
  requestedSchema: { type: "object", properties: {} },
});

/** Calls that are alive, by the id of the principal. */
const alive = new Map<Invocation, string>();
const ended: string[] = [];

/** Ends when the upstream has waited enough. */
let patience: PromiseWithResolvers<void>;

/** A tool that counts as alive while it runs. */
const living =
  (run: Behaviour): Behaviour =>
  async (invocation) => {
    alive.set(invocation, invocation.principal.id);
    try {
      return await run(invocation);
    } finally {
      alive.delete(invocation);
      ended.push(invocation.principal.id);
    }
  };

const tools = {
  one: {
    run: living(async ({ peer }) => jsonAnswer({ got: await peer.ask("elicitation/create", form("?")) })),
  },
  three: {
    run: living(async ({ peer }) =>
      jsonAnswer({
        got: await Promise.all([
          peer.ask("elicitation/create", form("a")),
          peer.ask("sampling/createMessage", { messages: [], maxTokens: 1 }),
          peer.ask("roots/list", {}),
        ]),
      }),
    ),
  },
  rounds: {
    run: living(async ({ peer, arguments: given }) => {
      const got: JsonValue[] = [];
      for (let round = 1; round <= Number(given["rounds"]); round += 1) {
        peer.notify("notifications/progress", { progress: round });
        peer.notify("notifications/message", { level: "info", data: `round ${round}` });
        const answer = await peer.ask("elicitation/create", form(`round ${round}`));
        got.push(asObject(asObject(answer)?.["content"])?.["value"] ?? null);
        peer.notify("notifications/progress", { progress: 1, message: `after ${round}` });
      }
      return jsonAnswer({ got });
    }),
  },
  impatient: {
    run: living(async ({ peer }) => {
      const asked = peer.ask("elicitation/create", form("?")).catch((error: unknown) => String(error));
      return jsonAnswer({ got: await Promise.race([asked, patience.promise.then(() => "nothing")]) });
    }),
  },
  large: {
    run: living(async ({ peer }) => {
      const asked = peer.ask("elicitation/create", form("?")).catch((error: unknown) => String(error));
      await Promise.race([asked, patience.promise]);
      return jsonAnswer({ text: "x".repeat(1_500) });
    }),
  },
  waits: {
    run: living(async ({ peer, signal }) => {
      await peer.ask("elicitation/create", form("?"));
      peer.notify("notifications/progress", { progress: 1 });
      await cancellation(signal);
      throw new GatewayError("cancelled", "The caller has left.");
    }),
  },
  lenient: {
    run: living(async ({ peer }) => {
      const got = await peer.ask("elicitation/create", form("?")).catch((error: unknown) => String(error));
      return jsonAnswer({ got: got as JsonValue });
    }),
  },
  seen: {
    run: ({ peer }: Invocation) =>
      jsonAnswer({
        capabilities: peer.capabilities,
        home: peer.home?.key,
        homeCapabilities: peer.home?.capabilities,
        retry: peer.retry,
        level: peer.logLevel,
      }),
  },
} satisfies Record<string, { run: Behaviour }>;

let endpoint: TestEndpoint;
let hidden: Set<string>;

async function start(limits: Partial<McpLimits> = {}): Promise<void> {
  endpoint = await startEndpoint(tools, {
    limits: { parkedPauseMilliseconds: 20, ...limits },
    sees: ({ id }, { name }) => !hidden.has(`${id} ${name}`),
  });
}
const call = (name: string, given: JsonObject = {}, user = "ada", _meta: JsonObject = {}) =>
  roundsOf(endpoint.url, { name, arguments: given, _meta }, user);

beforeEach(() => {
  patience = Promise.withResolvers();
  alive.clear();
  ended.splice(0);
  hidden = new Set();
});
afterEach(async () => {
  await endpoint.close();
  await expect.poll(() => alive.size, { timeout: 10_000 }).toBe(0);
  expect(endpoint.logged).toEqual([]);
});

describe("a question of an upstream", () => {
  test("ends the request, and its answer goes on with the same call", async () => {
    await start();
    const one = call("one");
    const asked = await one.round();
    expect(asked.status).toBe(200);
    expect(asked.result).toEqual({
      resultType: "input_required",
      inputRequests: { "question-1": { method: "elicitation/create", params: form("?") } },
      requestState: expect.stringMatching(/^[\w-]+$/),
      _meta: { "io.modelcontextprotocol/serverInfo": expect.objectContaining({ name: "gestalt-gateway" }) },
    });
    expect(alive.size).toBe(1);
    const { result } = await one.round(acceptAll(asked, { name: "Ada" }));
    expect(result).toMatchObject({
      resultType: "complete",
      structuredContent: { got: { action: "accept", content: { name: "Ada" } } },
    });
    expect(ended).toEqual(["ada"]);
  });

  test("comes with all others of the same moment", async () => {
    await start();
    const three = call("three");
    const asked = await three.round();
    expect(Object.values(asked.requests)).toEqual([
      { method: "elicitation/create", params: form("a") },
      { method: "sampling/createMessage", params: { messages: [], maxTokens: 1 } },
      { method: "roots/list", params: {} },
    ]);
    const [first = "", second = "", third = ""] = Object.keys(asked.requests);
    const sampled = { role: "assistant", model: "m", content: { type: "text", text: "x" } };
    const { result } = await three.round({
      requestState: asked.state,
      inputResponses: { [first]: accept(), [second]: sampled, [third]: { roots: [] }, more: { a: 1 } },
    });
    expect(result["structuredContent"]).toEqual({ got: [accept(), sampled, { roots: [] }] });
  });

  test("that was left unanswered is asked again, alone", async () => {
    await start();
    const three = call("three");
    const asked = await three.round();
    const [first = "", second = "", third = ""] = Object.keys(asked.requests);
    const again = await three.round({
      requestState: asked.state,
      inputResponses: { [first]: accept(), [third]: { roots: [] }, wrong: accept() },
    });
    expect(again.result["resultType"]).toBe("input_required");
    expect(Object.keys(again.requests)).toEqual([second]);
    expect(again.state).not.toBe(asked.state);
    const silent = await three.round({ requestState: again.state });
    expect(Object.keys(silent.requests)).toEqual([second]);
    const inputResponses = { [second]: { role: "assistant", model: "m", content: [] } };
    const { result } = await three.round({ requestState: silent.state, inputResponses });
    expect(result["resultType"]).toBe("complete");
  });

  test.each<readonly [string, JsonValue]>([
    ["no object", 5],
    ["null", null],
    ["a list", []],
    ["an action that there is not", { "question-1": { action: "maybe" } }],
    ["content that is no object", { "question-1": { action: "accept", content: "x" } }],
    ["an answer to something else", { "question-1": { roots: [] } }],
    ["an answer that is no object", { "question-1": 12_345 }],
    ["an answer that is null", { "question-1": null }],
  ])("is still open after %s, with the same state", async (_what, inputResponses) => {
    await start();
    const one = call("one");
    const asked = await one.round();
    const { status, error } = await one.round({ requestState: asked.state, inputResponses });
    expect(status).toBe(200);
    expect(error).toMatchObject({ code: -32602, message: expect.stringContaining("inputResponses") });
    expect((await one.round(acceptAll(asked))).result["resultType"]).toBe("complete");
  });

  test("may be followed by others, in the rounds that there may be", async () => {
    await start({ parkedRounds: 3 });
    const rounds = call("rounds", { rounds: 3 });
    let asked = await rounds.round();
    for (const value of [1, 2]) asked = await rounds.round(acceptAll(asked, { value }));
    const { result } = await rounds.round(acceptAll(asked, { value: 3 }));
    expect(result["structuredContent"]).toEqual({ got: [1, 2, 3] });

    const more = call("rounds", { rounds: 4 });
    asked = await more.round();
    for (const value of [1, 2]) asked = await more.round(acceptAll(asked, { value }));
    expect((await more.round(acceptAll(asked, { value: 3 }))).result).toMatchObject({
      isError: true,
      content: [{ text: "The client was asked 3 times for one call, which is enough." }],
    });
  });

  test("that is never answered is not asked without end", async () => {
    await start({ parkedRounds: 3 });
    const lenient = call("lenient");
    let asked = await lenient.round();
    for (let round = 0; round < 2; round += 1) asked = await lenient.round({ requestState: asked.state });
    const { result } = await lenient.round({ requestState: asked.state });
    expect(result["structuredContent"]).toMatchObject({ got: expect.stringContaining("asked 3 times") });
  });

  test("that an upstream gave up on: the next request gets what the call came to", async () => {
    await start();
    const impatient = call("impatient");
    const asked = await impatient.round();
    patience.resolve();
    await expect.poll(() => ended.length, { timeout: 10_000 }).toBe(1);
    const { result } = await impatient.round(acceptAll(asked));
    expect(result).toMatchObject({ resultType: "complete", structuredContent: { got: "nothing" } });
    expect((await impatient.round(acceptAll(asked))).error).toMatchObject({ code: -32602 });
  });

  test("that nobody answers in time cancels the call", async () => {
    await start({ parkedMilliseconds: 100 });
    const one = call("one");
    const asked = await one.round();
    await expect.poll(() => ended.length, { timeout: 10_000 }).toBe(1);
    expect((await one.round(acceptAll(asked))).error).toMatchObject({
      code: -32602,
      message: expect.stringMatching(/over|ended/),
    });
  });

  test("is refused where the client has not declared it, and elsewhere than in a call", async () => {
    await start();
    for (const capabilities of [{}, { sampling: {} }, { elicitation: { url: {} } }]) {
      const { result } = await call("lenient").round({}, { capabilities });
      expect(result["structuredContent"]).toMatchObject({ got: expect.stringContaining("does not support") });
    }
  });

  test("is not asked again of a client that does not do that any more", async () => {
    await start();
    const lenient = call("lenient");
    const asked = await lenient.round();
    const { result } = await lenient.round({ requestState: asked.state }, { capabilities: {} });
    expect(result["structuredContent"]).toMatchObject({ got: expect.stringContaining("does not support") });
  });
});

describe("what an upstream tells", () => {
  test("goes to the request of the moment, by its own token and level", async () => {
    await start();
    const rounds = call("rounds", { rounds: 2 });
    const level = { "io.modelcontextprotocol/logLevel": "info" };
    const first = await rounds.round({ _meta: { progressToken: "one", ...level } });
    expect(first.messages.slice(0, -1)).toMatchObject([
      { method: "notifications/progress", params: { progress: 1, progressToken: "one" } },
      { method: "notifications/message", params: { level: "info", data: "round 1" } },
    ]);
    const second = await rounds.round({ ...acceptAll(first), _meta: { progressToken: 2 } });
    expect(second.messages.slice(0, -1)).toEqual([
      {
        jsonrpc: "2.0",
        method: "notifications/progress",
        params: { progress: 1, message: "after 1", progressToken: 2 },
      },
      { jsonrpc: "2.0", method: "notifications/progress", params: { progress: 2, progressToken: 2 } },
    ]);
    const third = await rounds.round(acceptAll(second));
    expect(third.messages).toHaveLength(1);
  });

  test("as progress only grows", async () => {
    await start();
    endpoint.offer({
      back: {
        run: ({ peer }) => {
          for (const progress of [1, 1, 0, 5, 1e300, 2])
            peer.notify("notifications/progress", { progress, total: 5 });
          peer.notify("notifications/progress", { progress: "x" });
          peer.notify("notifications/roots/list_changed", {});
          peer.notify("notifications/elicitation/complete", { elicitationId: "1" });
          return jsonAnswer({});
        },
      },
    });
    const { messages } = await call("back").round({ _meta: { progressToken: 0 } });
    const values = messages.slice(0, -1).map((message) => asObject(message["params"])?.["progress"]);
    expect(values).toHaveLength(6);
    expect(values.toSorted((one, other) => Number(one) - Number(other))).toEqual(values);
    expect(new Set(values).size).toBe(6);
    expect(values[0]).toBe(1);
  });
});

describe("what an upstream knows of the client", () => {
  const levelKey = "io.modelcontextprotocol/logLevel";
  const seenBy = async (user: string, capabilities: JsonObject, more: JsonObject = {}) =>
    asObject((await call("seen", {}, user).round(more, { capabilities })).result["structuredContent"]) ?? {};

  test("are its capabilities, its wishes, and a home that nobody else has", async () => {
    await start();
    const both = { elicitation: {}, sampling: { tools: {}, other: {} }, tasks: {} };
    const ada = await seenBy("ada", both, { _meta: { [levelKey]: "error" } });
    expect(ada).toEqual({
      capabilities: { elicitation: {}, sampling: { tools: {} } },
      homeCapabilities: { elicitation: {}, sampling: { tools: {} } },
      home: expect.any(String),
      retry: {},
      level: "error",
    });
    expect((await seenBy("ada", both))["home"]).toBe(ada["home"]);
    expect((await seenBy("ada", both))["level"]).toBe("none");
    const others = [await seenBy("ada", {}), await seenBy("bob", both), await seenBy("ada@acme", both)];
    expect(new Set([ada, ...others].map(({ home }) => home)).size).toBe(4);
  });

  test("are answers that belong to no state of ours", async () => {
    await start();
    const inputResponses = { user_name: accept({ name: "Ada" }) };
    expect(await seenBy("ada", {}, { inputResponses })).toMatchObject({
      retry: { responses: inputResponses },
    });
  });

  test("a level that there is not is an error", async () => {
    await start();
    for (const level of ["loud", "none", 5, null]) {
      const { status, error } = await call("seen").round({ _meta: { [levelKey]: level } });
      expect(status).toBe(400);
      expect(error).toMatchObject({ code: -32602, message: expect.stringContaining("logLevel") });
    }
  });
});

describe("a client that leaves", () => {
  test("while its first request runs has cancelled the call", async () => {
    await start({ parkedPauseMilliseconds: 60_000 });
    const leaving = new AbortController();
    const request = call("one").begin({}, { signal: leaving.signal });
    await expect.poll(() => alive.size, { timeout: 10_000 }).toBe(1);
    leaving.abort();
    await expect(request).rejects.toThrow();
    await expect.poll(() => ended, { timeout: 10_000 }).toEqual(["ada"]);
  });

  test("while a later one runs has cancelled it too", async () => {
    await start();
    const waits = call("waits");
    const asked = await waits.round();
    const leaving = new AbortController();
    const response = await waits.begin(
      { ...acceptAll(asked), _meta: { progressToken: 1 } },
      { signal: leaving.signal },
    );
    await streamMessages(response).next();
    leaving.abort();
    await expect.poll(() => ended, { timeout: 10_000 }).toEqual(["ada"]);
  });
});

describe("bounds", () => {
  const isAsked = { resultType: "input_required" };
  const hasEnded = { code: -32602, message: expect.stringContaining("of a call that has ended") };

  test("a caller with as many parked calls as one may have loses its oldest, and others lose none", async () => {
    await start({ parkedCalls: 3, parkedCallsPerPrincipal: 2 });
    const bob = await call("one", {}, "bob").round();
    const [first, second, third] = [
      await call("one").round(),
      await call("one").round(),
      await call("one").round(),
    ];
    expect(third.result).toMatchObject(isAsked);
    await expect.poll(() => ended, { timeout: 10_000 }).toEqual(["ada"]);
    expect((await call("one").round(acceptAll(first))).error).toEqual(hasEnded);
    for (const asked of [second, third])
      expect((await call("one").round(acceptAll(asked))).result).toMatchObject({ resultType: "complete" });
    expect((await call("one", {}, "bob").round(acceptAll(bob))).result["resultType"]).toBe("complete");
  });

  test("where there are as many as there may be, whoever has most loses one", async () => {
    await start({ parkedCalls: 3, parkedCallsPerPrincipal: 2 });
    const [first, second] = [await call("one").round(), await call("one").round()];
    const bob = await call("one", {}, "bob").round();
    const cyd = await call("one", {}, "cyd").round();
    expect((await call("one").round(acceptAll(first))).error).toEqual(hasEnded);
    for (const [asked, user] of [[second, "ada"] as const, [bob, "bob"] as const, [cyd, "cyd"] as const]) {
      const { result } = await call("one", {}, user).round(acceptAll(asked));
      expect(result["resultType"]).toBe("complete");
    }
  });

  test("what calls came to while nobody waited is so much, and makes room when it is taken", async () => {
    await start({ parkedCharacters: 5_000 });
    const asked = [
      await call("large").round(),
      await call("large", {}, "bob").round(),
      await call("large").round(),
    ];
    patience.resolve();
    await expect.poll(() => alive.size, { timeout: 10_000 }).toBe(0);
    const [first, second, third] = asked;
    if (first === undefined || second === undefined || third === undefined) throw new Error("Not asked.");
    expect((await call("large").round(acceptAll(first))).result["resultType"]).toBe("complete");
    for (const [round, user] of [[second, "bob"] as const, [third, "ada"] as const]) {
      const { error } = await call("large", {}, user).round(acceptAll(round));
      expect(error).toMatchObject({ code: -32603, message: expect.stringContaining("no room to keep") });
    }
    patience = Promise.withResolvers();
    const later = await call("large").round();
    patience.resolve();
    await expect.poll(() => alive.size, { timeout: 10_000 }).toBe(0);
    expect((await call("large").round(acceptAll(later))).result["resultType"]).toBe("complete");
  });

  test("where none of them waits for a client, nothing more is asked", async () => {
    await start({ parkedCallsPerPrincipal: 1, parkedPauseMilliseconds: 5_000 });
    const leaving = new AbortController();
    const asking = call("one").begin({}, { signal: leaving.signal });
    await expect.poll(() => alive.size, { timeout: 10_000 }).toBe(1);
    expect((await call("lenient").round()).result["structuredContent"]).toMatchObject({
      got: expect.stringContaining("can't wait for another"),
    });
    leaving.abort();
    await expect(asking).rejects.toThrow();
  });

  test("draining ends those that wait, since nobody can come back, and nothing more is asked", async () => {
    await start();
    await call("one").round();
    endpoint.drain();
    await expect.poll(() => ended, { timeout: 10_000 }).toEqual(["ada"]);
    expect((await call("lenient").round()).result["structuredContent"]).toMatchObject({
      got: expect.stringContaining("can't wait for another"),
    });
  });
});

describe("a caller that comes back", () => {
  test("and may not make the call any more gets nothing of it", async () => {
    await start();
    const asked = await call("one").round();
    hidden.add("ada one");
    const { error } = await call("one").round(acceptAll(asked));
    expect(error).toEqual({ code: -32602, message: "Unknown tool: one" });
    await expect.poll(() => ended, { timeout: 10_000 }).toEqual(["ada"]);
  });

  test("and is nobody any more is refused", async () => {
    await start();
    const asked = await call("one").round();
    expect((await call("one").round(acceptAll(asked), { user: "nobody" })).status).toBe(401);
    expect(endpoint.logged.splice(0)).toEqual([expect.stringContaining("Sign in first.")]);
    expect(alive.size).toBe(1);
    endpoint.drain();
  });
});

test("the official client answers by itself, over several rounds", async () => {
  await start();
  const client = new ModernClient(
    { name: "modern", version: "1" },
    { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode: "auto" } },
  );
  const asked: string[] = [];
  client.setRequestHandler("elicitation/create", async ({ params }) => {
    asked.push(params.message);
    return { action: "accept", content: { value: asked.length } };
  });
  await client.connect(new ModernTransport(new URL(endpoint.url)));
  const result = await client.callTool({ name: "rounds", arguments: { rounds: 3 } });
  expect(result).toMatchObject({ structuredContent: { got: [1, 2, 3] } });
  expect(asked).toEqual(["round 1", "round 2", "round 3"]);
  await client.close();
});

test("an upstream without sessions asks by its result: state and answers are passed on, and nothing is kept", async () => {
  endpoint = await startEndpoint({
    find: {
      run: async ({ peer, arguments: given }) => {
        const { responses, state } = peer.retry ?? {};
        if (given["fail"] === true) throw new GatewayError("upstream_failed", "No.");
        if (state === "state 1") return jsonAnswer({ responses: responses ?? null });
        const requests = { user: { method: "elicitation/create", params: form("?") } };
        return { kind: "input_required", requests, state: "state 1" };
      },
    },
  });
  const find = call("find");
  const asked = await find.round();
  expect(asked.result).toMatchObject({
    resultType: "input_required",
    inputRequests: { user: { method: "elicitation/create" } },
  });
  expect(asked.state).not.toContain("state 1");
  const done = await find.round(acceptAll(asked, { name: "Ada" }));
  expect(done.result).toMatchObject({
    resultType: "complete",
    structuredContent: { responses: { user: accept({ name: "Ada" }) } },
  });
  const lacking = await find.round({}, { capabilities: { roots: {} } });
  expect(lacking.status).toBe(400);
  expect(lacking.error).toMatchObject({
    code: -32021,
    data: { requiredCapabilities: { elicitation: { form: {} } } },
  });
});
