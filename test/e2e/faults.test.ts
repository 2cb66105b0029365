import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startUpstreams, type Upstreams } from "../../examples/upstream/start.ts";
import { connectClient } from "./connect-clients.ts";
import { type RunningGateway, runGateway, startGateway } from "./start-gateway.ts";

/** A provider that needs nothing else, to show that the rest goes on. */
const healthy = `
  healthy:
    surfaces:
      rest:
        base_url: \${env:BOOKSHOP_REST_URL}
        operations:
          - {name: authors, description: All authors., method: GET, path: /authors}
`;

let folder: string;
let upstreams: Upstreams;
let gateway: RunningGateway | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gestalt-"));
  upstreams = await startUpstreams();
});

afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  await upstreams.stop();
  await rm(folder, { recursive: true });
});

async function write(providers: string): Promise<string> {
  const config = join(folder, "gestalt.yaml");
  await writeFile(config, `server:\n  port: \${env:PORT:-8080}\nproviders:${providers}`);
  return config;
}

async function serve(providers: string, flags: readonly string[] = []): Promise<RunningGateway> {
  gateway = await startGateway({ config: await write(providers), environment: upstreams.environment, flags });
  return gateway;
}

async function expectHealthy({ url }: RunningGateway): Promise<void> {
  const client = await connectClient("SDK v1", url);
  const result = await client.callTool("healthy_authors");
  await client.close();
  expect(result.isError, result.text).toBe(false);
}

describe("one bad provider hurts nobody else", () => {
  test("an upstream that is not there", async () => {
    const running = await serve(`${healthy}
  gone:
    mcp_url: http://127.0.0.1:9/mcp
`);
    await expectHealthy(running);
    const ready = await fetch(`${running.url}/readyz`);
    expect(ready.status).toBe(200);
    const body = await ready.json();
    expect(body).toMatchObject({ status: "degraded" });
    expect(JSON.stringify(body)).toMatch(/connection refused/i);
  });

  test("an upstream that is killed while serving", async () => {
    const running = await serve(`${healthy}
  books:
    surfaces:
      openapi: {document: ${join(process.cwd(), "examples/upstream/openapi.yaml")}, base_url: "\${env:BOOKSHOP_REST_URL}"}
  shelf:
    mcp_url: \${env:BOOKSHOP_MCP_URL}/mcp
`);
    await upstreams.stop("mcp");
    const client = await connectClient("SDK v1", running.url);
    const result = await client.callTool("shelf_get_book", { id: "frankenstein" });
    expect(result.isError).toBe(true);
    expect(result.text).toMatch(/shelf|connect/i);
    expect(result.text).not.toMatch(/\n\s+at /);
    await client.close();
    await expectHealthy(running);
  });

  test("a document that is broken", async () => {
    await writeFile(join(folder, "broken.yaml"), "openapi: 3.1.0\npaths:\n  /x: {get: [\n");
    const running = await serve(`${healthy}
  broken:
    surfaces:
      openapi: {document: ./broken.yaml, base_url: "http://127.0.0.1:9"}
`);
    await expectHealthy(running);
    expect(running.told()).toMatch(/broken\.yaml/);
    expect(running.told()).not.toMatch(/\n\s+at /);
  });

  test("two providers that collide: both tools are withheld, named and placed", async () => {
    const operation = "{name: same, description: The same., method: GET, path: /authors}";
    const provider = (name: string): string => `
  ${name}:
    mcp: {tool_prefix: ""}
    surfaces:
      rest: {base_url: "http://127.0.0.1:9", operations: [${operation}]}
`;
    const running = await serve(`${healthy}${provider("first")}${provider("second")}`);
    await expectHealthy(running);
    expect(running.told()).toMatch(/first.*second.*`same`/);
    const config = join(folder, "gestalt.yaml");
    const checked = await runGateway(["validate", config], { environment: upstreams.environment });
    expect(checked.status).toBe(2);
    expect(checked.stdout).toContain("name-collision");
    expect(checked.stdout.match(/gestalt\.yaml:\d+:\d+/g)?.length).toBeGreaterThanOrEqual(2);
  });
});

test("a port that is taken gives one message and exit code 1", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const address = taken.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const config = await write(healthy);
  const result = await runGateway(["serve", "-c", config], {
    environment: { ...upstreams.environment, PORT: String(port) },
  });
  taken.close();
  expect(result.status).toBe(1);
  expect(result.stderr).toContain(`Port ${port} on 127.0.0.1 is taken`);
  expect(result.stderr).not.toMatch(/\n\s+at /);
});

describe("reload", () => {
  test("SIGHUP swaps in the new configuration; a broken one leaves the last good one serving", async () => {
    const running = await serve(healthy);
    const config = join(folder, "gestalt.yaml");
    const good = await readFile(config, "utf8");
    await writeFile(config, good.replace("healthy:", "healty: {typo: true}\n  healthy:"));
    running.process.kill("SIGHUP");
    await running.tells(/Not reloaded/);
    expect(running.told()).toContain("unknown-key");
    await expectHealthy(running);

    await writeFile(config, good.replaceAll("name: authors", "name: writers"));
    running.process.kill("SIGHUP");
    await running.tells(/Reloaded: 1 tool/);
    const client = await connectClient("SDK v2, modern", running.url);
    expect((await client.listTools()).map(({ name }) => name)).toEqual(["healthy_writers"]);
    await client.close();
  });

  test("deleting the configuration while serving changes nothing", async () => {
    const running = await serve(healthy, ["--watch"]);
    await rm(join(folder, "gestalt.yaml"));
    await running.tells(/Not reloaded/);
    await expectHealthy(running);
  });

  test("--watch notices a changed document", async () => {
    await cp("examples/upstream/openapi.yaml", join(folder, "openapi.yaml"));
    const running = await serve(
      `${healthy}
  books:
    surfaces:
      openapi: {document: ./openapi.yaml, base_url: "\${env:BOOKSHOP_REST_URL}"}
`,
      ["--watch"],
    );
    const document = join(folder, "openapi.yaml");
    await writeFile(
      document,
      (await readFile(document, "utf8")).replace("operationId: listBooks", "operationId: allBooks"),
    );
    await running.tells(/Reloaded/);
    const client = await connectClient("SDK v1", running.url);
    const names = (await client.listTools()).map(({ name }) => name);
    await client.close();
    expect(names).toContain("books_allBooks");
    expect(names).not.toContain("books_listBooks");
  });
});

test("SIGTERM lets a call that runs finish", async () => {
  const running = await serve(`
  books:
    surfaces:
      openapi: {document: ${join(process.cwd(), "examples/upstream/openapi.yaml")}, base_url: "\${env:BOOKSHOP_REST_URL}"}
      `);
  const answer = fetch(`${running.url}/api/v1/books/salesReport?delay_ms=1000`);
  await waitForCall(upstreams, "salesReport");
  const stopped = running.stop();
  expect((await answer).headers.get("gateway-error")).toBeNull();
  expect(await stopped).toBe(0);
});

test("`mcp_url` takes a connection beside it", async () => {
  const running = await serve(`
  staff:
    mcp_url: \${env:BOOKSHOP_MCP_URL}/staff/mcp
    connections:
      default:
        mode: identity
        auth: {type: bearer, credentials: [{name: token, value: "\${env:TOKEN:-demo-mcp-token}"}]}
`);
  const client = await connectClient("SDK v2, legacy", running.url);
  const result = await client.callTool("staff_restock_book", { id: "frankenstein", copies: 2 });
  await client.close();
  expect(result.isError, result.text).toBe(false);
});

test("a connected client is told when a reload changes the tools", async () => {
  const running = await serve(healthy);
  const client = new Client({ name: "test", version: "1.0.0" });
  const told = Promise.withResolvers<void>();
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => told.resolve());
  // The SDK's own declarations disagree under exactOptionalPropertyTypes, hence the structural detour.
  const transport: unknown = new StreamableHTTPClientTransport(new URL(`${running.url}/mcp`));
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  const config = join(folder, "gestalt.yaml");
  await writeFile(config, (await readFile(config, "utf8")).replaceAll("name: authors", "name: writers"));
  running.process.kill("SIGHUP");
  await told.promise;
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["healthy_writers"]);
  await client.close();
});

test("/mcp is not found when no provider is offered there", async () => {
  const running = await serve(healthy.replace("surfaces:", "mcp: {enabled: false}\n    surfaces:"));
  const answer = await fetch(`${running.url}/mcp`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} }),
  });
  expect(answer.status).toBe(404);
  const overApi = await fetch(`${running.url}/api/v1/healthy/authors`);
  expect(overApi.status).toBe(200);
});

async function waitForCall({ urls }: Upstreams, operation: string): Promise<void> {
  for (;;) {
    const seen = await (await fetch(`${urls.rest}/__calls`)).text();
    if (seen.includes(operation)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
