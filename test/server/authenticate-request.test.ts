import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import type { Identity } from "../../src/identity/identity.ts";
import type { Principal } from "../../src/model/principal.ts";
import { principalOf } from "../principals.ts";
import { openStage, session, token } from "./stage.ts";

const cookie = (value: string): string => `__Host-gateway-session=${value}`;
const bearer = { authorization: `Bearer ${token("ada")}` };

describe("credentials", () => {
  test.each<readonly [string, Readonly<Record<string, string | readonly string[]>>, number]>([
    ["a token", bearer, 200],
    ["a scheme in lower case", { authorization: `bearer ${token("ada")}` }, 200],
    ["a scheme in upper case", { authorization: `BEARER ${token("ada")}` }, 200],
    ["a session", { cookie: cookie(session("ada")) }, 200],
    ["a session among other cookies", { cookie: `a=b; ${cookie(session("ada"))}; c=d` }, 200],
    ["a session without blanks around", { cookie: `a=b;${cookie(session("ada"))};c=d` }, 200],
    ["nothing", {}, 401],
    ["an empty header", { authorization: "" }, 401],
    ["the scheme alone", { authorization: "Bearer" }, 401],
    ["the token alone", { authorization: token("ada") }, 401],
    ["two blanks", { authorization: `Bearer  ${token("ada")}` }, 401],
    ["a tab", { authorization: `Bearer\t${token("ada")}` }, 401],
    ["two tokens", { authorization: `Bearer ${token("ada")} ${token("bot")}` }, 401],
    ["two tokens by a comma", { authorization: `Bearer ${token("ada")}, Bearer ${token("bot")}` }, 401],
    ["a token in quotes", { authorization: `Bearer "${token("ada")}"` }, 401],
    ["a parameter behind the token", { authorization: `Bearer ${token("ada")};a=b` }, 401],
    ["another scheme", { authorization: `Token ${token("ada")}` }, 401],
    ["Basic", { authorization: `Basic ${btoa(`ada:${token("ada")}`)}` }, 401],
    ["a scheme that begins alike", { authorization: `BearerX ${token("ada")}` }, 401],
    ["a token that nobody has", { authorization: `Bearer ${token("eve")}` }, 401],
    ["a session as a token", { authorization: `Bearer ${session("ada")}` }, 401],
    ["two headers", { authorization: [`Bearer ${token("ada")}`, `Bearer ${token("ada")}`] }, 400],
    ["a token as a session", { cookie: cookie(token("ada")) }, 401],
    ["a session in quotes", { cookie: cookie(`"${session("ada")}"`) }, 401],
    ["an empty session", { cookie: cookie("") }, 401],
    ["a session that nobody has", { cookie: cookie(session("eve")) }, 401],
    ["two sessions", { cookie: `${cookie(session("ada"))}; ${cookie(session("bot"))}` }, 401],
    ["one session twice", { cookie: `${cookie(session("ada"))}; ${cookie(session("ada"))}` }, 401],
    ["two Cookie headers", { cookie: [cookie(session("ada")), cookie(session("bot"))] }, 401],
    ["a session in one of two Cookie headers", { cookie: ["a=b", cookie(session("ada"))] }, 200],
    ["a prefix in lower case", { cookie: `__host-gateway-session=${session("ada")}` }, 401],
    ["a name in upper case", { cookie: `__HOST-GATEWAY-SESSION=${session("ada")}` }, 401],
    ["another prefix", { cookie: `__Secure-gateway-session=${session("ada")}` }, 401],
    ["no prefix", { cookie: `gateway-session=${session("ada")}` }, 401],
    ["a longer name", { cookie: `__Host-gateway-session2=${session("ada")}` }, 401],
    ["a name behind another", { cookie: `x__Host-gateway-session=${session("ada")}` }, 401],
    ["a cookie without a name", { cookie: `=${cookie(session("ada"))}` }, 401],
    ["a name inside a value", { cookie: `a=${cookie(session("ada"))}` }, 401],
    ["a name in quotes", { cookie: `"__Host-gateway-session"=${session("ada")}` }, 401],
    ["an encoded name", { cookie: `%5F%5FHost-gateway-session=${session("ada")}` }, 401],
    ["a name behind a foreign blank", { cookie: `\u00a0__Host-gateway-session=${session("ada")}` }, 401],
    ["a name behind a next-line", { cookie: `\u0085__Host-gateway-session=${session("ada")}` }, 401],
    ["cookies by commas", { cookie: `a=b,${cookie(session("ada"))}` }, 401],
    ["a token and a session", { ...bearer, cookie: cookie(session("ada")) }, 400],
    ["a bad token and a session", { authorization: "Bearer x", cookie: cookie(session("ada")) }, 400],
    ["another scheme and a session", { authorization: "Basic x", cookie: cookie(session("ada")) }, 400],
    ["a token and other cookies", { ...bearer, cookie: "a=b; theme=dark" }, 200],
    ["a proxy's credential", { "proxy-authorization": `Bearer ${token("ada")}` }, 401],
    ["a key header", { "x-api-key": token("ada") }, 401],
  ])("%s", async (_name, headers, status) => {
    await using stage = await openStage();
    for (const path of ["/api/v1/auth/session", "/api/v1/integrations", "/api/v1/books/find"]) {
      const answer = await stage.send("GET", path, { headers });
      expect(answer.status, path).toBe(status);
      if (status !== 401) continue;
      const realm = 'Bearer realm="gestalt-gateway"';
      const expected = headers["authorization"] === undefined ? realm : `${realm}, error="invalid_token"`;
      expect(answer.headers["www-authenticate"]).toBe(expected);
      expect(answer.headers["cache-control"]).toBe("no-store");
      expect(answer.headers["gateway-error"]).toBe("unauthenticated");
    }
    const mcp = await stage.send("POST", "/mcp", {
      headers: {
        ...headers,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "initialize",
        params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "a", version: "1" } },
      }),
    });
    expect(mcp.status).toBe(status);
    expect(stage.calls).toHaveLength(status === 200 ? 1 : 0);
  });

  test("are asked for at every request, not once per connection", async () => {
    let known = true;
    await using stage = await openStage({
      identity: {
        authenticate: async () => {
          if (!known) throw new GatewayError("unauthenticated", "Revoked.");
          return principalOf("user", "ada", "default", { credential: { kind: "token", id: "t" } });
        },
      },
    });
    expect((await fetch(`${stage.server.url}/api/v1/integrations`, { headers: bearer })).status).toBe(200);
    known = false;
    expect((await fetch(`${stage.server.url}/api/v1/integrations`, { headers: bearer })).status).toBe(401);
  });

  test("where nobody signs in, what is presented is not looked at", async () => {
    await using stage = await openStage({ auth: { provider: "none" } });
    for (const headers of [bearer, { authorization: "Basic x" }, { cookie: cookie("x") }, {}]) {
      expect((await stage.send("GET", "/api/v1/books/find", { headers })).status).toBe(200);
    }
    expect(new Set(stage.asked.map(({ presented }) => presented))).toEqual(new Set(["nothing"]));
  });
});

describe("faults of the identity let nobody in", () => {
  const person = principalOf("user", "ada", "default", { credential: { kind: "token", id: "t" } });
  const faults: readonly (readonly [string, () => unknown])[] = [
    [
      "throws",
      () => {
        throw new TypeError("broken");
      },
    ],
    [
      "throws a text",
      () => {
        throw "broken";
      },
    ],
    ["nothing", () => undefined],
    ["null", () => null],
    ["true", () => true],
    ["a text", () => "ada"],
    ["an empty object", () => ({})],
    ["a list", () => [person]],
    ["nobody's principal", () => principalOf("anonymous")],
    ["the operator", () => principalOf("operator")],
    ["no credential", () => ({ ...person, credential: undefined })],
    ["another kind of credential", () => ({ ...person, credential: { kind: "session", id: "s" } })],
    ["an unknown kind", () => ({ ...person, kind: "root" })],
    ...(["id", "tenant", "home"] as const).flatMap((name): (readonly [string, () => unknown])[] => [
      [`no ${name}`, () => ({ ...person, [name]: undefined })],
      [`an empty ${name}`, () => ({ ...person, [name]: "" })],
      [`a number as ${name}`, () => ({ ...person, [name]: 1 })],
    ]),
    ["no roles", () => ({ ...person, roles: undefined })],
    ["roles as a text", () => ({ ...person, roles: "admin" })],
    ["scopes as null", () => ({ ...person, scopes: null })],
    ["scopes as a text", () => ({ ...person, scopes: "*" })],
    ["no exposure", () => ({ ...person, exposure: undefined })],
    ["an odd exposure", () => ({ ...person, exposure: { kind: "any" } })],
  ];
  test.each(faults)("%s", async (_name, fault) => {
    await using stage = await openStage({
      // What breaks a promise has to break it in spite of the types.
      identity: { authenticate: (async () => fault()) as Identity["authenticate"] },
    });
    for (const path of ["/api/v1/books/find", "/api/v1/auth/session", "/api/v1/users", "/mcp"]) {
      const answer = await stage.send("GET", path, { headers: bearer });
      expect([401, 503]).toContain(answer.status);
      expect(answer.text).not.toContain("broken");
    }
    expect(stage.calls).toHaveLength(0);
    expect((await stage.send("GET", "/readyz", { headers: bearer })).json).toEqual({ status: "ready" });
  });

  test("a store that is away gives 503 with Retry-After", async () => {
    const away = new GatewayError("store_unavailable", "The store is away.");
    await using stage = await openStage({ identity: { authenticate: () => Promise.reject(away) } });
    const answer = await stage.send("GET", "/api/v1/books/find", { headers: bearer });
    expect([answer.status, answer.headers["retry-after"]]).toEqual([503, "1"]);
  });
});

describe("tokens in the query", () => {
  const inQuery = token("ada");
  test.each([
    `api_key=${inQuery}`,
    `access_token=${inQuery}`,
    `token=${inQuery}`,
    `TOKEN=gst_short`,
    `anything=${inQuery}`,
    `a=b&x=before+${inQuery}+behind`,
    `x=${[...inQuery].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join("")}`,
    `${inQuery}`,
    `${inQuery}=1`,
    `filter=${encodeURIComponent(JSON.stringify({ key: inQuery }))}`,
    ...["oat", "ort"].map((kind) => `x=${inQuery.replace("api", kind)}`),
    "access_token=eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl",
    "Access_Token=eyJhbGciOiJub25lIn0.e30.",
  ])("are refused: %s", async (query) => {
    await using stage = await openStage();
    for (const headers of [{}, bearer, { cookie: cookie(session("ada")) }]) {
      for (const path of ["/api/v1/books/find", "/api/v1/auth/session", "/mcp"]) {
        const answer = await stage.send("GET", `${path}?${query}`, { headers });
        expect(answer.status).toBe(401);
        expect(answer.text).toContain("don't belong into URLs");
        expect(answer.text).not.toContain("gst_api_ada");
      }
    }
    expect(stage.asked).toEqual([]);
    expect(stage.log).toHaveLength(1);
    expect(stage.log.join()).not.toContain(inQuery);
    expect(stage.log.join()).not.toContain("gst_short");
  });

  test.each(["token=abc", "q=gst_api_", "q=what+is+gst_api", "api_key=somebody-else's"])(
    "what is none is let through: %s",
    async (query) => {
      await using stage = await openStage({ sees: (_principal, tool) => tool === "books_find" });
      const answer = await stage.send("GET", `/api/v1/books/find?${query}`, { headers: bearer });
      // It is an argument like any other.
      expect(answer.status).toBe(200);
      expect(Object.keys(stage.calls[0]?.arguments ?? {})).toEqual([query.split("=")[0]]);
    },
  );

  test("are taken from the parameter that the operator names, and from it alone", async () => {
    await using stage = await openStage({ auth: { queryToken: "api_key" } });
    const path = "/api/v1/books/find";
    const got = await stage.send("GET", `${path}?api_key=${inQuery}&a=%41`);
    expect(got.status).toBe(200);
    expect(stage.calls[0]?.arguments).toEqual({ a: "A" });
    expect(stage.asked).toEqual([{ presented: `token ${inQuery}`, actFor: undefined }]);

    const others: readonly (readonly [string, Readonly<Record<string, string>>, number])[] = [
      [`api_key=${inQuery}&api_key=${inQuery}`, {}, 401],
      ["api_key=", {}, 401],
      [`API_KEY=${inQuery}`, {}, 401],
      [`token=${inQuery}`, {}, 401],
      [`api_key=${inQuery}&x=${inQuery}`, {}, 401],
      [`api_key=${inQuery}`, bearer, 400],
      ["api_key=x", bearer, 400],
      [`api_key=${inQuery}`, { cookie: cookie(session("ada")) }, 400],
      [`api%5Fkey=${inQuery}`, {}, 200],
      [`api_key=${inQuery.replace("api", "oat")}`, {}, 401],
      ["api_key=eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl", {}, 401],
    ];
    for (const [query, headers, status] of others) {
      expect((await stage.send("GET", `${path}?${query}`, { headers })).status, query).toBe(status);
    }
    expect(stage.log).toHaveLength(1);
    expect(stage.log.join()).not.toContain(inQuery);
    expect(stage.log[0]).toContain("GET /api/v1/books/find");
  });

  test("are not logged when they stand in the path", async () => {
    await using stage = await openStage({
      identity: {
        administration: () => {
          throw new TypeError("broken");
        },
      },
    });
    const answer = await stage.send("DELETE", `/api/v1/tokens/${inQuery}`, { headers: bearer });
    expect(answer.status).toBe(500);
    expect(stage.log.join()).toContain("gst_[redacted]");
    expect(stage.log.join()).not.toContain(inQuery);
  });
});

describe("tenants", () => {
  const people: readonly Principal[] = [principalOf("service", "ada")];
  const find = "/api/v1/books/find";
  test.each<
    readonly [
      string,
      string,
      Readonly<Record<string, string | readonly string[]>>,
      number,
      string | undefined,
    ]
  >([
    ["none", find, {}, 200, "default"],
    ["by header", find, { "x-gateway-tenant": "acme" }, 200, "acme"],
    ["by query", `${find}?customer_id=acme`, {}, 200, "acme"],
    ["by an encoded query", `${find}?customer%5Fid=ac%6De`, {}, 200, "acme"],
    ["by both", `${find}?customer_id=acme`, { "x-gateway-tenant": "acme" }, 200, "acme"],
    ["by both, different", `${find}?customer_id=acme`, { "x-gateway-tenant": "default" }, 400, undefined],
    ["by query twice", `${find}?customer_id=acme&customer_id=acme`, {}, 400, undefined],
    ["by an empty query", `${find}?customer_id=`, {}, 400, undefined],
    ["by header twice", find, { "x-gateway-tenant": ["acme", "acme"] }, 400, undefined],
    ["by an empty header", find, { "x-gateway-tenant": "" }, 400, undefined],
    ["by two names in one header", find, { "x-gateway-tenant": "acme, default" }, 403, undefined],
    ["by a header with underscores", find, { x_gateway_tenant: "acme" }, 400, undefined],
    ["by a header with one underscore", find, { "x-gateway_tenant": "acme" }, 400, undefined],
    ["a foreign one", find, { "x-gateway-tenant": "other" }, 403, undefined],
    ["one that does not exist", `${find}?customer_id=nothing`, {}, 403, undefined],
    ["one in upper case", find, { "x-gateway-tenant": "ACME" }, 403, undefined],
    ["a path", find, { "x-gateway-tenant": "../acme" }, 403, undefined],
    ["on a list", "/api/v1/integrations?customer_id=acme", {}, 200, undefined],
    ["foreign on a list", "/api/v1/integrations?customer_id=other", {}, 403, undefined],
  ])("%s", async (_name, path, headers, status, tenant) => {
    await using stage = await openStage({ people });
    expect((await stage.send("GET", path, { headers: { ...bearer, ...headers } })).status).toBe(status);
    expect(stage.calls.map((call) => call.principal.tenant)).toEqual(tenant === undefined ? [] : [tenant]);
    expect(stage.calls.every((call) => !("customer_id" in call.arguments))).toBe(true);
  });

  test("`customer_id` of an operation that declares it is an argument", async () => {
    await using stage = await openStage({ people });
    const path = "/api/v1/books/bill?customer_id=c-17";
    expect((await stage.send("GET", path, { headers: bearer })).status).toBe(200);
    const inTenant = { ...bearer, "x-gateway-tenant": "acme" };
    expect((await stage.send("GET", path, { headers: inTenant })).status).toBe(200);
    expect(stage.calls.map(({ arguments: given, tenant }) => [given, tenant])).toEqual([
      [{ customer_id: "c-17" }, "default"],
      [{ customer_id: "c-17" }, "acme"],
    ]);
  });

  test("a POST names the tenant in its query, and an argument in its body", async () => {
    await using stage = await openStage({ people });
    const json = { ...bearer, "content-type": "application/json" };
    const add = "/api/v1/books/add?customer_id=acme";
    expect((await stage.send("POST", add, { headers: json, body: "{}" })).status).toBe(200);
    expect(stage.calls[0]?.tenant).toBe("acme");
    const bill = "/api/v1/books/bill?customer_id=acme";
    expect((await stage.send("POST", bill, { headers: json, body: "{}" })).status).toBe(400);
  });

  test("whether a hidden operation declares `customer_id` can't be told", async () => {
    await using stage = await openStage({ people, sees: (_principal, tool) => tool.startsWith("books") });
    for (const tenant of ["other", "acme", "default"]) {
      const answers: string[] = [];
      for (const path of ["vault/bill", "vault/open", "vault/none", "blank/bill", "blank/open"]) {
        const answer = await stage.send("GET", `/api/v1/${path}?customer_id=${tenant}`, { headers: bearer });
        const text = answer.text.replace(/vault|blank/g, "NAME");
        answers.push(
          `${answer.status} ${text} ${JSON.stringify({ ...answer.headers, date: "", "content-length": "" })}`,
        );
      }
      expect(new Set(answers).size, answers.join("\n")).toBe(1);
    }
  });
});
