import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/model/json.ts";
import { jsonAnswer, startEndpoint, type TestEndpoint } from "./harness.ts";
import { baseHeaders, modernRequest, openSession, post, postText, readAnswer } from "./wire.ts";

let endpoint: TestEndpoint;
beforeAll(async () => {
  endpoint = await startEndpoint({
    echo: { run: ({ arguments: given }) => jsonAnswer(given) },
    region: {
      inputSchema: {
        type: "object",
        properties: {
          region: { type: "string", "x-mcp-header": "Region" },
          priority: { type: "integer", "x-mcp-header": "Priority" },
          deep: { type: "object", properties: { flag: { type: "boolean", "x-mcp-header": "Flag" } } },
        },
      },
      run: ({ arguments: given }) => jsonAnswer(given),
    },
  });
});
afterAll(() => endpoint.close());

const call = modernRequest("tools/call", { name: "echo", arguments: {} }, 7);
const versionKey = "io.modelcontextprotocol/protocolVersion";
const capabilitiesKey = "io.modelcontextprotocol/clientCapabilities";

interface Row {
  readonly name: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly message?: unknown;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly status: number;
  readonly code?: number;
  readonly id?: unknown;
  readonly data?: unknown;
}

/** The call with other members in its `_meta`, `undefined` ones taken out. */
function withMeta(changes: JsonObject | Record<string, undefined>): JsonObject {
  const { params } = call.message as { params: { _meta: JsonObject } };
  return JSON.parse(
    JSON.stringify({ ...call.message, params: { ...params, _meta: { ...params._meta, ...changes } } }),
  );
}

function param(headers: Record<string, string>, given: JsonObject): Pick<Row, "message" | "headers"> {
  const request = modernRequest("tools/call", { name: "region", arguments: given }, 7);
  return { message: request.message, headers: { ...request.headers, ...headers } };
}

const modernRows: readonly Row[] = [
  { name: "a good call", message: call.message, headers: call.headers, status: 200, id: 7 },
  {
    name: "content type missing",
    message: call.message,
    headers: { ...call.headers, "content-type": "" },
    status: 415,
    code: -32000,
  },
  {
    name: "content type of a form",
    message: call.message,
    headers: { ...call.headers, "content-type": "text/plain" },
    status: 415,
    code: -32000,
  },
  {
    name: "content type with charset",
    message: call.message,
    headers: { ...call.headers, "content-type": "Application/JSON; charset=utf-8" },
    status: 200,
  },
  { name: "no JSON", body: "{", status: 400, code: -32700, id: null },
  { name: "empty body", body: "", status: 400, code: -32700, id: null },
  { name: "invalid UTF-8", body: Buffer.from([0x22, 0xff, 0x22]), status: 400, code: -32700, id: null },
  {
    name: "UTF-16",
    body: Buffer.from(JSON.stringify(call.message), "utf16le"),
    headers: call.headers,
    status: 400,
    code: -32700,
  },
  { name: "body too large", body: `"${"x".repeat(1024 * 1024)}"`, status: 413, code: -32000 },
  { name: "empty batch", message: [], status: 400, code: -32600, id: null },
  { name: "batch", message: [call.message], headers: call.headers, status: 400, code: -32600, id: null },
  { name: "a scalar", message: 1, status: 400, code: -32600 },
  { name: "null", message: null, status: 400, code: -32600 },
  { name: "no jsonrpc", message: { id: 1, method: "tools/list" }, status: 400, code: -32600, id: 1 },
  { name: "jsonrpc 1.0", message: { ...call.message, jsonrpc: "1.0" }, status: 400, code: -32600, id: 7 },
  {
    name: "method of a wrong type",
    message: { jsonrpc: "2.0", id: 3, method: 4 },
    status: 400,
    code: -32600,
    id: 3,
  },
  {
    name: "params of a wrong type",
    message: { jsonrpc: "2.0", id: 3, method: "tools/list", params: [] },
    status: 400,
    code: -32600,
    id: 3,
  },
  {
    name: "id null",
    message: { ...call.message, id: null },
    headers: call.headers,
    status: 400,
    code: -32600,
    id: null,
  },
  {
    name: "id an object",
    message: { ...call.message, id: {} },
    headers: call.headers,
    status: 400,
    code: -32600,
    id: null,
  },
  {
    name: "id a boolean",
    message: { ...call.message, id: true },
    headers: call.headers,
    status: 400,
    code: -32600,
    id: null,
  },
  {
    name: "id a fraction",
    message: { ...call.message, id: 1.5 },
    headers: call.headers,
    status: 200,
    id: 1.5,
  },
  { name: "id negative", message: { ...call.message, id: -1 }, headers: call.headers, status: 200, id: -1 },
  { name: "id empty", message: { ...call.message, id: "" }, headers: call.headers, status: 200, id: "" },
  {
    name: "id beyond 2^53",
    body: JSON.stringify(call.message).replace('"id":7', '"id":12345678901234567890'),
    headers: call.headers,
    status: 400,
    code: -32600,
    id: null,
  },
  {
    name: "an argument that would lose digits",
    body: JSON.stringify(call.message).replace('"arguments":{}', '"arguments":{"n":12345678901234567890}'),
    headers: call.headers,
    status: 400,
    code: -32600,
    id: 7,
  },
  {
    name: "accept lacks event streams",
    message: call.message,
    headers: { ...call.headers, accept: "application/json" },
    status: 406,
    code: -32000,
    id: 7,
  },
  {
    name: "accept lacks JSON",
    message: call.message,
    headers: { ...call.headers, accept: "text/event-stream" },
    status: 406,
    code: -32000,
  },
  {
    name: "accept anything",
    message: call.message,
    headers: { ...call.headers, accept: "*/*" },
    status: 200,
  },
  {
    name: "header without claim",
    message: { jsonrpc: "2.0", id: 7, method: "tools/list" },
    headers: call.headers,
    status: 400,
    code: -32602,
    id: 7,
    data: { envelope: { missing: ["_meta"] } },
  },
  {
    name: "future header without claim",
    message: { jsonrpc: "2.0", id: 7, method: "tools/list" },
    headers: { "mcp-protocol-version": "2030-01-01" },
    status: 400,
    code: -32602,
    id: 7,
  },
  {
    name: "version key missing under a modern header",
    message: withMeta({ [versionKey]: undefined }),
    headers: call.headers,
    status: 400,
    code: -32602,
    data: { envelope: { missing: [versionKey] } },
  },
  {
    name: "capabilities missing",
    message: withMeta({ [capabilitiesKey]: undefined }),
    headers: call.headers,
    status: 400,
    code: -32602,
    data: { envelope: { missing: [capabilitiesKey] } },
  },
  {
    name: "capabilities of a wrong type",
    message: withMeta({ [capabilitiesKey]: [] }),
    headers: call.headers,
    status: 400,
    code: -32602,
    data: { envelope: { key: capabilitiesKey, problem: "expected an object" } },
  },
  {
    name: "version of a wrong type",
    message: withMeta({ [versionKey]: 1 }),
    headers: call.headers,
    status: 400,
    code: -32602,
  },
  {
    name: "client info of a wrong type",
    message: withMeta({ "io.modelcontextprotocol/clientInfo": "me" }),
    headers: call.headers,
    status: 400,
    code: -32602,
  },
  {
    name: "version header and body differ",
    message: call.message,
    headers: { ...call.headers, "mcp-protocol-version": "2025-11-25" },
    status: 400,
    code: -32020,
    id: 7,
  },
  {
    name: "method header and body differ",
    message: call.message,
    headers: { ...call.headers, "mcp-method": "tools/list" },
    status: 400,
    code: -32020,
    id: 7,
  },
  {
    name: "unsupported version before missing headers",
    message: withMeta({ [versionKey]: "2030-01-01" }),
    status: 400,
    code: -32022,
    id: 7,
    data: { supported: ["2026-07-28"], requested: "2030-01-01" },
  },
  {
    name: "a legacy version as claim",
    message: withMeta({ [versionKey]: "2025-11-25" }),
    status: 400,
    code: -32022,
  },
  {
    name: "no version header",
    message: call.message,
    headers: { "mcp-method": "tools/call", "mcp-name": "echo" },
    status: 400,
    code: -32020,
  },
  {
    name: "no method header",
    message: call.message,
    headers: { "mcp-protocol-version": "2026-07-28", "mcp-name": "echo" },
    status: 400,
    code: -32020,
  },
  {
    name: "no name header",
    message: call.message,
    headers: { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call" },
    status: 400,
    code: -32020,
  },
  {
    name: "another name",
    message: call.message,
    headers: { ...call.headers, "mcp-name": "other" },
    status: 400,
    code: -32020,
    data: { mismatch: { header: "other", body: "params.name is echo, Mcp-Name says other" } },
  },
  {
    name: "the name in base64",
    message: call.message,
    headers: { ...call.headers, "mcp-name": "=?base64?ZWNobw==?=" },
    status: 200,
  },
  {
    name: "the name in broken base64",
    message: call.message,
    headers: { ...call.headers, "mcp-name": "=?base64?ZWNobw?=" },
    status: 400,
    code: -32020,
  },
  {
    name: "header names in upper case",
    message: call.message,
    headers: Object.fromEntries(
      Object.entries(call.headers).map(([name, value]) => [name.toUpperCase(), value]),
    ),
    status: 200,
  },
  { name: "a parameter header", ...param({ "mcp-param-region": "eu" }, { region: "eu" }), status: 200 },
  { name: "a parameter header missing", ...param({}, { region: "eu" }), status: 400, code: -32020 },
  {
    name: "a parameter header that differs",
    ...param({ "mcp-param-region": "us" }, { region: "eu" }),
    status: 400,
    code: -32020,
  },
  {
    name: "a parameter header in base64",
    ...param({ "mcp-param-region": "=?base64?w6k=?=" }, { region: "é" }),
    status: 200,
  },
  {
    name: "an integer written otherwise",
    ...param({ "mcp-param-priority": "42.0" }, { priority: 42 }),
    status: 200,
  },
  { name: "a parameter that is null", ...param({}, { region: null }), status: 200 },
  {
    name: "a nested parameter",
    ...param({ "mcp-param-flag": "true" }, { deep: { flag: true } }),
    status: 200,
  },
  { name: "a nested parameter missing", ...param({}, { deep: { flag: true } }), status: 400, code: -32020 },
  ...[
    "initialize",
    "ping",
    "logging/setLevel",
    "resources/subscribe",
    "resources/unsubscribe",
    "prompts/other",
    "nonsense",
    "__proto__",
    "constructor",
  ].map(
    (method): Row => ({
      name: `method ${method}`,
      ...modernRequest(method, {}, 7),
      status: 404,
      code: -32601,
      id: 7,
    }),
  ),
  {
    name: "initialize under a modern header",
    message: { jsonrpc: "2.0", id: 7, method: "initialize", params: { protocolVersion: "2025-11-25" } },
    headers: { "mcp-protocol-version": "2026-07-28" },
    status: 400,
    code: -32020,
    id: 7,
  },
  {
    name: "unknown tool",
    ...modernRequest("tools/call", { name: "none" }, 7),
    status: 200,
    code: -32602,
    id: 7,
  },
  { name: "tool name missing", ...modernRequest("tools/call", {}, 7), status: 200, code: -32602 },
  {
    name: "arguments of a wrong type",
    ...modernRequest("tools/call", { name: "echo", arguments: [] }, 7),
    status: 200,
    code: -32602,
  },
  {
    name: "a cursor of nothing",
    ...modernRequest("tools/list", { cursor: "x" }, 7),
    status: 200,
    code: -32602,
  },
  {
    name: "a cursor of a wrong type",
    ...modernRequest("tools/list", { cursor: 1 }, 7),
    status: 200,
    code: -32602,
  },
  {
    name: "listen without filter",
    ...modernRequest("subscriptions/listen", {}, 7),
    status: 200,
    code: -32602,
  },
  {
    name: "listen with a broken filter",
    ...modernRequest("subscriptions/listen", { notifications: { toolsListChanged: "yes" } }, 7),
    status: 200,
    code: -32602,
  },
  {
    name: "a notification",
    message: { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } },
    headers: { "mcp-protocol-version": "2026-07-28" },
    status: 202,
  },
  {
    name: "a notification of another method",
    message: { jsonrpc: "2.0", method: "notifications/x" },
    headers: { "mcp-protocol-version": "2026-07-28", "mcp-method": "notifications/y" },
    status: 400,
    code: -32020,
  },
  {
    name: "a response",
    message: { jsonrpc: "2.0", id: 1, result: {} },
    headers: { "mcp-protocol-version": "2026-07-28" },
    status: 400,
    code: -32600,
  },
];

const legacyRows: readonly Row[] = [
  {
    name: "no session",
    message: { jsonrpc: "2.0", id: 7, method: "tools/list" },
    status: 400,
    code: -32000,
    id: 7,
  },
  {
    name: "unknown session",
    message: { jsonrpc: "2.0", id: 7, method: "tools/list" },
    headers: { "mcp-session-id": "x" },
    status: 404,
    code: -32001,
    id: 7,
  },
  {
    name: "a session named __proto__",
    message: { jsonrpc: "2.0", id: 7, method: "tools/list" },
    headers: { "mcp-session-id": "__proto__" },
    status: 404,
    code: -32001,
  },
  {
    name: "notification without session",
    message: { jsonrpc: "2.0", method: "notifications/initialized" },
    status: 400,
    code: -32000,
  },
  {
    name: "response without session",
    message: { jsonrpc: "2.0", id: 1, result: {} },
    status: 400,
    code: -32000,
  },
  {
    name: "initialize without version",
    message: { jsonrpc: "2.0", id: 7, method: "initialize", params: {} },
    status: 200,
    code: -32602,
    id: 7,
  },
  {
    name: "initialize as a notification",
    message: { jsonrpc: "2.0", method: "initialize" },
    status: 400,
    code: -32000,
  },
  {
    name: "initialize with a legacy claim",
    message: {
      jsonrpc: "2.0",
      id: 7,
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {}, _meta: { [versionKey]: "2025-11-25" } },
    },
    status: 200,
    id: 7,
  },
];

const sessionRows: readonly Row[] = [
  { name: "ping", message: { jsonrpc: "2.0", id: 7, method: "ping" }, status: 200, id: 7 },
  {
    name: "version of the session",
    message: { jsonrpc: "2.0", id: 7, method: "ping" },
    headers: { "mcp-protocol-version": "2025-11-25" },
    status: 200,
  },
  {
    name: "bad version header",
    message: { jsonrpc: "2.0", id: 7, method: "ping" },
    headers: { "mcp-protocol-version": "1999-01-01" },
    status: 400,
    code: -32000,
    id: 7,
  },
  {
    name: "a modern method",
    message: { jsonrpc: "2.0", id: 7, method: "server/discover" },
    status: 200,
    code: -32601,
  },
  {
    name: "logging/setLevel, no level",
    message: { jsonrpc: "2.0", id: 7, method: "logging/setLevel", params: { level: "loud" } },
    status: 200,
    code: -32602,
  },
  {
    name: "unknown method",
    message: { jsonrpc: "2.0", id: 7, method: "constructor" },
    status: 200,
    code: -32601,
  },
  {
    name: "unknown tool",
    message: { jsonrpc: "2.0", id: 7, method: "tools/call", params: { name: "none" } },
    status: 200,
    code: -32602,
  },
  { name: "batch", message: [{ jsonrpc: "2.0", id: 7, method: "ping" }], status: 400, code: -32600 },
  {
    name: "accept lacks event streams",
    message: { jsonrpc: "2.0", id: 7, method: "ping" },
    headers: { accept: "application/json" },
    status: 406,
    code: -32000,
  },
  {
    name: "a notification",
    message: { jsonrpc: "2.0", method: "notifications/roots/list_changed" },
    status: 202,
  },
  {
    name: "a response that nobody awaits",
    message: { jsonrpc: "2.0", id: "gateway-9", result: {} },
    status: 202,
  },
];

async function check(row: Row, session: Readonly<Record<string, string>> = {}): Promise<void> {
  const headers = { ...session, ...row.headers } as Record<string, string>;
  const answer =
    row.body === undefined
      ? await post(endpoint.url, row.message, headers)
      : await postText(endpoint.url, row.body, headers);
  expect({
    status: answer.status,
    code: (answer.message["error"] as JsonObject | undefined)?.["code"],
  }).toEqual({
    status: row.status,
    code: row.code,
  });
  if ("id" in row) expect(answer.message["id"]).toEqual(row.id);
  if ("data" in row) expect((answer.message["error"] as JsonObject)["data"]).toEqual(row.data);
  if (row.status === 202) expect(answer.text).toBe("");
}

describe("requests of 2026-07-28", () => {
  test.each(modernRows)("$name → $status $code", (row) => check(row));
});

describe("requests up to 2025-11-25", () => {
  test.each(legacyRows)("$name → $status $code", (row) => check(row));
  test.each(sessionRows)("in a session: $name → $status $code", async (row) => {
    const { headers } = await openSession(endpoint.url);
    await check(row, headers);
  });
});

describe("other HTTP methods", () => {
  test.each([
    { method: "GET", headers: { "mcp-protocol-version": "2026-07-28" }, status: 405, allow: "POST" },
    { method: "DELETE", headers: { "mcp-protocol-version": "2026-07-28" }, status: 405, allow: "POST" },
    { method: "GET", headers: {}, status: 400, allow: null },
    { method: "DELETE", headers: {}, status: 400, allow: null },
    { method: "GET", headers: { "mcp-session-id": "x" }, status: 404, allow: null },
    { method: "DELETE", headers: { "mcp-session-id": "x" }, status: 404, allow: null },
    { method: "GET", headers: { accept: "application/json" }, status: 406, allow: null },
    { method: "PUT", headers: {}, status: 405, allow: "GET, POST, DELETE" },
    { method: "OPTIONS", headers: {}, status: 405, allow: "GET, POST, DELETE" },
  ])("$method $headers → $status", async ({ method, headers, status, allow }) => {
    const sent = { accept: "text/event-stream", ...headers } as Record<string, string>;
    const answer = await readAnswer(await fetch(endpoint.url, { method, headers: sent }));
    expect({ status: answer.status, allow: answer.headers.get("allow") }).toEqual({ status, allow });
  });
});

test("a caller who is not let in is refused before the protocol begins", async () => {
  const response = await fetch(endpoint.url, {
    method: "POST",
    headers: { ...baseHeaders, "x-user": "nobody" },
    body: "{",
  });
  expect(response.status).toBe(401);
});

test("a body that is sent in chunks and is too large gets its answer", async () => {
  const chunk = new Uint8Array(64 * 1024).fill(0x20);
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      sent += 1;
      if (sent > 20) controller.close();
      else controller.enqueue(chunk);
    },
  });
  const answer = await postText(endpoint.url, body);
  expect(answer.status).toBe(413);
});

test("nothing of this is a fault of the gateway", () => {
  expect(endpoint.logged.filter((line) => !line.includes("Sign in first"))).toEqual([]);
});
