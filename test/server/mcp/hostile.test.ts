import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asObject } from "../../../src/json-object.ts";
import { jsonAnswer, startEndpoint, type TestEndpoint } from "./harness.ts";
import { modernRequest, openSession, postText } from "./wire.ts";

let endpoint: TestEndpoint;
let sessionHeaders: Readonly<Record<string, string>>;
beforeAll(async () => {
  endpoint = await startEndpoint({ echo: { run: ({ arguments: given }) => jsonAnswer(given) } });
  ({ headers: sessionHeaders } = await openSession(endpoint.url));
});
afterAll(async () => {
  expect(endpoint.logged).toEqual([]);
  await endpoint.close();
});

const { message, headers: modernHeaders } = modernRequest(
  "tools/call",
  { name: "echo", arguments: { a: 1 } },
  7,
);
const text = JSON.stringify(message);
const deep = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

test.each([
  { name: "a byte order mark", body: `\uFEFF${text}`, status: 200, given: { a: 1 } },
  { name: "white space around", body: `\r\n\t ${text} \n`, status: 200, given: { a: 1 } },
  {
    name: "equal keys",
    body: text.replace('"a":1', '"a":1,"a":2'),
    status: 400,
  },
  {
    name: "a second name that the header does not know",
    body: text.replace('"name":"echo"', '"name":"echo","name":"other"'),
    status: 400,
  },
  {
    name: "__proto__ as an argument",
    body: text.replace('"a":1', '"__proto__":{"b":1}'),
    status: 400,
  },
  {
    name: "__proto__ as params",
    body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","__proto__":{"params":{"name":"echo"}}}',
    status: 400,
  },
  {
    name: "__proto__ as a message",
    body: '{"__proto__":{"jsonrpc":"2.0","id":1,"method":"tools/list"}}',
    status: 400,
  },
  { name: "as deep as may be", body: text.replace('"a":1', `"a":${deep(61)}`), status: 200 },
  { name: "deeper than may be", body: text.replace('"a":1', `"a":${deep(62)}`), status: 400 },
  ...["Method", "JSONRPC", "ID", "Params", "rESULT", "re\u017fult", "Error"].map((name) => ({
    name: `the member ${name}`,
    body: text.replace(/\}$/, `,"${name}":1}`),
    status: 400,
  })),
  ...["Name", "ARGUMENTS", "_Meta", "\u0075RI"].map((name) => ({
    name: `the parameter ${name}`,
    body: text.replace('"name":', `"${name}":1,"name":`),
    status: 400,
  })),
  {
    name: "a member of no such name",
    body: text.replace(/\}$/, ',"methods":1,"kind":2}'),
    status: 200,
    given: { a: 1 },
  },
  { name: "without end", body: deep(500_000), status: 400 },
  {
    name: "unpaired surrogates",
    body: text.replace('"a":1', '"a":"\\ud800"'),
    status: 200,
    given: { a: "\ud800" },
  },
  {
    name: "line separators",
    body: text.replace('"a":1', '"a":"\u2028\u0085"'),
    status: 200,
    given: { a: "\u2028\u0085" },
  },
  { name: "a NUL", body: text.replace('"a":1', '"a":"\\u0000"'), status: 200, given: { a: "\0" } },
  { name: "trailing data", body: `${text}${text}`, status: 400 },
  { name: "a comment", body: `/* */${text}`, status: 400 },
  { name: "NaN", body: text.replace('"a":1', '"a":NaN'), status: 400 },
  { name: "infinity by exponent", body: text.replace('"a":1', '"a":1e999'), status: 400 },
  { name: "a long name", body: text.replace('"echo"', `"${"x".repeat(100_000)}"`), status: 400 },
])("$name → $status", async ({ body, status, given }) => {
  const answer = await postText(endpoint.url, body, modernHeaders);
  expect(answer.status).toBe(status);
  if (given !== undefined) expect(asObject(answer.message["result"])?.["structuredContent"]).toEqual(given);
  if (status === 400)
    expect(answer.message).toMatchObject({ jsonrpc: "2.0", error: { code: expect.any(Number) } });
  expect(answer.text.length).toBeLessThan(3_000);
});

test("whatever is sent, the answer is JSON-RPC with a status of its own, and nothing breaks", async () => {
  const piece = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        jsonrpc: fc.constantFrom("2.0", "1.0", 2),
        id: fc.oneof(fc.integer(), fc.string(), fc.double(), fc.constant(null), fc.jsonValue()),
        method: fc.constantFrom(
          "tools/list",
          "tools/call",
          "ping",
          "initialize",
          "server/discover",
          "notifications/cancelled",
          "toString",
        ),
        params: fc.oneof(
          fc.jsonValue(),
          fc.record(
            {
              name: fc.oneof(fc.constant("echo"), fc.jsonValue()),
              arguments: fc.jsonValue(),
              cursor: fc.jsonValue(),
              requestId: fc.jsonValue(),
              protocolVersion: fc.jsonValue(),
              _meta: fc.oneof(
                fc.jsonValue(),
                fc.record({
                  "io.modelcontextprotocol/protocolVersion": fc.oneof(
                    fc.constant("2026-07-28"),
                    fc.jsonValue(),
                  ),
                  "io.modelcontextprotocol/clientCapabilities": fc.jsonValue(),
                  progressToken: fc.jsonValue(),
                }),
              ),
            },
            { requiredKeys: [] },
          ),
        ),
        result: fc.jsonValue(),
      },
      { requiredKeys: ["jsonrpc"] },
    ),
  );
  const headers = fc.constantFrom({}, modernHeaders, sessionHeaders, {
    "mcp-protocol-version": "2026-07-28",
  });
  await fc.assert(
    fc.asyncProperty(piece, headers, async (value, sent) => {
      const answer = await postText(endpoint.url, JSON.stringify(value), sent);
      expect([200, 202, 400, 404]).toContain(answer.status);
      if (answer.status === 202) expect(answer.text).toBe("");
      else expect(answer.message["jsonrpc"]).toBe("2.0");
    }),
    { numRuns: 300, seed: 20260728 },
  );
});
