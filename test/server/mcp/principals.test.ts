import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ErrorCode, GatewayError } from "../../../src/errors.ts";
import { asObject } from "../../../src/json-object.ts";
import { encodeHeaderValue } from "../../../src/mcp/header-value.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import type { Principal } from "../../../src/model/principal.ts";
import { principalOf } from "../../principals.ts";
import { jsonAnswer, startEndpoint, type TestEndpoint, type TestTool } from "./harness.ts";
import { type Answer, baseHeaders, modernRequest, openSession, post, streamMessages } from "./wire.ts";

const notice = "No tools configured. Ask an administrator to expose providers to your tenant.";
/** For what happens at once, on a machine that is busy with something else. */
const soon = { timeout: 30_000 };
const ada = principalOf("user", "ada", "one", { roles: ["people"] });
const bob = principalOf("user", "bob", "two", { roles: ["billing"] });
const carol = principalOf("user", "carol", "three");
const dave = principalOf("service", "dave", "one", { roles: ["people", "billing"] });

let started: PromiseWithResolvers<void>;
let release: PromiseWithResolvers<void>;
/** What each token comes to. */
let tokens: Record<string, Principal | ErrorCode | (() => Promise<Principal>)>;
let endpoint: TestEndpoint;

const tool: TestTool = { run: ({ principal }) => jsonAnswer({ caller: principal.id }) };
const tools: Record<string, TestTool> = {
  hire: { ...tool, provider: "people" },
  fire: { ...tool, provider: "people" },
  invoice: { ...tool, provider: "billing" },
  wait: {
    provider: "people",
    run: async () => {
      started.resolve();
      await release.promise;
      return jsonAnswer({ caller: "waited" });
    },
  },
  region: {
    provider: "people",
    inputSchema: {
      type: "object",
      properties: { region: { type: "string", "x-mcp-header": "Region" } },
    },
    run: tool.run,
  },
};
const ofPeople = ["fire", "hire", "region", "wait"];

beforeEach(async () => {
  started = Promise.withResolvers();
  release = Promise.withResolvers();
  tokens = { ada, bob, carol, dave, narrow: { ...ada, scopes: ["hire"] } };
  endpoint = await startEndpoint(tools, {
    limits: { changeMilliseconds: 1, recheckMilliseconds: 5, streamsPerPrincipal: 3 },
    notice,
    authenticate: async ({ headers }) => {
      const found = tokens[headers.authorization?.replace("Bearer ", "") ?? ""] ?? "unauthenticated";
      if (typeof found === "string") throw new GatewayError(found, "No.");
      return typeof found === "function" ? found() : found;
    },
    sees: ({ roles, scopes }, { name, provider }) =>
      roles.includes(provider) && (scopes === undefined || scopes.includes(name)),
  });
});
afterEach(async () => {
  release.resolve();
  await endpoint.close();
});

/** A client of any version, with one token or another. */
interface AnyClient {
  request(method: string, params?: JsonObject, token?: string): Promise<Answer>;
  instructions(): Promise<unknown>;
  /** The messages of a stream that is open. */
  waitForNews(token?: string): Promise<AsyncGenerator<JsonObject>>;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function connectLegacy(own: string, version: string): Promise<AnyClient> {
  const session = await openSession(endpoint.url, version, {}, bearer(own));
  return {
    request: (method, params = {}, token = own) =>
      post(endpoint.url, { jsonrpc: "2.0", id: 1, method, params }, { ...session.headers, ...bearer(token) }),
    instructions: async () => asObject(session.initialized.message["result"])?.["instructions"],
    waitForNews: async (token = own) => {
      const headers = { ...session.headers, ...bearer(token), accept: "text/event-stream" };
      return streamMessages(await fetch(endpoint.url, { headers }));
    },
  };
}

function connectModern(own: string): AnyClient {
  const ask = (method: string, params: JsonObject, token: string) => {
    const { message, headers } = modernRequest(method, params);
    const name = headers["mcp-name"];
    const encoded = name === undefined ? {} : { "mcp-name": encodeHeaderValue(name) };
    return { message, headers: { ...headers, ...encoded, ...bearer(token) } };
  };
  const client: AnyClient = {
    request: (method, params = {}, token = own) => {
      const { message, headers } = ask(method, params, token);
      return post(endpoint.url, message, headers);
    },
    instructions: async () =>
      asObject((await client.request("server/discover")).message["result"])?.["instructions"],
    waitForNews: async (token = own) => {
      const { message, headers } = ask(
        "subscriptions/listen",
        { notifications: { toolsListChanged: true } },
        token,
      );
      const body = JSON.stringify(message);
      const response = await fetch(endpoint.url, {
        method: "POST",
        headers: { ...baseHeaders, ...headers },
        body,
      });
      const messages = streamMessages(response);
      expect((await messages.next()).value).toMatchObject({
        method: "notifications/subscriptions/acknowledged",
      });
      return messages;
    },
  };
  return client;
}

async function listNames(client: AnyClient, token?: string): Promise<unknown> {
  const { message } = await client.request("tools/list", {}, token);
  const listed = asObject(message["result"])?.["tools"];
  return Array.isArray(listed) ? listed.map((each) => asObject(each)?.["name"]) : message;
}

/** The rest of a stream, by methods; `result` where it ends as a subscription does. */
async function restOf(messages: AsyncGenerator<JsonObject>): Promise<unknown[]> {
  const rest: unknown[] = [];
  for await (const { method = "result" } of messages) rest.push(method);
  return rest;
}

async function nextMethod(messages: AsyncGenerator<JsonObject>): Promise<unknown> {
  const { value, done } = await messages.next();
  return done === true ? "ended" : value["method"];
}

const changed = "notifications/tools/list_changed";

describe.each(["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"])("%s", (version) => {
  const isModern = version === "2026-07-28";
  const connect = async (token: string) => (isModern ? connectModern(token) : connectLegacy(token, version));
  const ending = isModern ? ["result"] : [];

  test("each principal lists its own tools", async () => {
    expect(await listNames(await connect("ada"))).toEqual(ofPeople);
    expect(await listNames(await connect("bob"))).toEqual(["invoice"]);
    expect(await listNames(await connect("dave"))).toEqual([...ofPeople, "invoice"].sort());
    expect(await listNames(await connect("narrow"))).toEqual(["hire"]);
    expect(await listNames(await connect("carol"))).toEqual([]);
  });

  test("what is listed can be called, and anything else is as unknown as what does not exist", async () => {
    const variants = ["Hire", "HIRE", " hire", "hire ", "hir", "ｈire", "hire\u0301", "people_hire", "*", ""];
    for (const token of ["ada", "bob", "carol", "dave", "narrow"]) {
      const client = await connect(token);
      const listed = (await listNames(client)) as string[];
      for (const name of ["hire", "fire", "invoice", "nothing", ...variants]) {
        const { message } = await client.request("tools/call", { name, arguments: {} });
        if (listed.includes(name)) {
          expect(asObject(message["result"])?.["isError"]).toBe(false);
          expect(JSON.stringify(message)).toContain(token === "narrow" ? "ada" : token);
        } else {
          const unknown = `Unknown tool: ${name}`;
          const expected = token === "carol" ? `${unknown}. ${notice}` : unknown;
          expect(message["error"]).toEqual({ code: -32602, message: expected });
        }
      }
    }
  });

  test("the instructions name the providers of the caller's own view", async () => {
    const [ofAda, ofBob] = [await connect("ada"), await connect("bob")];
    expect(await ofAda.instructions()).toContain(": people. ");
    expect(await ofBob.instructions()).toContain(": billing. ");
    expect(await (await connect("carol")).instructions()).toBe(notice);
  });

  test("who gets no tools is told why in the list, and nobody else is", async () => {
    const { message } = await (await connect("carol")).request("tools/list");
    expect(message["result"]).toMatchObject({ tools: [], _meta: { "io.gestalt/notice": notice } });
    expect((await (await connect("ada")).request("tools/list")).text).not.toContain("io.gestalt/notice");
  });

  test("a cursor of another view is no cursor", async () => {
    const many = (provider: string): Record<string, TestTool> =>
      Object.fromEntries(
        Array.from({ length: 250 }, (_, index) => [`${provider}_${index}`, { ...tool, provider }]),
      );
    endpoint.offer({ ...many("people"), ...many("billing") });
    const [ofAda, ofBob] = [await connect("ada"), await connect("bob")];
    const first = asObject((await ofAda.request("tools/list")).message["result"]);
    const cursor = first?.["nextCursor"] ?? "";
    expect((await ofAda.request("tools/list", { cursor })).message["result"]).toMatchObject({
      tools: expect.any(Array),
    });
    const foreign = await ofBob.request("tools/list", { cursor });
    const invented = await ofBob.request("tools/list", { cursor: "invented" });
    expect(foreign.message["error"]).toMatchObject({ code: -32602 });
    expect(foreign.message).toEqual(invented.message);
  });

  test("a change of the catalog is told to whom it concerns", async () => {
    const [ofAda, ofBob, ofDave] = [await connect("ada"), await connect("bob"), await connect("dave")];
    const news = [await ofAda.waitForNews(), await ofBob.waitForNews(), await ofDave.waitForNews()] as const;
    const { invoice: _, ...rest } = tools;
    endpoint.offer(rest);
    expect([await nextMethod(news[1]), await nextMethod(news[2])]).toEqual([changed, changed]);
    endpoint.drain();
    expect(await Promise.all(news.map(restOf))).toEqual([ending, ending, ending]);
  });

  test("a change of the principal is told to it alone", async () => {
    const news = [
      await (await connect("ada")).waitForNews(),
      await (await connect("bob")).waitForNews(),
    ] as const;
    tokens["bob"] = { ...bob, roles: ["billing", "people"] };
    expect(await nextMethod(news[1])).toBe(changed);
    endpoint.drain();
    expect(await Promise.all(news.map(restOf))).toEqual([ending, ending]);
  });

  test("after a revocation the stream ends, the next request is refused, and a call that runs goes on", async () => {
    const client = await connect("ada");
    const news = await client.waitForNews();
    const others = await (await connect("bob")).waitForNews();
    const call = client.request("tools/call", { name: "wait" });
    await started.promise;
    tokens["ada"] = "unauthenticated";
    expect((await client.request("tools/list")).status).toBe(401);
    expect(await restOf(news)).toEqual(ending);
    release.resolve();
    expect(JSON.stringify((await call).message["result"])).toContain("waited");
    endpoint.drain();
    expect(await restOf(others)).toEqual(ending);
  });

  test("while principals can't be found out every request is refused, and streams stay open but silent", async () => {
    const client = await connect("ada");
    const news = await client.waitForNews();
    tokens["ada"] = "store_unavailable";
    for (let count = 0; count < 5; count += 1) {
      expect((await client.request("tools/list")).status).toBe(503);
    }
    tokens["ada"] = { ...ada, scopes: ["hire"] };
    expect(await nextMethod(news)).toBe(changed);
    expect(await listNames(client)).toEqual(["hire"]);
  });

  test.each([
    { fault: "unauthenticated", thrown: new GatewayError("unauthenticated", "No."), status: 401 },
    { fault: "forbidden", thrown: new GatewayError("forbidden", "No."), status: 500 },
    { fault: "a bug", thrown: new TypeError("no function"), status: 500 },
    { fault: "nothing", thrown: undefined, status: 500 },
  ])("nothing is seen or done where authentication throws $fault", async ({ thrown, status }) => {
    const client = await connect("ada");
    tokens["ada"] = () => Promise.reject(thrown);
    for (const method of ["tools/list", "tools/call", "ping", "server/discover", "initialize"]) {
      const answer = await client.request(method, { name: "hire" });
      expect([answer.status, answer.text]).toEqual([status, ""]);
    }
  });
});

describe.each(["2024-11-05", "2025-11-25"])("a session of %s", (version) => {
  test("of one principal does not exist for another", async () => {
    const client = await connectLegacy("ada", version);
    const other = await client.request("tools/list", {}, "bob");
    expect(other.status).toBe(404);
    expect(other.message["error"]).toMatchObject({ message: expect.stringContaining("Session not found") });
    tokens["acting"] = { ...ada, tenant: "two" };
    expect((await client.request("tools/list", {}, "acting")).status).toBe(404);
    tokens["namesake"] = { ...ada, home: "two" };
    expect((await client.request("tools/list", {}, "namesake")).status).toBe(404);
    expect((await client.request("tools/list")).status).toBe(200);
  });

  test("shows each request what its own token allows", async () => {
    const client = await connectLegacy("ada", version);
    expect(await listNames(client)).toEqual(ofPeople);
    expect(await listNames(client, "narrow")).toEqual(["hire"]);
    const denied = await client.request("tools/call", { name: "fire" }, "narrow");
    expect(denied.message["error"]).toEqual({ code: -32602, message: "Unknown tool: fire" });
    tokens["ada"] = { ...ada, roles: ["people", "billing"] };
    expect(await listNames(client)).toEqual([...ofPeople, "invoice"].sort());
    expect(await listNames(client, "narrow")).toEqual(["hire"]);
  });

  test("has a stream of the token that opened it", async () => {
    const client = await connectLegacy("ada", version);
    const news = await client.waitForNews("narrow");
    // Its list is not that of the token that began the session.
    expect(await nextMethod(news)).toBe(changed);
    endpoint.offer({ hire: { ...tool, provider: "people" }, invoice: { ...tool, provider: "billing" } });
    await expect.poll(() => listNames(client), soon).toEqual(["hire"]);
    tokens["narrow"] = "unauthenticated";
    expect(await restOf(news)).toEqual([]);
    expect(await listNames(client)).toEqual(["hire"]);
  });
});

test("the parameter headers of a hidden tool are not asked for", async () => {
  const params = { name: "region", arguments: { region: "north" } };
  const seen = await connectModern("ada").request("tools/call", params);
  expect(seen.message["error"]).toMatchObject({ code: -32020 });
  const hidden = await connectModern("bob").request("tools/call", params);
  expect(hidden.message["error"]).toEqual({ code: -32602, message: "Unknown tool: region" });
});

test("one caller can't take all the subscriptions there are", async () => {
  const { message, headers } = modernRequest("subscriptions/listen", {
    notifications: { toolsListChanged: true },
  });
  const open = (token: string): Promise<Response> =>
    fetch(endpoint.url, {
      method: "POST",
      headers: { ...baseHeaders, ...headers, ...bearer(token) },
      body: JSON.stringify(message),
    });
  const streams = [await open("ada"), await open("ada"), await open("narrow")];
  const refused: JsonObject = JSON.parse(await (await open("ada")).text());
  expect(asObject(refused["error"])?.["message"]).toContain("as many open MCP streams");
  const other = await open("bob");
  expect(other.headers.get("content-type")).toBe("text/event-stream");
  for (const stream of [...streams, other]) await stream.body?.cancel();
});
