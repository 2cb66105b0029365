import { expect, test } from "vitest";
import type { JsonValue } from "../../../src/model/json.ts";
import { jsonAnswer, startEndpoint } from "./harness.ts";
import { baseHeaders, openSession } from "./wire.ts";

const [sessions, calls, steps] = [12, 5, 12];

/** What a client heard of one call, over however many connections. */
interface Heard {
  readonly progress: JsonValue[];
  readonly canaries: Set<string>;
  answer: JsonValue | undefined;
  connections: number;
}

/** The same random numbers in each run. */
function createDice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

test("clients that lose their connections all the time hear all of their own, in order and once", async () => {
  const endpoint = await startEndpoint(
    {
      tell: {
        run: async ({ peer, arguments: { canary = "" } }) => {
          for (let progress = 1; progress <= steps; progress += 1) {
            peer.notify("notifications/progress", { progress, message: canary });
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
          return jsonAnswer({ canary });
        },
      },
    },
    { limits: { streamMilliseconds: 1, retryMilliseconds: 1 } },
  );
  const dice = createDice(7);

  /** Reads until the end of the connection, or a bit of it, and returns the last id. */
  const listen = async (
    response: Response,
    cut: AbortController,
    heard: Heard,
  ): Promise<string | undefined> => {
    let lastId: string | undefined;
    let rest = "";
    const cutAfter = dice() < 0.8 ? Math.floor(dice() * 4) : Number.POSITIVE_INFINITY;
    let events = 0;
    heard.connections += 1;
    try {
      for await (const chunk of response.body ?? []) {
        rest += Buffer.from(chunk).toString("utf8");
        const frames = rest.split("\n\n");
        rest = frames.pop() ?? "";
        for (const frame of frames) {
          // What came with the last chunk before the cut was not read any more.
          if (events >= cutAfter) break;
          lastId = /^id: (.*)$/m.exec(frame)?.[1] ?? lastId;
          const data = /^data: (.+)$/m.exec(frame)?.[1];
          events += 1;
          if (data === undefined) continue;
          const message = JSON.parse(data);
          if (message.method === "notifications/progress") {
            heard.progress.push(message.params.progress);
            heard.canaries.add(message.params.message);
          } else heard.answer = message.result?.structuredContent?.canary ?? message;
        }
        if (events >= cutAfter) cut.abort();
      }
    } catch (error) {
      if (!cut.signal.aborted) throw error;
    }
    return lastId;
  };

  const run = async (
    headers: Readonly<Record<string, string>>,
    id: number,
    canary: string,
  ): Promise<Heard> => {
    const heard: Heard = { progress: [], canaries: new Set(), answer: undefined, connections: 0 };
    const params = { name: "tell", arguments: { canary }, _meta: { progressToken: id } };
    const body = JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params });
    const first = new AbortController();
    const posted = await fetch(endpoint.url, {
      method: "POST",
      headers: { ...baseHeaders, ...headers, accept: "text/event-stream, application/json" },
      body,
      signal: first.signal,
    });
    let lastId = await listen(posted, first, heard);
    // Without the first event there is nothing to go on from: such a client has lost its call.
    if (lastId === undefined) return heard;
    while (heard.answer === undefined) {
      const cut = new AbortController();
      const resumed = await fetch(endpoint.url, {
        headers: { ...headers, accept: "text/event-stream", "last-event-id": lastId },
        signal: cut.signal,
      });
      expect(resumed.status).toBe(200);
      lastId = (await listen(resumed, cut, heard)) ?? lastId;
    }
    return heard;
  };

  try {
    const results = await Promise.all(
      Array.from({ length: sessions }, async (_, session) => {
        const { headers } = await openSession(
          endpoint.url,
          "2025-11-25",
          {},
          { "x-user": `u${session % 4}` },
        );
        return Promise.all(
          Array.from({ length: calls }, async (_, id) => {
            const canary = `canary-${session}-${id}`;
            return { canary, heard: await run(headers, id, canary) };
          }),
        );
      }),
    );
    const all = results.flat().filter(({ heard }) => heard.answer !== undefined);
    expect(all.length).toBeGreaterThan((sessions * calls) / 2);
    for (const { canary, heard } of all) {
      expect(heard.answer).toBe(canary);
      expect([...heard.canaries]).toEqual([canary]);
      expect(heard.progress).toEqual(Array.from({ length: steps }, (_, at) => at + 1));
    }
    const connections = all.reduce((sum, { heard }) => sum + heard.connections, 0);
    expect(connections).toBeGreaterThan(all.length * 2);
    expect(endpoint.logged).toEqual([]);
  } finally {
    await endpoint.close();
  }
}, 120_000);
