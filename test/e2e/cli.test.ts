import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startUpstreams, type Upstreams } from "../../examples/upstream/start.ts";
import { type CommandResult, runGateway, startGateway } from "./start-gateway.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gestalt-cli-"));
});
afterEach(() => rm(folder, { recursive: true }));

const example = "examples/openapi/gestalt.yaml";

/** Runs in the test's own folder. */
function inFolder(...commandLine: readonly string[]): Promise<CommandResult> {
  return runGateway(commandLine, { cwd: folder });
}

describe("the command line", () => {
  test.each([
    ["no command", []],
    ["an unknown command", ["serv"]],
    ["an unknown option", ["validate", "--onlin"]],
    ["a format that does not exist", ["validate", "--format", "xml"]],
    ["a missing argument", ["call"]],
    ["neither a tool nor a provider", ["inspect"]],
    ["an argument without a value", ["call", "x", "--arg", "y"]],
    ["no source", ["init"]],
    ["two sources", ["init", "--mcp", "x", "--graphql", "y"]],
  ])("ends with 64 for %s, and says how to go on", async (_name, commandLine) => {
    const result = await inFolder(...commandLine);
    expect(result.status).toBe(64);
    expect(result.stdout).toBe("");
    expect(result.stderr).not.toBe("");
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });

  test.each(["--help", "validate --help", "help serve", "--version", "version", "schema"])(
    "`%s` answers on stdout",
    async (text) => {
      const result = await inFolder(...text.split(" "));
      expect(result.status).toBe(0);
      expect(result.stdout).not.toBe("");
      expect(result.stderr).toBe("");
    },
  );

  test("no colour reaches a pipe", async () => {
    const result = await runGateway(["validate", "test/cases/validate/readme/gestalt.yaml"]);
    expect(result.status).toBe(2);
    expect(`${result.stdout}${result.stderr}`).not.toContain("\u001b");
  });
});

describe("validate", () => {
  test("GATEWAY_CONFIG names the file when no option does", async () => {
    const result = await runGateway(["validate"], {
      cwd: folder,
      environment: { GATEWAY_CONFIG: join(process.cwd(), example) },
    });
    expect(result.status, result.stdout).toBe(0);
  });

  test("--format json and github report the same mistakes", async () => {
    const file = "test/cases/validate/readme/gestalt.yaml";
    const { diagnostics } = JSON.parse((await runGateway(["validate", file, "--format", "json"])).stdout);
    const annotations = (await runGateway(["validate", file, "--format", "github"])).stdout
      .trimEnd()
      .split("\n");
    expect(diagnostics).toHaveLength(2);
    expect(annotations).toHaveLength(2);
    expect(annotations[0]).toMatch(
      /^::error file=test\/cases\/validate\/readme\/gestalt\.yaml,line=6,col=9,endColumn=18,title=unknown-key::/,
    );
  });

  test("a mistake in a document is shown in the document", async () => {
    await writeFile(
      join(folder, "api.yaml"),
      "openapi: 3.1.0\npaths:\n  /x: {get: {operationId: x, responses: }}\n  - y\n",
    );
    await writeFile(
      join(folder, "gestalt.yaml"),
      "providers:\n  api:\n    surfaces: {openapi: {document: ./api.yaml, base_url: https://api.example.com}}\n",
    );
    const result = await inFolder("validate");
    expect(result.status).toBe(2);
    expect(result.stdout).toMatch(/api\.yaml:4:\d+ {2}error {2}document-syntax/);
    expect(result.stdout).toContain("4 |   - y");
  });

  test("what a document differs in from its specification is a warning, unless --no-lint", async () => {
    await writeFile(
      join(folder, "api.yaml"),
      "openapi: 3.1.0\ninfo: {title: x}\npaths: {/x: {get: {operationId: x}}}\n",
    );
    await writeFile(
      join(folder, "gestalt.yaml"),
      "providers:\n  api:\n    surfaces: {openapi: {document: ./api.yaml, base_url: https://api.example.com}}\n",
    );
    const linted = await inFolder("validate");
    expect(linted.status, linted.stdout).toBe(0);
    expect(linted.stdout).toMatch(/api\.yaml:2:1 {2}warning {2}document-lint\n {2}`version` is missing here/);
    const silent = await inFolder("validate", "--no-lint");
    expect(silent.stdout).toBe("The configuration is valid: 1 provider, 1 tool.\n");
  });

  test("a document behind an unset reference is left for --online", async () => {
    await writeFile(
      join(folder, "gestalt.yaml"),
      'providers:\n  api:\n    surfaces: {openapi: {document: "${env:NOT_SET_ANYWHERE}/api.yaml"}}\n',
    );
    const result = await inFolder("validate");
    expect(result.status, result.stdout).toBe(0);
    expect(result.stdout).toContain("Not checked offline");
  });
});

describe("tools and inspect", () => {
  test("tools lists names, one line each; --json has schemas and bindings", async () => {
    const table = await runGateway(["tools", "-c", example, "--tokens"]);
    expect(table.status).toBe(0);
    expect(table.stdout).toMatch(/^TOOL +SURFACE +EFFECT +TOKENS +DESCRIPTION\n/);
    const listed = JSON.parse((await runGateway(["tools", "-c", example, "--json"])).stdout);
    expect(listed.length).toBe(table.stdout.trimEnd().split("\n").length - 1);
    expect(listed[0]).toMatchObject({
      name: expect.any(String),
      inputSchema: { type: "object" },
      binding: { kind: "http" },
    });
  });

  test("inspect prints where each argument goes", async () => {
    const result = await runGateway(["inspect", "bookshop_listBooks", "-c", example, "--json"]);
    const { arguments: targets } = JSON.parse(result.stdout);
    expect(targets).toContainEqual({
      argument: "price",
      in: "query",
      wireName: "price",
      style: "deepObject, exploded",
      required: false,
    });
    expect(targets).toContainEqual({
      argument: "X-Currency",
      in: "header",
      wireName: "X-Currency",
      style: "simple",
      required: false,
    });
  });

  test("a name that does not exist gets a suggestion", async () => {
    const result = await runGateway(["inspect", "bookshop_listBook", "-c", example]);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("Did you mean `bookshop_listBooks`?");
  });

  test("inspect --provider tells states and connections", async () => {
    const result = await runGateway(["inspect", "--provider", "notion"]);
    expect(result.status).toBe(0);
    expect(result.stdout).toMatch(/mcp +disabled/);
    expect(result.stdout).toMatch(/REST +user +bearer/);
  });

  test("inspect with a provider's name reports on it, as JSON too", async () => {
    const result = await runGateway(["inspect", "bookshop", "-c", example]);
    expect(result.status, result.stderr).toBe(0);
    expect(result.stdout).toMatch(/^.*\(bookshop\): ready\n/);
    expect(result.stdout).toMatch(/\d+ tools: [\d.]+ KB in tools\/list.*, about [\d,]+ tokens\n/);
    const report = JSON.parse((await runGateway(["inspect", "bookshop", "-c", example, "--json"])).stdout);
    expect(report.tools).toHaveLength(report.summary.tools);
  });
});

describe("serve --watch", () => {
  test("follows the files that a document refers to, also after the document has changed", async () => {
    const path = (id: string): string =>
      JSON.stringify({ get: { operationId: id, responses: { 200: { description: "Fine." } } } });
    const api = (part: string): string =>
      JSON.stringify({
        openapi: "3.1.0",
        info: { title: "x", version: "1" },
        paths: { "/x": { $ref: part } },
      });
    await writeFile(join(folder, "one.json"), path("first"));
    await writeFile(join(folder, "api.json"), api("./one.json"));
    await writeFile(
      join(folder, "gestalt.yaml"),
      "server: {port: 0}\nproviders:\n  api:\n    surfaces: {openapi: {document: ./api.json, base_url: http://127.0.0.1:9}}\n",
    );
    const gateway = await startGateway({ config: join(folder, "gestalt.yaml"), flags: ["--watch"] });
    const offers = async (id: string): Promise<void> => {
      for (;;) {
        const answer = await fetch(`${gateway.url}/api/v1/integrations/api/operations`);
        if ((await answer.text()).includes(`"${id}"`)) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    try {
      await offers("first");
      await writeFile(join(folder, "one.json"), path("second"));
      await offers("second");
      await writeFile(join(folder, "two.json"), path("third"));
      await writeFile(join(folder, "api.json"), api("./two.json"));
      await offers("third");
      await writeFile(join(folder, "two.json"), path("fourth"));
      await offers("fourth");
    } finally {
      await gateway.stop();
    }
  });
});

describe("call", () => {
  let upstreams: Upstreams;
  beforeAll(async () => {
    upstreams = await startUpstreams();
  });
  afterAll(() => upstreams?.stop());
  const call = (...commandLine: readonly string[]): Promise<CommandResult> =>
    runGateway(["call", ...commandLine], { environment: upstreams.environment });

  test("the answer goes to stdout as it is", async () => {
    const result = await call("bookshop_getBook", "--arg", "bookId=frankenstein");
    expect(result.status).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({ id: "frankenstein" });
    expect(result.stderr).toBe("");
  });

  test("arguments come from a file, from standard input, from flags", async () => {
    await writeFile(join(folder, "arguments.json"), '{"bookId": "frankenstein"}');
    const fromFile = await call("bookshop_getBook", "--json", join(folder, "arguments.json"));
    const fromInput = await runGateway(["call", "bookshop_getBook", "--json", "-"], {
      environment: upstreams.environment,
      input: '{"bookId": "frankenstein"}',
    });
    expect(fromFile.stdout).toBe(fromInput.stdout);
    const repeated = await call(
      "bookshop_listBooks",
      "-a",
      "genre=poetry",
      "-a",
      "genre=essay",
      "-a",
      'price={"max": 20}',
    );
    expect(repeated.status, repeated.stderr).toBe(0);
  });

  test("an upstream's refusal is its answer on stdout, and status 1", async () => {
    const result = await call("bookshop_getBook", "--arg", "bookId=nothing");
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("status 404");
    expect(result.stdout).not.toBe("");
  });

  test("a picture comes out byte by byte", async () => {
    const result = await call("bookshop_getBookCover", "--arg", "bookId=frankenstein");
    expect(result.status).toBe(0);
    expect(result.stdout.slice(1, 4)).toBe("PNG");
  });

  test("--dry-run prints the request and sends nothing; credentials are masked", async () => {
    const seen = async (): Promise<unknown> => (await fetch(`${upstreams.urls.rest}/__calls`)).json();
    const before = await seen();
    const result = await call("staff_list_orders", "--dry-run");
    expect(JSON.parse(result.stdout)).toMatchObject({
      method: "GET",
      headers: { authorization: "[secret]" },
    });
    expect(result.stdout).not.toContain("demo-token");
    expect(await seen()).toEqual(before);
  });

  test("--dry-run works before anybody is connected, a call does not", async () => {
    const dry = await call("notion_get-self", "--dry-run");
    expect(JSON.parse(dry.stdout)).toMatchObject({ url: "https://api.notion.com/v1/users/me" });
    const real = await call("notion_get-self");
    expect(real.status).toBe(1);
    expect(real.stderr).toContain("not connected");
  });
});

test("`serve` tells how many warnings there are, at the start and after a reload", async () => {
  const document = (broken: number): string =>
    JSON.stringify({
      openapi: "3.1.0",
      info: { title: "Shop", version: "1" },
      paths: {
        "/good": { get: { operationId: "good", responses: { 200: { description: "Fine." } } } },
        ...Object.fromEntries(Array.from({ length: broken }, (_, index) => [`/${index}`, { get: "?" }])),
      },
    });
  const config = join(folder, "gestalt.yaml");
  await writeFile(join(folder, "shop.json"), document(1));
  await writeFile(
    config,
    'server: {port: "${env:PORT}"}\nproviders: {shop: {surfaces: {openapi: {document: ./shop.json, base_url: "http://127.0.0.1:9"}}}}',
  );
  const gateway = await startGateway({ config });
  try {
    await gateway.tells(/^1 warning; `gateway validate --online .*` shows it\.$/m);
    await writeFile(join(folder, "shop.json"), document(2));
    gateway.process.kill("SIGHUP");
    await gateway.tells(/^2 warnings; `gateway validate --online .*` shows them\.$/m);
  } finally {
    await gateway.stop();
  }
});

test("`serve` tells what became of a provider that its summary had to leave open", async () => {
  const document = {
    openapi: "3.1.0",
    info: { title: "Slow", version: "1" },
    paths: { "/x": { get: { operationId: "x", responses: { 200: { description: "Fine." } } } } },
  };
  // Longer than the summary waits.
  const slow = createServer((_request, response) => {
    setTimeout(() => response.end(JSON.stringify(document)), 3_000);
  }).listen(0, "127.0.0.1");
  await once(slow, "listening");
  const address = slow.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const config = join(folder, "gestalt.yaml");
  await writeFile(
    config,
    `server: {port: "\${env:PORT}"}\nproviders: {slow: {surfaces: {openapi: {document: "http://127.0.0.1:${port}/openapi.json"}}}}`,
  );
  const gateway = await startGateway({ config });
  try {
    await gateway.tells(/^ {2}slow {2}starting$/m);
    await gateway.tells(/^ {2}slow {2}ready {2}1 tool$/m);
  } finally {
    await gateway.stop();
    slow.close();
  }
});

describe("init writes a configuration that validates", () => {
  const corpus = join(process.cwd(), "examples");
  test.each([
    ["openapi", join(corpus, "notion/openapi.json")],
    ["openapi", join(corpus, "upstream/openapi.yaml")],
    ["graphql", join(corpus, "upstream/schema.graphql")],
    ["graphql", "https://api.example.com/graphql"],
    ["mcp", "https://mcp.example.com/mcp"],
    ["mcp", "npx -y @modelcontextprotocol/server-filesystem ./data"],
  ])("--%s %s", async (kind, source) => {
    const written = await inFolder("init", `--${kind}`, source);
    expect(written.status, written.stderr).toBe(0);
    const text = await readFile(join(folder, "gestalt.yaml"), "utf8");
    expect(text).toContain("#");
    const checked = await inFolder("validate", "--format", "json");
    expect(checked.status, checked.stdout).toBe(0);
  });

  test("an existing file is kept unless --force is given", async () => {
    await writeFile(join(folder, "gestalt.yaml"), "mine");
    expect((await inFolder("init", "--mcp", "https://mcp.example.com/mcp")).status).toBe(1);
    expect(await readFile(join(folder, "gestalt.yaml"), "utf8")).toBe("mine");
    expect((await inFolder("init", "--mcp", "https://mcp.example.com/mcp", "--force")).status).toBe(0);
  });

  test.each([
    "Users",
    "true",
    "null",
    ".5",
    "3scale API",
    "Price ${env:HOME} list",
    "- *x: &y",
    "日本語",
    "",
  ])("whatever the document's title: %j", async (title) => {
    const scheme = { token: { type: "http", scheme: "bearer" } };
    const document = {
      openapi: "3.1.0",
      info: { title, version: "1" },
      paths: { "/x": { get: { operationId: "x", responses: { 200: { description: "Fine." } } } } },
      components: { securitySchemes: scheme },
    };
    await writeFile(join(folder, "api.json"), JSON.stringify(document));
    expect((await inFolder("init", "--openapi", "api.json")).status).toBe(0);
    const checked = await inFolder("validate", "--format", "json");
    // The document names no server, and the file says where to put it.
    expect(checked.status, checked.stdout).toBe(0);
    expect(JSON.parse(checked.stdout).diagnostics.map(({ code }: { code: string }) => code)).toEqual([
      "unset-reference",
    ]);
  });

  test.each([
    [["--mcp", "https://["]],
    [["--graphql", "http://["]],
    [["--mcp", "x", "--name", "Bad Name!"]],
    [["--mcp", "x", "--name", "users"]],
  ])("%j is refused as a mistake on the command line", async (flags) => {
    const result = await inFolder("init", ...flags);
    expect(result.status).toBe(64);
    expect(result.stderr).not.toContain("internal error");
  });

  test("words of a command are written so that they stay what they are", async () => {
    await inFolder("init", "--mcp", "node ${HOME}/server.js");
    expect(await readFile(join(folder, "gestalt.yaml"), "utf8")).toContain('"$${HOME}/server.js"');
    expect((await inFolder("validate")).status).toBe(0);
  });

  test("a document that is none is refused with its reason", async () => {
    await writeFile(join(folder, "page.html"), "<!doctype html><title>Hello</title>");
    const result = await inFolder("init", "--openapi", "page.html");
    expect(result.status).toBe(2);
    expect(result.stderr).toContain("HTML");
  });
});
