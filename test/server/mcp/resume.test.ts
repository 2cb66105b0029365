import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/model/json.ts";
import { cancellation, jsonAnswer, startEndpoint, type TestEndpoint, type TestTool } from "./harness.ts";
import { baseHeaders, openSession, readAnswer, type WireSession } from "./wire.ts";

/** An event as it came. */
interface Event {
  readonly id: string | undefined;
  readonly retry: string | undefined;
  readonly data: string;
}

let endpoint: TestEndpoint;
/** What the tool does next, by the client's own clock. */
let steps: { report: (() => void)[]; finish: () => void; paused: () => void };
let cancelled: number;

const tools: Record<string, TestTool> = {
  echo: { run: ({ arguments: given }) => jsonAnswer(given) },
  long: {
    run: async ({ peer, signal }) => {
      let progress = 0;
      const report = (): void => {
        progress += 1;
        peer.notify("notifications/progress", { progress });
      };
      const done = Promise.withResolvers<void>();
      steps = { report: [report], finish: done.resolve, paused: () => peer.pause?.(50) };
      const outcome = await Promise.race([done.promise, cancellation(signal).then(() => "cancelled")]);
      if (outcome === "cancelled") cancelled += 1;
      return jsonAnswer("the answer");
    },
  },
};

const limits = {
  changeMilliseconds: 1,
  streamMilliseconds: 20,
  conflictMilliseconds: 20,
  retryMilliseconds: 30,
};

beforeEach(async () => {
  steps = { report: [], finish: () => {}, paused: () => {} };
  cancelled = 0;
  endpoint = await startEndpoint(tools, { limits });
});
afterEach(async () => {
  steps.finish();
  await endpoint.close();
  expect(endpoint.logged).toEqual([]);
});

/** Reads an event stream until it ends, or is cut. */
async function* readEvents(response: Response): AsyncGenerator<Event> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    rest += decoder.decode(chunk, { stream: true });
    const frames = rest.split("\n\n");
    rest = frames.pop() ?? "";
    for (const frame of frames) {
      const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, "m").exec(frame)?.[1];
      const data = field("data");
      if (data !== undefined) yield { id: field("id"), retry: field("retry"), data };
    }
  }
}

async function next(events: AsyncGenerator<Event>): Promise<Event> {
  const { value, done } = await events.next();
  return done === true ? { id: undefined, retry: undefined, data: "(end)" } : value;
}

async function rest(events: AsyncGenerator<Event>): Promise<readonly Event[]> {
  const read: Event[] = [];
  for await (const event of events) read.push(event);
  return read;
}

function call(
  session: WireSession,
  signal?: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
  name = "long",
): Promise<Response> {
  const params = { name, _meta: { progressToken: "p" } };
  return fetch(endpoint.url, {
    method: "POST",
    headers: { ...baseHeaders, ...session.headers, ...headers },
    body: JSON.stringify({ jsonrpc: "2.0", id: "call", method: "tools/call", params }),
    signal: signal ?? null,
  });
}

function get(
  session: WireSession,
  lastId?: string,
  further: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(endpoint.url, {
    headers: {
      ...session.headers,
      accept: "text/event-stream",
      ...(lastId !== undefined && { "last-event-id": lastId }),
      ...further,
    },
  });
}

function report(): void {
  for (const step of steps.report) step();
}

function progressOf({ data }: Event): unknown {
  return (JSON.parse(data) as { params?: { progress?: number } }).params?.progress;
}

describe("a call that loses its connection", () => {
  async function lose(session: WireSession): Promise<{ first: Event; last: Event }> {
    const cut = new AbortController();
    const events = readEvents(await call(session, cut.signal));
    const first = await next(events);
    report();
    const last = await next(events);
    cut.abort();
    await expect(events.next()).rejects.toThrow();
    return { first, last };
  }

  test("begins with an id and the pause before one comes again", async () => {
    const session = await openSession(endpoint.url);
    const { first, last } = await lose(session);
    expect(first).toEqual({ id: expect.any(String), retry: "30", data: "" });
    expect(last.id).not.toBe(first.id);
    expect(progressOf(last)).toBe(1);
  });

  test("begins at once for a client that says with its request that it is older", async () => {
    const session = await openSession(endpoint.url);
    const events = readEvents(await call(session, undefined, { "mcp-protocol-version": "2025-03-26" }));
    await expect.poll(() => steps.report.length).toBe(1);
    report();
    expect(progressOf(await next(events))).toBe(1);
    steps.finish();
    expect(await rest(events)).toHaveLength(1);
  });

  test("goes on, and its client finds what it missed and the answer", async () => {
    const session = await openSession(endpoint.url);
    const { first, last } = await lose(session);
    report();
    const events = readEvents(await get(session, last.id));
    const missed = await next(events);
    expect(progressOf(missed)).toBe(2);
    report();
    expect(progressOf(await next(events))).toBe(3);
    steps.finish();
    const [answer, ...none] = await rest(events);
    expect(JSON.parse(answer?.data ?? "")).toMatchObject({
      id: "call",
      result: { structuredContent: { result: "the answer" } },
    });
    expect(none).toEqual([]);
    expect(cancelled).toBe(0);

    // Also later, and from wherever the client remembers.
    const again = await rest(readEvents(await get(session, missed.id)));
    expect(again.map(({ id }) => id).at(-1)).toBe(answer?.id);
    expect(again).toHaveLength(2);
    expect(await rest(readEvents(await get(session, first.id)))).toHaveLength(4);
    expect(await rest(readEvents(await get(session, answer?.id)))).toEqual([]);
  });

  test("that ends meanwhile leaves its answer", async () => {
    const session = await openSession(endpoint.url);
    const { last } = await lose(session);
    steps.finish();
    await expect
      .poll(async () => (await session.request("ping", {}, "call")).message["error"])
      .toBeUndefined();
    const [answer] = await rest(readEvents(await get(session, last.id)));
    expect(JSON.parse(answer?.data ?? "")).toMatchObject({ id: "call" });
  });

  test("is taken up by the last one that comes: the one before gets no more", async () => {
    const session = await openSession(endpoint.url);
    const { last } = await lose(session);
    const before = readEvents(await get(session, last.id));
    const waiting = next(before);
    const events = readEvents(await get(session, last.id));
    expect(await waiting).toMatchObject({ data: "(end)" });
    steps.finish();
    expect(await rest(events)).toHaveLength(1);
  });

  test("is nobody else's: not another session's, nor another principal's", async () => {
    const session = await openSession(endpoint.url, "2025-11-25", {}, { "x-user": "ada" });
    const { last } = await lose(session);
    const own = await openSession(endpoint.url, "2025-11-25", {}, { "x-user": "ada" });
    const other = await openSession(endpoint.url, "2025-11-25", {}, { "x-user": "bob" });
    for (const stranger of [own, other]) {
      const refused = await readAnswer(await get(stranger, last.id));
      expect(refused.status).toBe(400);
      expect(refused.message["error"]).toMatchObject({ message: expect.stringContaining("Last-Event-ID") });
    }
    const stolen = await get(session, last.id, { "x-user": "bob" });
    expect(stolen.status).toBe(404);
    expect((await get(session, "never-was-1")).status).toBe(400);
    expect((await get(session, `${last.id}0`)).status).toBe(400);
    expect((await get(session, last.id)).status).toBe(200);
  });

  test("ends with its session", async () => {
    const session = await openSession(endpoint.url);
    const { last } = await lose(session);
    await fetch(endpoint.url, { method: "DELETE", headers: session.headers });
    expect(cancelled).toBe(1);
    expect((await get(session, last.id)).status).toBe(404);
  });

  test("and is cancelled is not taken up again", async () => {
    const session = await openSession(endpoint.url);
    const { last } = await lose(session);
    await session.notify("notifications/cancelled", { requestId: "call" });
    expect(cancelled).toBe(1);
    expect((await get(session, last.id)).status).toBe(400);
  });
});

test("an answer that is there at once comes as JSON, unless the client would rather have events", async () => {
  const session = await openSession(endpoint.url);
  const plain = await readAnswer(await call(session, undefined, {}, "echo"));
  expect(plain.headers.get("content-type")).toBe("application/json");
  const accept = "text/event-stream, application/json";
  const events = await rest(readEvents(await call(session, undefined, { accept }, "echo")));
  expect(events.map(({ data }) => data === "")).toEqual([true, false]);
  expect(await rest(readEvents(await get(session, events[0]?.id)))).toEqual(events.slice(1));
});

test.each(["2025-03-26", "2025-06-18"])(
  "clients of %s get ids, and no event without data",
  async (version) => {
    const session = await openSession(endpoint.url, version);
    const cut = new AbortController();
    const reply = call(session, cut.signal);
    await expect.poll(() => steps.report.length).toBe(1);
    report();
    const events = readEvents(await reply);
    const first = await next(events);
    expect(progressOf(first)).toBe(1);
    steps.paused();
    report();
    expect(progressOf(await next(events))).toBe(2);
    cut.abort();
    await expect(events.next()).rejects.toThrow();
    steps.finish();
    const missed = await rest(readEvents(await get(session, first.id)));
    expect(missed).toHaveLength(2);
  },
);

test("clients of 2024-11-05 get no ids", async () => {
  const session = await openSession(endpoint.url, "2024-11-05");
  const reply = call(session);
  await expect.poll(() => steps.report.length).toBe(1);
  report();
  steps.finish();
  const events = await rest(readEvents(await reply));
  expect(events.map(({ id }) => id)).toEqual([undefined, undefined]);
});

test("an upstream's pause is the client's: the stream ends, the call goes on", async () => {
  const session = await openSession(endpoint.url);
  const events = readEvents(await call(session));
  const first = await next(events);
  steps.paused();
  expect(await rest(events)).toEqual([]);
  steps.finish();
  const [answer] = await rest(readEvents(await get(session, first.id)));
  expect(JSON.parse(answer?.data ?? "")).toMatchObject({ id: "call" });
  expect(cancelled).toBe(0);
});

test("a pause before anything was sent makes a stream that can be taken up again", async () => {
  const session = await openSession(endpoint.url);
  await endpoint.close();
  endpoint = await startEndpoint(tools, { limits: { ...limits, streamMilliseconds: 60_000 } });
  const other = await openSession(endpoint.url);
  expect(other.headers).not.toEqual(session.headers);
  const reply = call(other);
  await expect.poll(() => steps.report.length).toBe(1);
  steps.paused();
  const [first, ...none] = await rest(readEvents(await reply));
  expect(first).toMatchObject({ data: "", retry: "30" });
  expect(none).toEqual([]);
  steps.finish();
  expect(await rest(readEvents(await get(other, first?.id)))).toHaveLength(1);
});

describe("the GET stream", () => {
  const { echo } = tools as { echo: TestTool };
  const changed = { jsonrpc: "2.0", method: "notifications/tools/list_changed", params: {} };

  test("begins with an id, and goes on after it", async () => {
    const session = await openSession(endpoint.url);
    const cut = new AbortController();
    const response = await fetch(endpoint.url, {
      headers: { ...session.headers, accept: "text/event-stream" },
      signal: cut.signal,
    });
    const events = readEvents(response);
    const first = await next(events);
    expect(first).toEqual({ id: expect.any(String), retry: "30", data: "" });
    endpoint.offer({ echo });
    const second = await next(events);
    expect(JSON.parse(second.data)).toEqual(changed);
    cut.abort();
    await expect(events.next()).rejects.toThrow();
    endpoint.offer({});

    const resumed = readEvents(await get(session, second.id));
    expect(JSON.parse((await next(resumed)).data)).toEqual(changed);
    endpoint.offer({ echo });
    expect(JSON.parse((await next(resumed)).data)).toEqual(changed);
    endpoint.drain();
    expect(await rest(resumed)).toEqual([]);
  });

  test("is taken over by a client that knows an id of it, and by no other", async () => {
    const session = await openSession(endpoint.url);
    const events = readEvents(await get(session));
    const { id } = await next(events);
    expect((await get(session)).status).toBe(409);
    const resumed = readEvents(await get(session, id));
    expect(await next(events)).toMatchObject({ data: "(end)" });
    endpoint.offer({});
    expect(JSON.parse((await next(resumed)).data)).toEqual(changed);
  });
});

describe("official clients", () => {
  /** A network that breaks each response stream after its first event with data. */
  function breaking(): { fetch: typeof fetch; broken: () => number } {
    let broken = 0;
    const breakingFetch: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      const isCall = init?.method === "POST" && response.headers.get("content-type") === "text/event-stream";
      if (!isCall || broken > 0 || response.body === null) return response;
      broken += 1;
      const reader = response.body.getReader();
      const body = new ReadableStream<Uint8Array>({
        pull: async (controller) => {
          const { value } = await reader.read();
          if (value !== undefined) controller.enqueue(value);
          if (Buffer.from(value ?? []).includes("progress")) {
            void reader.cancel();
            controller.error(new Error("The connection broke."));
          }
        },
      });
      return new Response(body, response);
    };
    return { fetch: breakingFetch, broken: () => broken };
  }

  test.each([
    {
      name: "SDK 1",
      run: async (broken: typeof fetch): Promise<{ result: unknown; heard: number[] }> => {
        const client = new Client({ name: "first", version: "1" });
        const transport = new StreamableHTTPClientTransport(new URL(endpoint.url), { fetch: broken });
        // The SDK's own types are not written for exactOptionalPropertyTypes.
        await client.connect(transport as Parameters<typeof client.connect>[0]);
        const heard: number[] = [];
        const onprogress = ({ progress }: { progress: number }) => void heard.push(progress);
        const called = client.callTool({ name: "long" }, undefined, { onprogress });
        await finishAfterBreak();
        const result = await called;
        await client.close();
        return { result, heard };
      },
    },
    {
      name: "SDK 2",
      run: async (broken: typeof fetch): Promise<{ result: unknown; heard: number[] }> => {
        const client = new ModernClient(
          { name: "second", version: "1" },
          { versionNegotiation: { mode: "legacy" } },
        );
        await client.connect(new ModernTransport(new URL(endpoint.url), { fetch: broken }));
        const heard: number[] = [];
        const onprogress = ({ progress }: { progress: number }) => void heard.push(progress);
        const called = client.callTool({ name: "long" }, { onprogress });
        await finishAfterBreak();
        const result = await called;
        await client.close();
        return { result, heard };
      },
    },
  ])(
    "$name gets its answer over a broken connection",
    async ({ run }) => {
      const { fetch: broken, broken: count } = breaking();
      const { result, heard } = await run(broken);
      expect(count()).toBe(1);
      expect(heard).toEqual([1, 2, 3]);
      expect(result as JsonObject).toMatchObject({ structuredContent: { result: "the answer" } });
    },
    60_000,
  );

  async function finishAfterBreak(): Promise<void> {
    await expect.poll(() => steps.report.length, { timeout: 30_000 }).toBe(1);
    report();
    await new Promise((resolve) => setTimeout(resolve, 100));
    report();
    report();
    steps.finish();
  }
});
