import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import type { JsonObject } from "../../src/model/json.ts";
import { listsFrom, startFeatures } from "../providers/mcp/feature-upstream.ts";
import { createPeer, openProvider, until } from "../providers/mcp/open-provider.ts";
import { callTool, observe, openSession } from "../providers/mcp/open-session.ts";
import { startScripted } from "../providers/mcp/scripted-upstream.ts";

/** Pages that people must not be sent to: scripts, files, other programs, and what only looks like the web. */
const pages = [
  "javascript:alert(1)",
  "JavaScript:alert(1)",
  " javascript:alert(1)",
  "java\u200bscript:alert(1)",
  "java\nscript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "file:///etc/passwd",
  "vbscript:x",
  "ms-msdt:/id",
  "blob:https://a.example/1",
  "https://bank.example@evil.example/",
  "https://u:p@evil.example/",
  "//evil.example/",
  "/sign-out",
  "https://",
  "",
];
const capabilities = { elicitation: { form: {}, url: {} }, sampling: {} };
const hidden = "a\u200bb\u202ec\u{e0041}d\u001b[8me";
const visible = "abcd[8me";
const urlQuestion = (url: string): JsonObject => ({
  mode: "url",
  elicitationId: "e",
  url,
  message: "Open it.",
});
const elicit = "elicitation/create";

/** What an upstream with a handshake gets for its questions, all asked in one call, and what the client was asked. */
async function ask(questions: readonly { readonly method: string; readonly params: JsonObject }[]) {
  let end = (): void => {};
  const upstream = await startScripted({
    call: (message, response: ServerResponse) => {
      const send = (sent: object): void =>
        void response.write(`data: ${JSON.stringify({ jsonrpc: "2.0", ...sent })}\n\n`);
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const [index, question] of questions.entries()) send({ id: `q${index}`, ...question });
      end = () => {
        send({ id: message.id, result: { content: [] } });
        response.end();
      };
    },
  });
  const session = await openSession(upstream.url, { capabilities });
  const observer = observe(() => ({ action: "accept" }));
  const call = callTool(session, "one", observer);
  const answers = () => upstream.received.filter(({ method }) => method === undefined);
  await until(() => answers().length === questions.length);
  end();
  await call;
  return { answers: answers(), asked: observer.asked };
}

test("no client is asked to open what is no page of the web", async () => {
  const { answers, asked } = await ask(pages.map((url) => ({ method: elicit, params: urlQuestion(url) })));
  expect(asked).toEqual([]);
  for (const answer of answers) expect(answer.error).toMatchObject({ code: -32602 });
});

test("what a client is asked has nothing that people don't see", async () => {
  const requestedSchema = { type: "object", properties: { name: { type: "string", title: hidden } } };
  const content = { type: "text", text: hidden };
  const { answers, asked } = await ask([
    { method: elicit, params: { message: hidden, requestedSchema } },
    {
      method: "sampling/createMessage",
      params: { systemPrompt: hidden, messages: [{ role: "user", content }], maxTokens: 9 },
    },
    {
      method: elicit,
      params: { message: "?", requestedSchema: { type: "object", properties: { [hidden]: {} } } },
    },
  ]);
  expect(answers.filter(({ error }) => error !== undefined)).toMatchObject([{ id: "q2" }]);
  const text = JSON.stringify(asked);
  expect(text.split(visible)).toHaveLength(5);
  expect(text).not.toMatch(/[\u200b\u202e]|u001b|\u{e0041}/u);
  expect(text).toContain('"maxTokens":9');
});

test.each([
  ["clients of its era", { responses: undefined, state: undefined }],
  ["clients before", undefined],
])("nor are such pages passed on to %s as a result", async (_who, retry) => {
  for (const url of pages) {
    const { elicitationId: _id, ...params } = urlQuestion(url);
    const lists = listsFrom({ tools: [{ name: "go" }] });
    const upstream = await startFeatures({
      era: "modern",
      capabilities: { tools: {} },
      answer: (got) =>
        got.method === "tools/call"
          ? { result: { resultType: "input_required", inputRequests: { a: { method: elicit, params } } } }
          : lists(got),
    });
    const provider = await openProvider(upstream.url);
    const client = createPeer(undefined, capabilities, { key: "a", retry });
    await expect(provider.invoke("go", {}, { peer: client.peer }), url).rejects.toMatchObject({
      code: "upstream_failed",
    });
    expect(client.asked).toEqual([]);
  }
});

test.each([
  ["as questions", { responses: undefined, state: undefined }],
  ["as an error", undefined],
])("nor %s, where they have to be opened before a call (-32042)", async (_how, retry) => {
  for (const url of pages) {
    const lists = listsFrom({ tools: [{ name: "go" }] });
    const data = { elicitations: [urlQuestion("https://fine.example/"), urlQuestion(url)] };
    const upstream = await startFeatures({
      era: "legacy",
      capabilities: { tools: {} },
      answer: (got) =>
        got.method === "tools/call" ? { error: { code: -32042, message: "Open", data } } : lists(got),
    });
    const provider = await openProvider(upstream.url);
    const { peer } = createPeer(undefined, capabilities, { key: "a", retry });
    await expect(provider.invoke("go", {}, { peer }), url).rejects.toMatchObject({ code: "upstream_failed" });
  }
});

test("no upstream gets what a client knows from the other ones", async () => {
  const message = { role: "user", content: { type: "text", text: "Say it." } };
  const params = { messages: [message], maxTokens: 9, includeContext: "thisServer" };
  const { asked } = await ask([
    { method: "sampling/createMessage", params },
    { method: "sampling/createMessage", params: { ...params, includeContext: "allServers" } },
  ]);
  expect(asked).toHaveLength(2);
  expect(JSON.stringify(asked)).not.toContain("includeContext");
});
