import { describe, expect, test } from "vitest";
import { EventStore } from "../../../src/server/mcp/event-store.ts";
import type { EventReply, Reply, StreamEvent } from "../../../src/server/mcp/face.ts";
import { defaultLimits } from "../../../src/server/mcp/limits.ts";
import { SessionStreams } from "../../../src/server/mcp/session-streams.ts";

/** A connection that writes down what it is given. */
interface TestConnection extends EventReply {
  readonly events: StreamEvent[];
  readonly answers: string[];
  /** The client loses it. */
  lose(): void;
  /** The client stops reading. */
  isFull: boolean;
}

function connection(): TestConnection {
  const listeners: (() => void)[] = [];
  let first: { event: StreamEvent; begun: () => void } | undefined;
  let state: "waiting" | "streaming" | "ended" = "waiting";
  const end = (): void => {
    if (state === "ended") return;
    state = "ended";
    for (const listener of listeners) listener();
  };
  const made: TestConnection = {
    events: [],
    answers: [],
    isFull: false,
    get isStreaming() {
      return state === "streaming";
    },
    beginWith: (event, begun) => {
      first = { event, begun };
    },
    open: () => {
      if (state !== "waiting") return;
      state = "streaming";
      if (first === undefined) return;
      made.events.push(first.event);
      first.begun();
    },
    send: () => {
      throw new Error("Events have ids.");
    },
    sendEvent: (event) => {
      made.open();
      if (state === "ended" || made.isFull) return false;
      made.events.push(event);
      return true;
    },
    answerEvent: (event) => {
      made.events.push(event);
      end();
    },
    sendRetry: () => {},
    answer: (message) => {
      made.answers.push(message);
      end();
    },
    close: end,
    destroy: end,
    onClose: (listener) => void listeners.push(listener),
    lose: end,
  };
  return made;
}

function streams(given: Partial<typeof defaultLimits> = {}): SessionStreams {
  const limits = { ...defaultLimits, ...given };
  return new SessionStreams({ begins: true, limits }, new EventStore(limits, () => 0).begin());
}

/** The messages that a client finds that comes again after an event. */
function missed(all: SessionStreams, id: string): readonly string[] | undefined {
  const taken = connection();
  return all.resume(id, "ada", () => taken) ? taken.events.map(({ message }) => message) : undefined;
}

describe("the streams of a session", () => {
  test("that are finished are kept, the last hundred of them", () => {
    const all = streams();
    const ids = Array.from({ length: 150 }, (_, number) => {
      const way = connection();
      const stream = all.begin(way, "ada");
      stream.open();
      stream.answer(`answer ${number}`);
      return way.events[0]?.id ?? "";
    });
    const found = ids.map((id) => missed(all, id));
    expect(found.slice(0, 50)).toEqual(Array.from({ length: 50 }, () => undefined));
    expect(found.slice(50)).toEqual(Array.from({ length: 100 }, (_, at) => [`answer ${at + 50}`]));
  });

  test("that run are kept, however many are finished meanwhile", () => {
    const all = streams();
    const way = connection();
    const running = all.begin(way, "ada");
    running.open();
    way.lose();
    for (let count = 0; count < 200; count += 1) {
      const other = all.begin(connection(), "ada");
      other.open();
      other.answer("other");
    }
    running.answer("late");
    expect(missed(all, way.events[0]?.id ?? "")).toEqual(["late"]);
  });

  test("whose answer is too large to be kept are not there, rather than without it", () => {
    const all = streams({ eventBytesPerSession: 1_000 });
    const way = connection();
    const stream = all.begin(way, "ada");
    stream.open();
    stream.send("small");
    way.lose();
    stream.answer("x".repeat(2_000));
    expect(missed(all, way.events[0]?.id ?? "")).toBeUndefined();
  });

  test("keep nothing of what a slow client is not sent", () => {
    const all = streams();
    const way = connection();
    const stream = all.begin(way, "ada");
    expect(stream.send("one")).toBe(true);
    way.isFull = true;
    expect(stream.send("two")).toBe(false);
    way.isFull = false;
    expect(stream.send("three")).toBe(true);
    way.lose();
    expect(stream.send("four")).toBe(true);
    expect(missed(all, way.events[0]?.id ?? "")).toEqual(["one", "three", "four"]);
  });

  test("give a slow client a part at a time", () => {
    const all = streams();
    const way = connection();
    const stream = all.begin(way, "ada");
    stream.open();
    way.lose();
    for (const message of ["one", "two"]) stream.send(message);
    const slow = connection();
    slow.isFull = true;
    expect(all.resume(way.events[0]?.id ?? "", "ada", () => slow)).toBe(true);
    expect([slow.events, stream.isConnected]).toEqual([[], false]);
    expect(missed(all, way.events[0]?.id ?? "")).toEqual(["one", "two"]);
    expect(stream.isConnected).toBe(true);
  });

  test("that never were streams can't be taken up, and what is sent for them is lost", async () => {
    const all = streams({ resumeMilliseconds: 60_000 });
    const way = connection();
    const stream = all.begin(way, "ada");
    way.lose();
    expect(stream.send("lost")).toBe(false);
    stream.answer("lost");
    expect(way.answers).toEqual([]);
  });

  test("tell when their client does not come again", async () => {
    const all = streams({ resumeMilliseconds: 20 });
    const [never, known, taken] = [connection(), connection(), connection()];
    const [first, second, third] = [
      all.begin(never, "ada"),
      all.begin(known, "ada"),
      all.begin(taken, "ada"),
    ];
    for (const stream of [second, third]) stream.open();
    for (const way of [never, known, taken]) way.lose();
    expect(missed(all, taken.events[0]?.id ?? "")).toEqual([]);
    await expect.poll(() => [first.lost.aborted, second.lost.aborted]).toEqual([true, true]);
    expect(third.lost.aborted).toBe(false);
  });

  test("are found by who has something to say: the session's own first, then the latest call's", async () => {
    const all = streams({ askMilliseconds: 60_000 });
    expect(all.find()).toBeUndefined();
    const waiting = all.waitFor(new AbortController().signal);
    const [first, second] = [connection(), connection()];
    const one = all.begin(first, "ada");
    expect(await waiting).toBe(one);
    const two = all.begin(second, "ada");
    expect(all.find()).toBe(two);
    second.lose();
    expect(all.find()).toBe(one);
    all.connect(connection(), "ada");
    expect(all.find()).toBe(all.standing);
    expect(await all.waitFor(AbortSignal.abort())).toBe(all.standing);
  });

  test("are not waited for longer than somebody waits", async () => {
    const all = streams({ askMilliseconds: 60_000 });
    const leaving = new AbortController();
    const waiting = all.waitFor(leaving.signal);
    leaving.abort();
    expect(await waiting).toBeUndefined();
    expect(await streams({ askMilliseconds: 1 }).waitFor(new AbortController().signal)).toBeUndefined();
  });

  test("over pipes have no ids, and nothing to take up", () => {
    const all = streams();
    const sent: string[] = [];
    const pipe: Reply = {
      open: () => {},
      send: (message) => sent.push(message) > 0,
      answer: (message) => void sent.push(message),
      close: () => {},
      destroy: () => {},
      onClose: () => {},
    };
    const stream = all.begin(pipe, "ada");
    stream.pause(10);
    expect(stream.send("one")).toBe(true);
    stream.answer("two");
    expect(sent).toEqual(["one", "two"]);
    expect(stream.isResumable).toBe(false);
  });
});
