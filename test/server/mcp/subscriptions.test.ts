import { beforeEach, describe, expect, test } from "vitest";
import type { Broker } from "../../../src/broker/broker.ts";
import type { Subscription } from "../../../src/broker/executor.ts";
import { mergeCatalog } from "../../../src/catalog/merge.ts";
import { type CatalogView, indexCatalog, selectView } from "../../../src/catalog/view.ts";
import { GatewayError } from "../../../src/errors.ts";
import { RpcError } from "../../../src/mcp/rpc-error.ts";
import type { InvocationRequest } from "../../../src/model/invocation.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import type { Principal } from "../../../src/model/principal.ts";
import { createSubscriptions, type ResourceSubscriptions } from "../../../src/server/mcp/subscriptions.ts";
import { principalOf } from "../../principals.ts";
import { makeServer } from "./test-servers.ts";

const ann = principalOf("user", "ann");
const bob = principalOf("user", "bob");

/** Who may see the resources now. */
let allowed: Set<Principal>;
/** What the broker was asked for, and how each subscription hears of changes. */
let made: { readonly request: InvocationRequest; readonly updated: (params: JsonObject) => void }[];
let ended: number;
let refuse: Error | undefined;
/** Ends what the next subscriptions are made with. */
let over: AbortController;
let prepared: number;
/** The look that fails. */
let failing: number;
let logged: string[];
/** Who would hear in place of those who subscribed; `undefined`: that can't be said. */
let hearers: Map<Principal, Principal | undefined>;
let subscriptions: ResourceSubscriptions;

beforeEach(() => {
  allowed = new Set([ann]);
  made = [];
  ended = 0;
  prepared = 0;
  failing = 0;
  refuse = undefined;
  over = new AbortController();
  logged = [];
  hearers = new Map();
  const { catalog } = mergeCatalog(
    [
      makeServer({ provider: "team", toolPrefix: "t_", resources: { "test://a": {} } }),
      makeServer({ provider: "else", toolPrefix: "e_", resources: { "test://a": {} } }),
    ],
    new Map(),
  );
  const index = indexCatalog(catalog);
  const view = (principal: Principal): CatalogView =>
    selectView(index, {
      includes: () => true,
      names: () => allowed.has(principal),
      allows: () => allowed.has(principal),
      isEverybodys: false,
      notice: undefined,
    });
  const broker: Broker = {
    invoke: () => Promise.reject(new Error("Nothing is called.")),
    subscribe: async (request, updated): Promise<Subscription> => {
      if (refuse !== undefined) throw refuse;
      made.push({ request, updated });
      return { end: () => ended++, over: over.signal };
    },
  };
  subscriptions = createSubscriptions({
    ...{ broker, view },
    prepare: async () => {
      prepared += 1;
      failing -= 1;
      if (failing === 0) throw new Error("The store is away.");
    },
    limits: { subscriptions: 6, subscriptionsPerPrincipal: 3 },
    log: (message) => logged.push(message),
  });
});

function subscribe(
  uri: string,
  principal = ann,
  version = "2025-11-25",
  heard: JsonObject[] = [],
  instance?: string,
): Promise<Subscription> {
  return subscriptions.subscribe(uri, {
    ...{ principal, version, instance },
    peer: {
      capabilities: {},
      ask: () => Promise.reject(new GatewayError("unsupported", "No.")),
      notify: () => {},
    },
    header: () => undefined,
    signal: new AbortController().signal,
    hearer: () => (hearers.has(principal) ? hearers.get(principal) : principal),
    updated: (params) => heard.push(params),
  });
}

async function errorOf(promise: Promise<unknown>): Promise<RpcError> {
  const error = await promise.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (error instanceof RpcError) return error;
  throw new Error(`No RpcError: ${String(error)}`);
}

const uri = "gw-team+test://a";

test("asks the upstream for its own resource, as the subscriber", async () => {
  await subscribe(uri);
  expect(made[0]?.request.instance).toBeUndefined();
  expect(made[0]?.request).toMatchObject({
    principal: ann,
    via: "mcp",
    target: { kind: "feature", provider: "team", feature: "resources", method: "resources/subscribe" },
    arguments: { uri: "test://a" },
  });
});

test("by the connection that the client names", async () => {
  await subscribe(uri, ann, "2025-11-25", [], "work");
  expect(made[0]?.request.instance).toBe("work");
});

test("passes on what the upstream tells, until its end", async () => {
  const heard: JsonObject[] = [];
  const subscription = await subscribe(uri, ann, "2025-11-25", heard);
  made[0]?.updated({ uri, title: "changed" });
  await expect.poll(() => heard).toEqual([{ uri, title: "changed" }]);
  expect(prepared).toBe(1);
  made[0]?.updated({ uri });
  await expect.poll(() => heard).toHaveLength(2);
  made[0]?.updated({ uri });
  subscription.end();
  made[0]?.updated({ uri });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(heard).toHaveLength(2);
  expect(ended).toBe(1);
});

test("many changes at once are one", async () => {
  const heard: JsonObject[] = [];
  await subscribe(uri, ann, "2025-11-25", heard);
  for (let count = 0; count < 1_000; count += 1) made[0]?.updated({ uri });
  for (let count = 0; count < 1_000; count += 1) made[0]?.updated({ uri: `${uri}/${count}` });
  await expect.poll(() => heard.length).toBe(100);
  expect(heard.filter((params) => params["uri"] === uri)).toHaveLength(1);
});

test("who may not see the resource any more hears nothing of it", async () => {
  const heard: JsonObject[] = [];
  await subscribe(uri, ann, "2025-11-25", heard);
  allowed.delete(ann);
  made[0]?.updated({ uri });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(heard).toEqual([]);
  allowed.add(ann);
  // Of a part of it, but not of another provider's.
  made[0]?.updated({ uri: `${uri}/part` });
  made[0]?.updated({ uri: "gw-else+test://a" });
  await expect.poll(() => heard).toEqual([{ uri: `${uri}/part` }]);
  expect(logged).toEqual([]);
});

test("nor does another token that may not see it", async () => {
  const heard: JsonObject[] = [];
  await subscribe(uri, ann, "2025-11-25", heard);
  hearers.set(ann, principalOf("user", "ann", "default", { scopes: [] }));
  made[0]?.updated({ uri });
  await new Promise((resolve) => setTimeout(resolve, 20));
  // While nobody knows who it is, it waits.
  hearers.set(ann, undefined);
  made[0]?.updated({ uri });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(heard).toEqual([]);
  hearers.set(ann, ann);
  await expect.poll(() => heard, { timeout: 10_000 }).toEqual([{ uri }]);
});

test("a look that fails keeps no other change back", async () => {
  const heard: JsonObject[] = [];
  await subscribe(uri, ann, "2025-11-25", heard);
  failing = 1;
  made[0]?.updated({ uri });
  made[0]?.updated({ uri: `${uri}/part` });
  await expect.poll(() => heard).toEqual([{ uri: `${uri}/part` }]);
  expect(logged).toEqual(["A client could not be told that a resource has changed."]);
});

describe("is refused", () => {
  test.each([
    ["2026-07-28", -32602],
    ["2025-11-25", -32002],
  ])("in %s for what is hidden as for what is not there: %d", async (version, code) => {
    const hidden = await errorOf(subscribe(uri, bob, version));
    expect(hidden.toObject()).toEqual({ code, message: `Resource not found: ${uri}`, data: { uri } });
    const unknown = await errorOf(subscribe("gw-none+test://a", ann, version));
    expect(unknown.toObject()).toEqual({
      code,
      message: "Resource not found: gw-none+test://a",
      data: { uri: "gw-none+test://a" },
    });
    expect(made).toEqual([]);
  });

  test("in the words of the failure", async () => {
    refuse = new GatewayError("unsupported", "The server has no subscriptions.");
    expect((await errorOf(subscribe(uri))).toObject()).toEqual({
      code: -32603,
      message: "The server has no subscriptions.",
      data: { code: "unsupported", retryable: false },
    });
    refuse = new RpcError(-32602, "Not here", { uri: "test://a" });
    expect((await errorOf(subscribe(uri))).toObject()).toEqual({
      code: -32002,
      message: "Not here",
      data: { uri },
    });
    refuse = new Error("inside");
    await expect(subscribe(uri)).rejects.toBe(refuse);
  });

  test("beyond what one caller, or all of them, may have", async () => {
    allowed.add(bob);
    const [first] = [await subscribe(uri), await subscribe(uri), await subscribe(uri)];
    expect((await errorOf(subscribe(uri))).data).toMatchObject({ code: "overloaded" });
    await subscribe(uri, bob);
    await subscribe(uri, bob);
    expect((await errorOf(subscribe(uri, bob))).data).toMatchObject({ code: "overloaded" });
    first?.end();
    // Ended twice, it gives back one place.
    first?.end();
    expect(ended).toBe(1);
    refuse = new GatewayError("upstream_failed", "No.");
    // One that fails takes no place.
    for (let count = 0; count < 5; count += 1)
      expect((await errorOf(subscribe(uri, bob))).data).toMatchObject({ code: "upstream_failed" });
    refuse = undefined;
    await subscribe(uri, bob);
    expect((await errorOf(subscribe(uri))).data).toMatchObject({ code: "overloaded" });
  });
});

test("what a reload closes is subscribed to anew, and told of", async () => {
  const heard: JsonObject[] = [];
  const subscription = await subscribe(uri, ann, "2025-11-25", heard);
  const closed = over;
  over = new AbortController();
  refuse = new GatewayError("provider_unavailable", "Not yet.");
  closed.abort();
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect([made.length, heard]).toEqual([1, []]);
  refuse = undefined;
  await expect.poll(() => heard, { timeout: 60_000 }).toEqual([{ uri }]);
  made[1]?.updated({ uri });
  await expect.poll(() => heard.length, { timeout: 60_000 }).toBe(2);
  subscription.end();
  expect([made.length, ended]).toEqual([2, 1]);
});

test("what is ended is not subscribed to anew", async () => {
  const subscription = await subscribe(uri);
  subscription.end();
  over.abort();
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect([made.length, ended]).toEqual([1, 1]);
});
