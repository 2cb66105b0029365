import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { mergeCatalog } from "../../src/catalog/merge.ts";
import { GatewayError } from "../../src/errors.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { Secret } from "../../src/secret.ts";
import { makeProviderCatalog, makeTool } from "../catalog/fixtures.ts";
import { principalOf } from "../principals.ts";
import { connected, instanceOf, scriptConnections, statusOf } from "./scripted-connections.ts";
import { type Answer, openStage, type Stage, token } from "./stage.ts";

const ada = { authorization: `Bearer ${token("ada")}` };

function ask(stage: Stage, method: string, path: string, body?: JsonObject): Promise<Answer> {
  const headers = { ...ada, ...(body !== undefined && { "content-type": "application/json" }) };
  return stage.send(method, `/api/v1/${path}`, { headers, body: body && JSON.stringify(body) });
}

const shared = statusOf({
  ...{ connection: "team", displayName: "Team", mode: "either", state: "ready", reason: undefined },
  next: undefined,
  instances: [
    instanceOf({ instance: "work", scopes: ["read"], expiresAt: Date.UTC(2027, 0, 1), refreshable: true }),
    instanceOf({ shared: true, state: "reconnect_required", reason: "Refused.", params: { site: "a" } }),
  ],
});

describe("integrations", () => {
  test("tell how each connection stands, and what to do next", async () => {
    const script = scriptConnections({ list: () => [statusOf(), shared] });
    await using stage = await openStage({ connections: script.parts });
    const { status, json } = await ask(stage, "GET", "integrations");
    expect(status).toBe(200);
    const [books, vault] = json["integrations"] as readonly JsonObject[];
    expect(vault).toMatchObject({ name: "vault", connections: [] });
    expect(books?.["connections"]).toMatchObject([
      {
        ...{ name: "api", display_name: "API", mode: "user", type: "manual", state: "needs_connection" },
        reason: "Nobody has connected it yet.",
        next_action: { kind: "enter", url: "https://gw.example.com/connect?provider=books&connection=api" },
        form: { kind: "enter", fields: [{ name: "key", secret: true }, { name: "user" }] },
        instances: [],
      },
      {
        ...{ name: "team", state: "ready" },
        instances: [
          {
            ...{ instance: "work", shared: false, state: "ready", connected_at: "2026-01-02T03:04:00.000Z" },
            ...{ expires_at: "2027-01-01T00:00:00.000Z", refreshable: true, scopes: ["read"], params: {} },
          },
          { instance: "default", shared: true, state: "reconnect_required", params: { site: "a" } },
        ],
      },
    ]);
  });

  test("are answered as documented", async () => {
    const script = scriptConnections({ list: () => [statusOf(), shared] });
    await using stage = await openStage({ connections: script.parts });
    const ajv = new Ajv2020({ strict: false, formats: { "date-time": true } });
    ajv.addSchema((await stage.send("GET", "/openapi.json")).json as object, "api");
    const validate = ajv.getSchema("api#/components/schemas/Integration");
    const { json } = await ask(stage, "GET", "integrations/books");
    expect(validate?.(json), JSON.stringify(validate?.errors)).toBe(true);
    expect(json).toMatchObject({ name: "books", connections: [{ name: "api" }, { name: "team" }] });
  });

  test("of a name that is hidden and of one that is not there look the same", async () => {
    await using stage = await openStage({ sees: (_as, tool) => !tool.startsWith("vault") });
    for (const name of ["vault", "nothing", "__proto__"]) {
      const { status, text } = await ask(stage, "GET", `integrations/${name}`);
      expect(status).toBe(404);
      expect(text.replace(name, "X")).toContain("Unknown integration `X`");
    }
  });

  test("fail whole where the store fails: nothing counts as not connected", async () => {
    const script = scriptConnections({
      list: () => {
        throw new GatewayError("store_unavailable", "The store is away.");
      },
    });
    await using stage = await openStage({ connections: script.parts });
    expect((await ask(stage, "GET", "integrations")).status).toBe(503);
    expect((await ask(stage, "GET", "integrations/books")).status).toBe(503);
  });
});

describe("operations", () => {
  const tools = [
    makeTool("books_find", { operation: "find", connection: "api" }),
    makeTool("books_open", { operation: "open", connection: undefined }),
    makeTool("books_own", {
      ...{ operation: "own", connection: "api" },
      inputSchema: { type: "object", properties: { _instance: { type: "integer" } } },
    }),
  ];
  const catalog = mergeCatalog([makeProviderCatalog("books", tools)], new Map()).catalog;

  test("offer a choice among instances to whom has several, and to nobody else", async () => {
    const script = scriptConnections({
      instances: ({ id }) => new Map([["books/api", id === "ada" ? ["home", "work"] : ["home"]]]),
    });
    await using stage = await openStage({ connections: script.parts, catalog });
    const schemasFor = async (who: string): Promise<readonly unknown[]> => {
      const headers = { authorization: `Bearer ${token(who)}` };
      const { json } = await stage.send("GET", "/api/v1/integrations/books/operations", { headers });
      return (json["operations"] as readonly JsonObject[]).map((one) => one["input_schema"]);
    };
    const choice = { type: "string", enum: ["home", "work"], description: expect.any(String) };
    expect(await schemasFor("ada")).toEqual([
      { type: "object", properties: { _instance: choice } },
      { type: "object", properties: {} },
      { type: "object", properties: { _instance: { type: "integer" } } },
    ]);
    expect(await schemasFor("bot")).toEqual(tools.map(({ inputSchema }) => inputSchema));
  });

  test("are prepared for the principal before they are listed and called", async () => {
    const prepared: string[] = [];
    const script = scriptConnections({
      prepare: async ({ id }) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        prepared.push(id);
      },
    });
    await using stage = await openStage({ connections: script.parts, sees: () => prepared.length > 0 });
    expect((await ask(stage, "GET", "books/find")).status).toBe(200);
    expect(prepared).toEqual(["ada"]);
  });

  test("get the caller's headers, but none of the gateway's own", async () => {
    const seen: Record<string, string | undefined> = {};
    await using stage = await openStage({
      credentials: {
        resolve: async ({ header }) => {
          for (const name of ["x-key", "X-Key", "authorization", "cookie", "x-gateway-tenant", "x-twice"])
            seen[name] = header?.(name);
          return { reference: undefined, headers: {}, query: {} };
        },
      },
    });
    const headers = { ...ada, "x-key": "secret", "x-twice": ["1", "2"], "x-gateway-tenant": "default" };
    expect((await stage.send("GET", "/api/v1/books/find", { headers })).status).toBe(200);
    expect(seen).toEqual({ "x-key": "secret", "X-Key": "secret" });
  });
});

describe("what is connected and disconnected", () => {
  test("an authorization begins", async () => {
    const script = scriptConnections({
      answers: {
        startOAuth: async () => ({
          kind: "started",
          authorizationUrl: "https://as.example/authorize?state=s",
          expiresAt: Date.UTC(2026, 1, 1),
        }),
      },
    });
    await using stage = await openStage({ connections: script.parts });
    const answer = await ask(stage, "POST", "auth/start-oauth", {
      ...{ provider: "books", connection: "api", instance: "work", shared: true },
      ...{ params: { site: "a" }, return_to: "/connect?provider=books" },
    });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      authorization_url: "https://as.example/authorize?state=s",
      expires_at: "2026-02-01T00:00:00.000Z",
    });
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(script.asked).toMatchObject([
      {
        as: { id: "ada" },
        what: "start",
        given: {
          ...{ provider: "books", connection: "api", instance: "work", shared: true },
          ...{ params: { site: "a" }, returnTo: "/connect?provider=books" },
        },
      },
    ]);
    // Browsers are bound where there is one.
    expect(script.asked[0]?.given).not.toHaveProperty("browser");
  });

  test("an authorization that needs nobody is over at once", async () => {
    const script = scriptConnections({ answers: { startOAuth: async () => connected } });
    await using stage = await openStage({ connections: script.parts });
    const answer = await ask(stage, "POST", "auth/start-oauth", { provider: "books" });
    expect([answer.status, answer.json]).toEqual([
      200,
      { connected: { provider: "books", connection: "api", instance: "default", shared: false } },
    ]);
  });

  test("values that were typed in arrive as secrets, and may have to wait for a choice", async () => {
    const script = scriptConnections({
      answers: {
        connectManual: async ({ instance }) =>
          instance === undefined
            ? connected
            : { kind: "pending", pending: "p1", choices: [{ id: "7", label: "Seven" }], expiresAt: 0 },
        select: async () => connected,
      },
    });
    await using stage = await openStage({ connections: script.parts });
    const fields = { key: "secret-canary" };
    const stored = await ask(stage, "POST", "auth/connect-manual", { provider: "books", fields });
    expect([stored.status, stored.json]).toMatchObject([201, { connected: { provider: "books" } }]);
    const [{ given } = { given: undefined }] = script.asked;
    const { key } = (given as { fields: Record<string, Secret> }).fields;
    expect(key).toBeInstanceOf(Secret);
    expect(key?.reveal()).toBe("secret-canary");
    expect(JSON.stringify(given)).not.toContain("canary");

    const waiting = await ask(stage, "POST", "auth/connect-manual", {
      ...{ provider: "books", instance: "work", fields },
    });
    expect([waiting.status, waiting.json]).toEqual([
      200,
      { pending: "p1", choices: [{ id: "7", label: "Seven" }], expires_at: "1970-01-01T00:00:00.000Z" },
    ]);
    const chosen = await ask(stage, "POST", "auth/pending-connection", { pending: "p1", choice: "7" });
    expect(chosen.status).toBe(201);
    expect(script.asked.at(-1)).toMatchObject({ what: "select", given: ["p1", "7"] });
  });

  test.each([
    ["?_connection=api&_instance=work&shared=true", undefined],
    ["", { _connection: "api", _instance: "work", shared: true }],
  ])("a credential is removed: %s %j", async (query, body) => {
    const script = scriptConnections({
      answers: {
        disconnect: async () => ({
          provider: "books",
          connection: "api",
          instance: "work",
          revoked: "failed",
        }),
      },
    });
    await using stage = await openStage({ connections: script.parts });
    const answer = await ask(stage, "DELETE", `integrations/books${query}`, body);
    expect([answer.status, answer.json]).toEqual([
      200,
      { provider: "books", connection: "api", instance: "work", revoked: "failed" },
    ]);
    expect(script.asked).toMatchObject([
      { given: { provider: "books", connection: "api", instance: "work", shared: true } },
    ]);
  });

  test.each<readonly [string, string, JsonObject | undefined, number]>([
    ["POST", "auth/start-oauth", {}, 400],
    ["POST", "auth/start-oauth", { provider: "books", browser: "x" }, 400],
    ["POST", "auth/start-oauth", { provider: "books", params: { a: 1 } }, 400],
    ["POST", "auth/start-oauth?provider=books", { provider: "books" }, 400],
    ["POST", "auth/connect-manual", { provider: "books" }, 400],
    ["POST", "auth/connect-manual", { provider: "books", fields: ["a"] }, 400],
    ["POST", "auth/connect-manual", { provider: 5, fields: {} }, 400],
    ["POST", "auth/pending-connection", { pending: "a" }, 400],
    ["DELETE", "integrations/books?instance=work", undefined, 400],
    ["DELETE", "integrations/books?_instance=a&_instance=b", undefined, 400],
    ["DELETE", "integrations/books?shared=yes", undefined, 400],
    ["DELETE", "integrations/books?_instance=a", { _instance: "a" }, 400],
    ["DELETE", "integrations/books/operations", undefined, 405],
    ["GET", "auth/start-oauth", undefined, 405],
    ["GET", "auth/connect-manual", undefined, 405],
    ["PUT", "integrations/books", {}, 405],
    ["POST", "auth/start-oauth/more", {}, 404],
  ])("refuses %s %s %j", async (method, path, body, status) => {
    const script = scriptConnections();
    await using stage = await openStage({ connections: script.parts });
    expect((await ask(stage, method, path, body)).status).toBe(status);
    expect(script.asked).toEqual([]);
  });

  test("errors say where to connect", async () => {
    const url = "https://gw.example.com/connect?provider=books&connection=api";
    await using stage = await openStage({
      credentials: {
        resolve: async () => {
          throw new GatewayError("not_connected", "Connect first.", { details: { connect_url: url } });
        },
      },
    });
    const answer = await ask(stage, "GET", "books/find");
    expect([answer.status, answer.headers["gateway-error"]]).toEqual([412, "not_connected"]);
    expect(answer.json).toEqual({
      error: { code: "not_connected", message: "Connect first.", connect_url: url },
    });
  });

  test("is for the tenant that the caller acts in", async () => {
    const script = scriptConnections({ answers: { startOAuth: async () => connected } });
    await using stage = await openStage({
      ...{ connections: script.parts, people: [principalOf("service", "bot")] },
    });
    const headers = {
      authorization: `Bearer ${token("bot")}`,
      ...{ "x-gateway-tenant": "acme", "content-type": "application/json" },
    };
    const body = JSON.stringify({ provider: "books" });
    expect((await stage.send("POST", "/api/v1/auth/start-oauth", { headers, body })).status).toBe(200);
    expect(script.asked).toMatchObject([{ as: { id: "bot", tenant: "acme", home: "default" } }]);
  });
});

test("the document for authorization servers is for everybody, where there is one", async () => {
  const document = { client_id: "https://gw.example.com/oauth/client.json" };
  await using stage = await openStage({
    connections: { clientMetadata: (path) => (path === "/oauth/client.json" ? document : undefined) },
  });
  const answer = await stage.send("GET", "/oauth/client.json");
  expect([answer.status, answer.json]).toEqual([200, document]);
  expect((await stage.send("POST", "/oauth/client.json")).status).toBe(405);
  await using without = await openStage();
  expect((await without.send("GET", "/oauth/client.json")).status).toBe(404);
});
