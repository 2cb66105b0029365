import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ValidateOptions, validate } from "../../src/cli/validate.ts";
import { startHttp } from "../upstream/loopback.ts";
import { recordingConsole } from "./recording-console.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gestalt-validate-"));
});
afterEach(() => rm(folder, { recursive: true }));

const config =
  "providers:\n  api:\n    surfaces: {openapi: {document: ./api.yaml, base_url: https://api.example.com}}\n";
const operations = "paths: {/x: {get: {operationId: x, responses: {'200': {description: Fine.}}}}}";

async function run(
  document: string,
  options: Partial<ValidateOptions> = {},
  file = config,
): Promise<{ readonly status: number; readonly printed: readonly string[] }> {
  await writeFile(join(folder, "api.yaml"), document);
  await writeFile(join(folder, "gestalt.yaml"), file);
  const console = recordingConsole();
  const asked = { online: false, format: "human", lint: true, ...options } as const;
  const status = await validate({ config: join(folder, "gestalt.yaml"), ...asked }, console);
  return { status, printed: console.printed() };
}

const valid = "The configuration is valid: 1 provider, 1 tool.";

test("what a document differs in from its specification is a warning with its place, and the status stays", async () => {
  const { status, printed } = await run(`openapi: 3.0.3\ninfo: {title: x}\n${operations}\n`);
  expect(status).toBe(0);
  expect(printed[0]).toMatch(/api\.yaml:2:1 {2}warning {2}document-lint$/);
  expect(printed[1]).toBe("  `version` is missing here, which OpenAPI 3.0 requires.");
  expect(printed.at(-1)).toBe(valid);
});

test("programs get it as every other diagnostic, and can leave it out", async () => {
  const document = `openapi: 3.0.3\ninfo: {title: x}\n${operations}\n`;
  const { diagnostics } = JSON.parse((await run(document, { format: "json" })).printed.join("\n"));
  expect(diagnostics).toMatchObject([{ severity: "warning", code: "document-lint", line: 2, column: 1 }]);
  const silent = await run(document, { format: "json", lint: false });
  expect(JSON.parse(silent.printed.join("\n")).diagnostics).toEqual([]);
});

test("a document that can't be compared is a line, and no more", async () => {
  const { status, printed } = await run(`openapi: 3.3.0\ninfo: {title: x, version: "1"}\n${operations}\n`);
  expect(status).toBe(0);
  expect(printed).toEqual([
    expect.stringMatching(
      /api\.yaml` was not linted: only OpenAPI 2\.0, 3\.0, 3\.1 and 3\.2 are, and it is 3\.3\.0\.$/,
    ),
    valid,
  ]);
});

test("files that a document refers to are linted with none", async () => {
  await writeFile(join(folder, "part.yaml"), "openapi: 3.0.3\nx: {get: {operationId: x, responses: {}}}\n");
  const { printed } = await run(
    `openapi: 3.0.3\ninfo: {title: x, version: "1"}\npaths: {/x: {$ref: "part.yaml#/x"}}\n`,
  );
  expect(printed).toEqual([valid]);
});

test("what the compiler has said of a place is not said twice", async () => {
  const document = `openapi: 3.0.3\ninfo: {title: x, version: "1"}\npaths: {/x: {get: none}, /y: {get: {operationId: y, responses: {}}}}\n`;
  const { diagnostics } = JSON.parse((await run(document, { format: "json" })).printed.join("\n"));
  expect(diagnostics.map(({ code, column }: { code: string; column: number }) => [code, column])).toEqual([
    ["operation-dropped", 19],
    ["document-lint", 64],
  ]);
});

test("scopes and tenants' patterns that no tool fits are warnings, where all providers that they may mean are there", async () => {
  const access = `authorization:
  roles:
    member: {scopes: [api/x, api/y, "read:api/x", away/z]}
    other: {scopes: ["\${env:NO_SUCH_SCOPE}"]}
tenants:
  acme: {tools: [api_x, api_Y, away_z]}
`;
  const away = "  away: {mcp_url: https://mcp.example.com/mcp}\n";
  const document = `openapi: 3.0.3\ninfo: {title: x, version: "1"}\n${operations}\n`;
  const { status, printed } = await run(document, { format: "json" }, `${access}${config}${away}`);
  const { diagnostics } = JSON.parse(printed.join("\n"));
  expect(status).toBe(0);
  expect(diagnostics.filter(({ code }: { code: string }) => code === "unmatched-grant")).toMatchObject([
    { severity: "warning", line: 3, column: 30, message: expect.stringContaining("`api/y` grants nothing") },
    { severity: "warning", line: 6, column: 25, message: expect.stringContaining("`api_Y` grants nothing") },
  ]);
});

test("the example with tenants grants nothing that is not there", async () => {
  const console = recordingConsole();
  const asked = { online: false, format: "human", lint: false } as const;
  expect(await validate({ config: "examples/tenants/gestalt.yaml", ...asked }, console)).toBe(0);
  expect(console.printed().join("\n")).not.toContain("unmatched-grant");
});

test("prompts and resources of MCP servers are counted", { timeout: 60_000 }, async () => {
  const command = JSON.stringify([process.execPath, resolve("examples/upstream/mcp-stdio.ts")]);
  const mcp = `providers:\n  books:\n    surfaces: {mcp: {command: ${command}}}\n`;
  const { status, printed } = await run("", { online: true }, mcp);
  expect(status).toBe(0);
  expect(printed.at(-1)).toBe(
    "The configuration is valid: 1 provider, 4 tools, 1 prompt, 1 resource, 1 resource template.",
  );
});

test("issuers are asked where the network may be used, and told of at their places", async () => {
  await using issuer = await startHttp(({ url = "" }, response) => {
    const isKeys = url.startsWith("/keys");
    const found = isKeys ? { keys: [] } : { issuer: `${issuer.url}/`, jwks_uri: `${issuer.url}/keys` };
    const isThere = isKeys || url.startsWith("/.well-known/openid-configuration");
    response
      .writeHead(isThere ? 200 : 404, { "content-type": "application/json" })
      .end(JSON.stringify(found));
  });
  const file = `auth:
  provider: oidc
  config: {issuer_url: "${issuer.url}", client_id: gateway}
  trusted_issuers:
    - {issuer: "${issuer.url}/away", audience: gateway}
    - {issuer: "https://id.example.com", audience: gateway, jwks_url: "${issuer.url}/keys"}
datastore: {provider: sqlite}
${config}`;
  const document = `openapi: 3.0.3\ninfo: {title: x, version: "1"}\n${operations}\n`;
  const { status, printed } = await run(document, { online: true, format: "json" }, file);
  expect(status).toBe(2);
  expect(JSON.parse(printed.join("\n")).diagnostics).toMatchObject([
    {
      severity: "error",
      code: "issuer-unusable",
      line: 3,
      message: expect.stringMatching(/slash at the end counts/),
    },
    {
      severity: "error",
      code: "issuer-unusable",
      line: 5,
      message: expect.stringMatching(/publishes no metadata/),
    },
    {
      severity: "warning",
      code: "issuer-unusable",
      line: 6,
      message: expect.stringMatching(/publishes no key/),
    },
  ]);
  const offline = await run(document, { format: "json" }, file);
  expect(offline.status).toBe(0);
});
