import {
  discoverAuthorizationServerMetadata as discoverV2,
  extractWWWAuthenticateParams as readChallengeV2,
} from "@modelcontextprotocol/client";
import {
  discoverAuthorizationServerMetadata as discoverV1,
  extractWWWAuthenticateParams as readChallengeV1,
} from "@modelcontextprotocol/sdk/client/auth.js";
import * as oauth from "oauth4webapi";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { asObject } from "../../src/json-object.ts";
import { createRulesHarness, startDocuments } from "../authorization-server/client-rules-harness.ts";
import { loadText } from "../config/load-text.ts";
import { post } from "../server/mcp/wire.ts";
import { makeSigningKey, type SigningKey, signParts } from "./jwt-stage.ts";
import { type Browser, type Client, type Scene, send, startScene, type Tokens } from "./oauth-scene.ts";
import { openLegacy } from "./system.ts";
import { sendJson, startUpstream, type Upstream } from "./upstream.ts";

// Row 10, the MCP specification, "Authorization" of 2025-06-18, 2025-11-25 and 2026-07-28 (with its pages "Authorization Server Discovery",
// "Client Registration" and "Security Considerations"): one test for each MUST that is about a server or an authorization server, by its
// words. What is only about clients is left out. The whole gateway, and clients that others have written.

const audience = "https://gateway.example/mcp";
const staticSecret = "a secret of the operator and the client";

let scene: Scene;
let ada: Browser;
let client: Client;
let tokens: Tokens;
let issuer: Upstream;
let key: SigningKey;

beforeAll(async () => {
  key = makeSigningKey("k1", "ES256");
  issuer = await startUpstream(({ target }, response) =>
    sendJson(
      response,
      target === "/keys" ? { keys: [key.jwk] } : { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` },
    ),
  );
  const trusted = { issuer: issuer.url, audience, algorithms: ["ES256"], required_scopes: ["tools"] };
  const clients = {
    reports: {
      display_name: "Reports",
      redirect_uris: ["https://reports.example.com/callback"],
      client_secret: "${CLIENT_SECRET}",
    },
  };
  scene = await startScene(
    { clients },
    {
      settings: { auth: { trusted_issuers: [trusted] } },
      environment: { CLIENT_SECRET: staticSecret },
    },
  );
  ada = await scene.browser("ada");
  ({ client, tokens } = await scene.connect("ada"));
}, 60_000);
afterAll(async () => {
  await scene?.[Symbol.asyncDispose]();
  await issuer?.[Symbol.asyncDispose]();
});

const metadata = (path: string, base = scene.url) => send("GET", `${base}/.well-known/${path}`);
const membersOf = (text: string) => asObject(JSON.parse(text)) ?? {};
const challengeOf = (headers: { readonly "www-authenticate"?: string | undefined }) =>
  headers["www-authenticate"] ?? "";

/** A client that may only read, with its tokens. */
async function connectReading(): Promise<{ readonly client: Client; readonly tokens: Tokens }> {
  const own = await scene.register();
  const begun = scene.begin(own, { scope: "mcp:read" });
  const reply = await scene.exchange(own, await scene.code(ada, begun), begun.verifier);
  return { client: own, tokens: JSON.parse(reply.text) };
}

/** A token of the trusted issuer. */
function sign(claims: object = {}): string {
  const now = Math.floor(Date.now() / 1_000);
  const usual = { iss: issuer.url, sub: "ada", aud: audience, iat: now, exp: now + 300, scope: "tools" };
  return signParts(key, { alg: "ES256", typ: "at+jwt", kid: "k1" }, { ...usual, ...claims });
}

describe("authorization server location (all versions)", () => {
  test("MUST implement protected resource metadata, with at least one authorization server", async () => {
    for (const path of ["oauth-protected-resource", "oauth-protected-resource/mcp"]) {
      const reply = await metadata(path);
      expect(reply.status).toBe(200);
      expect(reply.headers["content-type"]).toMatch(/^application\/json/);
      const members = membersOf(reply.text);
      expect(members["resource"]).toBe(`${scene.url}/mcp`);
      expect(members["authorization_servers"]).toEqual([scene.url, issuer.url]);
    }
    // A client that checks what it reads (RFC 9728, section 3.3).
    const { url } = scene;
    const options = { [oauth.allowInsecureRequests]: true };
    for (const resource of [new URL(`${url}/mcp`), new URL(`${url}/api/v1`)]) {
      const response = await oauth.resourceDiscoveryRequest(resource, options);
      const read = await oauth.processResourceDiscoveryResponse(resource, response);
      expect(read.authorization_servers).toContain(url);
    }
  });

  test("MUST tell of it in the challenge of each 401, as clients of others read it", async () => {
    const resource = `${scene.url}/.well-known/oauth-protected-resource/mcp`;
    for (const method of ["GET", "POST", "DELETE"]) {
      const response = await fetch(`${scene.url}/mcp`, { method });
      await response.arrayBuffer();
      expect(response.status).toBe(401);
      for (const read of [readChallengeV1, readChallengeV2]) {
        const { resourceMetadataUrl, scope, error } = read(response);
        expect([resourceMetadataUrl?.href, scope, error]).toEqual([resource, "mcp", undefined]);
      }
      const told = await oauth
        .protectedResourceRequest("unknown", method, new URL(`${scene.url}/mcp`), undefined, undefined, {
          [oauth.allowInsecureRequests]: true,
        })
        .catch((error: unknown) => error);
      if (!(told instanceof oauth.WWWAuthenticateChallengeError)) throw told;
      const [{ scheme, parameters } = { scheme: "", parameters: {} }, ...more] = told.cause;
      expect(more).toEqual([]);
      expect(scheme).toBe("bearer");
      expect(parameters).toMatchObject({
        error: "invalid_token",
        resource_metadata: resource,
        scope: "mcp",
      });
    }
  });

  test("SHOULD NOT name offline_access, which is no requirement of a resource (2026-07-28)", async () => {
    const { text } = await metadata("oauth-protected-resource/mcp");
    expect(membersOf(text)["scopes_supported"]).toEqual(["mcp", "mcp:read"]);
  });
});

describe("authorization server metadata", () => {
  test("MUST be provided (RFC 8414; also as OpenID Connect Discovery), with an issuer to the letter", async () => {
    const algorithms = [
      ["oauth2", "oauth-authorization-server"],
      ["oidc", "openid-configuration"],
    ] as const;
    for (const [algorithm, path] of algorithms) {
      const identifier = new URL(scene.url);
      const response = await oauth.discoveryRequest(identifier, {
        algorithm,
        [oauth.allowInsecureRequests]: true,
      });
      const server = await oauth.processDiscoveryResponse(identifier, response);
      expect(server.token_endpoint).toBe(`${scene.url}/oauth/token`);
      const { headers, text } = await metadata(path);
      expect(membersOf(text)["issuer"]).toBe(scene.url);
      expect([headers["cache-control"], headers.pragma]).toEqual(["public, max-age=300", undefined]);
    }
    for (const discover of [discoverV1, discoverV2])
      expect((await discover(scene.url))?.issuer).toBe(scene.url);
  });

  test("MUST name S256 in each of the documents (2025-11-25, 2026-07-28)", async () => {
    for (const path of ["oauth-authorization-server", "openid-configuration"])
      expect(membersOf((await metadata(path)).text)["code_challenge_methods_supported"]).toEqual(["S256"]);
  });

  test("an issuer with a path is found by each of the addresses that clients MUST try", async () => {
    const below = await startScene({}, { server: { base_url: "http://127.0.0.1:1/tools" } });
    onTestFinished(() => below[Symbol.asyncDispose]());
    for (const path of [
      "/.well-known/oauth-authorization-server/tools",
      "/.well-known/openid-configuration/tools",
      "/tools/.well-known/openid-configuration",
    ]) {
      const reply = await send("GET", `${below.url}${path}`);
      expect([path, reply.status, membersOf(reply.text)["issuer"]]).toEqual([
        path,
        200,
        "http://127.0.0.1:1/tools",
      ]);
    }
    // Both where RFC 9728 has it and below the prefix, where the challenge leads.
    const { headers } = await send("POST", `${below.url}/mcp`);
    expect(challengeOf(headers)).toContain(
      'resource_metadata="http://127.0.0.1:1/tools/.well-known/oauth-protected-resource/mcp"',
    );
    for (const path of ["oauth-protected-resource/tools/mcp", "oauth-protected-resource/mcp"]) {
      const { text } = await metadata(path, below.url);
      expect(membersOf(text)["resource"]).toBe("http://127.0.0.1:1/tools/mcp");
    }
  });

  test("MUST announce that answers name their issuer, since they do (2026-07-28)", async () => {
    const { text } = await metadata("oauth-authorization-server");
    expect(membersOf(text)["authorization_response_iss_parameter_supported"]).toBe(true);
    const { url } = await ada.press(await ada.open(scene.begin(client).url), "deny");
    expect(new URL(url).searchParams.get("iss")).toBe(scene.url);
  });
});

describe("OAuth 2.1, for both confidential and public clients", () => {
  /** All that an OAuth client of somebody else's does, with everything that it checks. */
  async function goThrough(
    server: oauth.AuthorizationServer,
    self: oauth.Client,
    authentication: oauth.ClientAuth,
    redirectUri: string,
  ): Promise<void> {
    const options = { [oauth.allowInsecureRequests]: true };
    const resource = `${scene.url}/mcp`;
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const asked = new URL(server.authorization_endpoint ?? "");
    asked.search = new URLSearchParams({
      response_type: "code",
      client_id: self.client_id,
      redirect_uri: redirectUri,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      ...{ state, resource, scope: "mcp" },
    }).toString();
    const { url } = await ada.press(await ada.open(asked.href), "allow");
    const back = oauth.validateAuthResponse(server, self, new URL(url), state);
    const response = await oauth.authorizationCodeGrantRequest(
      ...([server, self, authentication, back, redirectUri, verifier] as const),
      { ...options, additionalParameters: { resource } },
    );
    const got = await oauth.processAuthorizationCodeResponse(server, self, response);
    expect([got.token_type, got.scope, got.expires_in]).toEqual(["bearer", "mcp", 3_600]);
    expect(got.id_token).toBeUndefined();
    expect((await scene.mcp(got.access_token)).status).toBe(200);
    const renewed = await oauth.processRefreshTokenResponse(
      server,
      self,
      await oauth.refreshTokenGrantRequest(
        ...([server, self, authentication, got.refresh_token ?? ""] as const),
        options,
      ),
    );
    expect(renewed.refresh_token).not.toBe(got.refresh_token);
    expect((await scene.mcp(renewed.access_token)).status).toBe(200);
    const given = await oauth.revocationRequest(
      ...([server, self, authentication, renewed.refresh_token ?? ""] as const),
      options,
    );
    await oauth.processRevocationResponse(given);
    for (const ended of [got, renewed]) expect((await scene.mcp(ended.access_token)).status).toBe(401);
  }

  async function discover(): Promise<oauth.AuthorizationServer> {
    const identifier = new URL(scene.url);
    const options = { algorithm: "oauth2", [oauth.allowInsecureRequests]: true } as const;
    return oauth.processDiscoveryResponse(identifier, await oauth.discoveryRequest(identifier, options));
  }

  test.each([
    ["none", () => oauth.None()],
    ["client_secret_basic", (secret: string) => oauth.ClientSecretBasic(secret)],
    ["client_secret_post", (secret: string) => oauth.ClientSecretPost(secret)],
  ] as const)("MUST be implemented: a client that registers itself (%s)", async (method, authenticate) => {
    const server = await discover();
    const redirect = "http://127.0.0.1:5000/callback";
    const wanted = {
      client_name: "Somebody else's",
      redirect_uris: [redirect],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: method,
      scope: "mcp",
    };
    const response = await oauth.dynamicClientRegistrationRequest(server, wanted, {
      [oauth.allowInsecureRequests]: true,
    });
    expect(response.headers.get("cache-control")).toContain("no-store");
    const registered = await oauth.processDynamicClientRegistrationResponse(response);
    // What was registered comes back (RFC 7591, section 3.2.1).
    expect(registered).toMatchObject({ ...wanted, client_id: expect.stringMatching(/^reg_/) });
    expect(Math.abs(Number(registered["client_id_issued_at"]) - Date.now() / 1_000)).toBeLessThan(600);
    if (method !== "none") expect(registered["client_secret_expires_at"]).toBe(0);
    const secret = String(registered["client_secret"]);
    await goThrough(server, { client_id: registered.client_id }, authenticate(secret), redirect);
  });

  test("MUST be had without registration too: a client of the operator's (2025-06-18)", async () => {
    const redirect = "https://reports.example.com/callback";
    const authentication = oauth.ClientSecretBasic(staticSecret);
    await goThrough(await discover(), { client_id: "reports" }, authentication, redirect);
  });

  test("errors have the codes, statuses and headers of RFC 6749, section 5.2", async () => {
    const basic = (secret: string) => ({
      authorization: `Basic ${Buffer.from(`reports:${secret}`).toString("base64")}`,
    });
    const reading = await connectReading();
    const begun = scene.begin(client);
    const code = await scene.code(ada, begun);
    const cases: readonly (readonly [Readonly<Record<string, string>>, object, number, string])[] = [
      [{ grant_type: "authorization_code", code: "x" }, basic("wrong"), 401, "invalid_client"],
      [{ grant_type: "refresh_token", refresh_token: "x", client_id: "nobody" }, {}, 401, "invalid_client"],
      [{ grant_type: "password" }, basic(staticSecret), 400, "unsupported_grant_type"],
      [{ refresh_token: "x" }, basic(staticSecret), 400, "invalid_request"],
      [
        {
          grant_type: "authorization_code",
          client_id: client.id,
          redirect_uri: client.redirectUri,
          ...{ code, code_verifier: "a".repeat(43) },
        },
        {},
        400,
        "invalid_grant",
      ],
      [
        {
          grant_type: "refresh_token",
          client_id: reading.client.id,
          refresh_token: reading.tokens.refresh_token,
          scope: "mcp",
        },
        {},
        400,
        "invalid_scope",
      ],
      [
        {
          grant_type: "refresh_token",
          client_id: client.id,
          refresh_token: tokens.refresh_token,
          resource: "https://other.example.com/mcp",
        },
        {},
        400,
        "invalid_target",
      ],
    ];
    for (const [fields, headers, status, error] of cases) {
      const reply = await scene.token(fields, { ...headers });
      expect([reply.status, membersOf(reply.text)["error"]], JSON.stringify(fields)).toEqual([status, error]);
      expect(reply.headers["content-type"]).toMatch(/^application\/json/);
      expect(reply.headers["cache-control"]).toBe("no-store");
      expect(membersOf(reply.text)["error_description"]).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
      const wasHeader = status === 401 && "authorization" in headers;
      expect(challengeOf(reply.headers).startsWith("Basic ")).toBe(wasHeader);
    }
  });

  test("refresh tokens MUST be rotated for public clients", async () => {
    const first = await scene.connect("ada");
    const reply = await scene.refresh(first.client, first.tokens.refresh_token);
    const renewed = membersOf(reply.text)["refresh_token"];
    expect(renewed).toMatch(/^gst_ort_/);
    expect(renewed).not.toBe(first.tokens.refresh_token);
  });

  test("a broader scope MUST count as those within it (2026-07-28)", async () => {
    const { client: own, tokens: wide } = await scene.connect("ada");
    const reply = await scene.refresh(own, wide.refresh_token, { scope: "mcp:read" });
    expect([reply.status, membersOf(reply.text)["scope"]]).toEqual([200, "mcp:read"]);
    const listed = await scene.mcp(wide.access_token);
    for (const tool of ["shop_list_books", "shop_remove_book"]) expect(listed.text).toContain(tool);
  });
});

describe("access token usage", () => {
  test("the token MUST come with every request, also within a session", async () => {
    const headers = { authorization: `Bearer ${tokens.access_token}` };
    const session = await openLegacy(scene.url, undefined, headers);
    const list = { jsonrpc: "2.0", id: 2, method: "tools/list" };
    const url = `${scene.url}/mcp`;
    expect((await post(url, list, { ...session.headers, ...headers })).status).toBe(200);
    const { authorization: _left, ...without } = { ...session.headers, ...headers };
    expect((await post(url, list, without)).status).toBe(401);
  });

  test("it MUST NOT come in the query", async () => {
    const list = { jsonrpc: "2.0", id: 2, method: "tools/list" };
    const reply = await post(`${scene.url}/mcp?access_token=${tokens.access_token}`, list);
    expect(reply.status).toBe(401);
    expect(reply.text).not.toContain(tokens.access_token);
  });

  test("what is malformed, unknown, expired, revoked or somebody else's MUST get a 401, and no word of why", async () => {
    const { client: own, tokens: revoked } = await scene.connect("ada");
    await scene.revoke(own, revoked.refresh_token);
    const replies = await Promise.all(
      [
        "x",
        tokens.access_token.slice(0, -1),
        `${tokens.access_token.slice(0, -2)}AA`,
        tokens.refresh_token,
        revoked.access_token,
        sign({ exp: 1 }),
        sign({ iss: "https://other.example.com" }),
      ].map((token) => scene.mcp(token)),
    );
    for (const { status, headers, text } of replies) {
      expect(status).toBe(401);
      expect(challengeOf(headers)).toBe(challengeOf(replies[0]?.headers ?? {}));
      expect(text).toBe(replies[0]?.text);
    }
    expect(challengeOf(replies[0]?.headers ?? {})).toMatch(/^Bearer .*error="invalid_token"/);
  });

  test("audience: a token MUST have been issued for this server, whoever has issued it", async () => {
    const begun = scene.begin(client, { resource: `${scene.url}/api/v1` });
    const reply = await scene.exchange(client, await scene.code(ada, begun), begun.verifier, {
      resource: `${scene.url}/api/v1`,
    });
    const forApi = String(membersOf(reply.text)["access_token"]);
    for (const token of [forApi, sign({ aud: "https://other.example.com/mcp" }), sign({ aud: undefined })])
      expect((await scene.mcp(token)).status).toBe(401);
    expect((await scene.mcp(sign())).status).toBe(200);
  });

  test("resource identifiers are taken with capital letters in scheme and host, and with a slash (SHOULD)", async () => {
    const { port } = new URL(scene.url);
    const begun = scene.begin(client, { resource: `HTTP://127.0.0.1:${port}/mcp/` });
    const reply = await scene.exchange(client, await scene.code(ada, begun), begun.verifier, {
      resource: `HTTP://127.0.0.1:${port}/mcp/`,
    });
    expect(reply.status, reply.text).toBe(200);
    expect((await scene.mcp(String(membersOf(reply.text)["access_token"]))).status).toBe(200);
  });

  test("nothing MUST be told to who is not let in: neither tools nor whether there are any", async () => {
    for (const method of ["tools/list", "tools/call", "resources/read", "nonsense"]) {
      const message = { jsonrpc: "2.0", id: 1, method, params: { name: "shop_list_books" } };
      const reply = await post(`${scene.url}/mcp`, message, { authorization: "Bearer x" });
      expect(reply.status).toBe(401);
      expect(reply.text).not.toMatch(/shop|jsonrpc/);
    }
  });

  test("statuses MUST be 401, 403 and 400, each for what it is for", async () => {
    expect((await scene.mcp(undefined)).status).toBe(401);
    expect((await scene.mcp(sign({ scope: "other" }))).status).toBe(403);
    const malformed = scene.begin(client, { redirect_uri: undefined });
    expect((await ada.get(malformed.url)).status).toBe(400);
  });

  test("too little scope: the challenge has all that a client needs to ask for more (SHOULD)", async () => {
    const resource = `${scene.url}/.well-known/oauth-protected-resource/mcp`;
    const response = await fetch(`${scene.url}/mcp`, {
      method: "POST",
      headers: { authorization: `Bearer ${sign({ scope: "other" })}` },
    });
    await response.arrayBuffer();
    expect(response.status).toBe(403);
    for (const read of [readChallengeV1, readChallengeV2]) {
      const { resourceMetadataUrl, scope, error } = read(response);
      expect([resourceMetadataUrl?.href, scope, error]).toEqual([resource, "tools", "insufficient_scope"]);
    }
  });
});

describe("security considerations", () => {
  test("tokens MUST be stored securely: the store keeps none of them", async () => {
    const { client: own, tokens: kept } = await scene.connect("ada");
    const found = await scene.system.store?.tenant("default").list("access", { limit: 1_000 });
    expect(found?.length).toBeGreaterThan(0);
    const grants = await scene.system.store?.tenant("default").list("grant", { limit: 1_000 });
    const refresh = await scene.system.store?.tenant("default").list("refresh", { limit: 1_000 });
    const text = JSON.stringify([found, grants, refresh]);
    expect(text).toContain(own.id);
    for (const secret of [kept.access_token, kept.refresh_token]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(secret.slice("gst_oat_".length));
    }
  });

  test("endpoints MUST be served over HTTPS, but for this machine", async () => {
    const file = (base_url: string): string =>
      JSON.stringify({
        server: { base_url, allowed_hosts: [new URL(base_url).hostname] },
        auth: { provider: "local", authorization_server: {} },
        datastore: { provider: "sqlite", config: { path: "./g.db" } },
        providers: {},
      });
    const problemsOf = async (base: string) =>
      (await loadText(file(base))).diagnostics.filter(({ code }) => code === "base-url");
    expect(await problemsOf("http://gateway.example.com")).toEqual([
      expect.objectContaining({ severity: "error", message: expect.stringContaining("not encrypted") }),
    ]);
    for (const good of ["https://gateway.example.com", "http://127.0.0.1:8080"])
      expect(await problemsOf(good)).toEqual([]);
  });

  test("redirect URIs MUST be of localhost or use HTTPS; private-use schemes are those of the operator's list", async () => {
    const register = (uri: string) =>
      send(
        "POST",
        `${scene.url}/oauth/register`,
        { "content-type": "application/json" },
        JSON.stringify({ redirect_uris: [uri] }),
      );
    for (const uri of ["http://app.example.com/cb", "http://10.0.0.1/cb", "unknown-scheme://cb"]) {
      const reply = await register(uri);
      expect([reply.status, membersOf(reply.text)["error"]]).toEqual([400, "invalid_redirect_uri"]);
    }
    for (const uri of ["https://app.example.com/cb", "http://localhost/cb", "cursor://cb/x"])
      expect((await register(uri)).status).toBe(201);
  });

  test("redirect URIs MUST be compared exactly with registered ones, and nobody sent to another one", async () => {
    for (const uri of [`${client.redirectUri}/`, `${client.redirectUri}?x`, "https://evil.example.com/"]) {
      const reply = await ada.get(scene.begin(client, { redirect_uri: uri }).url);
      expect(reply.status).toBe(400);
      expect([reply.headers.location, reply.headers["refresh"]]).toEqual([undefined, undefined]);
      expect(reply.text).not.toContain(`href="${uri}`);
    }
  });

  test("consent MUST be asked for each client that registers itself, and the host of its address shown", async () => {
    for (const [uri, shown] of [
      ["https://app.example.com/cb", "app.example.com"],
      ["http://127.0.0.1:4000/cb", "127.0.0.1"],
    ] as const) {
      const other = await scene.register({ redirect_uris: [uri] });
      for (let times = 0; times < 2; times++) {
        const page = await ada.open(scene.begin(other).url);
        expect(page.status).toBe(200);
        expect(new URL(page.url).pathname).toBe("/oauth/consent");
        expect(page.text).toContain(shown);
        await ada.press(page, "allow");
      }
    }
  });

  test("PKCE: a request without S256 is refused, whoever the client is", async () => {
    for (const change of [{ code_challenge: undefined }, { code_challenge_method: "plain" }]) {
      const { url } = await ada.open(scene.begin(client, change).url);
      expect(new URL(url).searchParams.get("error")).toBe("invalid_request");
    }
  });

  test("metadata documents MUST name their own address, be JSON, and have what is required", async () => {
    const good = { client_name: "Document", redirect_uris: ["https://app.example/cb"] };
    const bodies: Readonly<Record<string, (base: string) => string>> = {
      "/good": (base) => JSON.stringify({ ...good, client_id: `${base}/good` }),
      "/other": (base) => JSON.stringify({ ...good, client_id: `${base}/good` }),
      "/no-json": () => "<html>",
      "/list": (base) => JSON.stringify([{ ...good, client_id: `${base}/list` }]),
      "/no-id": () => JSON.stringify(good),
      "/no-uris": (base) => JSON.stringify({ client_name: "Document", client_id: `${base}/no-uris` }),
      "/no-name": (base) =>
        JSON.stringify({ redirect_uris: good.redirect_uris, client_id: `${base}/no-name` }),
    };
    const documents = await startDocuments((request, response) => {
      const body = bodies[request.url ?? ""]?.(documents.base) ?? "";
      response.writeHead(200, { "content-type": "application/json" }).end(body);
    });
    const { rules, refused } = await createRulesHarness();
    expect(await rules.find(`${documents.base}/good`)).toMatchObject({ name: "Document" });
    for (const path of Object.keys(bodies).filter((path) => path !== "/good"))
      expect([path, (await refused(rules.find(`${documents.base}${path}`))).error]).toEqual([
        path,
        "invalid_client",
      ]);
  });

  test("pages elsewhere MUST be refused at the endpoint (Transports, Security Warning)", async () => {
    const reply = await scene.mcp(tokens.access_token, { origin: "https://evil.example.com" });
    expect(reply.status).toBe(403);
    expect((await scene.mcp(tokens.access_token, { origin: scene.url })).status).toBe(200);
  });
});

// "MUST NOT pass through the token it received": row-10-no-token-leaves.test.ts and row-10-no-byte-leaves.test.ts, on the wire. "MUST follow OAuth
// 2.1 security best practices": row-10-rfc9700.test.ts. "MUST validate redirect URIs [...] against those in the metadata document":
// row-09-registrations.test.ts.
