import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  ElicitationCompleteNotificationSchema,
  ElicitRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { afterEach, describe, expect, test } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import { asObject } from "../../../src/json-object.ts";
import type { ConnectionStatus } from "../../../src/model/connections.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import type { McpLimits } from "../../../src/server/mcp/limits.ts";
import {
  instanceOf,
  type ScriptedConnections,
  scriptConnections,
  statusOf,
} from "../scripted-connections.ts";
import { jsonAnswer, startEndpoint, type TestEndpoint } from "./harness.ts";
import { type Answer, modernRequest, openSession, post, readAnswer } from "./wire.ts";

const connectUrl = "https://gw.example.com/connect?provider=books&connection=api";

/** An endpoint with one tool that needs a connection, which a test makes. */
interface Scene {
  readonly endpoint: TestEndpoint;
  readonly script: ScriptedConnections;
  /** Ids of those whose call reached the upstream. */
  readonly called: string[];
  /** How often a credential was looked for. */
  readonly resolved: () => number;
  /** Somebody connects; quietly: through another process. */
  connect(quietly?: "quietly"): void;
}

const scenes: Scene[] = [];
afterEach(async () => {
  for (const { endpoint, script } of scenes.splice(0)) {
    expect(script.listeners()).toBe(0);
    await endpoint.close();
    expect(endpoint.logged).toEqual([]);
  }
});

interface SceneOptions {
  readonly limits?: Partial<McpLimits>;
  readonly code?: "not_connected" | "reconnect_required";
  /** What is stored at first. */
  readonly stored?: ConnectionStatus;
  readonly details?: Readonly<Record<string, string>>;
  readonly isAllowed?: () => boolean;
}

async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const place = { provider: "books", connection: "api" };
  const { code = "not_connected", stored, details = { ...place, connect_url: connectUrl } } = options;
  let status = stored ?? statusOf();
  let isConnected = false;
  let count = 0;
  const called: string[] = [];
  const script = scriptConnections({ list: () => [status] });
  const endpoint = await startEndpoint(
    {
      find: {
        ...{ provider: "books", connection: "api" },
        run: ({ principal, arguments: given }) => {
          called.push(principal.id);
          return jsonAnswer({ found: given["word"] ?? "nothing" });
        },
      },
    },
    {
      limits: {
        visitCheckMilliseconds: 20,
        visitPauseMilliseconds: 50,
        visitProgressMilliseconds: 5,
        ...options.limits,
      },
      connections: script.parts,
      credentials: {
        resolve: async () => {
          count += 1;
          if (isConnected) return { reference: undefined, headers: {}, query: {} };
          throw new GatewayError(code, "The shop is not connected.", { details });
        },
      },
      ...(options.isAllowed && {
        authenticate: async ({ headers }) => {
          const { principalOf } = await import("../../principals.ts");
          if (options.isAllowed?.() === false) throw new GatewayError("unauthenticated", "Revoked.");
          return principalOf("user", String(headers["x-user"] ?? "ada"));
        },
      }),
    },
  );
  const scene: Scene = {
    ...{ endpoint, script, called },
    resolved: () => count,
    connect: (quietly) => {
      isConnected = true;
      const instances = [instanceOf({ connectedAt: Date.now() + 1 })];
      status = statusOf({ state: "ready", reason: undefined, next: undefined, instances });
      if (quietly !== undefined) return;
      const owner = { kind: "user", id: "ada" } as const;
      const reference = {
        tenant: "default",
        owner,
        provider: "books",
        connection: "api",
        instance: "default",
      };
      script.tell({ kind: "connected", reference });
    },
  };
  scenes.push(scene);
  return scene;
}

/** Clients of both generations, told apart only by how they are made. */
interface AnyClient extends AsyncDisposable {
  call(options?: { onprogress?: (progress: { progress: number }) => void }): Promise<JsonObject>;
  /** Elicitations that the host has completed. */
  readonly completed: string[];
}
type Handler = (
  params: JsonObject,
) => Promise<"accept" | "decline" | "cancel"> | "accept" | "decline" | "cancel";

async function connectFirst(scene: Scene, handle: Handler): Promise<AnyClient> {
  const client = new Client({ name: "first", version: "1" }, { capabilities: { elicitation: { url: {} } } });
  const completed: string[] = [];
  client.setRequestHandler(ElicitRequestSchema, async ({ params }) => ({
    action: await handle(params as unknown as JsonObject),
  }));
  client.setNotificationHandler(ElicitationCompleteNotificationSchema, ({ params }) => {
    completed.push(params.elicitationId);
  });
  const transport = new StreamableHTTPClientTransport(new URL(scene.endpoint.url));
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  return {
    completed,
    call: async (options) =>
      (await client.callTool({ name: "find", arguments: { word: "a" } }, undefined, options)) as JsonObject,
    [Symbol.asyncDispose]: () => client.close(),
  };
}

async function connectSecond(scene: Scene, handle: Handler, mode: "legacy" | "auto"): Promise<AnyClient> {
  const client = new ModernClient(
    { name: "second", version: "1" },
    { capabilities: { elicitation: { url: {} } }, versionNegotiation: { mode } },
  );
  client.setRequestHandler("elicitation/create", async ({ params }) => ({
    action: await handle(params as unknown as JsonObject),
  }));
  await client.connect(new ModernTransport(new URL(scene.endpoint.url)));
  return {
    completed: [],
    call: async (options) =>
      (await client.callTool({ name: "find", arguments: { word: "a" } }, options)) as JsonObject,
    [Symbol.asyncDispose]: () => client.close(),
  };
}

const clients = [
  { name: "SDK 1", era: "legacy", open: connectFirst },
  {
    name: "SDK 2, legacy",
    era: "legacy",
    open: (scene: Scene, handle: Handler) => connectSecond(scene, handle, "legacy"),
  },
  {
    name: "SDK 2, modern",
    era: "modern",
    open: (scene: Scene, handle: Handler) => connectSecond(scene, handle, "auto"),
  },
];

describe.each(clients)("$name", ({ name, era, open }) => {
  test("opens the page, waits, and goes on once somebody has connected", async () => {
    const scene = await openScene();
    const asked: JsonObject[] = [];
    await using client = await open(scene, (params) => {
      asked.push(params);
      setTimeout(() => scene.connect(), 30);
      return "accept";
    });
    const result = await client.call();
    expect(result).toMatchObject({ structuredContent: { found: "a" } });
    expect(asked).toEqual([
      expect.objectContaining({ mode: "url", url: connectUrl, message: expect.stringContaining("books") }),
    ]);
    expect(scene.called).toHaveLength(1);
    expect(scene.resolved()).toBe(2);
    if (name === "SDK 1") expect(client.completed).toEqual([asked[0]?.["elicitationId"]]);
  });

  test("goes on as well when it happens in another process, with signs of life meanwhile", async () => {
    const scene = await openScene();
    await using client = await open(scene, () => {
      setTimeout(() => scene.connect("quietly"), 60);
      return "accept";
    });
    const progress: number[] = [];
    const result = await client.call({ onprogress: (told) => progress.push(told.progress) });
    expect(result).toMatchObject({ structuredContent: { found: "a" } });
    expect(progress.length).toBeGreaterThan(0);
  });

  test.each(["decline", "cancel"] as const)("gets the error when somebody says %s", async (action) => {
    const scene = await openScene();
    await using client = await open(scene, () => action);
    const result = await client.call();
    expect(result).toMatchObject({
      isError: true,
      _meta: { "io.gestalt/error": { code: "not_connected", connect_url: connectUrl } },
    });
    expect(scene.called).toEqual([]);
  });

  test("gets the error when nobody connects in time", async () => {
    const scene = await openScene({ limits: { visitMilliseconds: 150 } });
    let count = 0;
    await using client = await open(scene, () => {
      count += 1;
      return "accept";
    });
    expect(await client.call()).toMatchObject({ isError: true });
    expect(count).toBe(era === "legacy" ? 1 : count);
    expect(count).toBeLessThan(10);
    expect(scene.called).toEqual([]);
  });

  test("takes another credential, not the one that was refused", async () => {
    const ready = statusOf({ state: "ready", instances: [instanceOf({ connectedAt: 1 })] });
    const scene = await openScene({ code: "reconnect_required", stored: ready });
    await using client = await open(scene, () => {
      setTimeout(() => scene.connect(), 60);
      return "accept";
    });
    expect(await client.call()).toMatchObject({ structuredContent: { found: "a" } });
    expect(scene.resolved()).toBe(2);
  });

  test("asks nobody where no page helps", async () => {
    const scene = await openScene({ details: { header: "x-key" } });
    await using client = await open(scene, () => expect.unreachable());
    expect(await client.call()).toMatchObject({ isError: true });
  });
});

describe("a client with sessions", () => {
  const urlMode = { elicitation: { url: {} } };

  test.each<readonly [string, string, JsonObject]>([
    ["that does forms only", "2025-11-25", { elicitation: {} }],
    ["that can't be asked", "2025-11-25", {}],
    ["of a version without that mode", "2025-06-18", urlMode],
  ])("%s gets the error at once", async (_what, version, capabilities) => {
    const scene = await openScene();
    const session = await openSession(scene.endpoint.url, version, capabilities);
    const { message } = await session.request("tools/call", { name: "find", arguments: {} });
    expect(asObject(message["result"])).toMatchObject({ isError: true });
  });

  /** Begins a call and gives the question that it asks, and its answer in the end. */
  async function begin(scene: Scene) {
    const session = await openSession(scene.endpoint.url, "2025-11-25", urlMode);
    const body = JSON.stringify({
      ...{ jsonrpc: "2.0", id: 7, method: "tools/call" },
      params: { name: "find", arguments: {} },
    });
    const headers = {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...session.headers,
    };
    const leaving = new AbortController();
    const { signal } = leaving;
    const response = await fetch(scene.endpoint.url, { method: "POST", headers, body, signal });
    const [first, second] = response.body?.tee() ?? [];
    const reader = first?.getReader();
    let text = "";
    while (!text.includes("elicitation/create")) {
      const { value, done = true } = (await reader?.read()) ?? {};
      if (done) throw new Error(`Nobody asked: ${text}`);
      text += new TextDecoder().decode(value);
    }
    const data = text
      .split("\n")
      .find((line) => line.startsWith("data: ") && line.includes("elicitation/create"));
    const question = JSON.parse(data?.slice(6) ?? "") as JsonObject;
    const leave = (): void => {
      rest.catch(() => {});
      reader?.closed.catch(() => {});
      leaving.abort();
    };
    const rest = readAnswer(new Response(second ?? null, response));
    const answer = (result: JsonObject): Promise<Answer> =>
      post(scene.endpoint.url, { jsonrpc: "2.0", id: question["id"], ...result }, session.headers);
    return { session, question, rest, answer, leave };
  }

  test("gets the question on the call's own stream, and word that it is done before the answer", async () => {
    const scene = await openScene();
    const { question, rest, answer } = await begin(scene);
    const params = asObject(question["params"]);
    expect(params).toMatchObject({
      mode: "url",
      url: connectUrl,
      elicitationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    await answer({ result: { action: "accept" } });
    scene.connect();
    const { messages } = await rest;
    expect(messages.slice(-2)).toMatchObject([
      { method: "notifications/elicitation/complete", params: { elicitationId: params?.["elicitationId"] } },
      { id: 7, result: { structuredContent: { found: "nothing" } } },
    ]);
  });

  test("that answers with an error, or with nonsense, gets the error of the call", async () => {
    for (const result of [
      { error: { code: -32601, message: "No." } },
      { result: {} },
      { result: { action: 1 } },
    ]) {
      const scene = await openScene();
      const { rest, answer } = await begin(scene);
      await answer(result);
      expect((await rest).message).toMatchObject({ id: 7, result: { isError: true } });
    }
  });

  test("that cancels its call is waited for no longer", async () => {
    const scene = await openScene();
    const { session, answer } = await begin(scene);
    await answer({ result: { action: "accept" } });
    while (scene.script.listeners() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await session.notify("notifications/cancelled", { requestId: 7 });
    while (scene.script.listeners() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    scene.connect();
    expect(scene.called).toEqual([]);
  });

  test("that never answers is asked no longer after a while", async () => {
    const scene = await openScene({ limits: { visitMilliseconds: 100 } });
    const { rest, question } = await begin(scene);
    const { messages } = await rest;
    expect(messages.slice(-2)).toMatchObject([
      { method: "notifications/cancelled", params: { requestId: question["id"] } },
      { id: 7, result: { isError: true } },
    ]);
  });

  test("that has only lost its connection is waited for, since it can take its stream up again", async () => {
    const scene = await openScene();
    const { answer, leave } = await begin(scene);
    await answer({ result: { action: "accept" } });
    while (scene.script.listeners() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    leave();
    scene.connect();
    await expect.poll(() => scene.called, { timeout: 10_000 }).toHaveLength(1);
  });

  test("whose session ends is waited for no longer", async () => {
    const scene = await openScene();
    const { session, answer } = await begin(scene);
    await answer({ result: { action: "accept" } });
    while (scene.script.listeners() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await fetch(scene.endpoint.url, { method: "DELETE", headers: session.headers });
    while (scene.script.listeners() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    scene.connect();
    expect(scene.called).toEqual([]);
  });

  test("that was revoked while it waited gets nothing more", async () => {
    let isAllowed = true;
    const scene = await openScene({ isAllowed: () => isAllowed });
    const { rest, answer } = await begin(scene);
    await answer({ result: { action: "accept" } });
    isAllowed = false;
    scene.connect();
    const { message } = await rest;
    expect(message).toMatchObject({
      result: { isError: true, _meta: { "io.gestalt/error": { code: "unauthenticated" } } },
    });
    expect(scene.called).toEqual([]);
  });

  test("waits within the caller's share", async () => {
    const scene = await openScene({ limits: { visitsPerPrincipal: 1 } });
    const first = await begin(scene);
    // The first one has not even answered yet.
    await expect(begin(scene)).rejects.toThrow(/Nobody asked: .*"isError":true/s);
    await first.answer({ result: { action: "accept" } });
    scene.connect();
    expect((await first.rest).message).toMatchObject({ result: { structuredContent: {} } });
  });
});

describe("a client without sessions", () => {
  const canVisit = { "io.modelcontextprotocol/clientCapabilities": { elicitation: { url: {} } } };

  function call(
    scene: Scene,
    params: JsonObject = {},
    user = "ada",
    _meta: JsonObject = canVisit,
  ): Promise<Answer> {
    const request = modernRequest("tools/call", { name: "find", arguments: { word: "a" }, ...params, _meta });
    return post(scene.endpoint.url, request.message, { ...request.headers, "x-user": user });
  }

  async function ask(scene: Scene): Promise<string> {
    const { message } = await call(scene);
    const state = asObject(message["result"])?.["requestState"];
    expect(message).toMatchObject({
      result: {
        resultType: "input_required",
        inputRequests: {
          connect: { method: "elicitation/create", params: { mode: "url", url: connectUrl } },
        },
      },
    });
    return String(state);
  }
  const accepted = { connect: { action: "accept" } };

  test("that does not do URLs gets the error", async () => {
    const scene = await openScene();
    const forms = { "io.modelcontextprotocol/clientCapabilities": { elicitation: { form: {} } } };
    for (const meta of [{}, forms])
      expect((await call(scene, {}, "ada", meta)).message).toMatchObject({ result: { isError: true } });
  });

  test("is asked again, with the same end, while nobody has connected", async () => {
    const scene = await openScene();
    let requestState = await ask(scene);
    for (const inputResponses of [accepted, {}, { connect: {} }, { other: { action: "accept" } }]) {
      const { message } = await call(scene, { requestState, inputResponses });
      expect(message).toMatchObject({ result: { resultType: "input_required" } });
      requestState = String(asObject(message["result"])?.["requestState"]);
    }
    scene.connect();
    const { message } = await call(scene, { requestState, inputResponses: accepted });
    expect(message).toMatchObject({ result: { resultType: "complete", structuredContent: { found: "a" } } });
    expect(scene.resolved()).toBe(2);
  });

  test("makes the call once more, and is not asked without end where that fails too", async () => {
    const scene = await openScene();
    const requestState = await ask(scene);
    // Connected as far as anybody can tell, and still the call finds no credential.
    const stored = [instanceOf({ connectedAt: Date.now() + 1 })];
    const other = await openScene({ stored: statusOf({ state: "ready", instances: stored }) });
    const state = await ask(other);
    const { message } = await call(other, { requestState: state, inputResponses: accepted });
    expect(message).toMatchObject({ result: { isError: true, resultType: "complete" } });
    expect(requestState).not.toBe(state);
  });

  test.each<readonly [string, JsonObject, JsonObject]>([
    ["prompts/get", { name: "greet" }, { messages: [] }],
    ["resources/read", { uri: "file:///a" }, { contents: [] }],
  ])("is asked by %s as well", async (method, params, result) => {
    const stored = [instanceOf({ connectedAt: Date.now() + 60_000 })];
    let isConnected = false;
    const script = scriptConnections({
      list: () => [isConnected ? statusOf({ state: "ready", instances: stored }) : statusOf()],
    });
    const endpoint = await startEndpoint(
      {},
      {
        connections: script.parts,
        limits: { visitCheckMilliseconds: 20, visitPauseMilliseconds: 50 },
        servers: [
          {
            ...{
              provider: "books",
              connection: "api",
              prompts: { greet: {} },
              resources: { "file:///a": {} },
            },
            answer: () => ({ kind: "mcp", result, isError: false }),
          },
        ],
        credentials: {
          resolve: async () => {
            if (isConnected) return { reference: undefined, headers: {}, query: {} };
            const details = { provider: "books", connection: "api", connect_url: connectUrl };
            throw new GatewayError("not_connected", "The shop is not connected.", { details });
          },
        },
      },
    );
    scenes.push({ endpoint, script, called: [], resolved: () => 0, connect: () => {} });
    const send = async (more: JsonObject): Promise<JsonObject> => {
      const request = modernRequest(method, { ...params, ...more, _meta: canVisit });
      const { message } = await post(endpoint.url, request.message, request.headers);
      return asObject(message["result"]) ?? message;
    };
    const asked = await send({});
    expect(asked).toMatchObject({
      resultType: "input_required",
      inputRequests: {
        connect: { params: { url: connectUrl, message: expect.stringContaining("The books") } },
      },
    });
    isConnected = true;
    const { requestState = null } = asked;
    expect(await send({ requestState, inputResponses: accepted })).toMatchObject({
      resultType: "complete",
      ...result,
    });
  });

  test("is told that its time is over", async () => {
    const scene = await openScene({ limits: { visitMilliseconds: 0 } });
    const requestState = await ask(scene);
    const { message } = await call(scene, { requestState, inputResponses: accepted });
    expect(message).toMatchObject({ result: { isError: true } });
  });

  test("gets nowhere with a state that is not its own, of this call, or unchanged", async () => {
    const scene = await openScene();
    const requestState = await ask(scene);
    const stranger = await openScene();
    const foreign = await ask(stranger);
    scene.connect();
    const inputResponses = accepted;
    const attempts: readonly (readonly [JsonObject, string?])[] = [
      [{ requestState, inputResponses }, "mallory"],
      [{ requestState, inputResponses }, "ada@acme"],
      [{ requestState, inputResponses, arguments: { word: "b" } }],
      [{ requestState, inputResponses, arguments: { word: "a", _instance: "x" } }],
      [{ requestState: foreign, inputResponses }],
      [{ requestState: `${requestState}A`, inputResponses }],
      [{ requestState: requestState.slice(0, -2), inputResponses }],
      [{ requestState: "", inputResponses }],
      [{ requestState: 5, inputResponses }],
      [{ requestState: { a: 1 }, inputResponses }],
      [{ requestState: null, inputResponses }],
    ];
    for (const [params, user] of attempts) {
      const { status, message } = await call(scene, params, user);
      expect(status).toBe(200);
      expect(message).toMatchObject({
        error: { code: -32602, message: expect.stringContaining("requestState") },
      });
    }
    expect(scene.called).toEqual([]);
    expect((await call(scene, { requestState, inputResponses })).message).toMatchObject({
      result: { resultType: "complete" },
    });
  });
});
