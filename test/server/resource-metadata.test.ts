import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import type { AuthConfig, TrustedIssuerConfig } from "../../src/model/auth-config.ts";
import { createOwnAddress } from "../../src/own-address.ts";
import { createResourceMetadata } from "../../src/server/resource-metadata.ts";
import { authorizationServer } from "../identity/granted.ts";
import { auth } from "../identity/harness.ts";
import { openStage, token } from "./stage.ts";

const trusted: TrustedIssuerConfig = {
  issuer: "https://issuer.example.com",
  ...{ audiences: ["https://gw.example.com"], jwksUrl: undefined, algorithms: ["RS256"], types: ["at+jwt"] },
  requiredScopes: ["tools", "read"],
  claims: { tenant: undefined, roles: undefined },
  place: { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 },
};
const own: Partial<AuthConfig> = { authorizationServer };

function metadataAt(baseUrl: string | undefined, settings: Partial<AuthConfig> = own) {
  const address = createOwnAddress(() => ({ host: "127.0.0.1", port: 8080, baseUrl }));
  return createResourceMetadata({ auth: () => ({ ...auth, ...settings }), address });
}

const wellKnown = "/.well-known/oauth-protected-resource";

describe("the metadata", () => {
  test("of MCP, at its own path and at the root", () => {
    const metadata = metadataAt("https://gw.example.com");
    for (const path of [wellKnown, `${wellKnown}/mcp`]) {
      expect(metadata.find(path, "gw.example.com")).toEqual({
        resource: "https://gw.example.com/mcp",
        authorization_servers: ["https://gw.example.com"],
        scopes_supported: ["mcp", "mcp:read"],
        bearer_methods_supported: ["header"],
        resource_name: "Gestalt Gateway",
      });
    }
  });

  test("of the HTTP API", () => {
    expect(metadataAt("https://gw.example.com").find(`${wellKnown}/api/v1`, undefined)).toMatchObject({
      resource: "https://gw.example.com/api/v1",
    });
  });

  test.each([
    "",
    "/",
    `${wellKnown}/`,
    `${wellKnown}/mcp/`,
    `${wellKnown}/api`,
    `${wellKnown}/api/v2`,
    `${wellKnown}x`,
    `${wellKnown}/constructor`,
    `${wellKnown}/__proto__`,
    `${wellKnown}/MCP`,
    "/.well-known/oauth-authorization-server",
    "/mcp",
  ])("is not at %j", (path) => {
    expect(metadataAt("https://gw.example.com").find(path, undefined)).toBeUndefined();
  });

  test("below a path prefix is found in front of it and inside", () => {
    const metadata = metadataAt("https://example.com/tools/gw/");
    for (const path of ["", "/mcp", "/tools/gw", "/tools/gw/mcp"])
      expect(metadata.find(`${wellKnown}${path}`, undefined)?.["resource"]).toBe(
        "https://example.com/tools/gw/mcp",
      );
    expect(metadata.find(`${wellKnown}/tools/gw/api/v1`, undefined)?.["resource"]).toBe(
      "https://example.com/tools/gw/api/v1",
    );
    for (const path of ["/tools", "/tools/gwx/mcp", "/tools/gw/", "/tools/gw/tools/gw/mcp"])
      expect(metadata.find(`${wellKnown}${path}`, undefined), path).toBeUndefined();
  });

  test("names the gateway as the client sees it, by no name that is not its own", () => {
    const metadata = metadataAt(undefined);
    for (const [host, base] of [
      ["127.0.0.1:8080", "http://127.0.0.1:8080"],
      ["localhost:8080", "http://localhost:8080"],
      ["LOCALHOST:8080", "http://localhost:8080"],
      // Nobody listens there, or somebody else does.
      ["[::1]:8080", "http://127.0.0.1:8080"],
      ["evil.example", "http://127.0.0.1:8080"],
      ["localhost:9", "http://127.0.0.1:8080"],
      [undefined, "http://127.0.0.1:8080"],
    ] as const) {
      expect(metadata.find(wellKnown, host)).toMatchObject({
        ...{ resource: `${base}/mcp`, authorization_servers: [base] },
      });
      expect(metadata.challenge("/mcp", host)["resource_metadata"]).toBe(`${base}${wellKnown}/mcp`);
    }
    expect(metadataAt("https://gw.example.com").find(wellKnown, "localhost:8080")?.["resource"]).toBe(
      "https://gw.example.com/mcp",
    );
  });

  test("names trusted issuers after our own, and their scopes where we issue nothing", () => {
    const issuers = [trusted, { ...trusted, issuer: "https://other.example.com", requiredScopes: ["read"] }];
    expect(
      metadataAt("https://gw.example.com", { ...own, trustedIssuers: issuers }).find(wellKnown, undefined),
    ).toMatchObject({
      authorization_servers: ["https://gw.example.com", trusted.issuer, "https://other.example.com"],
      scopes_supported: ["mcp", "mcp:read"],
    });
    const theirs = metadataAt("https://gw.example.com", { trustedIssuers: issuers });
    expect(theirs.find(wellKnown, undefined)).toMatchObject({
      authorization_servers: [trusted.issuer, "https://other.example.com"],
      scopes_supported: ["tools", "read"],
    });
    expect(theirs.challenge("/mcp", undefined)["scope"]).toBe("tools read");
    const none = metadataAt("https://gw.example.com", {
      trustedIssuers: [{ ...trusted, requiredScopes: [] }],
    });
    expect(none.find(wellKnown, undefined)).not.toHaveProperty("scopes_supported");
    expect(none.challenge("/mcp", undefined)).not.toHaveProperty("scope");
  });

  test("is nowhere while nobody issues tokens, and where nobody signs in", () => {
    for (const settings of [{}, { ...own, provider: "none" as const }]) {
      const metadata = metadataAt("https://gw.example.com", settings);
      expect(metadata.find(wellKnown, undefined)).toBeUndefined();
      expect(metadata.challenge("/mcp", undefined)).toEqual({});
    }
  });
});

describe("over HTTP", () => {
  const baseUrl = "https://gw.example.com";
  const hosts = { baseUrl, allowedHosts: ["gw.example.com"] };

  test("anybody reads it, from pages elsewhere too, and nothing else is to be had there", async () => {
    await using stage = await openStage({ ...hosts, auth: own });
    const headers = { origin: "https://inspector.example", "sec-fetch-site": "cross-site" };
    const answer = await stage.send("GET", `${wellKnown}/mcp`, { headers });
    expect([answer.status, answer.headers["access-control-allow-origin"]]).toEqual([200, "*"]);
    expect(answer.json["resource"]).toBe(`${baseUrl}/mcp`);
    expect((await stage.send("HEAD", `${wellKnown}/mcp`)).status).toBe(200);
    expect((await stage.send("POST", `${wellKnown}/mcp`)).status).toBe(405);
    // Browsers ask before they send the version of the protocol along.
    const asked = { ...headers, "access-control-request-headers": "mcp-protocol-version" };
    expect(await stage.send("OPTIONS", `${wellKnown}/mcp`, { headers: asked })).toMatchObject({
      status: 204,
      headers: {
        "access-control-allow-origin": "*",
        "access-control-allow-headers": "mcp-protocol-version",
      },
    });
    expect((await stage.send("GET", `${wellKnown}/mcp`, { headers: { host: "evil.example" } })).status).toBe(
      403,
    );
    expect((await stage.send("GET", `${wellKnown}/nothing`)).status).toBe(404);
    await using silent = await openStage(hosts);
    expect((await silent.send("GET", `${wellKnown}/mcp`)).status).toBe(404);
  });

  test.each([
    ["POST", "/mcp", "/mcp"],
    ["GET", "/mcp", "/mcp"],
    ["DELETE", "/mcp/", "/mcp"],
    ["POST", "/mcp/books", "/mcp"],
    ["POST", "/api/v1/books/find", "/api/v1"],
    ["GET", "/api/v1/auth/session", "/api/v1"],
  ])("a refusal of %s %s leads to it", async (method, path, resource) => {
    await using stage = await openStage({ ...hosts, auth: own });
    const challenge = `resource_metadata="${baseUrl}${wellKnown}${resource}", scope="mcp"`;
    const none = await stage.send(method, path);
    expect([none.status, none.headers["www-authenticate"]]).toEqual([
      401,
      `Bearer realm="gestalt-gateway", ${challenge}`,
    ]);
    const wrong = await stage.send(method, path, { headers: { authorization: `Bearer ${token("nobody")}` } });
    expect([wrong.status, wrong.headers["www-authenticate"]]).toEqual([
      401,
      `Bearer realm="gestalt-gateway", error="invalid_token", ${challenge}`,
    ]);
  });

  test("where nobody issues tokens, a refusal leads nowhere", async () => {
    await using stage = await openStage(hosts);
    const answer = await stage.send("POST", "/mcp");
    expect([answer.status, answer.headers["www-authenticate"]]).toEqual([
      401,
      'Bearer realm="gestalt-gateway"',
    ]);
  });

  test.each([
    ["POST", "/mcp"],
    ["GET", "/mcp"],
    ["DELETE", "/mcp"],
    ["GET", "/api/v1/books/find"],
  ])("a token without scope is told at %s %s which one it takes", async (method, path) => {
    const authenticate = async (): Promise<never> => {
      throw new GatewayError("insufficient_scope", "More is needed.", { details: { scope: 'a "b" c\\' } });
    };
    await using stage = await openStage({ ...hosts, auth: own, identity: { authenticate } });
    const answer = await stage.send(method, path, { headers: { authorization: `Bearer ${token("ada")}` } });
    const resource = path === "/mcp" ? "/mcp" : "/api/v1";
    expect([answer.status, answer.headers["www-authenticate"]]).toEqual([
      403,
      `Bearer realm="gestalt-gateway", error="insufficient_scope", resource_metadata="${baseUrl}${wellKnown}${resource}", scope="a \\"b\\" c\\\\"`,
    ]);
    expect(answer.headers["gateway-error"]).toBe("insufficient_scope");
  });

  test("what is refused for another reason challenges nobody", async () => {
    await using stage = await openStage({ ...hosts, auth: own });
    const answer = await stage.send("POST", "/mcp", { headers: { host: "evil.example" } });
    expect([answer.status, answer.headers["www-authenticate"]]).toEqual([403, undefined]);
  });
});

test("who asks with the prefix that a proxy should have taken away is told so", async () => {
  await using stage = await openStage({ baseUrl: "https://gw.example.com/tools" });
  const messageAt = async (path: string): Promise<string> =>
    (await stage.send("GET", path, { headers: { host: "127.0.0.1" } })).text;
  expect(await messageAt("/tools/mcp")).toContain(
    "ends in `/tools`, which the proxy in front has to take away",
  );
  expect(await messageAt("/toolsmith")).toContain("GET /openapi.json describes");
});
