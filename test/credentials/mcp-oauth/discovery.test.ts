import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkEndpoint } from "../../../src/credentials/mcp-oauth/check-endpoint.ts";
import { GatewayError } from "../../../src/errors.ts";
import {
  type Answer,
  createHarness,
  goodMetadata,
  refusing,
  type Scripted,
  startScripted,
} from "./harness.ts";

/** An MCP server and an authorization server that are well, until a test changes something. */
async function startPair(path = "/mcp"): Promise<{
  readonly mcpUrl: string;
  readonly resource: Scripted;
  readonly issuer: Scripted;
}> {
  const resource = await startScripted();
  const issuer = await startScripted();
  const mcpUrl = `${resource.origin}${path}`;
  resource.answers.set(path, refusing(undefined));
  resource.answers.set(`/.well-known/oauth-protected-resource${path}`, {
    resource: mcpUrl,
    authorization_servers: [issuer.origin],
  });
  issuer.answers.set("/.well-known/oauth-authorization-server", goodMetadata(issuer.origin));
  issuer.answers.set("/register", { client_id: "client-1", token_endpoint_auth_method: "none" });
  return { mcpUrl, resource, issuer };
}

const prm = "/.well-known/oauth-protected-resource";
const oauth = "/.well-known/oauth-authorization-server";
const oidc = "/.well-known/openid-configuration";

describe("where the resource's metadata is", () => {
  test("at the URL of the challenge, and nowhere else is asked", async () => {
    const { prepare } = await createHarness();
    const { mcpUrl, resource, issuer } = await startPair();
    resource.answers.set("/mcp", refusing(`Bearer resource_metadata="${resource.origin}/here", scope="a b"`));
    resource.answers.set("/here", { resource: mcpUrl, authorization_servers: [issuer.origin] });
    const { client, scopes } = await prepare(mcpUrl);
    expect(client).toMatchObject({ issuer: issuer.origin, resource: mcpUrl, clientId: "client-1" });
    expect(scopes).toEqual(["a", "b"]);
    expect(resource.asked).toEqual(["/mcp", "/here"]);
  });

  test("at the place for the path before the one for the origin", async () => {
    const { prepare } = await createHarness();
    const { mcpUrl, resource } = await startPair();
    resource.answers.set(prm, { resource: "https://other.example" });
    await prepare(mcpUrl);
    expect(resource.asked).toEqual(["/mcp", `${prm}/mcp`]);
  });

  test("at the place for the origin, whose identifier is sent as it is written", async () => {
    const { prepare } = await createHarness();
    const { mcpUrl, resource, issuer } = await startPair();
    resource.answers.delete(`${prm}/mcp`);
    resource.answers.set(prm, { resource: resource.origin, authorization_servers: [issuer.origin] });
    const { client, stored } = await prepare(mcpUrl);
    expect(client.resource).toBe(resource.origin);
    expect(stored.resource).toBe(resource.origin);
  });

  test("past a start page that answers every path", async () => {
    const { prepare } = await createHarness();
    const { mcpUrl, resource, issuer } = await startPair();
    resource.answers.set(`${prm}/mcp`, (_request, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>");
    });
    resource.answers.set(prm, { resource: resource.origin, authorization_servers: [issuer.origin] });
    expect((await prepare(mcpUrl)).client.issuer).toBe(issuer.origin);
  });

  test("a server that fails is not one without metadata", async () => {
    const { prepare } = await createHarness();
    const { mcpUrl, resource } = await startPair();
    resource.answers.set(`${prm}/mcp`, (_request, response) => response.writeHead(503).end());
    await expect(prepare(mcpUrl)).rejects.toMatchObject({ code: "upstream_failed", retryable: true });
    expect(resource.asked).not.toContain(oauth);
  });

  test("a server that asks for nothing and announces nothing", async () => {
    const { prepare } = await createHarness();
    const { mcpUrl, resource } = await startPair();
    resource.answers.set("/mcp", { jsonrpc: "2.0", id: 1, result: {} });
    resource.answers.delete(`${prm}/mcp`);
    await expect(prepare(mcpUrl)).rejects.toThrow("nothing to connect");
  });

  test("a server that lets anybody begin, and asks later", async () => {
    const { prepare } = await createHarness();
    const { mcpUrl, resource } = await startPair();
    resource.answers.set("/mcp", (request, response) => {
      if (request.headers["mcp-protocol-version"] === "2026-07-28") return void response.writeHead(400).end();
      response.setHeader("www-authenticate", 'Bearer scope="late"');
      response.writeHead(401).end();
    });
    expect((await prepare(mcpUrl)).scopes).toEqual(["late"]);
  });

  test("an answer that never ends is not waited for", async () => {
    const { prepare } = await createHarness();
    const { mcpUrl, resource } = await startPair();
    resource.answers.set("/mcp", (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).write(": hello\n\n");
    });
    expect((await prepare(mcpUrl)).client.clientId).toBe("client-1");
  });
});

describe("where the authorization server's metadata is", () => {
  test.each([
    { path: "", place: oauth, before: [] },
    { path: "", place: oidc, before: [oauth] },
    { path: "/acme", place: `${oauth}/acme`, before: [] },
    { path: "/acme", place: `${oidc}/acme`, before: [`${oauth}/acme`] },
    { path: "/acme", place: `/acme${oidc}`, before: [`${oauth}/acme`, `${oidc}/acme`] },
  ])("of an issuer with path '$path' at $place", async ({ path, place, before }) => {
    const { prepare } = await createHarness();
    const { mcpUrl, resource, issuer } = await startPair();
    const name = `${issuer.origin}${path}`;
    resource.answers.set(`${prm}/mcp`, { resource: mcpUrl, authorization_servers: [name] });
    issuer.answers.clear();
    issuer.answers.set(place, goodMetadata(name, issuer.origin));
    issuer.answers.set("/register", { client_id: "client-1", token_endpoint_auth_method: "none" });
    const { client } = await prepare(mcpUrl);
    expect(client.issuer).toBe(name);
    expect(issuer.asked).toEqual([...before, place, "/register"]);
  });

  test("nowhere", async () => {
    const { prepare } = await createHarness();
    const { mcpUrl, issuer } = await startPair();
    issuer.answers.clear();
    await expect(prepare(mcpUrl)).rejects.toThrow("publishes no metadata");
    expect(issuer.asked).toEqual([oauth, oidc]);
  });

  test("on the MCP server's own origin, which speaks for no other one", async () => {
    const { prepare } = await createHarness({ allowedHosts: [] });
    const { mcpUrl, resource } = await startPair();
    resource.answers.delete(`${prm}/mcp`);
    resource.answers.set("/register", { client_id: "client-1", token_endpoint_auth_method: "none" });
    resource.answers.set(oauth, goodMetadata("https://other.example", resource.origin));
    await expect(prepare(mcpUrl)).rejects.toThrow("another issuer");
    resource.answers.set(oauth, goodMetadata(`${resource.origin}/oauth`, resource.origin));
    expect((await prepare(mcpUrl)).client.issuer).toBe(`${resource.origin}/oauth`);
  });

  test("on the MCP server's own origin, where it names none (2025-03-26)", async () => {
    const { prepare } = await createHarness({ allowedHosts: [] });
    const { mcpUrl, resource } = await startPair();
    resource.answers.delete(`${prm}/mcp`);
    resource.answers.set(oauth, goodMetadata(`${resource.origin}/`, resource.origin));
    resource.answers.set("/register", { client_id: "client-1", token_endpoint_auth_method: "none" });
    const { client, stored } = await prepare(mcpUrl);
    expect(client).toMatchObject({ issuer: `${resource.origin}/`, resource: mcpUrl, namedBy: "operator" });
    expect(stored.namedBy).toBe("operator");
  });

  test("nowhere on the MCP server's own origin: the endpoints of 2025-03-26", async () => {
    const { prepare } = await createHarness({ allowedHosts: [] });
    const { mcpUrl, resource } = await startPair();
    resource.answers.delete(`${prm}/mcp`);
    resource.answers.set("/register", { client_id: "client-1", token_endpoint_auth_method: "none" });
    resource.answers.set("/mcp?key=canary", refusing(undefined));
    const { client, stored } = await prepare(`${mcpUrl}?key=canary`);
    expect(stored.resource).toBe(mcpUrl);
    expect(client.authorizationUrl).toBe(`${resource.origin}/authorize`);
    expect(client.tokenUrl).toBe(`${resource.origin}/token`);
  });

  test("of the server that the credential came from, while it is still named", async () => {
    const { prepare } = await createHarness();
    const { mcpUrl, resource, issuer } = await startPair();
    const second = await startScripted();
    second.answers.set(oauth, goodMetadata(second.origin));
    second.answers.set("/register", { client_id: "client-2", token_endpoint_auth_method: "none" });
    const list = [issuer.origin, second.origin];
    resource.answers.set(`${prm}/mcp`, { resource: mcpUrl, authorization_servers: list });
    expect((await prepare(mcpUrl)).client.issuer).toBe(issuer.origin);
    expect((await prepare(mcpUrl, { issuer: second.origin })).client.issuer).toBe(second.origin);
    expect((await prepare(mcpUrl, { issuer: "https://gone.example" })).client.issuer).toBe(issuer.origin);
  });
});

describe("hostile metadata", () => {
  test.each([
    ["another origin", "https://evil.example/mcp"],
    ["another path", "ORIGIN/other"],
    ["a path that only begins alike", "ORIGIN/mc"],
    ["a path below", "ORIGIN/mcp/deep"],
    ["a fragment", "ORIGIN/mcp#x"],
    ["a user", "http://user@HOST/mcp"],
    ["another query", "ORIGIN/mcp?tenant=1"],
    ["no URL", "mcp"],
    ["nothing", undefined],
  ])("about a resource with %s is not believed", async (_what, named) => {
    const { prepare } = await createHarness();
    const { mcpUrl, resource, issuer } = await startPair();
    const host = new URL(resource.origin).host;
    const name = named?.replace("ORIGIN", resource.origin).replace("HOST", host);
    resource.answers.set(`${prm}/mcp`, { resource: name, authorization_servers: [issuer.origin] });
    await expect(prepare(mcpUrl)).rejects.toThrow("another resource");
    expect(issuer.asked).toEqual([]);
  });

  test.each([
    ["of another server", () => "https://attacker.example"],
    ["with a slash more", (origin: string) => `${origin}/`],
    ["in capital letters", (origin: string) => origin.toUpperCase()],
    ["that is missing", () => undefined],
  ])("with an issuer %s ends the search", async (_what, nameOf) => {
    const { prepare } = await createHarness();
    const { mcpUrl, issuer } = await startPair();
    issuer.answers.set(oauth, { ...goodMetadata(issuer.origin), issuer: nameOf(issuer.origin) });
    issuer.answers.set(oidc, goodMetadata(issuer.origin));
    await expect(prepare(mcpUrl)).rejects.toThrow("another issuer");
    expect(issuer.asked).toEqual([oauth]);
  });

  test.each([
    ["authorization_endpoint", "javascript:alert(1)"],
    ["authorization_endpoint", "data:text/html,hello"],
    ["authorization_endpoint", undefined],
    ["authorization_endpoint", "https://user:password@good.example/authorize"],
    ["token_endpoint", "http://good.example/token"],
    ["token_endpoint", "//good.example/token"],
    ["token_endpoint", "https://good.example/token#fragment"],
    ["token_endpoint", "https://good.example\\@evil.example/token"],
    ["token_endpoint", "https://good.example/to\nken"],
    ["token_endpoint", "file:///etc/passwd"],
    ["token_endpoint", 17],
    ["registration_endpoint", "http://169.254.169.254/latest"],
    ["revocation_endpoint", "ftp://good.example/revoke"],
    ["token_endpoint", `https://good.example/${"a".repeat(3000)}`],
  ])("with %s %.40s is not followed", async (name, value) => {
    const { prepare } = await createHarness();
    const { mcpUrl, issuer } = await startPair();
    issuer.answers.set(oauth, { ...goodMetadata(issuer.origin), [name]: value });
    await expect(prepare(mcpUrl)).rejects.toMatchObject({ code: "upstream_failed" });
    expect(issuer.asked).toEqual([oauth]);
  });

  test.each([[undefined], [[]], [["plain"]], ["S256"]])(
    "with PKCE methods %j is refused",
    async (methods) => {
      const { prepare } = await createHarness();
      const { mcpUrl, issuer } = await startPair();
      issuer.answers.set(oauth, {
        ...goodMetadata(issuer.origin),
        code_challenge_methods_supported: methods,
      });
      await expect(prepare(mcpUrl)).rejects.toMatchObject({ code: "unsupported" });
    },
  );

  const bodies: readonly (readonly [string, Answer, string])[] = [
    ["huge", pour, "answer_too_large"],
    ["dripping", drip, "timed_out"],
    ["silent", () => undefined, "timed_out"],
    ["cut off", (_request, response) => response.writeHead(200).destroy(), "upstream_failed"],
    ["garbage", json("{"), "upstream_failed"],
    ["a list", json("[]"), "upstream_failed"],
    ["of the wrong encoding", json(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])), "upstream_failed"],
    ["of the server's failure", (_request, response) => response.writeHead(500).end(), "upstream_failed"],
    ["of many requests", (_request, response) => response.writeHead(429).end(), "upstream_failed"],
  ];
  test.each(bodies)("that is %s ends the search", async (_what, answer, code) => {
    const { prepare } = await createHarness();
    const { mcpUrl, issuer } = await startPair();
    issuer.answers.set(oauth, answer);
    issuer.answers.set(oidc, goodMetadata(issuer.origin));
    await expect(prepare(mcpUrl)).rejects.toMatchObject({ code });
    // A request whose connection broke may come twice.
    expect(new Set(issuer.asked)).toEqual(new Set([oauth]));
  });

  test("that redirects is not followed", async () => {
    const { prepare } = await createHarness();
    const { mcpUrl, issuer } = await startPair();
    issuer.answers.clear();
    issuer.answers.set(oauth, (_request, response) =>
      response.writeHead(302, { location: `${issuer.origin}/inside` }).end(),
    );
    await expect(prepare(mcpUrl)).rejects.toThrow("publishes no metadata");
    expect(issuer.asked).not.toContain("/inside");
  });

  test("that leads to private addresses is not followed", async () => {
    const { prepare } = await createHarness({ allowedHosts: [] });
    const { mcpUrl, resource, issuer } = await startPair();
    await expect(prepare(mcpUrl)).rejects.toMatchObject({ code: "upstream_failed" });
    expect(issuer.asked).toEqual([]);

    const announced = `Bearer resource_metadata="${issuer.origin}/inside"`;
    resource.answers.set("/mcp", refusing(announced));
    await expect(prepare(mcpUrl)).rejects.toMatchObject({ code: "upstream_failed" });
    expect(issuer.asked).toEqual([]);
  });

  test("of the MCP server's own origin lends its standing to no other server", async () => {
    const { prepare } = await createHarness({ allowedHosts: [] });
    const { mcpUrl, resource, issuer } = await startPair();
    resource.answers.set(`${prm}/mcp`, { resource: mcpUrl, authorization_servers: [resource.origin] });
    const metadata = goodMetadata(resource.origin);
    resource.answers.set(oauth, { ...metadata, revocation_endpoint: `${issuer.origin}/revoke` });
    resource.answers.set("/register", { client_id: "c", token_endpoint_auth_method: "none" });
    const { client } = await prepare(mcpUrl);
    expect(client).toMatchObject({ namedBy: "operator", revocationUrl: undefined });

    resource.answers.set(oauth, { ...metadata, token_endpoint: `${issuer.origin}/token` });
    expect((await prepare(mcpUrl)).client.namedBy).toBe("upstream");
  });

  test("that names an issuer in clear text, with a user, a query or none at all", async () => {
    const { prepare } = await createHarness();
    const { mcpUrl, resource, issuer } = await startPair();
    const { host } = new URL(issuer.origin);
    const names = ["http://as.example", `http://u:p@${host}`, `${issuer.origin}?x=1`, "", "as.example"];
    for (const name of names) {
      resource.answers.set(`${prm}/mcp`, { resource: mcpUrl, authorization_servers: [name] });
      await expect(prepare(mcpUrl), name).rejects.toMatchObject({ code: "upstream_failed" });
    }
    expect(issuer.asked).toEqual([]);
  });
});

test("whatever a server names, an endpoint is https, or http of this machine or of the MCP server itself", () => {
  const mcpUrl = "http://mcp.internal:8080/mcp";
  fc.assert(
    fc.property(fc.oneof(fc.webUrl({ withFragments: true }), fc.string(), fc.webAuthority()), (text) => {
      let checked: string;
      try {
        checked = checkEndpoint(text, "token endpoint", mcpUrl);
      } catch (error) {
        expect(error).toBeInstanceOf(GatewayError);
        return;
      }
      expect(checked).toBe(text);
      const url = new URL(checked);
      expect(url.username + url.password + url.hash).toBe("");
      const isOwn = url.origin === "http://mcp.internal:8080";
      expect(url.protocol === "https:" || isOwn || /^(localhost|127\.|\[::1\])/.test(url.hostname)).toBe(
        true,
      );
    }),
  );
});

function pour(_request: unknown, response: import("node:http").ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(" ".repeat(2_000_000));
}

function drip(_request: unknown, response: import("node:http").ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  const timer = setInterval(() => response.write(" "), 20);
  response.on("close", () => clearInterval(timer));
}

function json(body: string | Buffer): Answer {
  return (_request, response) => response.writeHead(200, { "content-type": "application/json" }).end(body);
}
