import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../../src/config/load-config.ts";
import { Gateway, operator, silentPeer } from "../../../src/gateway.ts";
import { newestModernVersion } from "../../../src/mcp/versions.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { createCallTool } from "../../../src/server/mcp/call-tool.ts";
import { finished } from "../../finished.ts";
import { type Loopback, listen } from "../../upstream/loopback.ts";
import { callAtOnce, cutOnly, unasked } from "../call-at-once.ts";

// What goes over the wire for inline operations, from the file to the upstream and back.

const file = (baseUrl: string): string => `
providers:
  api:
    mcp: {tool_prefix: ""}
    surfaces:
      rest:
        base_url: ${baseUrl}/v1
        operations:
          - name: search
            title: Search
            method: QUERY
            path: /books/{shelf}?lang=en
            accept: text/csv
            parameters:
              - {name: shelf, in: path, style: label, explode: true, type: array}
              - {name: filter, in: query, style: deepObject, type: object, properties: {year: {type: integer}}}
              - {name: ids, in: query, style: pipeDelimited, explode: false, type: array, items: {type: integer}}
              - {name: sort, in: query, content: application/json, type: array, items: {type: string}}
              - {name: X-Tags, in: header, type: array}
              - {name: session, in: cookie}
            body: {schema: {type: object, properties: {text: {type: string}}}}
          - {name: raw_query, method: GET, path: /raw, parameters: [{name: q, in: querystring, type: object}]}
          - name: form
            method: POST
            path: /form
            body:
              content_type: application/x-www-form-urlencoded
              schema: {type: object, properties: {a: {type: string}, b: {type: object}}}
              encoding: {b: {style: deepObject}}
          - name: upload
            method: POST
            path: /upload
            body:
              content_type: multipart/form-data
              schema: {type: object, properties: {scan: {type: string}, note: {type: string}}}
              encoding: {scan: {file: true, content_type: image/png}}
          - {name: text, method: PUT, path: /text, body: {content_type: text/plain}}
          - {name: xml, method: POST, path: /xml, body: {content_type: application/xml, schema: {type: string}}}
          - {name: bytes, method: POST, path: /bytes, body: {content_type: application/octet-stream}}
          - {name: lines, method: POST, path: /lines, body: {content_type: application/x-ndjson}}
          - {name: merge, method: PATCH, path: /merge, body: {content_type: application/merge-patch+json}}
          - {name: purge, method: PURGE, path: /cache}
          - name: mapped
            method: GET
            path: /answer
            response_mapping: {data: result.items}
          - name: pages
            method: GET
            path: /pages
            parameters: [{name: page, in: query, type: integer}]
            pagination: {style: page, parameter: page, items: items, page_size: 2}
          - name: described
            method: GET
            path: /answer
            output_schema: {type: object, properties: {result: {type: object}}, required: [missing]}
`;

interface Received {
  readonly line: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

const answer = { result: { items: [1, 2] } };
const received: Received[] = [];
let upstream: Loopback;
let gateway: Gateway | undefined;

beforeAll(async () => {
  upstream = await listen(
    createServer(async (request: IncomingMessage, response: ServerResponse) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks).toString();
      received.push({ line: `${request.method} ${request.url}`, headers: request.headers, body });
      response.writeHead(200, { "content-type": "application/json" });
      const page = Number(new URL(request.url ?? "", "http://upstream").searchParams.get("page") ?? 1);
      const items = page < 3 ? [page, page] : [];
      response.end(JSON.stringify(request.url?.startsWith("/v1/pages") ? { items } : answer));
    }),
  );
  gateway = await createGateway(file(upstream.url));
  expect(await gateway.start()).toEqual([]);
});

async function createGateway(text: string): Promise<Gateway> {
  const { config, diagnostics } = await loadConfig("gestalt.yaml", {
    environment: {},
    references: "resolve",
    workingDirectory: "/",
    readFile: async () => Buffer.from(text),
  });
  if (config === undefined) throw new Error(JSON.stringify(diagnostics));
  return new Gateway(config, { workingDirectory: "/", environment: {}, log: () => {}, retry: false });
}

afterAll(async () => {
  await gateway?.close();
  await upstream[Symbol.asyncDispose]();
});

async function call(name: string, args: JsonObject) {
  received.length = 0;
  if (gateway === undefined) throw new Error("The gateway did not start.");
  const view = gateway.snapshot.view("mcp");
  const result = await finished(
    createCallTool(
      gateway.broker,
      () => view,
      callAtOnce,
      cutOnly,
    )(
      { name, arguments: args },
      {
        principal: operator,
        version: newestModernVersion,
        peer: silentPeer(),
        signal: new AbortController().signal,
        ...unasked,
      },
    ),
  );
  return { result, request: received[0] };
}

describe("inline operations on the wire", () => {
  test("styles, methods, fixed query, headers, cookies and `Accept`", async () => {
    const { request } = await call("search", {
      shelf: ["a", "b c"],
      filter: { year: 1818 },
      ids: [1, 2],
      sort: ["year"],
      "X-Tags": ["x", "y"],
      session: "s1",
      text: "moon",
    });
    expect(request).toMatchObject({
      line: "QUERY /v1/books/.a.b%20c?lang=en&filter[year]=1818&ids=1%7C2&sort=%5B%22year%22%5D",
      headers: {
        accept: "text/csv",
        "x-tags": "x,y",
        cookie: "session=s1",
        "content-type": "application/json",
      },
      body: '{"text":"moon"}',
    });
  });

  test("a whole query string", async () => {
    expect((await call("raw_query", { q: { a: "1", b: "x y" } })).request?.line).toBe(
      "GET /v1/raw?a=1&b=x%20y",
    );
  });

  const bodies: readonly (readonly [string, JsonObject, string, string])[] = [
    ["form", { a: "x y", b: { c: 1 } }, "application/x-www-form-urlencoded", "a=x+y&b[c]=1"],
    ["text", { body: "hello" }, "text/plain", "hello"],
    ["xml", { body: "<a/>" }, "application/xml", "<a/>"],
    ["bytes", { body: "aGk=" }, "application/octet-stream", "hi"],
    ["lines", { body: [{ a: 1 }, { a: 2 }] }, "application/x-ndjson", '{"a":1}\n{"a":2}\n'],
    ["merge", { body: { a: null } }, "application/merge-patch+json", '{"a":null}'],
  ];
  test.each(bodies)("a body of %s", async (name, args, contentType, body) => {
    const { request } = await call(name, args);
    expect(request).toMatchObject({ headers: { "content-type": contentType }, body });
  });

  test("files in multipart", async () => {
    const { request } = await call("upload", { scan: "aGk=", note: "n" });
    expect(request?.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/);
    expect(request?.body).toContain(
      'Content-Disposition: form-data; name="scan"; filename="scan"\r\nContent-Type: image/png\r\n\r\nhi\r\n',
    );
    expect(request?.body).toContain('Content-Disposition: form-data; name="note"\r\n\r\nn\r\n');
  });

  test("a method of the API's own", async () => {
    expect((await call("purge", {})).request?.line).toBe("PURGE /v1/cache");
  });

  test("the part of the answer that is the result", async () => {
    expect((await call("mapped", {})).result).toMatchObject({ structuredContent: [1, 2], isError: false });
  });

  test("no answer is refused for breaking its description", async () => {
    const { result, request } = await call("described", {});
    expect(result).toMatchObject({ structuredContent: { result: { items: [1, 2] } }, isError: false });
    expect(request?.headers.accept).toBe("application/json");
  });

  test("answers in pages", async () => {
    const { result } = await call("pages", { _max_pages: 3 });
    expect(result).toMatchObject({ structuredContent: { items: [1, 1, 2, 2] }, isError: false });
    expect(received.map(({ line }) => line)).toHaveLength(3);
  });

  test("a pagination that its own operation has no parameter for is reported", async () => {
    const text = file(upstream.url).replace("parameter: page,", "parameter: pages,");
    const other = await createGateway(text);
    const diagnostics = await other.start();
    await other.close();
    expect(diagnostics).toMatchObject([{ severity: "error", code: "unmatched-pagination" }]);
  });

  test("arguments that do not fit are not sent", async () => {
    const { result, request } = await call("search", { shelf: ["a"], filter: { year: "x" } });
    expect(request).toBeUndefined();
    expect(result).toMatchObject({ isError: true });
  });
});
