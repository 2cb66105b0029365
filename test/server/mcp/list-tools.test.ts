import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSurfaceView, indexCatalog } from "../../../src/catalog/view.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { describeTool } from "../../../src/server/mcp/describe-tool.ts";
import { createToolLists } from "../../../src/server/mcp/tool-list.ts";
import { jsonAnswer, makeCatalog, makeTool, startEndpoint, type TestEndpoint } from "./harness.ts";
import { modern, openSession } from "./wire.ts";

let endpoint: TestEndpoint;
beforeEach(async () => {
  endpoint = await startEndpoint({});
});
afterEach(() => endpoint.close());

function offerMany(count: number): void {
  const tool = { run: () => jsonAnswer({}) };
  endpoint.offer(Object.fromEntries(Array.from({ length: count }, (_, index) => [`tool_${index}`, tool])));
}

async function page(
  cursor?: string,
): Promise<{ names: string[]; nextCursor: string | undefined; error: unknown }> {
  const { message } = await modern(endpoint.url, "tools/list", cursor === undefined ? {} : { cursor });
  const result = (message["result"] ?? { tools: [] }) as { tools: { name: string }[]; nextCursor?: string };
  return {
    names: result.tools.map(({ name }) => name),
    nextCursor: result.nextCursor,
    error: message["error"],
  };
}

describe("pages", () => {
  test.each([0, 1, 199, 200, 201, 400, 401])("%i tools", async (count) => {
    offerMany(count);
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const { names: more, nextCursor } = await page(cursor);
      expect(more.length).toBeLessThanOrEqual(200);
      names.push(...more);
      cursor = nextCursor;
    } while (cursor !== undefined);
    expect(names).toEqual(endpoint.snapshot.catalog.tools.map(({ name }) => name));
    expect(names).toHaveLength(count);
  });

  test("a cursor ends with its list, and lives on when nothing that is seen changed", async () => {
    offerMany(250);
    const { nextCursor } = await page();
    const { catalog } = endpoint.snapshot;
    endpoint.snapshot.swap({ ...catalog, version: "another" });
    expect((await page(nextCursor)).names).toHaveLength(50);
    offerMany(251);
    expect((await page(nextCursor)).error).toEqual({
      code: -32602,
      message: expect.stringContaining("Start over"),
    });
  });
});

test("both eras list the same tools; only the modern one adds to the result", async () => {
  offerMany(2);
  const session = await openSession(endpoint.url);
  const legacyResult = (await session.request("tools/list")).message["result"] as JsonObject;
  const modernResult = (await modern(endpoint.url, "tools/list")).message["result"] as JsonObject;
  expect(Object.keys(legacyResult)).toEqual(["tools"]);
  expect(modernResult).toMatchObject({ resultType: "complete", ttlMs: 60_000, cacheScope: "private" });
  expect(modernResult["tools"]).toEqual(legacyResult["tools"]);
});

test("a list keeps as its view says, and is the caller's own where it has something to choose", () => {
  const catalog = makeCatalog([makeTool("find", undefined, undefined, "shop", "api")]);
  const view = createSurfaceView(indexCatalog(catalog), "mcp", true);
  const lists = createToolLists();
  expect(lists(view, new Map()).freshness).toEqual({ ttlMs: 60_000, scope: "public" });
  expect(lists(view, new Map([["shop/api", ["home", "work"]]])).freshness).toEqual({
    ttlMs: 60_000,
    scope: "private",
  });
});

test("tools of providers that are hidden from MCP are neither listed nor called", async () => {
  endpoint.snapshot.swap(makeCatalog([makeTool("hidden")], false));
  expect((await page()).names).toEqual([]);
  const { message } = await modern(endpoint.url, "tools/call", { name: "hidden" });
  expect(message["error"]).toEqual({ code: -32602, message: "Unknown tool: hidden" });
});

describe("a tool as clients see it", () => {
  test("has its interface and nothing of how it is called", () => {
    const tool = { ...makeTool("echo"), title: "Echo" };
    expect(describeTool(tool, "modern")).toEqual({
      name: "echo",
      title: "Echo",
      description: "Runs echo.",
      inputSchema: { type: "object", properties: {} },
      annotations: {
        readOnlyHint: false,
        destructiveHint: false,
        idempotentHint: false,
        openWorldHint: true,
      },
    });
    expect(JSON.stringify(describeTool(tool, "legacy"))).not.toContain("internal.invalid");
  });

  test("has its title where clients up to 2025-03-26 look for it, too", () => {
    expect(describeTool({ ...makeTool("echo"), title: "Echo" }, "legacy")).toMatchObject({
      title: "Echo",
      annotations: { title: "Echo", openWorldHint: true },
    });
    expect(describeTool(makeTool("echo"), "legacy")["annotations"]).not.toHaveProperty("title");
  });

  test.each([
    { name: "an object", schema: { type: "object" }, legacy: { type: "object" } },
    {
      name: "a list",
      schema: { type: "array", items: { $ref: "#/$defs/Pet" }, $defs: { Pet: { type: "string" } } },
      legacy: {
        type: "object",
        properties: { result: { type: "array", items: { $ref: "#/$defs/Pet" } } },
        required: ["result"],
        $defs: { Pet: { type: "string" } },
      },
    },
    {
      name: "one that refers to its own root",
      schema: { type: "array", items: { $ref: "#" } },
      legacy: undefined,
    },
    { name: "one with an id", schema: { $id: "x:y", type: "string" }, legacy: undefined },
  ])("output schema: $name", ({ schema, legacy }) => {
    const tool = makeTool("echo", undefined, schema);
    expect(describeTool(tool, "modern")["outputSchema"]).toEqual(schema);
    expect(describeTool(tool, "legacy")["outputSchema"]).toEqual(legacy);
  });

  test("boolean schemas of properties become objects that say the same", () => {
    const inputSchema = {
      type: "object",
      properties: { a: true, b: false, c: { type: "string" }, __proto__: null },
    };
    expect(describeTool(makeTool("echo", inputSchema), "modern")["inputSchema"]).toEqual({
      type: "object",
      properties: { a: {}, b: { not: {} }, c: { type: "string" } },
    });
  });
});
