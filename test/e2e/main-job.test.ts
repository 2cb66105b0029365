import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startUpstreams, type Upstreams } from "../../examples/upstream/start.ts";
import { clientKinds, connectClient, type TestClient } from "./connect-clients.ts";
import { type RunningGateway, runGateway, runProcess, startGateway } from "./start-gateway.ts";

/** One read-only call of each surface, the process that has to see it, and a phrase of its answer. */
const calls = [
  {
    surface: "openapi",
    tool: "bookshop_getBook",
    given: { bookId: "frankenstein" },
    upstream: "rest",
    answer: "Frankenstein",
  },
  {
    surface: "rest",
    tool: "bookshop_inline_cheapest_books",
    given: { limit: 2 },
    upstream: "rest",
    answer: "price",
  },
  {
    surface: "graphql",
    tool: "bookshop_graphql_book",
    given: { id: "frankenstein" },
    upstream: "graphql",
    answer: "Frankenstein",
  },
  {
    surface: "mcp",
    tool: "bookshop_mcp_get_book",
    given: { id: "frankenstein" },
    upstream: "mcp",
    answer: "Frankenstein",
  },
  { surface: "hybrid, openapi", tool: "staff_list_orders", given: {}, upstream: "rest", answer: "" },
] as const;

let upstreams: Upstreams;
let gateway: RunningGateway;

beforeAll(async () => {
  upstreams = await startUpstreams();
  gateway = await startGateway({ config: "gestalt.yaml", environment: upstreams.environment });
});

afterAll(async () => {
  expect(await gateway?.stop()).toBe(0);
  await upstreams?.stop();
});

async function callsSeenBy(upstream: "rest" | "graphql" | "mcp"): Promise<number> {
  const seen: unknown = await (await fetch(`${upstreams.urls[upstream]}/__calls`)).json();
  return typeof seen === "object" && seen !== null && "total" in seen ? Number(seen.total) : Number.NaN;
}

describe.each(clientKinds)("%s", (kind) => {
  let client: TestClient;
  beforeAll(async () => {
    client = await connectClient(kind, gateway.url);
  });
  afterAll(() => client?.close());

  test("lists the tools of every surface, sorted and with legal names", async () => {
    const names = (await client.listTools()).map(({ name }) => name);
    expect(names).toEqual([...names].sort());
    expect(names.every((name) => /^[a-zA-Z0-9_-]{1,64}$/.test(name))).toBe(true);
    for (const { tool } of calls) expect(names).toContain(tool);
    expect(names).toContain("staff_restock_book");
    expect(names.filter((name) => name.startsWith("notion_")).length).toBeGreaterThan(10);
  });

  test.each(calls)(
    "calls a tool of $surface, and the call reaches its process",
    async ({ tool, given, upstream, answer }) => {
      const before = await callsSeenBy(upstream);
      const result = await client.callTool(tool, given);
      expect(result.isError, result.text).toBe(false);
      expect(result.text).toContain(answer);
      expect(result.structured).toBeTypeOf("object");
      expect(await callsSeenBy(upstream)).toBe(before + 1);
    },
  );

  test("calls the MCP surface of the hybrid with that surface's own credential", async () => {
    const result = await client.callTool("staff_restock_book", { id: "frankenstein", copies: 1 });
    expect(result.isError, result.text).toBe(false);
  });

  test("says what to do about a tool whose connection has no credential", async () => {
    const result = await client.callTool("notion_get-self");
    expect(result.isError).toBe(true);
    expect(result.text).toMatch(/not connected.*REST/);
  });

  test("names every mistake in the arguments", async () => {
    const result = await client.callTool("bookshop_getBook", { bookid: 1 });
    expect(result.isError).toBe(true);
    expect(result.text).toContain("bookId");
    expect(result.text).toContain("bookid");
  });
});

test("Inspector's command line lists and calls", async () => {
  const inspector = ["node_modules/.bin/mcp-inspector", "--cli", `${gateway.url}/mcp`, "--transport", "http"];
  const listed = await runProcess(process.execPath, [...inspector, "--method", "tools/list"]);
  expect(listed.status, listed.stderr).toBe(0);
  for (const { tool } of calls) expect(listed.stdout).toContain(`"${tool}"`);
  for (const { tool, given, answer } of calls) {
    const pairs = Object.entries(given).flatMap(([name, value]) => ["--tool-arg", `${name}=${value}`]);
    const called = await runProcess(process.execPath, [
      ...inspector,
      "--method",
      "tools/call",
      "--tool-name",
      tool,
      ...pairs,
    ]);
    expect(called.status, called.stderr).toBe(0);
    expect(called.stdout).toContain(answer);
  }
});

describe("the same call gives the same result by every way in", () => {
  const equal = calls.filter(({ surface }) => surface !== "mcp");
  test.each(equal)("$tool", async ({ tool, given }) => {
    const client = await connectClient("SDK v2, modern", gateway.url);
    const overMcp = await client.callTool(tool, given);
    await client.close();
    const listed = await runGateway(["inspect", tool, "--json"], { environment: upstreams.environment });
    const { provider, operation } = JSON.parse(listed.stdout);
    const posted = await fetch(`${gateway.url}/api/v1/${provider}/${operation}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(given),
    });
    const query = new URLSearchParams(
      Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)])),
    );
    const got = await fetch(`${gateway.url}/api/v1/${provider}/${operation}?${query}`);
    const flags = Object.entries(given).flatMap(([name, value]) => ["--arg", `${name}=${value}`]);
    const byCommand = await runGateway(["call", tool, ...flags], { environment: upstreams.environment });

    expect(posted.status).toBe(200);
    expect(await posted.text()).toBe(overMcp.text);
    expect(await got.text()).toBe(overMcp.text);
    expect(byCommand.stdout).toBe(overMcp.text);
    expect(overMcp.structured).toEqual(JSON.parse(overMcp.text));
  });

  test("an MCP server's tool: /mcp and the command", async () => {
    const client = await connectClient("SDK v1", gateway.url);
    const overMcp = await client.callTool("bookshop_mcp_get_book", { id: "frankenstein" });
    await client.close();
    const byCommand = await runGateway(["call", "bookshop_mcp_get_book", "--arg", "id=frankenstein"], {
      environment: upstreams.environment,
    });
    expect(byCommand.stdout.trimEnd()).toBe(overMcp.text);
  });
});
