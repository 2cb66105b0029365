import type { ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import { RpcError } from "../../../src/mcp/rpc-error.ts";
import type { JsonValue } from "../../../src/model/json.ts";
import { until } from "./open-provider.ts";
import { callTool, listenToSession, observe, openSession, textIn } from "./open-session.ts";
import { type Received, startScripted } from "./scripted-upstream.ts";

const asking = fileURLToPath(new URL("asking-fixture.ts", import.meta.url));
const command: [string, ...string[]] = [process.execPath, asking];
const form = { message: "Name?", requestedSchema: { type: "object" } };

interface OpenCall {
  readonly message: Received;
  send(message: object): void;
  end(): void;
}

/** An upstream over Streamable HTTP whose calls stay open, as event streams that the test writes. */
async function startOpenCalls() {
  const calls: OpenCall[] = [];
  const upstream = await startScripted({
    call: (message, response: ServerResponse) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      const send = (sent: object): void =>
        void response.write(`data: ${JSON.stringify({ jsonrpc: "2.0", ...sent })}\n\n`);
      calls.push({
        message,
        send,
        end: () => {
          send({
            id: message.id,
            result: { content: [{ type: "text", text: String(message.params?.name) }] },
          });
          response.end();
        },
      });
    },
  });
  const answers = (): readonly Received[] => upstream.received.filter(({ method }) => method === undefined);
  return { upstream, calls, answers, answerTo: (id: string) => answers().find((answer) => answer.id === id) };
}

function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new Error(`nothing at ${index}`);
  return value;
}

describe("over Streamable HTTP", () => {
  test("two calls at once: each question goes to the call on whose stream it came", async () => {
    const { upstream, calls, answerTo } = await startOpenCalls();
    const heard = listenToSession();
    const session = await openSession(upstream.url, { capabilities: { elicitation: {} }, heard });
    const first = observe(() => ({ action: "accept", content: { name: "first" } }));
    const second = observe(() => ({ action: "accept", content: { name: "second" } }));
    const firstCall = callTool(session, "one", first);
    await until(() => calls.length === 1);
    const secondCall = callTool(session, "two", second);
    await until(() => calls.length === 2);
    at(calls, 1).send({ id: "b", method: "elicitation/create", params: form });
    at(calls, 0).send({ id: "a", method: "elicitation/create", params: form });
    await until(() => answerTo("a") !== undefined && answerTo("b") !== undefined);
    expect(answerTo("a")?.result).toMatchObject({ content: { name: "first" } });
    expect(answerTo("b")?.result).toMatchObject({ content: { name: "second" } });
    expect([first.asked.length, second.asked.length, heard.asked.length]).toEqual([1, 1, 0]);
    for (const call of calls) call.end();
    expect([textIn(await firstCall), textIn(await secondCall)]).toEqual(["one", "two"]);
  });

  test("a question on the GET stream is that of the only call under way, else the owner's", async () => {
    const { upstream, calls, answerTo } = await startOpenCalls();
    const heard = listenToSession(() => ({ roots: [] }));
    const session = await openSession(upstream.url, { capabilities: { roots: {} }, heard });
    await until(() => upstream.visits.includes("GET s1"));
    upstream.push({ id: "none", method: "roots/list" });
    await until(() => answerTo("none") !== undefined);
    const first = observe(() => ({ roots: [{ uri: "file:///first" }] }));
    const firstCall = callTool(session, "one", first);
    await until(() => calls.length === 1);
    upstream.push({ id: "only", method: "roots/list" });
    await until(() => answerTo("only") !== undefined);
    const secondCall = callTool(session, "two");
    await until(() => calls.length === 2);
    upstream.push({ id: "either", method: "roots/list" });
    await until(() => answerTo("either") !== undefined);
    expect(answerTo("none")?.result).toEqual({ roots: [] });
    expect(answerTo("only")?.result).toEqual({ roots: [{ uri: "file:///first" }] });
    expect(answerTo("either")?.result).toEqual({ roots: [] });
    expect([first.asked.length, heard.asked.length]).toEqual([1, 2]);
    for (const call of calls) call.end();
    await Promise.all([firstCall, secondCall]);
  });

  test("what was not declared is refused, and reaches nobody", async () => {
    const { upstream, calls, answerTo } = await startOpenCalls();
    const session = await openSession(upstream.url, { capabilities: { elicitation: { form: {} } } });
    const observer = observe();
    const call = callTool(session, "one", observer);
    await until(() => calls.length === 1);
    const { send } = at(calls, 0);
    send({ id: "roots", method: "roots/list" });
    send({
      id: "url",
      method: "elicitation/create",
      params: { mode: "url", message: "Go", url: "https://x" },
    });
    send({ id: "vendor", method: "vendor/question" });
    send({ id: "ping", method: "ping" });
    await until(() => answerTo("ping") !== undefined);
    expect(answerTo("roots")?.error).toMatchObject({ code: -32601 });
    expect(answerTo("url")?.error).toMatchObject({ code: -32602 });
    expect(answerTo("vendor")?.error).toMatchObject({ code: -32601 });
    expect(answerTo("ping")?.result).toEqual({});
    expect(observer.asked).toEqual([]);
    at(calls, 0).end();
    await call;
  });

  test.each<[string, () => JsonValue, object]>([
    [
      "the client's own error",
      () => {
        throw new RpcError(-1, "The user said no.", { kept: true });
      },
      { code: -1, message: "The user said no.", data: { kept: true } },
    ],
    [
      "a client that can't",
      () => {
        throw new GatewayError("unsupported", "nobody can be asked.");
      },
      { code: -32601, message: "Method not found: nobody can be asked." },
    ],
    [
      "anything else, without detail",
      () => {
        throw new Error("secret detail");
      },
      { code: -32603, message: "Internal error: the client gave no answer." },
    ],
    [
      "an answer that is none",
      () => "yes",
      { code: -32603, message: "Internal error: the client gave no answer." },
    ],
  ])("a failed answer tells the upstream: %s", async (_name, answer, error) => {
    const { upstream, calls, answerTo } = await startOpenCalls();
    const session = await openSession(upstream.url, { capabilities: { sampling: {} } });
    const call = callTool(session, "one", observe(answer));
    await until(() => calls.length === 1);
    at(calls, 0).send({ id: "q", method: "sampling/createMessage", params: {} });
    await until(() => answerTo("q") !== undefined);
    expect(answerTo("q")?.error).toEqual(error);
    at(calls, 0).end();
    await call;
  });

  test("a question that is taken back is aborted and not answered; the next one is", async () => {
    const { upstream, calls, answers, answerTo } = await startOpenCalls();
    const session = await openSession(upstream.url, { capabilities: { elicitation: {} } });
    let finish = (): void => {};
    const observer = observe((_method, params) =>
      params["message"] === "Name?"
        ? new Promise((resolve) => {
            finish = () => resolve({ action: "cancel" });
          })
        : { action: "decline" },
    );
    const call = callTool(session, "one", observer);
    await until(() => calls.length === 1);
    at(calls, 0).send({ id: "q", method: "elicitation/create", params: form });
    await until(() => observer.asked.length === 1);
    at(calls, 0).send({ method: "notifications/cancelled", params: { requestId: "q" } });
    await until(() => at(observer.asked, 0).signal.aborted);
    finish();
    at(calls, 0).send({ id: "r", method: "elicitation/create", params: { ...form, message: "Age?" } });
    await until(() => answerTo("r") !== undefined);
    expect(answers().map(({ id }) => id)).toEqual(["r"]);
    at(calls, 0).end();
    await call;
  });

  test("64 questions may be open; more are refused, and all are aborted when the session ends", async () => {
    const { upstream, calls, answers } = await startOpenCalls();
    const session = await openSession(upstream.url, { capabilities: { elicitation: {} } });
    const observer = observe(() => new Promise(() => {}));
    const call = callTool(session, "one", observer).catch((error: unknown) => error);
    await until(() => calls.length === 1);
    for (let index = 0; index < 66; index++) {
      at(calls, 0).send({ id: `q${index}`, method: "elicitation/create", params: form });
    }
    at(calls, 0).send({ id: "q0", method: "elicitation/create", params: form });
    await until(() => answers().length === 3);
    expect(observer.asked).toHaveLength(64);
    expect(new Set(answers().map(({ id }) => id))).toEqual(new Set(["q64", "q65", "q0"]));
    expect(answers().find(({ id }) => id === "q64")?.error).toMatchObject({ code: -32603 });
    await session.close();
    expect(observer.asked.every(({ signal }) => signal.aborted)).toBe(true);
    expect(await call).toMatchObject({ code: "upstream_failed" });
  });

  test("what concerns the upstream's own hop is not asked along", async () => {
    const { upstream, calls } = await startOpenCalls();
    const session = await openSession(upstream.url, { capabilities: { elicitation: {} } });
    const observer = observe();
    const call = callTool(session, "one", observer);
    await until(() => calls.length === 1);
    const _meta = { progressToken: 7, "io.modelcontextprotocol/x": 1, "com.example/y": 2 };
    at(calls, 0).send({ id: "q", method: "elicitation/create", params: { ...form, _meta } });
    await until(() => observer.asked.length === 1);
    expect(at(observer.asked, 0).params).toEqual({ ...form, _meta: { "com.example/y": 2 } });
    at(calls, 0).end();
    await call;
  });
});

describe("over pipes", () => {
  test("a question is that of the only call under way", async () => {
    const heard = listenToSession();
    const session = await openSession(command, { capabilities: { elicitation: {} }, heard });
    const observer = observe(() => ({ action: "decline" }));
    expect(textIn(await callTool(session, "ask", observer))).toBe('{"action":"decline"}');
    expect([observer.asked.length, heard.asked.length]).toEqual([1, 0]);
  });

  test("of two calls under way it is neither's: the owner is asked", async () => {
    const heard = listenToSession(() => {
      throw new GatewayError("unsupported", "nobody can be found.");
    });
    const session = await openSession(command, { capabilities: { elicitation: {} }, heard });
    const [first, second] = [observe(), observe()];
    const waiting = callTool(session, "later", first);
    const refused = textIn(await callTool(session, "ask", second));
    expect(refused).toContain("Method not found: nobody can be found.");
    expect([first.asked.length, second.asked.length, heard.asked.length]).toEqual([0, 0, 1]);
    await callTool(session, "finish");
    await waiting;
  });

  test("a question that is taken back is aborted", async () => {
    const session = await openSession(command, { capabilities: { elicitation: {} } });
    const observer = observe(() => new Promise(() => {}));
    const caller = new AbortController();
    const call = callTool(session, "withdraw", observer, caller.signal).catch((error: unknown) => error);
    await until(() => observer.asked[0]?.signal.aborted === true);
    caller.abort(new Error("left"));
    expect(await call).toMatchObject({ message: "left" });
  });

  test("each session declares its own capabilities", async () => {
    const capabilities = { elicitation: { form: {}, url: {} }, roots: { listChanged: true } };
    const [one, other] = await Promise.all([openSession(command, { capabilities }), openSession(command)]);
    const facts = async (session: typeof one) => JSON.parse(String(textIn(await callTool(session, "facts"))));
    expect((await facts(one)).declared).toEqual(capabilities);
    expect((await facts(other)).declared).toEqual({});
  });

  test("log messages go to the only call under way, else to the owner", async () => {
    const heard = listenToSession();
    const session = await openSession(command, { heard });
    const observer = observe();
    await callTool(session, "log", observer);
    expect(observer.logged).toEqual([{ level: "info", data: "said" }]);
    expect(heard.told).toEqual([]);
    await callTool(session, "say");
    await until(() => heard.updated.length === 1);
    expect(heard.told.map(({ params }) => params["data"])).toEqual(["quiet", "loud"]);
    expect(heard.updated).toEqual([{ uri: "file:///a" }]);
  });
});
