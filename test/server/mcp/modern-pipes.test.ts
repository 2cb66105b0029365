import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { asObject } from "../../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import type { StdioConnection } from "../../../src/server/mcp/stdio-endpoint.ts";
import { principalOf } from "../../principals.ts";
import { cancellation, jsonAnswer, startEndpoint, type TestEndpoint } from "./harness.ts";
import { accept, allCapabilities } from "./rounds.ts";
import { modernRequest } from "./wire.ts";

let endpoint: TestEndpoint;
let connection: StdioConnection;
let input: PassThrough;
let messages: AsyncIterator<string>;
let ended: string[];

const question = { message: "?", requestedSchema: { type: "object", properties: {} } };

beforeEach(async () => {
  ended = [];
  endpoint = await startEndpoint(
    {
      ask: {
        run: async ({ peer, signal, arguments: given }) => {
          try {
            const answer = await peer.ask("elicitation/create", question);
            peer.notify("notifications/progress", { progress: 1 });
            if (given["wait"] === true) await cancellation(signal);
            return jsonAnswer({ answer });
          } finally {
            ended.push(signal.aborted ? "cancelled" : "answered");
          }
        },
      },
    },
    { limits: { changeMilliseconds: 1 } },
  );
  input = new PassThrough();
  const output = new PassThrough();
  const principal = principalOf("user", "ada");
  connection = endpoint.connectStdio({ input, output }, async () => principal);
  messages = createInterface({ input: output })[Symbol.asyncIterator]();
});
afterEach(async () => {
  connection.close();
  await endpoint.close();
  expect(endpoint.logged).toEqual([]);
});

function send(method: string, params: JsonObject, id: string | number): void {
  const _meta = {
    "io.modelcontextprotocol/clientCapabilities": allCapabilities,
    ...asObject(params["_meta"]),
  };
  input.write(`${JSON.stringify(modernRequest(method, { ...params, _meta }, id).message)}\n`);
}
async function next(): Promise<JsonObject> {
  const { value } = await messages.next();
  return asObject(JSON.parse(value) as JsonValue) ?? {};
}
async function asked(params: JsonObject, id: string | number): Promise<string> {
  send("tools/call", params, id);
  const message = await next();
  expect(message).toMatchObject({ id, result: { resultType: "input_required" } });
  return String(asObject(message["result"])?.["requestState"]);
}
const inputResponses = { "question-1": accept({ a: 1 }) };

test("a parked call goes on with the request that brings the answer", async () => {
  const call = { name: "ask", arguments: {} };
  const requestState = await asked(call, 1);
  send("tools/call", { ...call, requestState, inputResponses, _meta: { progressToken: "p" } }, 2);
  expect(await next()).toMatchObject({ method: "notifications/progress", params: { progressToken: "p" } });
  expect(await next()).toMatchObject({ id: 2, result: { structuredContent: { answer: accept({ a: 1 }) } } });
  expect(ended).toEqual(["answered"]);
});

test("a cancelled request cancels its call, over all its rounds", async () => {
  const call = { name: "ask", arguments: { wait: true } };
  const requestState = await asked(call, 1);
  send("tools/call", { ...call, requestState, inputResponses, _meta: { progressToken: "p" } }, 2);
  expect(await next()).toMatchObject({ method: "notifications/progress" });
  input.write(
    `${JSON.stringify({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 2 } })}\n`,
  );
  await expect.poll(() => ended, { timeout: 10_000 }).toEqual(["cancelled"]);
});

test("a stream that the gateway ends is told to be over", async () => {
  send("subscriptions/listen", { notifications: { toolsListChanged: true } }, "l");
  expect(await next()).toMatchObject({ method: "notifications/subscriptions/acknowledged" });
  endpoint.drain();
  expect(await next()).toEqual({
    jsonrpc: "2.0",
    method: "notifications/cancelled",
    params: { requestId: "l", _meta: { "io.modelcontextprotocol/subscriptionId": "l" } },
  });
});
