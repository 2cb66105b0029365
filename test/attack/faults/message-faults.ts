import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import { absent, type Fault, failed, fault, harmless, refused, shown } from "./fault.ts";
import { answer, type Wire } from "./wire.ts";

const noRpc = absent("it does not speak JSON-RPC");

/** JSON-RPC messages in place of the answer, one after the other; JSON takes one, or a batch. */
function messages(
  name: string,
  make: (wire: Wire, good: JsonObject) => readonly JsonValue[],
  json: Fault["expected"]["REST"],
  sse: Fault["expected"]["REST"] = json,
): Fault {
  return fault(
    name,
    (wire) => {
      const good: JsonObject = JSON.parse(wire.body().replace(/^data: /, ""));
      const made = make(wire, good);
      const text = made.map((message) => JSON.stringify(message));
      if (wire.kind === "MCP SSE") answer(wire, text.map((one) => wire.frame(one)).join(""));
      else answer(wire, text.length === 1 ? (text[0] ?? "") : `[${text.join()}]`);
    },
    { all: noRpc, "MCP JSON": json, "MCP SSE": sse },
  );
}

const unanswered = failed(/without a result|did not answer|no answer/);
const error = (id: JsonValue, value: JsonValue): JsonObject => ({ jsonrpc: "2.0", id, error: value });
const logs = (count: number): readonly JsonObject[] =>
  Array.from({ length: count }, () => ({
    jsonrpc: "2.0",
    method: "notifications/message",
    params: { level: "info", data: "x" },
  }));

/** What is wrong with JSON-RPC messages. */
export const messageFaults: readonly Fault[] = [
  messages("answers another request", (_wire, good) => [{ ...good, id: 4_711 }], unanswered),
  messages(
    "answers with the id null",
    (_wire, good) => [{ ...good, id: null }],
    failed(/without a result|not JSON-RPC/),
  ),
  messages("answers with the id as a text", ({ id }, good) => [{ ...good, id: String(id) }], unanswered),
  messages(
    "answers without an id",
    (_wire, { id: _, ...good }) => [good],
    failed(/not JSON-RPC|no answer|did not answer|without a result/),
  ),
  messages(
    "answers with an id that is an object",
    (_wire, good) => [{ ...good, id: {} }],
    failed(/not JSON-RPC|no answer|did not answer|without a result/),
  ),
  messages(
    "answers in JSON-RPC 1.0",
    (_wire, good) => [{ ...good, jsonrpc: "1.0" }],
    failed(/not JSON-RPC|no answer|did not answer|without a result/),
  ),
  messages(
    "answers another request, and then this one",
    (_wire, good) => [{ ...good, id: 4_711 }, good],
    harmless,
  ),
  messages("answers twice", (_wire, good) => [good, good], harmless),
  messages(
    "answers twice and differently",
    ({ id }, good) => [good, error(id, { code: -32603, message: "evil" })],
    harmless,
  ),
  messages(
    "answers in a batch of one thousand",
    (_wire, good) => [...Array(999).fill({ ...good, id: 4_711 }), good],
    harmless,
  ),
  messages(
    "answers with a result and an error",
    ({ id }, good) => [{ ...good, ...error(id, { code: -1, message: "both" }) }],
    harmless,
  ),
  messages(
    "answers with neither result nor error",
    ({ id }) => [{ jsonrpc: "2.0", id }],
    failed(/not JSON-RPC|no answer|did not answer|without a result/),
  ),
  messages(
    "answers with a result that is a text",
    ({ id }) => [{ jsonrpc: "2.0", id, result: "ok" }],
    failed(/not JSON-RPC|no answer|did not answer|without a result/),
  ),
  messages(
    "answers with content that is no list",
    ({ id }) => [{ jsonrpc: "2.0", id, result: { content: "evil" } }],
    { kind: "answer", says: /./ },
  ),
  messages(
    "answers with content of unknown kinds",
    ({ id }) => [{ jsonrpc: "2.0", id, result: { content: [{ type: "evil", data: "x" }, null, 7] } }],
    { kind: "answer", says: /./ },
  ),
  messages("answers with an error without a code", ({ id }) => [error(id, { message: "evil" })], failed(/./)),
  messages(
    "answers with an error whose code is a text",
    ({ id }) => [error(id, { code: "evil", message: "evil" })],
    failed(/./),
  ),
  messages(
    "answers with an error of 5 MiB",
    ({ id }) => [error(id, { code: -32000, message: "x".repeat(5 * 1024 * 1024) })],
    failed(/x/),
  ),
  messages(
    "answers with an error that holds what it was sent",
    ({ id, request }) => [error(id, { code: -32000, message: request })],
    failed(/./),
  ),
  messages(
    "answers with a kind of result that was not asked for",
    ({ id }) => [{ jsonrpc: "2.0", id, result: { resultType: "evil" } }],
    failed(/not asked for/),
  ),
  messages("sends 1,500 log messages before its answer", (_wire, good) => [...logs(1_500), good], harmless),
  messages(
    "asks for samples before its answer",
    (_wire, good) => [
      ...Array.from({ length: 200 }, (_none, index) => ({
        jsonrpc: "2.0",
        id: `q${index}`,
        method: "sampling/createMessage",
        params: { messages: [], maxTokens: 1 },
      })),
      good,
    ],
    harmless,
  ),
  messages(
    "asks for methods that do not exist before its answer",
    (_wire, good) => [
      { jsonrpc: "2.0", id: 1, method: "evil/run", params: {} },
      { jsonrpc: "2.0", id: { a: 1 }, method: "evil/run" },
      good,
    ],
    harmless,
  ),
  messages(
    "cancels the call before its answer",
    ({ id }, good) => [
      { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: id, reason: "evil" } },
      good,
    ],
    harmless,
  ),
  messages(
    "tells of progress that nobody asked for",
    ({ id }, good) => [
      { jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: "other", progress: 1 } },
      { jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: id, progress: "much" } },
      good,
    ],
    harmless,
  ),
  fault("answers 202 without a body", (wire) => answer(wire, "", { status: "202 Accepted" }), {
    all: noRpc,
    MCP: unanswered,
  }),
  fault(
    "answers with an error page in JSON-RPC and HTTP 500",
    (wire) =>
      answer(wire, JSON.stringify(error(wire.id, { code: -32603, message: "boom" })), {
        status: "500 Oops",
        type: "application/json",
      }),
    {
      all: noRpc,
      MCP: failed(/boom/),
    },
  ),
  messages(
    "answers with a text of 5 MiB",
    ({ id }) => [
      { jsonrpc: "2.0", id, result: { content: [{ type: "text", text: "x".repeat(5 * 1024 * 1024) }] } },
    ],
    shown(/xxx/),
  ),
  messages(
    "says that its tool failed",
    ({ id }) => [
      { jsonrpc: "2.0", id, result: { isError: true, content: [{ type: "text", text: "no luck" }] } },
    ],
    refused(/no luck/),
  ),
];
