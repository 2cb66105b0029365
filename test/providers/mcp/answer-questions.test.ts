import { expect, test } from "vitest";
import type { Message } from "../../../src/mcp/messages.ts";
import { QuestionAnswerer } from "../../../src/providers/mcp/answer-questions.ts";

test("an upstream that asks again as soon as it has its answer is not asked for without end", async () => {
  let asked = 0;
  const sent: Message[] = [];
  const answerer = new QuestionAnswerer({
    declared: () => ({ sampling: {} }),
    ask: async () => {
      asked += 1;
      return {};
    },
    send: async (message) => void sent.push(message),
  });
  const ask = (id: number) =>
    answerer.answer({ kind: "request", id, method: "sampling/createMessage", params: {} }, undefined);
  for (let id = 0; id < 1_500; id += 1) await ask(id);
  expect(sent).toHaveLength(1_500);
  expect(asked).toBe(1_000);
  expect(sent.at(-1)).toMatchObject({ error: { message: expect.stringContaining("in a short time") } });
});
