import { describe, expect, test } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { toErrorResult, toToolResult } from "../../../src/server/mcp/tool-result.ts";
import { httpAnswer } from "./harness.ts";

const modern = "2026-07-28";
const legacy = "2025-11-25";

/** The result as it goes onto the wire, without what every HTTP result has. */
function written(answer: ReturnType<typeof httpAnswer>, version = modern): JsonObject {
  const { _meta, isError, ...rest } = toToolResult(answer, undefined, version);
  return JSON.parse(JSON.stringify(rest));
}

function firstText(result: JsonObject): string {
  const [block] = result["content"] as readonly JsonObject[];
  return String(block?.["text"]);
}

describe("an answer that the output schema does not describe", () => {
  const object = { type: "object", properties: { a: { type: ["integer", "null"] } } };
  const list = { type: "array", items: { type: ["string", "null"] } };
  test.each([
    { what: "no body", answer: httpAnswer("", "", 204), outputSchema: object, modern: {}, legacy: {} },
    {
      what: "no JSON",
      answer: httpAnswer("<html>", "text/html"),
      outputSchema: object,
      modern: {},
      legacy: {},
    },
    {
      what: "a list",
      answer: httpAnswer("[1]", "application/json"),
      outputSchema: object,
      modern: { result: [1] },
      legacy: { result: [1] },
    },
    {
      what: "a member of another type",
      answer: httpAnswer('{"a":"1"}', "application/json"),
      outputSchema: object,
      modern: { result: { a: "1" } },
      legacy: { result: { a: "1" } },
    },
    {
      what: "an object",
      answer: httpAnswer('{"a":1}', "application/json"),
      outputSchema: list,
      modern: [],
      legacy: { result: [] },
    },
    {
      what: "an image",
      answer: httpAnswer(Buffer.from([1]), "image/png"),
      outputSchema: list,
      modern: [],
      legacy: { result: [] },
    },
  ])(
    "$what: clients get a structure that they take, and all of the content",
    ({ answer, outputSchema, ...expected }) => {
      for (const [version, structure] of [
        [modern, expected.modern],
        [legacy, expected.legacy],
      ] as const) {
        const result = toToolResult(answer, outputSchema, version);
        expect(result["structuredContent"]).toEqual(structure);
        expect(result["isError"]).toBe(false);
        const texts = (content: unknown): string =>
          JSON.stringify(content).replace(/results\/[\w-]+/, "results/…");
        const plain = toToolResult(answer, undefined, version);
        expect(texts(result["content"])).toBe(texts(plain["content"]));
        const isMisfit = JSON.stringify(structure) !== JSON.stringify(plain["structuredContent"]);
        expect(JSON.stringify(result["_meta"]).includes("not what the output schema")).toBe(isMisfit);
      }
      expect(toToolResult(answer, outputSchema, "2025-03-26")["structuredContent"]).toBeUndefined();
    },
  );

  test("is none that has more members, long numbers or null", () => {
    for (const body of ['{"a":12345678901234567890,"b":1}', '{"a":null}', "{}"]) {
      const result = toToolResult(httpAnswer(body, "application/json"), object, legacy);
      expect(JSON.stringify(result["structuredContent"])).toBe(body);
    }
  });

  test("stays as it is where nothing fits", () => {
    const impossible = { type: "object", required: ["x"] };
    const result = toToolResult(httpAnswer('{"a":1}', "application/json"), impossible, modern);
    expect(result["structuredContent"]).toEqual({ a: 1 });
  });
});

test("a refusal says what was tried, and when to try again", () => {
  const answer = { ...httpAnswer("", "", 429), isError: true, attempts: 3 };
  const later = { ...answer, headers: { "retry-after": "7" } };
  expect(firstText(toToolResult(later, undefined, modern))).toBe(
    "The upstream answered HTTP 429 Too Many Requests. It was tried 3 times. It asks to wait 7 s before the next attempt.",
  );
});

describe("JSON answers", () => {
  test.each([
    { body: '{"a":[1,2]}', version: modern, structured: { a: [1, 2] } },
    { body: '{"a":[1,2]}', version: legacy, structured: { a: [1, 2] } },
    { body: "[1,2]", version: modern, structured: [1, 2] },
    { body: "[1,2]", version: legacy, structured: { result: [1, 2] } },
    { body: "null", version: modern, structured: null },
    { body: "null", version: legacy, structured: { result: null } },
    { body: '"x"', version: "2025-06-18", structured: { result: "x" } },
    { body: '{"a":1}', version: "2025-03-26", structured: undefined },
  ])("$body for $version", ({ body, version, structured }) => {
    expect(written(httpAnswer(body, "application/json"), version)).toEqual({
      content: [{ type: "text", text: body }],
      ...(structured === undefined ? {} : { structuredContent: structured }),
    });
  });

  test("numbers that a double can't hold arrive digit by digit", () => {
    const body = '{"id":12345678901234567890,"price":0.1234567890123456789,"far":1e400,"plain":1.50}';
    const text = JSON.stringify(toToolResult(httpAnswer(body, "application/json"), undefined, modern));
    expect(text).toContain(
      '"structuredContent":{"id":12345678901234567890,"price":0.12345678901234568,"far":1e400,"plain":1.5}',
    );
    expect(text).toContain(JSON.stringify(body));
  });

  test("a big number alone is no object", () => {
    const result = toToolResult(httpAnswer("12345678901234567890", "application/json"), undefined, legacy);
    expect(JSON.stringify(result["structuredContent"])).toBe('{"result":12345678901234567890}');
  });

  test("__proto__ is a member like others", () => {
    const result = toToolResult(httpAnswer('{"__proto__":{"a":1}}', "application/json"), undefined, modern);
    expect(JSON.stringify(result["structuredContent"])).toBe('{"__proto__":{"a":1}}');
  });

  test("what is called JSON and is none is text", () => {
    expect(written(httpAnswer("<html>", "application/json"))).toEqual({
      content: [{ type: "text", text: "<html>" }],
    });
  });

  test("what is nested without end is text only, and can be written", () => {
    const body = "[".repeat(100_000) + "]".repeat(100_000);
    expect(written(httpAnswer(body, "application/problem+json"))).toEqual({
      content: [{ type: "text", text: body }],
    });
  });

  test("an object of a schema that is not one is wrapped for older clients, as its schema is", () => {
    const outputSchema = { anyOf: [{ type: "object" }, { type: "null" }] };
    const answer = httpAnswer('{"a":1}', "application/json");
    expect(toToolResult(answer, outputSchema, legacy)["structuredContent"]).toEqual({ result: { a: 1 } });
    expect(toToolResult(answer, outputSchema, modern)["structuredContent"]).toEqual({ a: 1 });
  });
});

describe("what the gateway has to say of an answer", () => {
  test("stands behind the answer, and in _meta for programs", () => {
    const answer = {
      ...httpAnswer("[1]", "application/json"),
      attempts: 3,
      notes: ["There is more."],
      pages: { pages: 1, items: 1, more: undefined, next: { page: 2 }, stopped: undefined },
    };
    expect(toToolResult(answer, undefined, modern)).toEqual({
      content: [
        { type: "text", text: "[1]" },
        { type: "text", text: "[There is more.]" },
      ],
      structuredContent: [1],
      isError: false,
      _meta: {
        "io.gestalt/http": { status: 200, headers: {}, attempts: 3 },
        "io.gestalt/pages": { pages: 1, items: 1, next: { page: 2 } },
      },
    });
  });

  test.each([
    [modern, { structuredContent: [{ a: 1 }] }],
    [legacy, { structuredContent: { result: [{ a: 1 }] } }],
    ["2025-03-26", {}],
  ])("sequences for %s", (version, structure) => {
    const answer = { ...httpAnswer('{"a":1}\n', "application/x-ndjson"), sequence: [{ a: 1 }] };
    expect(written(answer, version)).toEqual({
      content: [{ type: "text", text: '[{"a":1}]' }],
      ...structure,
    });
  });

  test.each([
    [
      302,
      { location: "https://b.example/x" },
      /redirects to https:\/\/b\.example\/x\. The gateway does not follow/,
    ],
    [301, { location: "x".repeat(5000) }, /x\n\[Cut by the gateway: 2000 of 5000/],
    [304, {}, /HTTP 304 Not Modified, which is not the answer to the call\.$/],
  ])("redirects: %i", (status, headers, text) => {
    const answer = { ...httpAnswer("", "", status), headers, isError: true };
    const result = toToolResult(answer, undefined, modern);
    expect(result["isError"]).toBe(true);
    expect(firstText(result)).toMatch(text);
  });
});

describe("other answers", () => {
  test.each([
    { body: "a,b\n1,2", type: "text/csv", content: { type: "text", text: "a,b\n1,2" } },
    { body: "<a/>", type: "application/xml", content: { type: "text", text: "<a/>" } },
    { body: "<svg/>", type: "image/svg+xml", content: { type: "text", text: "<svg/>" } },
    { body: "hello", type: "", content: { type: "text", text: "hello" } },
    {
      body: Buffer.from([0x63, 0x61, 0x66, 0xe9]),
      type: "text/plain; charset=iso-8859-1",
      content: { type: "text", text: "café" },
    },
    { body: "x", type: "text/plain; charset=nonsense", content: { type: "text", text: "x" } },
    {
      body: Buffer.from([1, 2, 3]),
      type: "image/png",
      content: { type: "image", data: "AQID", mimeType: "image/png" },
    },
    {
      body: Buffer.from([1, 2, 3]),
      type: "audio/wav",
      content: { type: "audio", data: "AQID", mimeType: "audio/wav" },
    },
  ])("$type → $content.type", ({ body, type, content }) => {
    expect(written(httpAnswer(body, type))).toEqual({ content: [content] });
  });

  test.each([
    { type: "application/pdf", mimeType: "application/pdf", version: modern },
    { type: "", mimeType: "application/octet-stream", version: modern },
    { type: "text/plain", mimeType: "text/plain", version: modern },
    { type: "audio/wav", mimeType: "audio/wav", version: "2024-11-05" },
  ])("bytes of $type for $version are an embedded resource", ({ type, mimeType, version }) => {
    expect(written(httpAnswer(Buffer.from([0xff, 0, 1]), type), version)).toEqual({
      content: [
        {
          type: "resource",
          resource: {
            uri: expect.stringMatching(/^gateway:\/\/results\/[0-9a-f-]{36}$/),
            mimeType,
            blob: "/wAB",
          },
        },
      ],
    });
  });

  test("what is too large to pass is named", () => {
    const result = written(httpAnswer(Buffer.alloc(9 * 1024 * 1024), "video/mp4"));
    expect(firstText(result)).toMatch(/^\[The response is 9437184 bytes of video\/mp4, .* left out\.\]$/);
  });

  test("nothing is said as nothing", () => {
    expect(written(httpAnswer("", "", 204))).toEqual({
      content: [{ type: "text", text: "HTTP 204 No Content, without a body." }],
    });
    const created = { ...httpAnswer("", "", 201), headers: { location: "/things/1" } };
    expect(firstText(written(created))).toBe("HTTP 201 Created, without a body. Location: /things/1");
  });

  test("status and useful headers travel in _meta", () => {
    const headers = {
      etag: '"1"',
      "retry-after": "3",
      "x-ratelimit-remaining": "0",
      server: "x",
      "x-secret": "y",
    };
    const result = toToolResult({ ...httpAnswer("", "", 200), headers }, undefined, modern);
    expect(result["_meta"]).toEqual({
      "io.gestalt/http": {
        status: 200,
        headers: { etag: '"1"', "retry-after": "3", "x-ratelimit-remaining": "0" },
      },
    });
    expect(result["isError"]).toBe(false);
  });
});

describe("refusals", () => {
  test("an upstream's refusal is told with its status and body", () => {
    const result = toToolResult(
      httpAnswer('{"error":"no such pet"}', "application/json", 404),
      undefined,
      modern,
    );
    expect(result["isError"]).toBe(true);
    expect(result["structuredContent"]).toBeUndefined();
    expect(firstText(result)).toBe('The upstream answered HTTP 404 Not Found.\n\n{"error":"no such pet"}');
  });

  test("errors under a good status are told as such", () => {
    const answer = { ...httpAnswer('{"errors":[]}', "application/json"), isError: true };
    expect(firstText(toToolResult(answer, undefined, modern))).toMatch(
      /^The upstream answered HTTP 200 OK with errors\./,
    );
  });

  test("a long refusal is cut, bytes are only counted", () => {
    const long = toToolResult(httpAnswer("😀".repeat(100_000), "text/html", 500), undefined, modern);
    expect(firstText(long)).toMatch(
      /\n\[Cut by the gateway: 65536 of 200000 characters are shown\. The rest is left out\.\]$/,
    );
    const bytes = toToolResult(httpAnswer(Buffer.from([0xff]), "image/png", 500), undefined, modern);
    expect(firstText(bytes)).toBe(
      "The upstream answered HTTP 500 Internal Server Error. The body is 1 bytes of image/png.",
    );
  });

  test("the gateway's own says what to do, and its code for programs", () => {
    const error = new GatewayError("not_connected", "Connect it first.", { details: { provider: "notion" } });
    expect(toErrorResult(error)).toEqual({
      content: [{ type: "text", text: "Connect it first." }],
      isError: true,
      _meta: { "io.gestalt/error": { code: "not_connected", retryable: false, provider: "notion" } },
    });
  });
});

describe("results of upstream MCP servers", () => {
  const pass = (result: JsonObject, version: string): JsonObject =>
    toToolResult({ kind: "mcp", result, isError: false }, undefined, version);

  test("what the gateway knows nothing of stays", () => {
    const upstream = {
      content: [{ type: "text", text: "x", annotations: { priority: 1 } }],
      isError: true,
      vendor: { a: 1 },
      _meta: { "vendor/key": 1 },
    };
    expect(pass(upstream, modern)).toEqual(upstream);
    expect(pass(upstream, "2024-11-05")).toEqual(upstream);
  });

  test("a structure without text gets one, and an object around it for older clients", () => {
    const content = [{ type: "text", text: "[1]" }];
    expect(pass({ content: [], structuredContent: [1] }, modern)).toEqual({
      content,
      structuredContent: [1],
    });
    expect(pass({ structuredContent: [1] }, legacy)).toEqual({ content, structuredContent: { result: [1] } });
    expect(pass({ structuredContent: [1] }, "2025-03-26")).toEqual({ content });
    expect(pass({}, modern)).toEqual({ content: [] });
    const image = { type: "image", data: "AQID", mimeType: "image/png" };
    const pictured = { content: [image], structuredContent: [1] };
    expect(pass(pictured, "2025-03-26")).toEqual({ content: [image, ...content] });
    expect(pass(pictured, modern)).toEqual(pictured);
  });

  test("blocks that a version does not know are said in others", () => {
    const link = { type: "resource_link", name: "Report", uri: "file:///r" };
    const audio = { type: "audio", data: "AQID", mimeType: "audio/wav" };
    expect(pass({ content: [link, audio] }, "2025-06-18")).toEqual({ content: [link, audio] });
    expect(pass({ content: [link, audio] }, "2025-03-26")).toEqual({
      content: [{ type: "text", text: "Report\nfile:///r" }, audio],
    });
    expect(pass({ content: [audio] }, "2024-11-05")).toEqual({
      content: [
        {
          type: "resource",
          resource: { uri: "gateway://results/audio", mimeType: "audio/wav", blob: "AQID" },
        },
      ],
    });
  });
});
