import { describe, expect, test } from "vitest";
import { loadText } from "./load-text.ts";

const provider = "providers: {crm: {mcp_url: https://crm.example.com/mcp}}\n";

/** What a file without errors comes to. */
async function load(text: string, options: Parameters<typeof loadText>[1] = {}) {
  const { config, diagnostics } = await loadText(
    `${text}${/^providers:/m.test(text) ? "" : provider}`,
    options,
  );
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  if (!config) throw new Error("no configuration");
  return config;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

describe("callers", () => {
  test("need not sign in unless the file says so", async () => {
    const { auth, datastore } = await load("");
    expect(auth).toEqual({
      provider: "none",
      apiTokenMilliseconds: 30 * day,
      sessionMilliseconds: 12 * hour,
      sessionIdleMilliseconds: 2 * hour,
      queryToken: undefined,
      oidc: undefined,
      trustedIssuers: [],
      authorizationServer: undefined,
    });
    expect(datastore).toBeUndefined();
  });

  test("sign in with `local`, and are kept beside the file", async () => {
    const { auth, datastore } = await load("auth: {provider: local}\n");
    expect(auth.provider).toBe("local");
    expect(datastore).toBe("/config/gestalt.db");
  });

  test("are kept where `datastore` says", async () => {
    const named = await load(
      "auth: {provider: local}\ndatastore: {provider: sqlite, config: {path: ./data/x.db}}\n",
    );
    expect(named.datastore).toBe("/config/data/x.db");
    expect((await load("datastore: {provider: sqlite}\n")).datastore).toBe("/config/gestalt.db");
  });

  test("stay signed in for as long as the file says", async () => {
    const { auth } = await load(
      "auth: {provider: local, api_token_ttl: 90d, session_ttl: 8h, session_idle: 15m, query_token: api_key}\n",
    );
    expect(auth).toEqual({
      provider: "local",
      apiTokenMilliseconds: 90 * day,
      sessionMilliseconds: 8 * hour,
      sessionIdleMilliseconds: 15 * minute,
      queryToken: "api_key",
      oidc: undefined,
      trustedIssuers: [],
      authorizationServer: undefined,
    });
  });

  test("are never idle for longer than a session lives", async () => {
    const { auth } = await load("auth: {provider: local, session_ttl: 30m}\n");
    expect(auth).toMatchObject({ sessionMilliseconds: 30 * minute, sessionIdleMilliseconds: 30 * minute });
  });

  test.each(["oidc", "saml", "None", "", "[]", "{}", "0", "false"])(
    "with the provider `%s` there is no configuration, and nobody gets in",
    async (name) => {
      expect((await loadText(`auth: {provider: ${name}}\n${provider}`)).config).toBeUndefined();
    },
  );

  test("with a provider that is not set there is no configuration to serve", async () => {
    const text = `auth: {provider: "\${env:AUTH}"}\n${provider}`;
    expect((await loadText(text, { references: "resolve" })).config).toBeUndefined();
    expect(
      (await loadText(text, { references: "resolve", environment: { AUTH: "local" } })).config?.auth.provider,
    ).toBe("local");
  });

  test("a token that was written into the file is not printed", async () => {
    const token = `gst_api_${"x".repeat(43)}`;
    const { diagnostics, sources } = await loadText(
      `auth: {provider: local, query_token: ${token}}\n# ${token}\n${provider}`,
    );
    expect(diagnostics).toContainEqual(
      expect.objectContaining({ code: "bad-query-token", severity: "error" }),
    );
    expect(JSON.stringify([diagnostics, ...sources])).not.toContain("xxx");
  });

  test("the name of a query parameter is no secret", async () => {
    const { sources } = await loadText(`auth: {provider: local, query_token: api_key}\n${provider}`);
    expect(sources.get("gestalt.yaml")).toContain("query_token: api_key");
  });
});

describe("authorization", () => {
  test("limits nobody unless the file says so", async () => {
    const { authorization } = await load("");
    expect(authorization).toEqual({
      default: "allow",
      destructive: "allow",
      roles: undefined,
      policies: [],
    });
  });

  test.each([
    ["{}", "allow", "allow"],
    ["{default: deny}", "deny", "allow"],
    ["{destructive: deny}", "allow", "deny"],
    ["{default: deny, destructive: allow}", "deny", "allow"],
  ])("%s: %s, and %s for what destroys", async (settings, general, destructive) => {
    const { authorization } = await load(`authorization: ${settings}\n`);
    expect(authorization).toMatchObject({ default: general, destructive });
  });

  test("an empty list of roles is a list: nobody gets anything", async () => {
    const { roles } = (await load("authorization: {roles: {}}\n")).authorization;
    expect(roles).toBeDefined();
    expect(Object.keys(roles ?? {})).toEqual([]);
  });

  test("roles and policies", async () => {
    const { authorization } = await load(`auth: {provider: local}
authorization:
  default: deny
  destructive: deny
  roles:
    support: {description: Helps., scopes: ["read:*", crm/update-*]}
    guest: {scopes: []}
  policies:
    - {name: late, effect: deny, when: "tool.destructive"}
    - {name: mine, effect: allow, when: "tool.read_only", description: All may read.}
    - {name: few, effect: deny, when: "size(arguments.to) > 10", message: Too many.}
`);
    expect(authorization).toMatchObject({
      default: "deny",
      destructive: "deny",
      roles: {
        support: { description: "Helps.", scopes: ["read:*", "crm/update-*"] },
        guest: { description: undefined, scopes: [] },
      },
      policies: [
        {
          name: "late",
          effect: "deny",
          when: "tool.destructive",
          description: undefined,
          message: undefined,
        },
        { name: "mine", effect: "allow", description: "All may read." },
        { name: "few", effect: "deny", message: "Too many.", place: { line: 11, column: 14 } },
      ],
    });
  });

  test("every scope and every tool of a tenant has its place, and tells whether a reference supplied it", async () => {
    const file = `authorization:
  roles:
    a: {scopes: [crm, "\${env:GRANT}"]}
tenants:
  acme:
    tools:
      - crm_a
      - "\${env:GRANT}"
  all: {}
`;
    const { authorization, tenants } = await load(file, { environment: { GRANT: "crm" } });
    expect(authorization.roles?.["a"]?.scopeOrigins).toMatchObject([
      { place: { line: 3, column: 18 }, isReference: false },
      { place: { line: 3, column: 23 }, isReference: true },
    ]);
    expect(tenants["acme"]?.toolOrigins).toMatchObject([
      { place: { line: 7, column: 9 }, isReference: false },
      { place: { line: 8, column: 9 }, isReference: true },
    ]);
    expect(tenants["all"]?.toolOrigins).toEqual([]);
  });

  test("look-ups find no role and no tenant that was not declared", async () => {
    const { authorization, tenants } = await load(
      "authorization: {roles: {a: {scopes: []}}}\ntenants: {a: {}}\n",
    );
    for (const name of ["constructor", "__proto__", "toString"]) {
      expect(authorization.roles?.[name]).toBeUndefined();
      expect(tenants[name]).toBeUndefined();
    }
  });
});

describe("tenants", () => {
  test("there is always `default`, which gets everything", async () => {
    expect((await load("")).tenants).toMatchObject({
      default: { id: "default", displayName: "default", exposure: { kind: "all" } },
    });
    expect(Object.keys((await load("tenants: {acme: {}}\n")).tenants)).toEqual(["default", "acme"]);
  });

  test("`default` can be declared like any other", async () => {
    const { tenants } = await load("tenants: {default: {display_name: Rest, exposure: selected}}\n");
    expect(tenants["default"]).toMatchObject({
      displayName: "Rest",
      exposure: { kind: "selected", providers: [], tools: [] },
    });
  });

  test.each([
    ["{}", { kind: "all" }],
    ["{exposure: all}", { kind: "all" }],
    ["{exposure: selected}", { kind: "selected", providers: [], tools: [] }],
    ["{providers: []}", { kind: "selected", providers: [], tools: [] }],
    ["{tools: []}", { kind: "selected", providers: [], tools: [] }],
    ["{providers: [crm]}", { kind: "selected", providers: ["crm"], tools: [] }],
    ['{tools: ["crm_get*"]}', { kind: "selected", providers: [], tools: ["crm_get*"] }],
    [
      "{exposure: selected, providers: [crm], tools: [crm_a]}",
      { kind: "selected", providers: ["crm"], tools: ["crm_a"] },
    ],
  ])("%s", async (settings, exposure) => {
    expect((await load(`tenants: {acme: ${settings}}\n`)).tenants["acme"]?.exposure).toEqual(exposure);
  });

  test("have a place", async () => {
    const { tenants } = await load("tenants:\n  acme: {display_name: Acme}\n");
    expect(tenants["acme"]).toMatchObject({ displayName: "Acme", place: { line: 2, column: 3 } });
  });

  test("a provider is for every tenant, for some, or for none", async () => {
    const { providers } = await load(
      "tenants: {acme: {}}\nproviders:\n  a: {mcp_url: https://a.example.com}\n  b: {tenants: [acme], mcp_url: https://b.example.com}\n  c: {tenants: [], mcp_url: https://c.example.com}\n",
    );
    expect(providers.map(({ tenants }) => tenants)).toEqual([undefined, ["acme"], []]);
  });

  test("the operator's tenants go before those of a package", async () => {
    const files = {
      "/config/crm/provider.yaml": "tenants: [theirs]\nmcp_url: https://crm.example.com/mcp\n",
    };
    const ours = await load("providers: {crm: {package: ./crm, tenants: [default]}}\n", { files });
    expect(ours.providers[0]?.tenants).toEqual(["default"]);
  });
});

describe("prompts and resources of an MCP server", () => {
  test.each([
    ["", "", true, true],
    [", prompts: false", "", false, true],
    [", resources: false", "", true, false],
    ["", ", allowed_operations: {find: {}}", false, false],
    [", prompts: true", ", allowed_operations: {find: {}}", true, false],
    [', resources: "${OFFERED}"', ", allowed_operations: {find: {}}", false, true],
  ])("are offered with `%s` and `%s`: %s, %s", async (key, beside, prompts, resources) => {
    const { providers } = await load(
      `providers: {crm: {surfaces: {mcp: {url: https://crm.example.com/mcp${key}}}${beside}}}\n`,
      { environment: { OFFERED: "true" } },
    );
    expect(providers[0]?.surfaces[0]).toMatchObject({ kind: "mcp", prompts, resources });
  });

  test("are offered where the server is named in short", async () => {
    expect((await load("")).providers[0]?.surfaces[0]).toMatchObject({ prompts: true, resources: true });
  });
});

describe("what an MCP server says of its tools", () => {
  test.each([
    ["", false],
    [", trust_annotations: false", false],
    [", trust_annotations: true", true],
    [', trust_annotations: "${TRUST}"', true],
  ])("is believed with `%s`: %s", async (key, trusted) => {
    const { providers } = await load(
      `providers: {crm: {surfaces: {mcp: {url: https://crm.example.com/mcp${key}}}}}\n`,
      { environment: { TRUST: "true" } },
    );
    expect(providers[0]?.surfaces[0]).toMatchObject({ kind: "mcp", trustAnnotations: trusted });
  });

  test("is not believed where the server is named in short", async () => {
    expect((await load("")).providers[0]?.surfaces[0]).toMatchObject({ trustAnnotations: false });
  });
});
