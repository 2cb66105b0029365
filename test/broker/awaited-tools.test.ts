import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BrokerParts, createBroker } from "../../src/broker/broker.ts";
import { silentPeer } from "../../src/broker/silent-peer.ts";
import { findAwaited } from "../../src/catalog/find-awaited.ts";
import { mergeCatalog } from "../../src/catalog/merge.ts";
import { type CatalogView, createView } from "../../src/catalog/view.ts";
import { GatewayError } from "../../src/errors.ts";
import type { ProviderCatalog, SurfaceKind } from "../../src/model/catalog.ts";
import type { InvocationRequest } from "../../src/model/invocation.ts";
import { makeProviderCatalog, makeTool } from "../catalog/fixtures.ts";
import { principalOf } from "../principals.ts";
import { noCredentials } from "../server/no-connections.ts";

/** A provider whose surfaces of these kinds wait for a connection. */
function awaiting(
  name: string,
  kinds: Partial<Record<SurfaceKind, string>>,
  overrides: Partial<ProviderCatalog> = {},
  tools: readonly string[] = [],
): ProviderCatalog {
  const made = tools.map((operation) => makeTool(`${name}_${operation}`, { operation }));
  const catalog = makeProviderCatalog(name, made);
  const waiting = Object.entries(kinds).map(([kind, awaits]) => ({
    ...({ kind: kind as SurfaceKind, state: "disabled", reason: "It waits.", tools: 0, awaits } as const),
  }));
  return { ...catalog, surfaces: [...catalog.surfaces, ...waiting], ...overrides };
}

function viewOf(...providers: readonly ProviderCatalog[]): CatalogView {
  return createView(mergeCatalog(providers, new Map()).catalog, "mcp");
}

describe("what a name may come to be", () => {
  const view = viewOf(
    awaiting("notes", { mcp: "main" }, {}, ["read"]),
    awaiting("deep", {}, { toolPrefix: "notes_deep_" }),
    awaiting("bare", { mcp: "main" }, { toolPrefix: "" }),
    awaiting("inner", { mcp: "main" }, { mcpEnabled: false }),
  );

  test("is what its prefix says, and the longest counts", () => {
    expect(findAwaited(view, "notes_find")).toEqual([
      { name: "notes_find", provider: "notes", operation: "find", surface: "mcp", connection: "main" },
    ]);
    expect(findAwaited(view, "notes_deep_find")).toEqual([]);
    expect(findAwaited(view, "notes_dee")).toHaveLength(1);
  });

  test.each([
    "notes_read",
    "notes_",
    "notes",
    "Notes_find",
    "inner_find",
    "find",
    "",
    "notes_a b",
    "notes_é",
  ])("is nothing: %j", (name) => expect(findAwaited(view, name)).toEqual([]));

  test("hidden providers change nothing, whatever they are called", () => {
    const shown = awaiting("notes", { mcp: "main" });
    const prefix = fc.constantFrom("notes_", "notes_d", "notes_deep_", "no", "x_", "");
    fc.assert(
      fc.property(prefix, fc.stringMatching(/^(notes_|x_)[a-z_]{0,9}$/), (toolPrefix, name) => {
        const hidden = awaiting("hidden", { mcp: "other" }, { toolPrefix, mcpEnabled: false });
        expect(findAwaited(viewOf(shown, hidden), name)).toEqual(findAwaited(viewOf(shown), name));
      }),
    );
  });
});

describe("a call of what is not there yet", () => {
  const view = viewOf(awaiting("notes", { graphql: "schema", mcp: "main" }, {}, ["reader"]));

  function call(
    parts: Partial<BrokerParts> & Pick<BrokerParts, "credentials">,
    overrides: Partial<InvocationRequest> = {},
  ): Promise<GatewayError> {
    const broker = createBroker({
      view: () => view,
      cleanArguments: (_tool, given) => given,
      checkArguments: () => {},
      couldAllow: () => true,
      authorizeArguments: () => {},
      executor: () => undefined,
      interceptors: [],
      ...parts,
    });
    const request: InvocationRequest = {
      principal: principalOf("user"),
      via: "mcp",
      target: { kind: "tool", name: "notes_find" },
      arguments: {},
      instance: "work",
      peer: silentPeer(),
      signal: new AbortController().signal,
      ...overrides,
    };
    return broker.invoke(request).then(
      () => Promise.reject(new Error("It was carried out.")),
      (error: unknown) => (error instanceof GatewayError ? error : Promise.reject(error)),
    );
  }
  const lack = new GatewayError("not_connected", "Connect it.", { details: { connect_url: "https://gw" } });

  test("is refused with what it lacks", async () => {
    const asked: unknown[] = [];
    const error = await call({
      credentials: {
        ...noCredentials,
        missing: async ({ instance }, tool) => {
          asked.push([instance, tool.connection, tool.operation]);
          return tool.connection === "main" ? lack : undefined;
        },
      },
    });
    expect(error).toBe(lack);
    // The instance is that of the calls, not of what the description is read with.
    expect(asked).toEqual([
      [undefined, "schema", "find"],
      ["work", "main", "find"],
    ]);
  });

  test("is told of the name that it may have meant", async () => {
    const credentials = { ...noCredentials, missing: async () => lack };
    const error = await call({ credentials }, { target: { kind: "tool", name: "notes_raeder" } });
    expect(error).toMatchObject({ code: "not_connected", details: lack.details });
    expect(error.message).toBe("Connect it. Or did you mean `notes_reader`, which is there already?");
  });

  test("may be repeated once nothing is lacking any more", async () => {
    const error = await call({ credentials: noCredentials });
    expect(error).toMatchObject({ code: "provider_unavailable", retryable: true });
  });

  test("is unknown where the caller could never get it, and by the route of the HTTP API", async () => {
    const credentials = { ...noCredentials, missing: async () => lack };
    expect(await call({ credentials, couldAllow: () => false })).toMatchObject({ code: "not_found" });
    const target = { kind: "operation", provider: "notes", operation: "find" } as const;
    expect(await call({ credentials }, { target })).toMatchObject({ code: "not_found" });
  });

  test.each(["prompts", "resources", "methods"] as const)("is refused alike for %s", async (feature) => {
    const asked: unknown[] = [];
    const credentials: BrokerParts["credentials"] = {
      ...noCredentials,
      missing: async ({ instance }, tool) => {
        asked.push([instance, tool.connection, tool.operation.split("/")[0]]);
        return lack;
      },
    };
    const target = { kind: "feature", provider: "notes", feature, method: "any/method" } as const;
    expect(await call({ credentials }, { target })).toBe(lack);
    // A schema that waits for another connection has none of them.
    expect(asked).toEqual([["work", "main", feature]]);
    expect(await call({ credentials, couldAllow: () => false }, { target })).toMatchObject({
      code: "not_found",
    });
    const unknown = { ...target, provider: "nobody" };
    expect(await call({ credentials }, { target: unknown })).toMatchObject({ code: "not_found" });
  });

  test("does not go on where the store can't be read", async () => {
    const failure = new GatewayError("store_unavailable", "The store is away.");
    const missing = () => Promise.reject(failure);
    expect(await call({ credentials: { ...noCredentials, missing } })).toBe(failure);
  });
});
