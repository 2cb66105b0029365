import { describe, expect, test } from "vitest";
import { isRegistrationId } from "../../src/identity/registration-record.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import { createRulesHarness, day, hour, minute } from "./client-rules-harness.ts";

const loopback = { redirect_uris: ["http://127.0.0.1/callback"], token_endpoint_auth_method: "none" };

/** As these programs send them. */
const clients: Readonly<Record<string, JsonObject>> = {
  Cursor: {
    client_name: "Cursor",
    redirect_uris: [
      "cursor://anysphere.cursor-mcp/oauth/callback",
      "https://www.cursor.com/agents/mcp/oauth/callback",
      "http://localhost:8787/callback",
    ],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
    application_type: "web",
  },
  "VS Code": {
    client_name: "Visual Studio Code",
    client_uri: "https://code.visualstudio.com",
    grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
    response_types: ["code"],
    redirect_uris: [
      "https://insiders.vscode.dev/redirect",
      "https://vscode.dev/redirect",
      "http://127.0.0.1/",
      "http://127.0.0.1:33418/",
    ],
    token_endpoint_auth_method: "none",
    application_type: "native",
  },
  Claude: {
    client_name: "Claude",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "client_secret_post",
    scope: "mcp offline_access openid",
    redirect_uris: ["https://claude.ai/api/mcp/auth_callback"],
  },
  "mcp-remote": {
    client_name: "MCP CLI Proxy",
    client_uri: "https://github.com/modelcontextprotocol/mcp-cli",
    redirect_uris: ["http://localhost:3334/oauth/callback"],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
    software_id: "2e6dc280-f3c3-4e01-99a7-8181dbd1d23d",
    software_version: "0.1.37",
  },
};

describe("what registers", () => {
  test.each(Object.entries(clients))("%s, all redirect URIs of it", async (_name, metadata) => {
    const { register, rules } = await createRulesHarness();
    const told = await register(metadata);
    expect(told).toMatchObject({
      client_name: metadata["client_name"],
      redirect_uris: metadata["redirect_uris"],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: metadata["token_endpoint_auth_method"],
    });
    expect(await rules.find(String(told["client_id"]))).toMatchObject({
      kind: "registered",
      name: metadata["client_name"],
      redirectUris: metadata["redirect_uris"],
    });
  });

  test("without a method a client gets a secret, told once and kept as a hash", async () => {
    const { register, rules, store } = await createRulesHarness();
    const told = await register({ redirect_uris: ["https://app.example/cb"] });
    expect(told).toMatchObject({
      token_endpoint_auth_method: "client_secret_basic",
      client_secret_expires_at: 0,
    });
    const secret = String(told["client_secret"]);
    const client = await rules.find(String(told["client_id"]));
    expect(client && rules.problemOfSecret(client, secret)).toBeUndefined();
    expect(client && rules.problemOfSecret(client, `${secret}x`)).toContain("wrong");
    const kept = JSON.stringify(await store.gateway.list("registration"));
    expect(kept).toContain("sha256$");
    expect(kept).not.toContain(secret);
    expect(client && rules.problemOfSecret(client, String(client.secretHash))).toContain("hash");
  });

  test("what it says about secrets, ids and times itself counts for nothing", async () => {
    const { register } = await createRulesHarness();
    const told = await register({
      ...loopback,
      ...{ client_id: "chosen", client_secret: "chosen", client_id_issued_at: 1 },
      ...{
        registration_access_token: "chosen",
        jwks_uri: "http://169.254.169.254/",
        logo_uri: "javascript:1",
      },
    });
    expect(JSON.stringify(told)).not.toMatch(/chosen|169\.254|javascript/);
    expect(isRegistrationId(String(told["client_id"]))).toBe(true);
  });

  test("twice the same gives two clients", async () => {
    const { register } = await createRulesHarness();
    const [one, other] = await Promise.all([register(loopback), register(loopback)]);
    expect(one["client_id"]).not.toBe(other["client_id"]);
  });

  test.each([
    ["nothing", undefined, undefined],
    ["text", "Claude\u202e\u0000 <b>", "Claude <b>"],
    ["long", "x".repeat(500), "x".repeat(100)],
    ["invisible", "\u200b\u2028", undefined],
  ])("a name is text that can be shown: %s", async (_case, name, shown) => {
    const { register, rules } = await createRulesHarness();
    const told = await register({ ...loopback, ...(name === undefined ? {} : { client_name: name }) });
    expect(told["client_name"]).toBe(shown);
    const id = String(told["client_id"]);
    expect(await rules.find(id)).toMatchObject({ name: shown ?? id });
  });
});

describe("what is refused, with the reason", () => {
  test.each<[string, JsonValue, string, string]>([
    ["no object", [], "invalid_client_metadata", "is a JSON object"],
    ["null", null, "invalid_client_metadata", "is a JSON object"],
    ["no address", {}, "invalid_redirect_uri", "`redirect_uris` is missing"],
    ["an empty list", { redirect_uris: [] }, "invalid_redirect_uri", "`redirect_uris` is missing"],
    ["a text", { redirect_uris: "https://app.example" }, "invalid_redirect_uri", "has to be a list"],
    ["numbers", { redirect_uris: [1] }, "invalid_redirect_uri", "`redirect_uris[0]` is no text"],
    [
      "too many",
      { redirect_uris: Array.from({ length: 21 }, (_, index) => `https://app.example/${index}`) },
      "invalid_redirect_uri",
      "has 21 items, and 20 are the most",
    ],
    [
      "one that is not allowed among others",
      { redirect_uris: ["https://app.example/cb", "myapp://callback"] },
      "invalid_redirect_uri",
      "`redirect_uris[1]`, myapp://callback, is refused, and with it all",
    ],
    [
      "the implicit flow",
      { ...loopback, grant_types: ["implicit"] },
      "invalid_client_metadata",
      "lacks authorization_code",
    ],
    [
      "grants that are no texts",
      { ...loopback, grant_types: [{}] },
      "invalid_client_metadata",
      "`grant_types` has to be a list of texts",
    ],
    [
      "tokens from the authorization endpoint",
      { ...loopback, response_types: ["token"] },
      "invalid_client_metadata",
      "lacks code",
    ],
    [
      "keys",
      { ...loopback, token_endpoint_auth_method: "private_key_jwt" },
      "invalid_client_metadata",
      "Use none, client_secret_basic or client_secret_post",
    ],
    [
      "an object as a name",
      { ...loopback, client_name: { toString: 1 } },
      "invalid_client_metadata",
      "`client_name` has to be a text",
    ],
  ])("%s", async (_case, metadata, error, reason) => {
    const { register, refused } = await createRulesHarness();
    const problem = await refused(register(metadata));
    expect(problem).toMatchObject({ error, status: 400 });
    expect(problem.message).toContain(reason);
    expect(problem.message).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
  });

  test("a scheme that the operator could allow is named with the key", async () => {
    const { register, refused } = await createRulesHarness();
    const problem = await refused(register({ redirect_uris: ["zed://callback"] }));
    expect(problem.message).toContain("`zed`");
    expect(problem.message).toContain("auth.authorization_server.redirect_schemes");
  });

  test.each([
    [
      "a form",
      "redirect_uris=https%3A%2F%2Fapp.example",
      "application/x-www-form-urlencoded",
      "Content-Type",
    ],
    ["no type", JSON.stringify(loopback), undefined, "Content-Type"],
    ["no JSON", "{", "application/json", "not JSON"],
    ["no UTF-8", Buffer.from([0x22, 0xff, 0x22]), "application/json", "not JSON in UTF-8"],
    ["nothing", "", "application/json", "not JSON"],
    [
      "a name twice",
      '{"client_name":"a","client\\u005fname":"b"}',
      "application/json",
      'the name "client_name" twice',
    ],
    ["the name of a prototype", '{"__proto__":{"client_name":"a"}}', "application/json", "`__proto__`"],
    ["half a character as a name", '{"\\ud800":1}', "application/json", "half of a surrogate pair"],
    [
      "21 levels",
      `${'{"a":'.repeat(21)}1${"}".repeat(21)}`,
      "application/json",
      "is nested deeper than 20 levels.",
    ],
    ["a number that loses digits", '{"a":12345678901234567890}', "application/json", "would lose digits"],
    ["too much", `{"client_name":"${"x".repeat(65_536)}"}`, "application/json", "more than 64 KB"],
  ])("%s", async (_case, body, type, reason) => {
    const { rules, refused } = await createRulesHarness();
    const problem = await refused(rules.register(Buffer.from(body), type, "192.0.2.1"));
    expect(problem.error).toBe("invalid_client_metadata");
    expect(problem.message).toContain(reason);
  });

  test("all, where registration is off, with what to do", async () => {
    const { rules, refused, register } = await createRulesHarness({
      settings: { dynamicRegistration: undefined },
    });
    const problem = await refused(register(loopback));
    expect(problem).toMatchObject({ error: "access_denied", status: 403 });
    expect(problem.message).toContain("auth.authorization_server.dynamic_registration");
    expect(problem.message).toContain("metadata document");
    expect(rules.describeUnknown("lost")).toContain("auth.authorization_server.clients");
  });
});

describe("how many, and for how long", () => {
  test("one address registers so many in an hour, and is told when it may again", async () => {
    const harness = await createRulesHarness({
      settings: { dynamicRegistration: { perHour: 3, mostUnused: 100, unusedMilliseconds: day } },
    });
    for (let count = 0; count < 3; count += 1) await harness.register(loopback, "2001:db8::1");
    const problem = await harness.refused(harness.register(loopback, "2001:db8::ffff"));
    expect(problem).toMatchObject({ status: 429, retryAfter: 1_200 });
    await harness.register(loopback, "2001:db8:0:1::1");
    harness.time += 20 * minute;
    await harness.register(loopback, "2001:db8::1");
  });

  test("mistakes don't count", async () => {
    const harness = await createRulesHarness({
      settings: { dynamicRegistration: { perHour: 1, mostUnused: 100, unusedMilliseconds: day } },
    });
    for (let count = 0; count < 5; count += 1) await harness.refused(harness.register({}));
    await harness.register(loopback);
  });

  test("of those that nobody uses the oldest give way, but not to a flood", async () => {
    const harness = await createRulesHarness({
      settings: { dynamicRegistration: { perHour: 1_000, mostUnused: 5, unusedMilliseconds: day } },
    });
    const find = async (client: JsonObject) => await harness.rules.find(String(client["client_id"]));
    const used = await harness.register(loopback);
    await harness.rules.used({ id: String(used["client_id"]), kind: "registered" });
    const first = await harness.register(loopback);
    harness.time += minute;
    const flood = await Promise.allSettled(Array.from({ length: 30 }, () => harness.register(loopback)));
    expect(flood.filter(({ status }) => status === "fulfilled")).toHaveLength(4);
    const problem = await harness.refused(harness.register(loopback));
    expect(problem).toMatchObject({ status: 429, retryAfter: 540 });

    harness.time += 9 * minute;
    await harness.register(loopback);
    expect(await find(first)).toBeUndefined();
    expect(await find(used)).toBeDefined();
    expect(await harness.store.gateway.list("registration")).toHaveLength(6);
    await harness.refused(harness.register(loopback));
  });

  test("nobody uses it: gone after a day; used: gone 90 days after the last use", async () => {
    const harness = await createRulesHarness();
    const [lost, kept] = [await harness.register(loopback), await harness.register(loopback)].map(
      ({ client_id }) => String(client_id),
    );
    if (lost === undefined || kept === undefined) throw new Error("Two were registered.");
    await harness.rules.used({ id: kept, kind: "registered" });
    harness.time += day;
    expect(await harness.rules.find(lost)).toBeUndefined();
    expect(harness.rules.describeUnknown(lost)).toContain("nobody used it for 24 hours");
    expect(harness.rules.describeUnknown(lost)).toContain("may have revoked it");
    harness.time += 80 * day;
    expect(await harness.rules.find(kept)).toBeDefined();
    await harness.rules.used({ id: kept, kind: "registered" });
    harness.time += 90 * day;
    expect(await harness.rules.find(kept)).toBeDefined();
    harness.time += 2 * day;
    expect(await harness.rules.find(kept)).toBeUndefined();
  });

  test("a use is written once a day", async () => {
    const harness = await createRulesHarness();
    const { client_id } = await harness.register(loopback);
    const id = String(client_id);
    const versions: unknown[] = [];
    for (let count = 0; count < 48; count += 1) {
      await harness.rules.used({ id, kind: "registered" });
      versions.push((await harness.store.gateway.get("registration", id))?.version);
      harness.time += hour;
    }
    expect(new Set(versions).size).toBe(2);
  });

  test("a scheme that is taken from the list is taken from those that have registered", async () => {
    const harness = await createRulesHarness();
    const { client_id } = await harness.register({
      redirect_uris: ["cursor://callback/x", "https://app.example/cb"],
    });
    const only = await harness.register({ redirect_uris: ["cursor://callback/x"] });
    harness.settings = harness.settings && { ...harness.settings, redirectSchemes: [] };
    expect((await harness.rules.find(String(client_id)))?.redirectUris).toEqual(["https://app.example/cb"]);
    const problem = await harness.refused(harness.rules.find(String(only["client_id"])));
    expect(problem.message).toContain("redirect_schemes");
  });

  test("without registration those that are used go on, and nobody else", async () => {
    const harness = await createRulesHarness();
    const [unused, used] = [await harness.register(loopback), await harness.register(loopback)].map(
      ({ client_id }) => String(client_id),
    );
    if (unused === undefined || used === undefined) throw new Error("Two were registered.");
    await harness.rules.used({ id: used, kind: "registered" });
    harness.settings = harness.settings && { ...harness.settings, dynamicRegistration: undefined };
    expect(await harness.rules.find(used)).toBeDefined();
    expect(await harness.rules.find(unused)).toBeUndefined();
    harness.settings = undefined;
    expect(await harness.rules.find(used)).toBeUndefined();
  });

  test("a record that was tampered with is nobody", async () => {
    const harness = await createRulesHarness();
    const { client_id } = await harness.register(loopback);
    const id = String(client_id);
    const record = await harness.store.gateway.get("registration", id);
    const value = { ...record?.value, secret: "sha256$" };
    await harness.store.gateway.write([
      { action: "put", kind: "registration", id, value, expiresAt: harness.time + day, expected: "any" },
    ]);
    await expect(harness.rules.find(id)).rejects.toMatchObject({ code: "store_unavailable" });
  });
});
