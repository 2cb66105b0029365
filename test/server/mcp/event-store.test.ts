import { describe, expect, test } from "vitest";
import { EventStore, type StreamEvents } from "../../../src/server/mcp/event-store.ts";

const limits = {
  eventsPerSession: 4,
  eventBytesPerSession: 4_000,
  eventBytes: 8_000,
  eventMilliseconds: 100,
};

function open(given: Partial<typeof limits> = {}) {
  const clock = { now: 0 };
  return { store: new EventStore({ ...limits, ...given }, () => clock.now), clock };
}

function add(stream: StreamEvents, message: string): string {
  const id = stream.nextId();
  stream.keep({ id, message });
  return id;
}

function messages(stream: StreamEvents, id: string): readonly string[] | undefined {
  return stream.after(id)?.map(({ message }) => message);
}

describe("events", () => {
  test("that came after one are those of its stream, in their order", () => {
    const session = open().store.begin();
    const [one, two] = [session.begin(), session.begin()];
    const start = one.lastId;
    const first = add(one, "a");
    add(two, "x");
    add(one, "b");
    expect(messages(one, start)).toEqual(["a", "b"]);
    expect(messages(one, first)).toEqual(["b"]);
    expect(messages(one, one.lastId)).toEqual([]);
    expect(session.streamOf(first)).toBe(one.stream);
    expect(session.streamOf(two.lastId)).toBe(two.stream);
  });

  test("are not known in another session, nor on another stream, nor before they were there", () => {
    const { store } = open();
    const [session, other] = [store.begin(), store.begin()];
    const [stream, foreign] = [session.begin(), other.begin()];
    const id = add(stream, "a");
    add(foreign, "b");
    expect(other.streamOf(id)).toBeUndefined();
    expect(foreign.after(id)).toBeUndefined();
    expect(session.begin().after(id)).toBeUndefined();
    expect(stream.after(id.replace(/1$/, "2"))).toBeUndefined();
    for (const text of ["", "1", `${id}0000000000000000`, "-1-1", id.toUpperCase().replace(/^/, " ")])
      expect(stream.after(text)).toBeUndefined();
  });

  test("of a session are so many: the stream that was silent for longest loses its oldest", () => {
    const session = open().store.begin();
    const [one, two] = [session.begin(), session.begin()];
    const [first, second] = [one.lastId, two.lastId];
    for (const message of ["a", "b"]) add(one, message);
    for (const message of ["x", "y"]) add(two, message);
    add(two, "z");
    expect([messages(one, first), messages(two, second)]).toEqual([["b"], ["x", "y", "z"]]);
    add(one, "c");
    expect([messages(one, first), messages(two, second)]).toEqual([
      ["b", "c"],
      ["y", "z"],
    ]);
  });

  test("are bounded by their bytes, in each session and in all", () => {
    const { store } = open({ eventsPerSession: 1_000 });
    const long = "x".repeat(1_500);
    const streams = Array.from({ length: 10 }, () => store.begin().begin());
    for (const stream of streams) for (let count = 0; count < 5; count += 1) add(stream, long);
    expect(store.bytes).toBeLessThanOrEqual(8_000);
    expect(streams.map((stream) => stream.after(stream.lastId.replace(/\d+$/, "0"))?.length)).toEqual([
      0, 0, 0, 0, 0, 0, 0, 0, 2, 2,
    ]);
  });

  test("that are too large are left out, and nothing makes room for them", () => {
    const { store } = open();
    const stream = store.begin().begin();
    const start = stream.lastId;
    add(stream, "a");
    add(stream, "x".repeat(5_000));
    add(stream, "b");
    expect(messages(stream, start)).toEqual(["a", "b"]);
  });

  test("are forgotten some time after the last one of their stream, and with their session", () => {
    const { store, clock } = open();
    const [session, other] = [store.begin(), store.begin()];
    const [old, kept] = [session.begin(), other.begin()];
    const start = old.lastId;
    add(old, "a");
    clock.now = 60;
    const id = add(kept, "b");
    clock.now = 130;
    add(kept, "c");
    expect(messages(old, start)).toEqual([]);
    expect(messages(kept, id)).toEqual(["c"]);
    other.forget();
    expect(store.bytes).toBe(0);
  });

  test("that nobody comes for are forgotten by themselves", async () => {
    const { store, clock } = open({ eventMilliseconds: 10 });
    add(store.begin().begin(), "a");
    clock.now = 5;
    add(store.begin().begin(), "b");
    clock.now = 12;
    await expect.poll(() => store.bytes).toBe(201);
    clock.now = 100;
    await expect.poll(() => store.bytes).toBe(0);
  });
});
