import { afterEach, beforeEach, expect, test } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import { RpcError } from "../../../src/mcp/rpc-error.ts";
import type { Invocation } from "../../../src/model/invocation.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { startEndpoint, type TestEndpoint } from "./harness.ts";
import { modern, openSession } from "./wire.ts";

let endpoint: TestEndpoint;
let asked: Invocation[];
let fail: Error | undefined;
const completion = { values: ["Ann", "Anna"], total: 2, hasMore: false };
beforeEach(async () => {
  asked = [];
  fail = undefined;
  endpoint = await startEndpoint(
    {},
    {
      servers: [
        {
          provider: "team",
          toolPrefix: "t_",
          prompts: { greet: {} },
          resources: { "test://a": {} },
          templates: { "test://{id}/data": {} },
          answer: (invocation) => {
            asked.push(invocation);
            if (fail !== undefined) throw fail;
            return { kind: "mcp", result: { completion }, isError: false };
          },
        },
      ],
    },
  );
});
afterEach(() => endpoint.close());

const argument = { name: "who", value: "An" };

async function complete(params: JsonObject): Promise<JsonObject> {
  const session = await openSession(endpoint.url);
  return (await session.request("completion/complete", params)).message;
}

test.each([
  [
    { type: "ref/prompt", name: "t_greet", title: "Greet" },
    { type: "ref/prompt", name: "greet", title: "Greet" },
  ],
  [
    { type: "ref/resource", uri: "gw-team+test://{id}/data" },
    { type: "ref/resource", uri: "test://{id}/data" },
  ],
  [
    { type: "ref/resource", uri: "gw-team+test://a" },
    { type: "ref/resource", uri: "test://a" },
  ],
])("%j is %j upstream", async (ref, upstream) => {
  const context = { arguments: { language: "en" } };
  expect((await complete({ ref, argument, context }))["result"]).toEqual({ completion });
  const { message } = await modern(endpoint.url, "completion/complete", { ref, argument });
  expect(message["result"]).toMatchObject({ completion });
  expect(asked.map((invocation) => [invocation.method, invocation.arguments])).toEqual([
    ["completion/complete", { ref: upstream, argument, context }],
    ["completion/complete", { ref: upstream, argument }],
  ]);
});

test.each([
  { ref: { type: "ref/prompt", name: "greet" }, argument },
  { ref: { type: "ref/resource", uri: "test://{id}/data" }, argument },
  { ref: { type: "ref/other", uri: "gw-team+test://a" }, argument },
  { ref: "t_greet", argument },
  { argument },
  { ref: { type: "ref/prompt", name: "t_greet" } },
  { ref: { type: "ref/prompt", name: "t_greet" }, argument: { name: "who" } },
  { ref: { type: "ref/prompt", name: "t_greet" }, argument, context: 1 },
])("%j is refused", async (params) => {
  expect((await complete(params))["error"]).toMatchObject({ code: -32602 });
  expect(asked).toEqual([]);
});

test.each([
  new RpcError(-32601, "Method not found"),
  new GatewayError("unsupported", "The server completes nothing."),
])("a server without completion proposes nothing: $message", async (error) => {
  fail = error;
  const ref = { type: "ref/prompt", name: "t_greet" };
  expect((await complete({ ref, argument }))["result"]).toEqual({ completion: { values: [] } });
});

test("other failures are told", async () => {
  fail = new RpcError(-32602, "No such argument");
  const ref = { type: "ref/prompt", name: "t_greet" };
  expect((await complete({ ref, argument }))["error"]).toEqual({ code: -32602, message: "No such argument" });
});
