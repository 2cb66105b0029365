import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { getDefaultEnvironment, StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startUpstreams, type Upstreams } from "../../examples/upstream/start.ts";
import { askApi } from "./connect-accounts.ts";
import { connectClient } from "./connect-clients.ts";
import { gatewayCommand, runGateway, startGateway } from "./start-gateway.ts";

/** Per story: a call that shows it, and what its answer holds. */
const stories: Readonly<
  Record<string, readonly { tool: string; given: Record<string, unknown>; answer: string }[]>
> = {
  openapi: [{ tool: "bookshop_getBook", given: { bookId: "frankenstein" }, answer: "Frankenstein" }],
  graphql: [
    { tool: "bookshop_author", given: { id: "mary-shelley" }, answer: "Frankenstein" },
    { tool: "bookshop_genre-books", given: { genre: "NOVEL" }, answer: "totalCount" },
    { tool: "bookshop_order-status", given: { id: "order-2" }, answer: "SHIPPED" },
    { tool: "bookshop_editions-of-book", given: { shelf: "emma" }, answer: "9007199254740993" },
  ],
  inline: [],
  mcp: [
    { tool: "bookshop_get_book", given: { id: "frankenstein" }, answer: "Frankenstein" },
    { tool: "local_bookshop_get_book", given: { id: "frankenstein" }, answer: "Frankenstein" },
    { tool: "everything_echo", given: { message: "hello" }, answer: "hello" },
  ],
  hybrid: [
    { tool: "staff_list_orders", given: {}, answer: "" },
    { tool: "staff_restock_book", given: { id: "frankenstein", copies: 1 }, answer: "" },
  ],
  connections: [{ tool: "bookshop_listOrders", given: {}, answer: "" }],
  tenants: [{ tool: "bookshop_listBooks", given: { genre: ["poetry"] }, answer: "Leaves of Grass" }],
  hardened: [{ tool: "bookshop_listBooks", given: { genre: ["poetry"] }, answer: "Leaves of Grass" }],
  "sign-in": [{ tool: "bookshop_listBooks", given: { genre: ["poetry"] }, answer: "Leaves of Grass" }],
  package: [{ tool: "reviews_read", given: { bookId: "frankenstein" }, answer: "" }],
};

const secrets = {
  BOOKSHOP_TOKEN: "demo-token",
  BOOKSHOP_MCP_TOKEN: "demo-mcp-token",
  GATEWAY_KEY: randomBytes(32).toString("base64"),
  TRACKER_CLIENT_SECRET: "demo",
};
let upstreams: Upstreams;
/** Where examples keep what they store. */
let folder: string;

beforeAll(async () => {
  upstreams = await startUpstreams();
  folder = await mkdtemp(join(tmpdir(), "gateway-examples-"));
});
afterAll(async () => {
  await upstreams?.stop();
  await rm(folder, { recursive: true, force: true });
});

test("every example folder is a story here", async () => {
  const folders = (await readdir("examples", { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const names = folders.map(({ name }) => name).filter((name) => name !== "upstream" && name !== "notion");
  expect(names.sort()).toEqual(Object.keys(stories).sort());
});

describe.each(Object.entries(stories))("examples/%s", (story, calls) => {
  const config = `examples/${story}/gestalt.yaml`;
  const environment = (): Record<string, string> => ({
    ...secrets,
    ...upstreams.environment,
    GATEWAY_STORE: join(folder, `${story}.db`),
    SHUTDOWN_DELAY: "100ms",
  });

  test("validates offline with nothing to mend", async () => {
    const result = await runGateway(["validate", config, "--format", "json"]);
    expect(result.status, result.stdout).toBe(0);
    const { diagnostics } = JSON.parse(result.stdout);
    expect(diagnostics.filter(({ severity }: { severity: string }) => severity !== "information")).toEqual(
      [],
    );
  });

  test("serves, and its calls work", async () => {
    const headers: Record<string, string> = {};
    const tenant = new Map([
      ["tenants", "circle"],
      ["sign-in", "default"],
      ["hardened", "default"],
      ["connections", "acme"],
    ]).get(story);
    if (tenant !== undefined) {
      const line = ["tokens", "create", "test", "--service", "--tenant", tenant, "-c", config];
      const { stdout, stderr } = await runGateway(line, { environment: environment() });
      expect(stdout, stderr).toMatch(/^gst_api_/);
      headers["authorization"] = `Bearer ${stdout.trim()}`;
    }
    const gateway = await startGateway({ config, environment: environment() });
    try {
      if (story === "connections") {
        const fields = { token: "demo-token" };
        const target = { provider: "bookshop", connection: "REST", fields };
        const { status, text } = await askApi(
          gateway.url,
          { headers },
          "POST",
          "auth/connect-manual",
          target,
        );
        expect(status, text).toBe(201);
      }
      const client = await connectClient("SDK v2, modern", gateway.url, headers);
      const tools = await client.listTools();
      expect(tools.length).toBeGreaterThan(0);
      for (const { tool, given, answer } of calls) {
        const result = await client.callTool(tool, given);
        expect(result.isError, result.text).toBe(false);
        expect(result.text).toContain(answer);
      }
      await client.close();
      const ready = await fetch(`${gateway.url}/readyz`);
      expect(await ready.json()).toMatchObject({ status: "ready" });
    } finally {
      expect(await gateway.stop()).toBe(0);
    }
  });

  test("its README names its own commands", async () => {
    expect(await readFile(`examples/${story}/README.md`, "utf8")).toContain(config);
  });
});

test("examples/mcp has prompts, resources and completion, over stdio too", { timeout: 60_000 }, async () => {
  const client = new Client(
    { name: "test", version: "1.0.0" },
    { versionNegotiation: { mode: { pin: "2026-07-28" } } },
  );
  const line = gatewayCommand(["serve", "--stdio", "-c", "examples/mcp/gestalt.yaml"]);
  const env = { ...getDefaultEnvironment(), ...upstreams.environment, PORT: "0" };
  await client.connect(new StdioClientTransport({ ...line, env, stderr: "ignore" }));
  try {
    const prompt = await client.getPrompt({ name: "bookshop_recommend_book", arguments: { mood: "sea" } });
    const uri = "gw-bookshop+bookshop://catalogue";
    expect(prompt.messages[1]?.content).toMatchObject({ type: "resource_link", uri });
    expect(await client.readResource({ uri })).toMatchObject({
      contents: [{ uri, text: expect.stringContaining("Frankenstein") }],
    });
    const template = "gw-local.bookshop+bookshop://books/{id}";
    const { completion } = await client.complete({
      ref: { type: "ref/resource", uri: template },
      argument: { name: "id", value: "frank" },
    });
    expect(completion.values).toEqual(["frankenstein"]);
  } finally {
    await client.close();
  }
});

test("gestalt.yaml validates", async () => {
  const result = await runGateway(["validate"]);
  expect(result.status, result.stdout).toBe(0);
});
