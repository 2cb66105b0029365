import { afterAll, beforeAll, expect, test } from "vitest";
import { naughtyTexts } from "./naughty.ts";
import { callApi, callModern, type Outcome, readMcp, type System, startSystem } from "./system.ts";
import { type Seen, sendJson, startUpstream, type Upstream } from "./upstream.ts";

let upstream: Upstream;
let system: System;

const text = { type: "string" };
const texts = { type: "array", items: text };
const object = { type: "object", additionalProperties: text };

interface Position {
  readonly name: string;
  /** What stands in the document. */
  readonly parameter?: object;
  readonly body?: object;
  readonly path?: string;
  /** How the text is given. */
  readonly wrap?: (value: string) => object | string;
  /** Reads the text back from what arrived; `undefined` where the way there loses something by its definition. */
  readonly read?: (seen: Seen) => unknown;
}

const query = (seen: Seen): URLSearchParams => new URLSearchParams(seen.target.split("?").slice(1).join("?"));
const segment = (seen: Seen, prefix = ""): string => {
  const path = seen.target.split("?", 1)[0] ?? "";
  return decodeURIComponent((path.split("/")[3] ?? "").slice(prefix.length));
};
const inPath = (style: string, explode: boolean, schema: object = text) => ({
  in: "path",
  required: true,
  style,
  explode,
  schema,
});
const inQuery = (style: string, explode: boolean, schema: object = text) => ({
  in: "query",
  style,
  explode,
  schema,
});

/** Every way in which OpenAPI puts an argument into a request. */
const positions: readonly Position[] = [
  {
    name: "path_simple",
    path: "/{v}/end",
    parameter: inPath("simple", false),
    read: (seen) => segment(seen),
  },
  {
    name: "path_label",
    path: "/{v}/end",
    parameter: inPath("label", false),
    read: (seen) => segment(seen, "."),
  },
  { name: "path_matrix", path: "/{v}/end", parameter: inPath("matrix", false) },
  {
    name: "path_list",
    path: "/{v}/end",
    parameter: inPath("simple", false, texts),
    wrap: (value) => [value],
  },
  {
    name: "path_list_exploded",
    path: "/{v}/end",
    parameter: inPath("matrix", true, texts),
    wrap: (value) => [value, value],
  },
  {
    name: "path_label_list",
    path: "/{v}/end",
    parameter: inPath("label", true, texts),
    wrap: (value) => ["", value],
  },
  {
    name: "path_object",
    path: "/{v}/end",
    parameter: inPath("simple", true, object),
    wrap: (value) => ({ [value]: value }),
  },
  { name: "path_inside", path: "/x{v}y/end", parameter: inPath("simple", false) },
  { name: "path_dotted", path: "/.{v}/end", parameter: inPath("simple", false) },
  { name: "query_form", parameter: inQuery("form", true), read: (seen) => query(seen).get("v") },
  { name: "query_reserved", parameter: { ...inQuery("form", true), allowReserved: true } },
  {
    name: "query_list",
    parameter: inQuery("form", true, texts),
    wrap: (value) => [value, "z"],
    read: (seen) => query(seen).getAll("v")[0],
  },
  { name: "query_list_joined", parameter: inQuery("form", false, texts), wrap: (value) => [value] },
  { name: "query_pipes", parameter: inQuery("pipeDelimited", false, texts), wrap: (value) => [value] },
  {
    name: "query_deep",
    parameter: inQuery("deepObject", true, object),
    wrap: (value) => ({ a: value }),
    read: (seen) => query(seen).get("v[a]"),
  },
  {
    name: "query_names",
    parameter: inQuery("deepObject", true, object),
    wrap: (value) => ({ [value]: "a" }),
  },
  { name: "query_spread", parameter: inQuery("form", true, object), wrap: (value) => ({ [value]: value }) },
  {
    name: "query_json",
    parameter: { in: "query", content: { "application/json": { schema: {} } } },
    wrap: (value) => ({ a: value }),
    read: (seen) => JSON.parse(query(seen).get("v") ?? "").a,
  },
  { name: "header", parameter: { in: "header", schema: text }, read: (seen) => seen.headers["v"] ?? "" },
  { name: "header_list", parameter: { in: "header", schema: texts }, wrap: (value) => [value] },
  {
    name: "header_object",
    parameter: { in: "header", explode: true, schema: object },
    wrap: (value) => ({ [value]: value }),
  },
  { name: "cookie", parameter: { in: "cookie", schema: text } },
  { name: "cookie_list", parameter: { in: "cookie", schema: texts }, wrap: (value) => [value, value] },
  {
    name: "body_json",
    body: { "application/json": { schema: { type: "object", properties: { v: text } } } },
    read: (seen) => JSON.parse(seen.body).v,
  },
  {
    name: "body_form",
    body: { "application/x-www-form-urlencoded": { schema: { type: "object", properties: { v: text } } } },
    read: (seen) => new URLSearchParams(seen.body).get("v"),
  },
  {
    name: "body_multipart",
    body: { "multipart/form-data": { schema: { type: "object", properties: { v: text } } } },
  },
  {
    name: "body_file",
    body: {
      "multipart/form-data": {
        schema: { type: "object", properties: { v: { type: "string", format: "binary" } } },
      },
    },
    wrap: (value) => `data:text/plain;name=${encodeURIComponent(value.toWellFormed())};base64,aGk=`,
  },
  { name: "body_text", body: { "text/plain": { schema: text } }, read: (seen) => seen.body },
];

beforeAll(async () => {
  upstream = await startUpstream((_seen, response) => sendJson(response, {}));
  const paths = positions.map(({ name, parameter, body, path = "" }) => [
    `/${name}${path}`,
    {
      post: {
        operationId: name,
        ...(parameter === undefined ? {} : { parameters: [{ name: "v", ...parameter }] }),
        ...(body === undefined ? {} : { requestBody: { required: true, content: body } }),
        responses: {},
      },
    },
  ]);
  const document = { openapi: "3.1.0", info: { title: "a", version: "1" }, paths: Object.fromEntries(paths) };
  system = await startSystem(
    {
      api: {
        headers: { "X-Fixed": "fixed" },
        surfaces: { openapi: { document: "./api.json", base_url: `${upstream.url}/base` } },
      },
    },
    { files: { "api.json": JSON.stringify(document).replaceAll('"/path_', '"/path_') } },
  );
});
afterAll(async () => {
  await system.close();
  await upstream[Symbol.asyncDispose]();
});

/** What a request to a position has to look like, whatever the text: everything that the document declares, nothing else. */
function checkRequest(position: Position, seen: Seen): void {
  expect(seen.method).toBe("POST");
  const [path = "", ...rest] = seen.target.split("?");
  expect(path.split("/").length).toBe(position.path === undefined ? 3 : 5);
  expect(path.startsWith(`/base/${position.name}`)).toBe(true);
  if (position.path !== undefined) expect(path.endsWith("/end")).toBe(true);
  // What a parser makes of it is what was sent.
  expect(new URL(`http://x${seen.target}`).pathname).toBe(path);
  expect(decodeSegments(path)).toBe(true);
  if (
    position.parameter === undefined ||
    !("in" in position.parameter) ||
    position.parameter.in !== "query"
  ) {
    expect(rest).toEqual([]);
  }
  expect(seen.target).toMatch(/^[\x21-\x7e]*$/);
  const allowed = [
    "host",
    "connection",
    "user-agent",
    "accept",
    "accept-encoding",
    "content-type",
    "content-length",
    "x-fixed",
    "v",
    "cookie",
    "transfer-encoding",
  ];
  expect(Object.keys(seen.headers).filter((name) => !allowed.includes(name))).toEqual([]);
  expect(new Set(seen.rawHeaders.filter((_value, index) => index % 2 === 0)).size * 2).toBe(
    seen.rawHeaders.length,
  );
  expect(seen.headers["x-fixed"]).toBe("fixed");
  expect(seen.body).not.toContain("\r\nX-Evil: 1\r\n\r\nGET");
}

/** No segment is `.` or `..`, however often it is decoded. */
function decodeSegments(path: string): boolean {
  let current = path;
  for (let round = 0; round < 3; round += 1) {
    if (current.split(/[/\\]/).some((part) => part === "." || part === "..")) return false;
    current = current.replace(/%2e/gi, ".").replace(/%2f/gi, "/").replace(/%5c/gi, "\\").replace(/%25/g, "%");
  }
  return true;
}

const shown = (value: string): string =>
  value.length > 60 ? `${value.slice(0, 60)}… (${value.length})` : value;

test.each(naughtyTexts.map((value) => ({ label: JSON.stringify(shown(value)), value })))(
  "$label in every position, over HTTP and MCP: the declared operation or none",
  async ({ value }) => {
    for (const position of positions) {
      const given = position.wrap === undefined ? value : position.wrap(value);
      const argument = position.name === "body_text" ? "body" : "v";
      const ways: readonly (() => Promise<Outcome>)[] = [
        () => callApi(system.url, `api/${position.name}`, { [argument]: given as never }),
        async () =>
          readMcp(await callModern(system.url, `api_${position.name}`, { [argument]: given as never })),
      ];
      for (const way of ways) {
        const before = upstream.seen.length;
        const outcome = await way();
        const arrived = upstream.seen.slice(before);
        const at = `${position.name}: ${outcome.text.slice(0, 300)}`;
        if (outcome.kind !== "result") {
          expect([outcome.kind, arrived], at).toEqual(["refused", []]);
          continue;
        }
        const [seen, ...others] = arrived;
        expect(others, at).toEqual([]);
        if (seen === undefined) return expect.fail(at);
        checkRequest(position, seen);
        const wanted =
          position.name === "body_json" || position.name === "query_json" ? value : value.toWellFormed();
        if (position.read === undefined) continue;
        expect(position.read(seen), at).toBe(position.name === "header" ? value.trim() : wanted);
      }
    }
  },
);

test("there are at least 200 texts of every kind and 25 positions", () => {
  expect(new Set(naughtyTexts).size).toBeGreaterThanOrEqual(200);
  expect(positions.length).toBeGreaterThanOrEqual(25);
  expect(system.gateway.snapshot.catalog.tools).toHaveLength(positions.length);
});

test.each([
  "Host",
  "Authorization",
  "Content-Length",
  "Transfer-Encoding",
  "Connection",
  "X-Fixed",
  "Cookie",
])("a document that declares the header %s as a parameter gives callers no say in it", async (name) => {
  const document = {
    openapi: "3.1.0",
    info: { title: "a", version: "1" },
    paths: {
      "/go": {
        post: { operationId: "go", parameters: [{ name, in: "header", schema: text }], responses: {} },
      },
    },
  };
  await using own = await startSystem(
    {
      api: {
        headers: { "X-Fixed": "fixed" },
        surfaces: { openapi: { document: "./api.json", base_url: upstream.url } },
        connections: {
          a: { mode: "identity", auth: { type: "bearer", credentials: [{ name: "t", value: "${env:T}" }] } },
        },
      },
    },
    { files: { "api.json": JSON.stringify(document) }, environment: { T: "own-token" } },
  );
  const before = upstream.seen.length;
  await callModern(own.url, "api_go", { [name]: "evil" });
  for (const { headers } of upstream.seen.slice(before)) {
    expect(headers.authorization).toBe("Bearer own-token");
    expect(headers["x-fixed"]).toBe("fixed");
    if (name !== "Cookie") expect(JSON.stringify(headers)).not.toContain("evil");
  }
});

test.each(["api_key", "api%5fkey", "API_KEY", "api_key[]", "api_key=x&api_key"])(
  "an argument named %s never stands beside the credential in the query",
  async (name) => {
    await using own = await startSystem(
      {
        api: {
          surfaces: {
            rest: {
              base_url: upstream.url,
              operations: [{ name: "go", method: "POST", path: "/go", parameters: [{ name, in: "query" }] }],
            },
          },
          connections: {
            a: {
              mode: "identity",
              auth: { type: "manual", credentials: [{ name: "k", query: "api_key", value: "${env:T}" }] },
            },
          },
        },
      },
      { environment: { T: "own-token" } },
    );
    const [tool] = own.gateway.snapshot.catalog.tools;
    const [argument = ""] = Object.keys((tool?.inputSchema["properties"] as object) ?? {});
    const before = upstream.seen.length;
    await callModern(own.url, "api_go", { [argument]: "evil" });
    const [seen] = upstream.seen.slice(before);
    expect(seen && query(seen).getAll("api_key")).toEqual(["own-token"]);
  },
);
