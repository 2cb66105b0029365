import { beforeEach, describe, expect, test } from "vitest";
import type { Broker } from "../../../src/broker/broker.ts";
import { mergeCatalog } from "../../../src/catalog/merge.ts";
import { type CatalogView, indexCatalog, selectView } from "../../../src/catalog/view.ts";
import { RpcError } from "../../../src/mcp/rpc-error.ts";
import type { ProviderCatalog } from "../../../src/model/catalog.ts";
import type { InvocationRequest } from "../../../src/model/invocation.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import type { Caller, MethodResult } from "../../../src/server/mcp/methods.ts";
import { createVendorMethods } from "../../../src/server/mcp/vendor-method.ts";
import { principalOf } from "../../principals.ts";
import { makeServer } from "./test-servers.ts";

let asked: InvocationRequest[];
let providers: readonly ProviderCatalog[];
let allows: boolean;
beforeEach(() => {
  asked = [];
  allows = true;
  providers = [makeServer({ provider: "team", tools: ["one"] })];
});

function view(): CatalogView {
  return selectView(indexCatalog(mergeCatalog(providers, new Map()).catalog), {
    includes: () => true,
    names: () => true,
    allows: (_provider, feature) => feature !== "methods" || allows,
    isEverybodys: false,
    notice: undefined,
  });
}

const broker: Broker = {
  invoke: async (request) => {
    asked.push(request);
    return { kind: "mcp", result: { done: true }, isError: false };
  },
  subscribe: () => Promise.reject(new Error("Nothing is subscribed to.")),
};

const fallback = createVendorMethods({ broker, view });

async function run(method: string, params: JsonObject = {}): Promise<MethodResult> {
  const found = fallback(method);
  if (found === undefined) throw new RpcError(-32601, `Method not found: ${method}`);
  const principal = principalOf("user");
  const caller: Caller = {
    ...{ principal, version: "2025-11-25", visit: undefined },
    peer: { capabilities: {}, ask: () => Promise.reject(new Error("Nobody is asked.")), notify: () => {} },
    meta: { "com.example/trace": "1" },
    signal: new AbortController().signal,
    header: () => undefined,
    confirm: async () => principal,
  };
  return found(params, caller);
}

test.each(["tasks/get", "tasks/cancel", "acme/do.it", "acme.com/things/list", "vendorThing", "$/odd"])(
  "%s goes to the only server",
  async (method) => {
    if (method.startsWith("$")) return expect(fallback(method)).toBeUndefined();
    const params = { taskId: "1", _meta: { progressToken: 1 } };
    expect(await run(method, params)).toEqual({ kind: "once", result: { done: true } });
    expect(asked[0]).toMatchObject({
      target: { kind: "feature", provider: "team", feature: "methods", method },
      arguments: { taskId: "1" },
      meta: { "com.example/trace": "1" },
    });
    expect(asked[0]?.arguments).not.toHaveProperty("_meta");
  },
);

test.each([
  "initialize",
  "ping",
  "rpc.discover",
  "notifications/initialized",
  "notifications/cancelled",
  "logging/setLevel",
  "server/discover",
  "roots/list",
  "sampling/createMessage",
  "elicitation/create",
  "tools/list",
  "tools/other",
  "tools",
  "Tools/call",
  "RESOURCES/READ",
  "prompts/other",
  "resources/subscribe",
  "completion/complete",
  "subscriptions/listen",
  "",
  "has space",
  "line\nbreak",
  "é/x",
  "a".repeat(201),
])("%j never does", (method) => {
  expect(fallback(method)).toBeUndefined();
});

describe("there is no such method", () => {
  const unknown = { code: -32601, message: "Method not found: acme/do" };
  const refused = async (): Promise<void> => {
    const error = await run("acme/do").catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject(unknown);
    expect(asked).toEqual([]);
  };

  test("for callers who may not use all of the server", async () => {
    allows = false;
    await refused();
  });

  test("where there are two servers", async () => {
    providers = [...providers, makeServer({ provider: "other", tools: ["two"] })];
    await refused();
  });

  test("where there is none", async () => {
    providers = [];
    await refused();
  });

  test("while the server is away", async () => {
    providers = [makeServer({ provider: "team", surface: { state: "unavailable", reason: "Away." } })];
    await refused();
  });
});
