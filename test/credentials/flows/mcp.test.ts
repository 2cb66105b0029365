import { expect, test } from "vitest";
import type { ProviderConfig } from "../../../src/model/config.ts";
import type { ConnectionConfig } from "../../../src/model/connection-config.ts";
import { startAuthorizationServer } from "../authorization-server.ts";
import { startMcpOAuthServer } from "../mcp-oauth-server.ts";
import {
  callbackOf,
  connect,
  connection,
  createHarness,
  failureOf,
  param,
  person,
  provider,
  start,
} from "./harness.ts";

const ada = person("usr_ada");
const bob = person("usr_bob", { tenant: "globex" });
const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };

function mcpProvider(url: string, changes: Partial<ConnectionConfig> = {}): ProviderConfig {
  const auth = {
    type: "mcp_oauth",
    clientId: undefined,
    clientSecret: undefined,
    scopes: undefined,
    clientMetadataUrl: undefined,
  } as const;
  return provider([connection(auth, changes)], {
    surfaces: [
      {
        kind: "mcp",
        connection: "default",
        trustAnnotations: false,
        prompts: true,
        resources: true,
        transport: { kind: "http", url },
        place,
      },
    ],
  });
}

test("two people connect to an MCP server that announces its own authorization, refresh and disconnect", async () => {
  await using server = await startAuthorizationServer({ registration: "secrets" });
  await using upstream = await startMcpOAuthServer({ authorizationServer: server });
  const harness = await createHarness([]);
  harness.providers = [mcpProvider(upstream.url)];
  await Promise.all([connect(harness, server, ada), connect(harness, server, bob)]);
  for (const as of [ada, bob]) {
    const token = (await harness.secretOf(as)) ?? "";
    expect(server.grantOf(token)).toMatchObject({ user: as.id, resource: upstream.resource });
  }
  const [exchange] = server.requestsTo("token");
  expect(exchange?.parameters["resource"]).toBe(upstream.resource);
  const disconnected = await harness.connecting.connections(ada).disconnect({ provider: "crm" });
  expect(disconnected.revoked).toBe("yes");
  expect(server.userOf((await harness.secretOf(bob)) ?? "")).toBe("usr_bob");
});

test("an answer of another issuer than the one that was announced is not believed", async () => {
  await using server = await startAuthorizationServer({ registration: "public" });
  await using upstream = await startMcpOAuthServer({ authorizationServer: server });
  const harness = await createHarness([]);
  harness.providers = [mcpProvider(upstream.url)];
  for (const issuer of ["https://evil.example", undefined]) {
    const { authorizationUrl } = await start(harness, ada);
    const callback = callbackOf(await server.approve(authorizationUrl, "ada"));
    const failure = await failureOf(harness.connecting.finishOAuth(ada, { ...callback, issuer }));
    expect(failure).toMatchObject({ code: "bad_request", message: expect.stringContaining("not believed") });
  }
  expect(server.requestsTo("token")).toEqual([]);
});

test("a client that the server knows no more is forgotten, and the next authorization works", async () => {
  await using server = await startAuthorizationServer({ registration: "secrets" });
  await using upstream = await startMcpOAuthServer({ authorizationServer: server });
  const harness = await createHarness([]);
  harness.providers = [mcpProvider(upstream.url)];
  const { authorizationUrl } = await start(harness, ada);
  const callback = callbackOf(await server.approve(authorizationUrl, "ada"));
  server.forgetClients();
  expect((await failureOf(harness.connecting.finishOAuth(ada, callback))).code).toBe("upstream_failed");
  await connect(harness, server, ada);
  expect(server.userOf((await harness.secretOf(ada)) ?? "")).toBe("usr_ada");
});

test("scopes that a call lacked are asked for besides those granted", async () => {
  await using server = await startAuthorizationServer({ registration: "public" });
  await using upstream = await startMcpOAuthServer({ authorizationServer: server, scopes: ["notes:read"] });
  const harness = await createHarness([]);
  harness.providers = [mcpProvider(upstream.url)];
  await connect(harness, server, ada);
  const [stored] = await harness.credentials.list({ tenant: "acme", owner: { kind: "user", id: "usr_ada" } });
  if (stored === undefined) throw new Error("nothing is stored");
  const state = { kind: "reconnect_required", reason: "More scopes.", wanted: ["notes:write"] } as const;
  await harness.credentials.put(stored.reference, { ...stored, state }, stored, false);
  const { authorizationUrl } = await start(harness, ada);
  const scopes = new URL(authorizationUrl).searchParams.get("scope")?.split(" ") ?? [];
  expect(scopes).toEqual(expect.arrayContaining(["notes:read", "notes:write"]));
});

test("the address of the server may hold a param", async () => {
  await using server = await startAuthorizationServer({ registration: "public" });
  await using upstream = await startMcpOAuthServer({ authorizationServer: server, path: "/acme" });
  const harness = await createHarness([]);
  harness.providers = [mcpProvider(upstream.url.replace("/acme", "/{site}"), { params: [param("site")] })];
  await connect(harness, server, ada, { params: { site: "acme" } });
  expect(server.grantOf((await harness.secretOf(ada)) ?? "")?.resource).toBe(upstream.resource);
});

test("a server that can't be reached fails the start, and leaves nothing", async () => {
  const harness = await createHarness([]);
  harness.providers = [mcpProvider("http://127.0.0.1:1/mcp")];
  expect((await failureOf(start(harness, ada))).code).toBe("upstream_failed");
  expect(await harness.store.tenant("acme").list("flow")).toEqual([]);
});
