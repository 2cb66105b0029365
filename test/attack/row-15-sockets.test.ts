import { expect, test } from "vitest";
import { startCredentialed } from "./credentialed-system.ts";
import { hookSockets } from "./socket-hook.ts";
import { callModern } from "./system.ts";
import { plainTool, sendJson, startMcpUpstream, startUpstream } from "./upstream.ts";

test("every connection of a running gateway, whatever for, is made by the one room for it", async () => {
  await using mcp = await startMcpUpstream([plainTool("go")]);
  await using sse = await startUpstream(({ method }, response) => {
    if (method !== "GET") return void response.writeHead(405).end();
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end("event: endpoint\ndata: /m\n\n");
  });
  await using api = await startUpstream(({ target }, response) => {
    if (target !== "/openapi.json") return sendJson(response, { ok: true });
    sendJson(response, {
      openapi: "3.1.0",
      info: { title: "a", version: "1" },
      paths: { "/go": { get: { operationId: "go", responses: {} } } },
    });
  });
  await using tokens = await startUpstream((_seen, response) =>
    sendJson(response, { access_token: "t", token_type: "Bearer", expires_in: 3600 }),
  );
  using hook = hookSockets();
  const auth = {
    type: "oauth2",
    grant: "client_credentials",
    token_url: `${tokens.url}/token`,
    client_id: "id",
    client_secret: "${env:CLIENT_SECRET}",
  };
  await using credentialed = await startCredentialed(
    {
      rest: {
        connections: { main: { mode: "identity", auth } },
        surfaces: { rest: { base_url: api.url, operations: [{ name: "go", method: "GET", path: "/go" }] } },
      },
      document: { surfaces: { openapi: { document: `${api.url}/openapi.json` } } },
      graph: { surfaces: { graphql: { url: `${api.url}/graphql` } } },
      mcp: { mcp_url: `${mcp.url}/mcp` },
      old: { mcp_url: `${sse.url}/sse` },
    },
    { environment: { CLIENT_SECRET: "0123456789abcdef" } },
  );
  const { system, callers, issuer } = credentialed;
  for (const caller of callers) {
    for (const tool of ["rest_go", "document_go", "mcp_go"]) {
      await callModern(system.url, tool, {}, 1, caller.headers("mcp"));
    }
  }

  const port = (url: string): number => Number(new URL(url).port);
  const made = hook.attempts.filter((attempt) => attempt.port !== port(system.url));
  for (const upstream of [mcp, sse, api, tokens, issuer]) {
    expect(made.filter((attempt) => attempt.port === port(upstream.url)).length).toBeGreaterThan(0);
  }
  expect(made.filter(({ throughDoor }) => !throughDoor)).toEqual([]);
});
