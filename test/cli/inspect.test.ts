import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type InspectOptions, inspect } from "../../src/cli/inspect.ts";
import { recordingConsole } from "./recording-console.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gestalt-inspect-"));
});
afterEach(() => rm(folder, { recursive: true }));

interface Shown {
  readonly status: number;
  readonly printed: readonly string[];
  readonly told: readonly string[];
}

async function run(config: string, options: Partial<InspectOptions>): Promise<Shown> {
  const file = join(folder, "gestalt.yaml");
  await writeFile(file, config);
  const console = recordingConsole();
  const asked = { name: undefined, provider: undefined, all: false, json: false, ...options };
  const status = await inspect({ config: file, ...asked }, console);
  return { status, printed: console.printed(), told: console.told() };
}

function operation(name: string, extra = ""): string {
  return `          - {name: ${name}, description: Does ${name}., method: GET, path: /${name}${extra}}`;
}

function provider(name: string, operations: readonly string[], extra: readonly string[] = []): string {
  return [
    `  ${name}:`,
    ...extra.map((line) => `    ${line}`),
    "    surfaces:",
    "      rest:",
    "        base_url: http://127.0.0.1:9",
    "        operations:",
    ...operations,
    "",
  ].join("\n");
}

const books = `providers:\n${provider(
  "books",
  [operation("list"), operation("find")],
  [
    "display_name: Bookshop",
    "description: Books and reviews.",
    "connections: {token: {mode: user, auth: {type: bearer}}}",
  ],
)}`;

describe("what a name means", () => {
  test.each<[string, string, Partial<InspectOptions>, string]>([
    ["a tool", books, { name: "books_list" }, "books_list"],
    ["a provider", books, { name: "books" }, "Bookshop (books): ready"],
    ["a provider, by its option", books, { provider: "books" }, "Bookshop (books): ready"],
  ])("%s", async (_name, config, options, expected) => {
    const { status, printed } = await run(config, options);
    expect([status, printed[0]]).toEqual([0, expected]);
  });

  test("a tool comes before a provider of its name, unless the option says so", async () => {
    const both = `providers:\n${provider("list", [operation("x")])}${provider("shop", [operation("list")], ['mcp: {tool_prefix: ""}'])}`;
    expect((await run(both, { name: "list" })).printed[1]).toBe("Does list.");
    expect((await run(both, { provider: "list" })).printed[0]).toBe("list (list): ready");
  });

  test("a provider is found beside others whose tools have no prefix", async () => {
    const both = `${books}${provider("shop", [operation("list")], ['mcp: {tool_prefix: ""}'])}`;
    expect((await run(both, { name: "books" })).printed[0]).toBe("Bookshop (books): ready");
  });

  test.each<[Partial<InspectOptions>, number, string]>([
    [{}, 64, "gateway: name one tool or one provider."],
    [{ name: "books", provider: "books" }, 64, "gateway: name one tool or one provider."],
    [{ name: "book" }, 1, "gateway: there is no tool and no provider `book`. Did you mean `books`?"],
    [
      { name: "books_lst" },
      1,
      "gateway: there is no tool and no provider `books_lst`. Did you mean `books_list`?",
    ],
    [
      { name: "nothing" },
      1,
      "gateway: there is no tool and no provider `nothing`. `gateway tools` lists the tools. Providers: books.",
    ],
    [{ provider: "boks" }, 1, "gateway: there is no provider `boks`. Did you mean `books`?"],
    [{ provider: "zoo" }, 1, "gateway: there is no provider `zoo`. There are: books."],
  ])("%j is refused", async (options, status, told) => {
    expect(await run(books, options)).toEqual({ status, printed: [], told: [told] });
  });
});

describe("the report on a provider", () => {
  test("is short where there is little to tell", async () => {
    const { printed } = await run(books, { name: "books" });
    expect(printed).toEqual([
      "Bookshop (books): ready",
      "Books and reviews.",
      "",
      "surface     rest   ready  2 tools",
      "connection  token  user   bearer",
      "",
      expect.stringMatching(/^2 tools: \d+ bytes in tools\/list, about \d+ tokens$/),
      "",
      "TOOL        BYTES  TOKENS",
      expect.stringMatching(/^books_(list|find) {4}\d+ +\d+$/),
      expect.stringMatching(/^books_(list|find) {4}\d+ +\d+$/),
    ]);
  });

  test("says what is left out, with the first names", async () => {
    const names = Array.from({ length: 12 }, (_, index) => `delete${index}`);
    const config = `providers:\n${provider(
      "books",
      ["list", ...names].map((name) => operation(name)),
      ["select: {exclude: [delete*]}"],
    )}`;
    const { printed } = await run(config, { name: "books" });
    expect(printed.at(-1)).toBe(
      "left out  12 operations by `select` or `allowed_operations`: delete0, delete1, delete2, delete3, delete4 and 7 more",
    );
    const report = JSON.parse((await run(config, { name: "books", json: true })).printed.join("\n"));
    expect(report).toMatchObject({ leftOut: names, summary: { tools: 1, leftOut: 12 } });
  });

  test("stays short for many large tools, and says what to do; `all` lists them", async () => {
    const parameters = Array.from(
      { length: 12 },
      (_, index) => `{name: a${index}, in: query, type: string, description: ${"x".repeat(900)}}`,
    );
    const operations = Array.from({ length: 60 }, (_, index) =>
      operation(`big${index}`, `, parameters: [${parameters.join(", ")}]`),
    );
    const config = `providers:\n${provider("books", operations)}`;
    const { printed } = await run(config, { name: "books" });
    expect(printed.length).toBeLessThanOrEqual(40);
    expect(printed).toContain(
      "That is more than 25,000 tokens, which most clients and models don't work well with.",
    );
    expect(printed).toContain("50 more; `--all` lists them.");
    expect(printed).toContain("large  60 tools over 8 KB");
    const all = await run(config, { name: "books", all: true });
    expect(all.printed.filter((line) => line.startsWith("books_big"))).toHaveLength(60);
  });

  test("prints everything as JSON, without schemas", async () => {
    const { printed } = await run(books, { name: "books", json: true });
    const report = JSON.parse(printed.join("\n"));
    expect(report).toMatchObject({
      name: "books",
      displayName: "Bookshop",
      description: "Books and reviews.",
      state: "ready",
      reason: null,
      mcpEnabled: true,
      toolPrefix: "books_",
      surfaces: [{ kind: "rest", state: "ready", reason: null, tools: 2 }],
      connections: [{ name: "token", mode: "user", type: "bearer" }],
      summary: { tools: 2, largeTools: 0, deprecatedTools: 0, degradedTools: 0, leftOut: 0 },
      dropped: [],
      degraded: [],
      leftOut: [],
      advice: null,
    });
    const [first] = report.tools;
    expect(Object.keys(first)).toEqual([
      "name",
      "surface",
      "id",
      "bytes",
      "outputSchemaBytes",
      "tokens",
      "deprecated",
      "notes",
    ]);
    expect(report.summary.bytes).toBe(report.tools[0].bytes + report.tools[1].bytes);
  });

  test("tells operations of a document that gave no tool, and those that are deprecated", async () => {
    const document = {
      openapi: "3.1.0",
      info: { title: "x", version: "1" },
      servers: [{ url: "http://127.0.0.1:9" }],
      paths: {
        "/old": { get: { operationId: "old", deprecated: true, responses: {} } },
        "/broken": { get: "no operation" },
      },
    };
    await writeFile(join(folder, "api.json"), JSON.stringify(document));
    const config = "providers:\n  api: {surfaces: {openapi: {document: ./api.json}}}\n";
    const { printed } = await run(config, { name: "api" });
    expect(printed).toContain("deprecated  1 tool: api_old");
    expect(printed.join("\n")).toMatch(/\nno tool \(1\)\n {2}.*api\.json:1 {2}.*\/broken/);
    const report = JSON.parse((await run(config, { name: "api", json: true })).printed.join("\n"));
    expect(report.dropped).toMatchObject([{ severity: "warning", code: "operation-dropped", line: 1 }]);
  });

  test("a provider that can't be opened has status 1, and the reason", async () => {
    const config = "providers:\n  api: {surfaces: {openapi: {document: ./nowhere.json}}}\n";
    const { status, printed } = await run(config, { name: "api" });
    expect(status).toBe(1);
    expect(printed[0]).toBe("api (api): unavailable");
    expect(printed.join("\n")).toContain("nowhere.json` does not exist");
  });
});

describe("of what an MCP server has besides tools", () => {
  const server = join(process.cwd(), "examples/upstream/mcp-stdio.ts");
  const mcp = (extra = ""): string =>
    `providers:\n  shop:\n    surfaces: {mcp: {command: [${JSON.stringify(process.execPath)}, ${JSON.stringify(server)}]}}\n${extra}`;

  test("the names are told", { timeout: 60_000 }, async () => {
    const { printed } = await run(mcp(), { name: "shop" });
    expect(printed.slice(-3)).toEqual([
      "prompts    1 prompt: shop_recommend_book",
      "resources  1 resource: gw-shop+bookshop://catalogue",
      "templates  1 resource template: gw-shop+bookshop://books/{id}",
    ]);
    const report = JSON.parse((await run(mcp(), { name: "shop", json: true })).printed.join("\n"));
    expect(report).toMatchObject({
      summary: { prompts: 1, resources: 1, templates: 1 },
      prompts: ["shop_recommend_book"],
      resources: ["gw-shop+bookshop://catalogue"],
      templates: ["gw-shop+bookshop://books/{id}"],
      withheld: [],
    });
  });

  test("it is told that `allowed_operations` takes them away", { timeout: 60_000 }, async () => {
    const config = mcp("    allowed_operations: {get_book: {}}\n");
    const { printed } = await run(config, { name: "shop" });
    expect(printed.at(-1)).toBe(
      "not offered  prompts and resources; `surfaces.mcp.prompts: true` and `surfaces.mcp.resources: true` would offer them",
    );
    const report = JSON.parse((await run(config, { name: "shop", json: true })).printed.join("\n"));
    expect(report).toMatchObject({ summary: { prompts: 0 }, withheld: ["prompts", "resources"] });
  });
});

test("arguments are shown with their types", async () => {
  const parameters = [
    "{name: tags, in: query, type: array, items: {type: integer}}",
    "{name: near, in: query, type: object, content: application/json}",
    "{name: text, in: query, required: true}",
  ];
  const body =
    "body: {content_type: multipart/form-data, schema: {type: object, required: [picture], properties: {picture: {type: string}, size: {type: number}}}, encoding: {picture: {file: true}}}";
  const line = `          - {name: add, description: Adds., method: POST, path: /add, parameters: [${parameters.join(", ")}], ${body}}`;
  const { printed } = await run(`providers:\n${provider("books", [line])}`, { name: "books_add" });
  expect(printed.join("\n").split("arguments\n")[1]?.split("\n")).toEqual([
    "  tags     query  tags     form, exploded       integer[]",
    "  near     query  near     application/json     object",
    "  text     query  text     form, exploded       string, required",
    "  picture  body   picture  multipart/form-data  file, required",
    "  size     body   size     multipart/form-data  number",
  ]);
});

test("what a tenant gets of other providers is not told with one provider", async () => {
  const config = `tenants: {acme: {tools: [books_list, shop_list]}}\n${books}${provider("shop", [operation("list")])}`;
  const { printed } = await run(config, { provider: "books", json: true });
  expect(JSON.parse(printed.join("\n"))).toMatchObject({ diagnostics: [] });
});
