import { afterEach, describe, expect, test } from "vitest";
import { RpcError } from "../../../src/mcp/rpc-error.ts";
import type { Invocation } from "../../../src/model/invocation.ts";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import {
  cancellation,
  type EndpointOptions,
  jsonAnswer,
  startEndpoint,
  type TestEndpoint,
} from "./harness.ts";
import type { TestServer } from "./test-servers.ts";
import { baseHeaders, modernRequest, streamMessages } from "./wire.ts";

/** A subscription at the upstream, until it is ended. */
interface Subscribed {
  readonly invocation: Invocation;
  readonly updated: (params: JsonObject) => void;
}
const subscribed = new Map<string, Subscribed>();

const files: TestServer = {
  provider: "files",
  resources: { "file:///a": {}, "file:///b": {}, "file:///slow": {}, "file:///refused": {} },
  prompts: { greet: {} },
  subscribe: async (invocation, _tool, _credential, updated) => {
    const uri = String(invocation.arguments["uri"]);
    if (uri === "file:///refused" || uri === "file:///none") throw new RpcError(-32601, "No subscriptions.");
    if (uri === "file:///slow") await cancellation(invocation.signal);
    const key = `${invocation.principal.id} ${uri}`;
    subscribed.set(key, { invocation, updated });
    return { end: () => void subscribed.delete(key) };
  },
};

let endpoint: TestEndpoint;
async function start(options: EndpointOptions = {}): Promise<void> {
  endpoint = await startEndpoint(
    { echo: { run: () => jsonAnswer({}) } },
    {
      servers: [files],
      ...options,
      limits: {
        changeMilliseconds: 1,
        recheckMilliseconds: 20,
        subscribeMilliseconds: 1_000,
        ...options.limits,
      },
    },
  );
}
afterEach(async () => {
  await endpoint.close();
  await expect.poll(() => subscribed.size, { timeout: 10_000 }).toBe(0);
});

const _meta = { "io.modelcontextprotocol/subscriptionId": "listen" };

async function listen(
  filter: JsonValue,
  user = "ada",
): Promise<{
  readonly response: Response;
  readonly messages: AsyncGenerator<JsonObject>;
  next(): Promise<JsonObject>;
}> {
  const { message, headers } = modernRequest("subscriptions/listen", { notifications: filter }, "listen");
  const response = await fetch(endpoint.url, {
    method: "POST",
    headers: { ...baseHeaders, ...headers, "x-user": user },
    body: JSON.stringify(message),
  });
  const messages = streamMessages(response);
  return { response, messages, next: async () => (await messages.next()).value ?? {} };
}

/** The filter that was granted. */
async function granted(filter: JsonValue, user = "ada"): Promise<JsonValue | undefined> {
  const { next } = await listen(filter, user);
  const { method, params } = await next();
  expect(method).toBe("notifications/subscriptions/acknowledged");
  expect(params).toMatchObject({ _meta });
  return (params as JsonObject)["notifications"];
}

describe("the acknowledgement", () => {
  test("says what is granted: what was asked for, without what is refused or late", async () => {
    await start();
    expect(await granted({ toolsListChanged: true, promptsListChanged: false })).toEqual({
      toolsListChanged: true,
    });
    const all = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
    expect(await granted(all)).toEqual(all);
    const resourceSubscriptions = [
      "file:///a",
      "file:///a",
      "file:///none",
      "file:///refused",
      "file:///slow",
    ];
    expect(await granted({ resourceSubscriptions, resourcesListChanged: true })).toEqual({
      resourceSubscriptions: ["file:///a"],
      resourcesListChanged: true,
    });
    expect(endpoint.logged).toEqual([]);
  });

  test("grants so many resources, and one stream that many", async () => {
    await start({ limits: { subscriptionsPerListener: 1 } });
    expect(await granted({ resourceSubscriptions: ["file:///b", "file:///a"] })).toEqual({
      resourceSubscriptions: ["file:///b"],
    });
  });

  test("comes alone where nothing is granted", async () => {
    await start();
    const { messages } = await listen({ resourceSubscriptions: ["file:///refused"] });
    const received: JsonObject[] = [];
    for await (const message of messages) received.push(message);
    expect(received).toMatchObject([{ params: { notifications: {} } }, { id: "listen", result: { _meta } }]);
  });

  test.each([
    undefined,
    null,
    [],
    { toolsListChanged: 1 },
    { resourceSubscriptions: "a" },
    { resourceSubscriptions: [1] },
  ])("%j is no filter", async (filter) => {
    await start();
    const { response } = await listen(filter as JsonValue);
    expect(await response.json()).toMatchObject({ id: "listen", error: { code: -32602 } });
  });
});

describe("a stream", () => {
  test("tells of each list that was asked for, and of no other", async () => {
    await start();
    const both = await listen({ promptsListChanged: true, resourcesListChanged: true });
    const tools = await listen({ toolsListChanged: true });
    await both.next();
    await tools.next();
    endpoint.serve([{ ...files, prompts: { greet: {}, part: {} } }]);
    expect(await both.next()).toEqual({
      jsonrpc: "2.0",
      method: "notifications/prompts/list_changed",
      params: { _meta },
    });
    endpoint.serve([{ ...files, prompts: { greet: {}, part: {} }, templates: { "file:///{name}": {} } }]);
    expect(await both.next()).toMatchObject({ method: "notifications/resources/list_changed" });
    endpoint.offer({});
    expect(await tools.next()).toMatchObject({ method: "notifications/tools/list_changed" });
  });

  test("tells of the resources that were subscribed to, by its own id", async () => {
    await start();
    const { next } = await listen({ resourceSubscriptions: ["file:///a"] });
    await next();
    const meta = { trace: 1, "io.modelcontextprotocol/subscriptionId": "another's" };
    subscribed.get("ada file:///a")?.updated({ uri: "file:///a", title: "A", _meta: meta });
    expect(await next()).toEqual({
      jsonrpc: "2.0",
      method: "notifications/resources/updated",
      params: { uri: "file:///a", title: "A", _meta: { trace: 1, ..._meta } },
    });
  });

  test("reaches the upstream as nobody else, and can't be asked there", async () => {
    await start();
    const { next } = await listen({ resourceSubscriptions: ["file:///a"] });
    await next();
    const { invocation } = subscribed.get("ada file:///a") ?? {};
    expect(invocation?.principal.id).toBe("ada");
    expect(invocation?.peer.home?.key).toContain("ada");
    await expect(invocation?.peer.ask("roots/list", {})).rejects.toThrow("does not support");
  });

  test("ends its subscriptions with itself", async () => {
    await start();
    const { next, response, messages } = await listen({ resourceSubscriptions: ["file:///a", "file:///b"] });
    await next();
    expect(subscribed.size).toBe(2);
    await messages.return(undefined);
    await response.body?.cancel().catch(() => {});
    await expect.poll(() => subscribed.size, { timeout: 10_000 }).toBe(0);
  });

  test("that is left while its upstream takes its time leaves nothing behind", async () => {
    await start({ limits: { subscribeMilliseconds: 60_000 } });
    const leaving = new AbortController();
    const { message, headers } = modernRequest("subscriptions/listen", {
      notifications: { resourceSubscriptions: ["file:///a", "file:///slow"] },
    });
    const request = fetch(endpoint.url, {
      method: "POST",
      headers: { ...baseHeaders, ...headers, "x-user": "ada" },
      body: JSON.stringify(message),
      signal: leaving.signal,
    });
    await expect.poll(() => subscribed.size, { timeout: 10_000 }).toBe(1);
    leaving.abort();
    await expect(request).rejects.toThrow();
    await expect.poll(() => subscribed.size, { timeout: 10_000 }).toBe(0);
  });

  test("tells nothing of what the caller may not see any more", async () => {
    let isHidden = false;
    await start({ sees: ({ id }, { provider }) => !(isHidden && id === "ada" && provider === "files") });
    const filter = { resourceSubscriptions: ["file:///a"], toolsListChanged: true };
    const [ada, bob] = [await listen(filter), await listen(filter, "bob")];
    await ada.next();
    await bob.next();
    isHidden = true;
    for (const { updated } of subscribed.values()) updated({ uri: "file:///a" });
    expect(await bob.next()).toMatchObject({ method: "notifications/resources/updated" });
    endpoint.offer({});
    expect(await ada.next()).toMatchObject({ method: "notifications/tools/list_changed" });
  });
});
