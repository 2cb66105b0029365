import { afterEach, beforeEach, expect, test } from "vitest";
import { asObject } from "../../../src/json-object.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { jsonAnswer, startEndpoint, type TestEndpoint } from "./harness.ts";
import { type Answer, modern, openSession } from "./wire.ts";

let endpoint: TestEndpoint;
/** Calls that wait for their turn; they are let go in another order than they came. */
let waiting: (() => void)[];

beforeEach(async () => {
  waiting = [];
  const letGo = (): void => {
    for (const resume of waiting.splice(0).reverse()) resume();
  };
  endpoint = await startEndpoint({
    echo: {
      run: async ({ arguments: given, peer }) => {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          if (waiting.length >= 7) letGo();
          else setImmediate(letGo);
        });
        peer.notify("notifications/progress", { progress: 1, message: String(given["caller"]) });
        return jsonAnswer(given);
      },
    },
  });
});
afterEach(() => endpoint.close());

test("20 clients of both eras with equal ids and 2,000 calls at a time: every answer and every notification is its caller's", async () => {
  const callers = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const caller = `client ${index}`;
      const params = (call: number): JsonObject => ({
        name: "echo",
        arguments: { caller, call },
        _meta: { progressToken: 1 },
      });
      if (index % 2 === 0)
        return { caller, call: (call: number) => modern(endpoint.url, "tools/call", params(call), call) };
      const session = await openSession(endpoint.url);
      return { caller, call: (call: number) => session.request("tools/call", params(call), call) };
    }),
  );
  const check = (caller: string, call: number, { messages }: Answer): void => {
    expect(messages).toHaveLength(2);
    const [progress, answer] = messages;
    expect(asObject(progress?.["params"])?.["message"]).toBe(caller);
    expect(answer).toMatchObject({ id: call, result: { structuredContent: { caller, call } } });
  };
  await Promise.all(
    callers.map(async ({ caller, call }) => {
      // Ten lanes per client keep the number of sockets within what a process may open.
      const lanes = Array.from({ length: 10 }, async (_, lane) => {
        for (let step = 0; step < 10; step += 1) {
          const id = lane * 10 + step;
          check(caller, id, await call(id));
        }
      });
      await Promise.all(lanes);
    }),
  );
});
