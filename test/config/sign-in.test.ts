import { describe, expect, test } from "vitest";
import { knownRedirectSchemes } from "../../src/config/normalize-sign-in.ts";
import { problemOfRedirectScheme } from "../../src/redirect-uri-form.ts";
import { loadText } from "./load-text.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const providers = "providers: {crm: {mcp_url: https://crm.example.com/mcp}}\n";

/** `auth` of a file without errors. */
async function load(auth: string, options: Parameters<typeof loadText>[1] = {}) {
  const { config, diagnostics } = await loadText(`auth:\n${auth}\n${providers}`, options);
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  if (!config) throw new Error("no configuration");
  return config.auth;
}

describe("sign-in at an OpenID provider", () => {
  test("needs an issuer and a client, and asks for little more", async () => {
    const { provider, oidc } = await load(
      "  {provider: oidc, config: {issuer_url: 'https://id.example.com/realms/main', client_id: gateway}}",
    );
    expect(provider).toBe("oidc");
    expect(oidc).toEqual({
      issuer: "https://id.example.com/realms/main",
      clientId: "gateway",
      clientSecret: undefined,
      scopes: ["openid", "email", "profile"],
      allowedDomains: undefined,
      displayName: "id.example.com",
      claims: { tenant: undefined, roles: undefined },
      place: expect.objectContaining({ line: 2 }),
    });
  });

  test("is as the file says", async () => {
    const { oidc } = await load(
      `  provider: oidc
  config:
    issuer_url: https://id.example.com
    client_id: gateway
    client_secret: "\${env:SECRET}"
    scopes: [email, groups]
    allowed_domains: [Example.COM]
    display_name: Example SSO
    tenant_claim: org
    tenants: {one: acme}
    roles_claim: realm_access.roles`,
      { environment: { SECRET: "only-here" } },
    );
    expect(oidc).toMatchObject({
      scopes: ["openid", "email", "groups"],
      allowedDomains: ["example.com"],
      displayName: "Example SSO",
      claims: {
        tenant: { claim: "org", values: { one: "acme" } },
        roles: { claim: "realm_access.roles", values: undefined },
      },
    });
    expect(oidc?.clientSecret?.reveal()).toBe("only-here");
    expect(JSON.stringify(oidc)).not.toContain("only-here");
  });

  test("an empty list of domains stays one, and nobody becomes everybody", async () => {
    const { oidc } = await load(
      "  {provider: oidc, config: {issuer_url: 'https://id.example.com', client_id: gateway, allowed_domains: []}}",
    );
    expect(oidc?.allowedDomains).toEqual([]);
  });

  test("values of claims are found by their own names only", async () => {
    const { oidc } = await load(
      "  {provider: oidc, config: {issuer_url: 'https://id.example.com', client_id: gateway, roles_claim: r, roles: {a: member}}}",
    );
    expect(oidc?.claims.roles?.values?.["constructor"]).toBeUndefined();
  });
});

describe("trusted issuers", () => {
  test("sign by anything but a shared secret, for one audience", async () => {
    const { trustedIssuers } = await load(
      "  {provider: local, trusted_issuers: [{issuer: 'https://id.example.com', audience: gateway}]}",
    );
    expect(trustedIssuers).toMatchObject([
      {
        issuer: "https://id.example.com",
        audiences: ["gateway"],
        jwksUrl: undefined,
        types: ["at+jwt", "jwt"],
        requiredScopes: [],
        claims: { tenant: undefined, roles: undefined },
        place: { line: 2 },
      },
    ]);
    expect(trustedIssuers[0]?.algorithms).toHaveLength(11);
    expect(trustedIssuers[0]?.algorithms.some((name) => /^HS|none/i.test(name))).toBe(false);
  });

  test("are as the file says", async () => {
    const { trustedIssuers } = await load(
      `  provider: oidc
  config: {issuer_url: https://id.example.com, client_id: gateway}
  trusted_issuers:
    - issuer: https://id.example.com/
      audience: [one, two]
      jwks_url: https://id.example.com/keys
      algorithms: [ES256]
      token_types: [application/AT+JWT, ""]
      required_scopes: [tools]
      tenant_claim: org
      roles_claim: groups
      roles: {admins: admin}`,
    );
    expect(trustedIssuers).toMatchObject([
      {
        // To the letter: the slash is part of the name.
        issuer: "https://id.example.com/",
        audiences: ["one", "two"],
        jwksUrl: "https://id.example.com/keys",
        algorithms: ["ES256"],
        types: ["at+jwt", ""],
        requiredScopes: ["tools"],
        claims: {
          tenant: { claim: "org", values: undefined },
          roles: { claim: "groups", values: { admins: "admin" } },
        },
      },
    ]);
  });
});

describe("the authorization server", () => {
  test.each([
    "",
    "  authorization_server: {enabled: false}",
    "  authorization_server: {enabled: false, clients: {}}",
  ])("is off unless the file asks for it: `%s`", async (text) => {
    expect((await load(`  provider: local\n${text}`)).authorizationServer).toBeUndefined();
  });

  test.each(["{}", "{enabled: true}"])("is on with `%s`, for all kinds of clients", async (text) => {
    const { authorizationServer } = await load(`  provider: local\n  authorization_server: ${text}`);
    expect(authorizationServer).toEqual({
      dynamicRegistration: { perHour: 20, mostUnused: 1000, unusedMilliseconds: day },
      clientIdMetadata: { allowedHosts: undefined },
      redirectSchemes: knownRedirectSchemes,
      accessTokenMilliseconds: hour,
      refreshTokenMilliseconds: 30 * day,
      clients: {},
    });
  });

  test("is as the file says", async () => {
    const { authorizationServer } = await load(
      `  provider: local
  authorization_server:
    access_token_ttl: 10m
    refresh_token_ttl: 7d
    dynamic_registration: {per_hour: 2, unused_limit: 10, unused_ttl: 30m}
    client_id_metadata: {allowed_hosts: [Claude.ai]}
    redirect_schemes: []
    clients:
      reports:
        display_name: Weekly reports
        redirect_uris: [https://reports.example.com/callback]
        client_secret: "\${env:SECRET}"
      desktop: {redirect_uris: ["http://127.0.0.1/callback"]}`,
      { environment: { SECRET: "only-here" } },
    );
    expect(authorizationServer).toMatchObject({
      dynamicRegistration: { perHour: 2, mostUnused: 10, unusedMilliseconds: 30 * minute },
      clientIdMetadata: { allowedHosts: ["claude.ai"] },
      redirectSchemes: [],
      accessTokenMilliseconds: 10 * minute,
      refreshTokenMilliseconds: 7 * day,
      clients: {
        reports: {
          id: "reports",
          displayName: "Weekly reports",
          redirectUris: ["https://reports.example.com/callback"],
        },
        desktop: { displayName: "desktop", secret: undefined },
      },
    });
    expect(authorizationServer?.clients["reports"]?.secret?.reveal()).toBe("only-here");
    expect(authorizationServer?.clients["toString"]).toBeUndefined();
    expect(JSON.stringify(authorizationServer)).not.toContain("only-here");
  });

  test("registration and documents can each be off", async () => {
    const { authorizationServer } = await load(
      "  {provider: local, authorization_server: {dynamic_registration: {enabled: false}, client_id_metadata: {enabled: false}, clients: {a: {redirect_uris: ['https://a.example.com/cb']}}}}",
    );
    expect(authorizationServer).toMatchObject({
      dynamicRegistration: undefined,
      clientIdMetadata: undefined,
    });
  });

  test("allows by default only schemes that it would let somebody add", () => {
    expect(knownRedirectSchemes.map(problemOfRedirectScheme)).toEqual(
      knownRedirectSchemes.map(() => undefined),
    );
  });
});

describe("a file that would open a door does not load", () => {
  test.each([
    ["oidc without a provider to sign in at", "{provider: oidc}"],
    ["a provider that nobody signs in at", "{config: {issuer_url: 'https://id.example.com', client_id: x}}"],
    ["issuers without sign-in", "{trusted_issuers: [{issuer: 'https://id.example.com', audience: x}]}"],
    ["clients without sign-in", "{authorization_server: {}}"],
    [
      "an issuer over http",
      "{provider: local, trusted_issuers: [{issuer: 'http://id.example.com', audience: x}]}",
    ],
    [
      "keys over http",
      "{provider: local, trusted_issuers: [{issuer: 'https://id.example.com', audience: x, jwks_url: 'http://id.example.com/k'}]}",
    ],
    ["no audience", "{provider: local, trusted_issuers: [{issuer: 'https://id.example.com', audience: []}]}"],
    [
      "a shared secret",
      "{provider: local, trusted_issuers: [{issuer: 'https://id.example.com', audience: x, algorithms: [HS256]}]}",
    ],
    [
      "no signature",
      "{provider: local, trusted_issuers: [{issuer: 'https://id.example.com', audience: x, algorithms: [none]}]}",
    ],
    [
      "a wildcard to send codes to",
      "{provider: local, authorization_server: {clients: {a: {redirect_uris: ['https://*.example.com/cb']}}}}",
    ],
    ["a scheme that runs code", "{provider: local, authorization_server: {redirect_schemes: [javascript]}}"],
  ])("%s", async (_name, auth) => {
    expect((await loadText(`auth: ${auth}\n${providers}`)).config).toBeUndefined();
  });

  test.each([
    ["server: {host: 0.0.0.0}\n", false],
    ["server: {host: 0.0.0.0, base_url: http://gw.example.com}\n", false],
    ["server: {base_url: http://gw.example.com}\n", false],
    ["server: {base_url: https://gw.example.com?x}\n", false],
    ["server: {base_url: https://gw.example.com#x}\n", false],
    ["server: {host: 0.0.0.0, base_url: https://gw.example.com}\n", true],
    ["server: {host: 0.0.0.0, base_url: https://gw.example.com/tools/}\n", true],
    ["server: {host: 0.0.0.0, base_url: http://localhost:8080}\n", true],
    ["server: {host: '::1'}\n", true],
    ["", true],
  ])("the authorization server at `%s`: %s", async (server, loads) => {
    const { config } = await loadText(
      `${server}auth: {provider: local, authorization_server: {}}\n${providers}`,
    );
    expect(config !== undefined).toBe(loads);
  });
});
