import { expect, onTestFinished, test } from "vitest";
import { openProvider } from "./open-provider.ts";
import { listenOn, respond } from "./peers.ts";

/** A server that answers every request with one status. */
async function startStatus(status: number, headers: Record<string, string> = {}) {
  const methods: string[] = [];
  const peer = await listenOn((request, response) => {
    methods.push(request.method ?? "");
    response.writeHead(status, headers).end();
  });
  onTestFinished(() => peer.close());
  return { peer, methods };
}

test.each([401, 403])("HTTP %i asks for a credential, and is no evidence of an era", async (status) => {
  const { peer, methods } = await startStatus(status);
  await expect(openProvider(peer.url)).rejects.toMatchObject({
    code: "provider_unavailable",
    message: expect.stringContaining("providers.peer.connections"),
  });
  await expect(openProvider(peer.url, { connection: "main" })).rejects.toMatchObject({
    message: expect.stringContaining("connection `main`"),
  });
  expect(methods).toEqual(["POST", "POST"]);
});

test.each([500, 503])("HTTP %i is tried again later", async (status) => {
  const { peer, methods } = await startStatus(status);
  await expect(openProvider(peer.url)).rejects.toMatchObject({
    code: "provider_unavailable",
    retryable: true,
  });
  expect(methods).toEqual(["POST"]);
});

test("a redirect is not followed but shown", async () => {
  const { peer } = await startStatus(308, { location: "https://elsewhere.example/mcp" });
  await expect(openProvider(peer.url)).rejects.toMatchObject({
    message: expect.stringContaining("https://elsewhere.example/mcp"),
  });
});

test("404 everywhere: no MCP server at this URL, after all three ways were tried", async () => {
  const { peer, methods } = await startStatus(404);
  await expect(openProvider(peer.url)).rejects.toMatchObject({
    code: "provider_unavailable",
    message: expect.stringContaining("No MCP server answers at this URL (HTTP 404"),
  });
  expect(methods).toEqual(["POST", "POST", "GET"]);
});

test("HTTP 400 without a word of JSON-RPC may be an old server's that takes messages elsewhere", async () => {
  const { peer, methods } = await startStatus(400);
  await expect(openProvider(peer.url)).rejects.toMatchObject({
    message: expect.stringContaining("No MCP server answers at this URL (HTTP 400"),
  });
  expect(methods).toEqual(["POST", "POST", "GET"]);
});

test("a web page is named", async () => {
  const peer = await listenOn((_request, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end("<html></html>");
  });
  onTestFinished(() => peer.close());
  await expect(openProvider(peer.url)).rejects.toMatchObject({
    code: "provider_unavailable",
    message: expect.stringContaining("`text/html`"),
  });
});

test("nobody there: retryable, with host and port", async () => {
  const peer = await listenOn(() => {});
  await peer.close();
  await expect(openProvider(peer.url)).rejects.toMatchObject({
    code: "provider_unavailable",
    retryable: true,
    message: expect.stringContaining(`127.0.0.1:${peer.port}`),
  });
});

test("a server that does not answer is given up", async () => {
  const peer = await listenOn(() => {});
  onTestFinished(() => peer.close());
  await expect(openProvider(peer.url, { timings: { opening: 100 } })).rejects.toMatchObject({
    code: "provider_unavailable",
    message: expect.stringContaining("did not answer within 0.1 s"),
  });
});

test("versions that are not known here are named, in both eras", async () => {
  const modern = await listenOn((_request, response) =>
    respond(response, 400, {
      jsonrpc: "2.0",
      id: 1,
      error: { code: -32022, message: "no", data: { supported: ["2030-01-01"] } },
    }),
  );
  onTestFinished(() => modern.close());
  await expect(openProvider(modern.url)).rejects.toMatchObject({
    message: expect.stringContaining("2030-01-01"),
  });
});

test("a server that supports what it has just refused is asked once more, and once only", async () => {
  const refusal = { code: -32022, message: "no", data: { supported: ["2026-07-28"] } };
  let refusals = 0;
  let most = 1;
  const peer = await listenOn(async (request, response) => {
    let text = "";
    for await (const part of request) text += part;
    const { id, method } = JSON.parse(text);
    if (refusals < most) {
      refusals += 1;
      return respond(response, 400, { jsonrpc: "2.0", id, error: refusal });
    }
    const listed = method === "tools/list" ? { tools: [] } : {};
    const result = { resultType: "complete", supportedVersions: ["2026-07-28"], capabilities: {}, ...listed };
    respond(response, 200, { jsonrpc: "2.0", id, result });
  });
  onTestFinished(() => peer.close());
  await (await openProvider(peer.url)).surface.close();
  expect(refusals).toBe(1);

  refusals = 0;
  most = 100;
  await expect(openProvider(peer.url)).rejects.toMatchObject({ code: "provider_unavailable" });
  expect(refusals).toBe(2);
});
