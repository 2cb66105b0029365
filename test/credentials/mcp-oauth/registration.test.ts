import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import type { PreparedAuthorization } from "../../../src/credentials/mcp-oauth/mcp-authorization.ts";
import { Secret } from "../../../src/secret.ts";
import type { AuthorizationServerOptions } from "../authorization-server/model.ts";
import { type AuthorizationServer, startAuthorizationServer } from "../authorization-server.ts";
import { startMcpOAuthServer } from "../mcp-oauth-server.ts";
import { type Answer, createHarness, goodMetadata, plainAuth, startScripted } from "./harness.ts";

async function startServers(
  options: AuthorizationServerOptions = { registration: "secrets" },
): Promise<{ readonly issuer: AuthorizationServer; readonly mcpUrl: string }> {
  const issuer = await startAuthorizationServer(options);
  const resource = await startMcpOAuthServer({ authorizationServer: issuer });
  onTestFinished(async () => {
    await resource[Symbol.asyncDispose]();
    await issuer[Symbol.asyncDispose]();
  });
  return { issuer, mcpUrl: resource.url };
}

describe("a client of the operator's file", () => {
  const auth = { ...plainAuth, clientId: "mine", clientSecret: new Secret("s3cret") };

  test("is used as it is, and nothing is registered", async () => {
    const { prepare } = await createHarness();
    const { issuer, mcpUrl } = await startServers({ registration: "secrets", clientIdMetadata: true });
    const { client, redirectUri } = await prepare(mcpUrl, { auth });
    expect(client).toMatchObject({ clientId: "mine", clientAuth: "header" });
    // What the operator has registered.
    expect(redirectUri).toBe("http://127.0.0.1:4000/api/v1/auth/callback");
    expect(client.clientSecret?.reveal()).toBe("s3cret");
    expect(issuer.requestsTo("register")).toEqual([]);
  });

  test.each([
    [["client_secret_post"], "body"],
    [["client_secret_post", "client_secret_basic"], "header"],
    [["private_key_jwt"], "header"],
    [undefined, "header"],
  ])("authenticates by what the server supports: %j", async (methods, clientAuth) => {
    const { prepare } = await createHarness();
    const changes = { token_endpoint_auth_methods_supported: methods };
    const { mcpUrl } = await startServers({ metadata: { changes } });
    expect((await prepare(mcpUrl, { auth })).client.clientAuth).toBe(clientAuth);
    const isPublic = { ...auth, clientSecret: undefined };
    expect((await prepare(mcpUrl, { auth: isPublic })).client.clientAuth).toBe("none");
  });

  test("is not shown to another authorization server than the first", async () => {
    const { prepare } = await createHarness();
    const first = await startAuthorizationServer();
    const second = await startAuthorizationServer();
    const resource = await startMcpOAuthServer({ authorizationServer: first });
    onTestFinished(async () => {
      for (const each of [resource, first, second]) await each[Symbol.asyncDispose]();
    });
    await prepare(resource.url, { auth });
    resource.change({ authorizationServer: second });
    await expect(prepare(resource.url, { auth })).rejects.toThrow("another authorization server");
    // A client that was registered at the new one is another client.
    const moved = await prepare(resource.url, { auth: { ...auth, clientId: "theirs" } });
    expect(moved.client.issuer).toBe(second.issuer);
    // And while both are named, the first stays.
    resource.change({ changes: { authorization_servers: [second.issuer, first.issuer] } });
    expect((await prepare(resource.url, { auth })).client.issuer).toBe(first.issuer);
  });

  test("needs no store", async () => {
    const { prepare } = await createHarness({ withStore: false });
    const { mcpUrl } = await startServers();
    expect((await prepare(mcpUrl, { auth })).client.clientId).toBe("mine");
  });
});

describe("a metadata document", () => {
  test("of the file is the client where the server takes such", async () => {
    const { prepare } = await createHarness();
    const { issuer, mcpUrl } = await startServers({ registration: "secrets", clientIdMetadata: true });
    const auth = { ...plainAuth, clientMetadataUrl: "https://gateway.example/client.json" };
    const { client } = await prepare(mcpUrl, { auth });
    expect(client).toMatchObject({ clientId: auth.clientMetadataUrl, clientAuth: "none" });
    expect(client.clientSecret).toBeUndefined();
    issuer.change({ clientIdMetadata: false });
    expect((await prepare(mcpUrl, { auth })).client.clientId).toMatch(/^client_/);
  });

  test("of the gateway's own is the client under a public https URL only", async () => {
    const harness = await createHarness();
    const { issuer, mcpUrl } = await startServers({ registration: "secrets", clientIdMetadata: true });
    for (const baseUrl of ["http://gateway.example", "https://localhost:8080", "https://127.0.0.1"]) {
      harness.baseUrl = baseUrl;
      expect(harness.mcp.clientMetadata(`/oauth/client/${"a".repeat(32)}.json`), baseUrl).toBeUndefined();
      expect((await harness.prepare(mcpUrl)).client.clientId).toMatch(/^client_/);
    }
    harness.baseUrl = "https://gateway.example/ai";
    const suffix = hash("sha256", issuer.issuer, "hex").slice(0, 32);
    const id = `https://gateway.example/ai/oauth/client/${suffix}.json`;
    const redirectUri = `https://gateway.example/ai/api/v1/auth/callback/${suffix}`;
    expect(await harness.prepare(mcpUrl)).toMatchObject({
      client: { clientId: id },
      redirectUri,
    });
    expect(harness.mcp.clientMetadata(`/oauth/client/${suffix}.json`)).toEqual({
      client_id: id,
      client_name: "Gestalt Gateway",
      client_uri: "https://gateway.example/ai",
      redirect_uris: [redirectUri],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      application_type: "web",
    });
    for (const path of [
      "/oauth/client.json",
      "/oauth/client/.json",
      `/oauth/client/${suffix}`,
      "/oauth/client/../x.json",
    ])
      expect(harness.mcp.clientMetadata(path), path).toBeUndefined();
  });
});

describe("a registration", () => {
  test("names the gateway, and says that it is no web client while it is on this machine", async () => {
    const { prepare } = await createHarness();
    const { issuer, mcpUrl } = await startServers();
    const { client, stored, redirectUri } = await prepare(mcpUrl);
    const [request] = issuer.requestsTo("register");
    const digits = hash("sha256", issuer.issuer, "hex").slice(0, 32);
    expect(redirectUri).toBe(`http://127.0.0.1:4000/api/v1/auth/callback/${digits}`);
    expect(JSON.parse(request?.body ?? "")).toEqual({
      client_name: "Gestalt Gateway",
      redirect_uris: [redirectUri],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "client_secret_basic",
      application_type: "native",
    });
    expect(client).toMatchObject({ clientId: issuer.registered[0]?.id, clientAuth: "header", pkce: true });
    expect(client.clientSecret?.reveal()).toBe(issuer.registered[0]?.secret);
    expect(stored).toEqual({
      issuer: issuer.issuer,
      tokenUrl: issuer.tokenUrl,
      revocationUrl: issuer.revocationUrl,
      clientId: client.clientId,
      clientAuth: "header",
      resource: mcpUrl,
      namedBy: "upstream",
    });
  });

  test.each([
    [["none"], "none"],
    [["none", "client_secret_post"], "client_secret_post"],
    [undefined, "client_secret_basic"],
  ])("asks for what the server supports: %j", async (methods, method) => {
    const { prepare } = await createHarness();
    const changes = { token_endpoint_auth_methods_supported: methods };
    const { issuer, mcpUrl } = await startServers({ registration: "secrets", metadata: { changes } });
    await prepare(mcpUrl);
    const [request] = issuer.requestsTo("register");
    expect(JSON.parse(request?.body ?? "")).toMatchObject({ token_endpoint_auth_method: method });
  });

  test("is made once, for all who ask at once and in two processes, and over restarts", async () => {
    const harness = await createHarness();
    const { issuer, mcpUrl } = await startServers();
    issuer.fail("register", { kind: "slow", milliseconds: 200 }, 1);
    const other = harness.another();
    const need = { mcpUrl, auth: plainAuth, wanted: [], granted: undefined };
    const signal = AbortSignal.timeout(20_000);
    const all: readonly PreparedAuthorization[] = await Promise.all([
      ...Array.from({ length: 10 }, () => harness.prepare(mcpUrl)),
      ...Array.from({ length: 10 }, () => other.prepare(need, signal)),
    ]);
    const later = await harness.another().prepare(need, signal);
    expect(issuer.requestsTo("register")).toHaveLength(1);
    const secrets = [...all, later].map(({ client }) => client.clientSecret?.reveal());
    expect(new Set(secrets)).toEqual(new Set([issuer.registered[0]?.secret]));
  });

  test("goes on for the others when one of them stops waiting", async () => {
    const { mcp, prepare } = await createHarness();
    const { issuer, mcpUrl } = await startServers();
    issuer.fail("register", { kind: "slow", milliseconds: 300 }, 1);
    const impatient = new AbortController();
    const need = { mcpUrl, auth: plainAuth, wanted: [], granted: undefined };
    const first = mcp.prepare(need, impatient.signal);
    const second = prepare(mcpUrl);
    const ended = expect(first).rejects.toBe("enough");
    while (issuer.requestsTo("register").length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    impatient.abort("enough");
    await ended;
    expect((await second).client.clientId).toMatch(/^client_/);
    expect(issuer.requestsTo("register")).toHaveLength(1);
  });

  test("belongs to one issuer and one redirect URI", async () => {
    const harness = await createHarness();
    const one = await startServers();
    const two = await startServers();
    const [first, second] = await Promise.all([harness.prepare(one.mcpUrl), harness.prepare(two.mcpUrl)]);
    expect(first.client.issuer).toBe(one.issuer.issuer);
    expect(first.client.clientId).toBe(one.issuer.registered[0]?.id);
    expect(second.client.clientId).toBe(two.issuer.registered[0]?.id);

    harness.baseUrl = "https://moved.example";
    const moved = await harness.prepare(one.mcpUrl);
    expect(moved.client.clientId).toBe(one.issuer.registered[1]?.id);
    // What was given to the client before is still refreshed by it.
    const before = await harness.mcp.clientFor(first.stored, plainAuth);
    expect(before.clientSecret?.reveal()).toBe(one.issuer.registered[0]?.secret);
  });

  test("is kept sealed", async () => {
    const { prepare, file, log } = await createHarness();
    const { issuer, mcpUrl } = await startServers();
    await prepare(mcpUrl);
    const secret = issuer.registered[0]?.secret ?? "missing";
    for (const each of [file, `${file}-wal`]) {
      const bytes = await readFile(each).catch(() => Buffer.alloc(0));
      expect(bytes.includes(secret)).toBe(false);
    }
    expect(log.join()).not.toContain(secret);
  });

  test("is never asked for where it could not be kept", async () => {
    const { issuer, mcpUrl } = await startServers();
    const noKey = await createHarness({ keys: 0 });
    await expect(noKey.prepare(mcpUrl)).rejects.toMatchObject({ code: "internal" });
    const noStore = await createHarness({ withStore: false });
    await expect(noStore.prepare(mcpUrl)).rejects.toMatchObject({ code: "internal" });
    expect(issuer.requestsTo("register")).toEqual([]);
  });

  test("that can't be opened is neither used nor replaced", async () => {
    const { prepare, file } = await createHarness();
    const { issuer, mcpUrl } = await startServers();
    const { stored } = await prepare(mcpUrl);
    const stranger = await createHarness({ file });
    await expect(stranger.prepare(mcpUrl)).rejects.toMatchObject({ code: "store_unavailable" });
    await expect(stranger.mcp.clientFor(stored, plainAuth)).rejects.toMatchObject({
      code: "store_unavailable",
    });
    expect(issuer.requestsTo("register")).toHaveLength(1);
    expect((await prepare(mcpUrl)).client.clientId).toBe(stored.clientId);
  });

  test("that the server knows no more is made anew, and what was given to it is not lost", async () => {
    const { prepare, mcp, store } = await createHarness();
    const { issuer, mcpUrl } = await startServers();
    const { stored, client } = await prepare(mcpUrl);
    expect(await mcp.clientRefused(stored)).toBe(true);
    const { stored: anew } = await prepare(mcpUrl);
    expect(anew.clientId).not.toBe(stored.clientId);
    // It may have been a bad day of the server.
    const before = await mcp.clientFor(stored, plainAuth);
    expect(before.clientSecret?.reveal()).toBe(client.clientSecret?.reveal());
    // Whoever comes late with the old one takes nothing away from the new one.
    expect(await mcp.clientRefused(stored)).toBe(true);
    expect((await prepare(mcpUrl)).stored.clientId).toBe(anew.clientId);
    expect(issuer.registered).toHaveLength(2);
    const ends = (await store.gateway.list("client")).map(({ expiresAt }) => expiresAt !== undefined);
    expect(ends.filter((end) => end)).toHaveLength(1);
  });

  test("that the store has lost leaves its credentials to be connected anew", async () => {
    const { prepare, mcp, store } = await createHarness();
    const { mcpUrl } = await startServers();
    const { stored } = await prepare(mcpUrl);
    await store.gateway.clear();
    await expect(mcp.clientFor(stored, plainAuth)).rejects.toMatchObject({
      name: "TokenError",
      kind: "refused",
    });
    expect(await mcp.clientRefused(stored)).toBe(false);
  });

  test("without a registration endpoint there is none", async () => {
    const { prepare } = await createHarness();
    const { mcpUrl } = await startServers({ registration: "off" });
    await expect(prepare(mcpUrl)).rejects.toMatchObject({ code: "unsupported" });
    await expect(prepare(mcpUrl)).rejects.toThrow("client_id");
  });

  test.each([["private_key_jwt"], []])(
    "where clients authenticate by %s there is none",
    async (...methods) => {
      const { prepare } = await createHarness();
      const changes = { token_endpoint_auth_methods_supported: methods };
      const { issuer, mcpUrl } = await startServers({ registration: "secrets", metadata: { changes } });
      await expect(prepare(mcpUrl)).rejects.toMatchObject({ code: "unsupported" });
      expect(issuer.requestsTo("register")).toEqual([]);
    },
  );
});

describe("a client secret that ends", () => {
  async function startEnding(seconds: (now: number) => number, id?: string) {
    const harness = await createHarness();
    const issuer = await startScripted();
    const resource = await startScripted();
    let count = 0;
    resource.answers.set("/.well-known/oauth-protected-resource/mcp", {
      resource: `${resource.origin}/mcp`,
      authorization_servers: [issuer.origin],
    });
    issuer.answers.set("/.well-known/oauth-authorization-server", goodMetadata(issuer.origin));
    issuer.answers.set("/register", (_request, response) => {
      count += 1;
      const body = {
        client_id: id ?? `client-${count}`,
        client_secret: `secret-${count}`,
        client_secret_expires_at: seconds(harness.time / 1000),
      };
      response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    return { harness, mcpUrl: `${resource.origin}/mcp`, count: () => count };
  }

  test("is replaced before an authorization could outlive it, and the store forgets it", async () => {
    const { harness, mcpUrl, count } = await startEnding((now) => Math.floor(now) + 3600);
    const { stored } = await harness.prepare(mcpUrl);
    harness.time += 40 * 60_000;
    expect((await harness.prepare(mcpUrl)).stored.clientId).toBe(stored.clientId);
    harness.time += 10 * 60_000;
    expect((await harness.prepare(mcpUrl)).stored.clientId).toBe("client-2");
    // Until its end the old one still refreshes what it was given.
    expect((await harness.mcp.clientFor(stored, plainAuth)).clientSecret?.reveal()).toBe("secret-1");
    harness.time += 11 * 60_000;
    await expect(harness.mcp.clientFor(stored, plainAuth)).rejects.toMatchObject({ kind: "refused" });
    expect(count()).toBe(2);
  });

  test("may be replaced for the same client", async () => {
    const { harness, mcpUrl } = await startEnding((now) => Math.floor(now) + 3600, "same");
    const { stored } = await harness.prepare(mcpUrl);
    harness.time += 55 * 60_000;
    const { client } = await harness.prepare(mcpUrl);
    expect(client).toMatchObject({ clientId: "same" });
    expect(client.clientSecret?.reveal()).toBe("secret-2");
    expect((await harness.mcp.clientFor(stored, plainAuth)).clientSecret?.reveal()).toBe("secret-2");
  });

  test("never ends at 0", async () => {
    const { harness, mcpUrl, count } = await startEnding(() => 0);
    await harness.prepare(mcpUrl);
    harness.time += 400 * 86_400_000;
    await harness.prepare(mcpUrl);
    expect(count()).toBe(1);
  });

  test("is of no use when it is over already", async () => {
    const { harness, mcpUrl } = await startEnding(() => 1);
    await expect(harness.prepare(mcpUrl)).rejects.toThrow("over already");
  });
});

describe("answers to a registration", () => {
  const answers: readonly (readonly [string, Answer, string])[] = [
    [
      "refused",
      reply(400, { error: "invalid_redirect_uri", error_description: "canary" }),
      "invalid_redirect_uri",
    ],
    ["refused in other words", reply(403, { error: "CANARY words!" }), "status 403)"],
    ["failed", reply(500, {}), "status 500"],
    ["redirected", reply(307, {}, { location: "http://127.0.0.1:1/canary" }), "status 307"],
    ["without an id", reply(201, { client_secret: "canary" }), "without a client id"],
    ["with an id that is none", reply(201, { client_id: "a\nb" }), "without a client id"],
    ["with a secret that is none", reply(201, { client_id: "a", client_secret: {} }), "client secret"],
    ["without the secret", reply(201, { client_id: "a" }), "without the client secret"],
    [
      "by a way that nobody knows",
      reply(201, { client_id: "a", token_endpoint_auth_method: "tls_client_auth" }),
      "authenticate in a way",
    ],
    ["no JSON", reply(201, "canary"), "without a client id"],
  ];
  test.each(answers)("%s", async (_what, answer, message) => {
    const { prepare, log } = await createHarness();
    const issuer = await startScripted();
    const resource = await startScripted();
    resource.answers.set("/.well-known/oauth-protected-resource", {
      resource: resource.origin,
      authorization_servers: [issuer.origin],
    });
    issuer.answers.set("/.well-known/oauth-authorization-server", goodMetadata(issuer.origin));
    issuer.answers.set("/register", answer);
    const failure: unknown = await prepare(`${resource.origin}/`).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "GatewayError", message: expect.stringContaining(message) });
    expect(`${String(failure)} ${log.join()}`).not.toMatch(/canary/i);
    // The lease is given up, so the next one need not wait.
    issuer.answers.set("/register", { client_id: "good", token_endpoint_auth_method: "none" });
    expect((await prepare(`${resource.origin}/`)).client.clientId).toBe("good");
  });
});

describe("no network", () => {
  test("is needed for the client of a stored credential", async () => {
    const { mcp } = await createHarness();
    const stored = {
      issuer: "https://as.example",
      tokenUrl: "https://as.example/token",
      revocationUrl: undefined,
      clientId: "https://gateway.example/oauth/client.json",
      clientAuth: "none",
      resource: "https://mcp.example/mcp",
      namedBy: "upstream",
    } as const;
    expect(await mcp.clientFor(stored, plainAuth)).toMatchObject({ ...stored, clientSecret: undefined });

    const auth = { ...plainAuth, clientId: "mine", clientSecret: new Secret("s") };
    const ofFile = { ...stored, clientId: "mine", clientAuth: "body" } as const;
    expect((await mcp.clientFor(ofFile, auth)).clientSecret?.reveal()).toBe("s");
    await expect(mcp.clientFor(ofFile, plainAuth)).rejects.toMatchObject({ kind: "refused" });
    const another = { ...auth, clientId: "other" };
    await expect(mcp.clientFor(ofFile, another)).rejects.toMatchObject({ kind: "refused" });
  });
});

function reply(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return (_request, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}
