import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mergeCatalog } from "../../../src/catalog/merge.ts";
import { type CatalogView, createView } from "../../../src/catalog/view.ts";
import { asObject } from "../../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import { createFeatureLists } from "../../../src/server/mcp/feature-lists.ts";
import { startEndpoint, type TestEndpoint } from "./harness.ts";
import { makeServer, type TestServer } from "./test-servers.ts";
import { modern, openSession } from "./wire.ts";

let endpoint: TestEndpoint;
beforeEach(async () => {
  endpoint = await startEndpoint({});
});
afterEach(() => endpoint.close());

/** Each list, how a server gets entries of it, and what names them. */
const lists = [
  { kind: "prompts", method: "prompts/list", member: "prompts", key: "name", prefix: "t_" },
  { kind: "resources", method: "resources/list", member: "resources", key: "uri", prefix: "gw-team+" },
  {
    kind: "templates",
    method: "resources/templates/list",
    member: "resourceTemplates",
    key: "uriTemplate",
    prefix: "gw-team+",
  },
] as const;

function serverOf(kind: "prompts" | "resources" | "templates", names: readonly string[]): TestServer {
  const entries = Object.fromEntries(names.map((name): [string, JsonObject] => [name, {}]));
  return { provider: "team", toolPrefix: "t_", [kind]: entries };
}

function numbered(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `test://${String(index).padStart(4, "0")}`);
}

async function list(method: string, cursor?: JsonValue): Promise<JsonObject> {
  const { message } = await modern(endpoint.url, method, cursor === undefined ? {} : { cursor });
  return asObject(message["result"]) ?? { error: message["error"] ?? null };
}

test("an entry says which of the caller's connections have it, where there are several", () => {
  const { catalog } = mergeCatalog([makeServer(serverOf("resources", ["test://a"]))], new Map());
  const { offerings } = catalog;
  if (offerings === undefined) throw new Error("Nothing is offered.");
  const withInstances = (instances: readonly string[]): CatalogView => ({
    ...createView(catalog, "mcp"),
    offerings: { ...offerings, resources: offerings.resources.map((one) => ({ ...one, instances })) },
  });
  const lists = createFeatureLists();
  const uri = "gw-team+test://a";
  const one = lists(withInstances(["home"]));
  expect(one.pages.resources(undefined)).toEqual({ resources: [{ uri }] });
  const two = lists(withInstances(["home", "work"]));
  expect(two.pages.resources(undefined)).toEqual({
    resources: [{ uri, _meta: { "io.gestalt/instances": ["home", "work"] } }],
  });
  expect(one.digests.resources).not.toBe(two.digests.resources);
});

test("pages of the same view are the same object, and equal lists have equal digests", () => {
  const make = (state: "ready" | "stale"): CatalogView => {
    const server = { ...serverOf("prompts", ["a"]), surface: { state } };
    return createView(mergeCatalog([makeServer(server)], new Map()).catalog, "mcp");
  };
  const lists = createFeatureLists();
  const [view, stale] = [make("ready"), make("stale")];
  expect(lists(view).pages.prompts(undefined)).toBe(lists(view).pages.prompts(undefined));
  expect(lists(stale).pages.prompts(undefined)).toHaveProperty(["_meta", "io.gestalt/unavailable"]);
  expect(lists(stale).digests).toEqual(lists(view).digests);
});

describe.each(lists)("$method", ({ kind, method, member, key, prefix }) => {
  const namesIn = (page: JsonObject): readonly (JsonValue | undefined)[] =>
    (page[member] as JsonObject[]).map((entry) => entry[key]);

  test.each([0, 1, 200, 201, 401])("%i in pages, in order, under the names of clients", async (count) => {
    const names = numbered(count);
    endpoint.serve([serverOf(kind, names.toReversed())]);
    const found: unknown[] = [];
    let cursor: JsonValue | undefined;
    do {
      const page = await list(method, cursor);
      found.push(...namesIn(page));
      cursor = page["nextCursor"];
    } while (cursor !== undefined);
    expect(found).toEqual(names.map((name) => prefix + name));
  });

  test("a cursor ends with its list, and is of no other one", async () => {
    endpoint.serve([serverOf(kind, numbered(250))]);
    const { nextCursor } = await list(method);
    const { catalog } = endpoint.snapshot;
    endpoint.snapshot.swap({ ...catalog, version: "another" });
    expect(namesIn(await list(method, nextCursor))).toHaveLength(50);
    const refusal = { error: { code: -32602, message: expect.stringContaining("Start over") } };
    for (const other of ["tools/list", ...lists.map((one) => one.method)].filter((one) => one !== method))
      expect(await list(other, nextCursor)).toEqual(refusal);
    expect(await list(method, 200)).toEqual(refusal);
    endpoint.serve([serverOf(kind, numbered(251))]);
    expect(await list(method, nextCursor)).toEqual(refusal);
  });

  test("entries keep all that their upstream says of them", async () => {
    const more = {
      title: "A title",
      description: "Says what it is.",
      icons: [{ src: "data:image/png;base64,AA==", mimeType: "image/png", sizes: ["48x48"] }],
      annotations: { priority: 0.5, audience: ["user"] },
      _meta: { "com.example/kept": 1 },
      size: 12,
    };
    endpoint.serve([{ provider: "team", [kind]: { "test://a": more } }]);
    expect((await list(method))[member]).toEqual([{ [key]: "test://a", ...more }]);
    const session = await openSession(endpoint.url, "2024-11-05");
    const { message } = await session.request(method);
    expect(message["result"]).toEqual({ [member]: [{ [key]: "test://a", ...more }] });
  });

  test("says how long it keeps to clients that read that", async () => {
    endpoint.serve([
      { ...serverOf(kind, ["test://a"]), freshness: { ttlMs: 5_000, scope: "public" } },
      { provider: "other", freshness: { ttlMs: 3_000, scope: "private" } },
    ]);
    expect(await list(method)).toMatchObject({ ttlMs: 3_000, cacheScope: "private" });
  });
});
