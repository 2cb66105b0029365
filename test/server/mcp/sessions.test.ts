import { describe, expect, test } from "vitest";
import type { Principal } from "../../../src/model/principal.ts";
import { defaultLimits } from "../../../src/server/mcp/limits.ts";
import { type ClientSession, ClientSessions } from "../../../src/server/mcp/sessions.ts";
import { principalOf } from "../../principals.ts";

const ada = principalOf("user", "ada", "one", { credential: { kind: "grant", id: "g1" } });
const terms = {
  owner: ada,
  version: "2025-11-25",
  capabilities: {},
  digests: { tools: "", prompts: "", resources: "" },
} as const;

function table(): { sessions: ClientSessions; clock: { now: number }; open: () => ClientSession } {
  const clock = { now: 0 };
  const sessions = new ClientSessions(
    { ...defaultLimits, sessions: 2, sessionIdleMilliseconds: 100 },
    () => clock.now,
  );
  const open = (): ClientSession => {
    const session = sessions.open(terms);
    if (session === undefined) throw new Error("no room");
    return session;
  };
  return { sessions, clock, open };
}

describe("sessions", () => {
  test("the longest unused idle one makes room", () => {
    const { sessions, open } = table();
    const [first, second] = [open(), open()];
    sessions.find(first.id, ada);
    const third = open();
    expect([first, second, third].map(({ id }) => sessions.find(id, ada) !== undefined)).toEqual([
      true,
      false,
      true,
    ]);
  });

  test("one at work stays, and when all are there is no room", () => {
    const { sessions, open } = table();
    const [first, second] = [open(), open()];
    first.calls.set(1, () => {});
    const third = open();
    expect([first, second, third].map(({ id }) => sessions.find(id, ada) !== undefined)).toEqual([
      true,
      false,
      true,
    ]);
    third.calls.set(1, () => {});
    expect(sessions.open(terms)).toBeUndefined();
  });

  test("one that rests too long is gone, one at work is not", () => {
    const { sessions, clock, open } = table();
    const [resting, working] = [open(), open()];
    working.calls.set(1, () => {});
    clock.now = 101;
    expect(sessions.find(resting.id, ada)).toBeUndefined();
    expect(sessions.find(working.id, ada)).toBe(working);
    expect([...sessions]).toEqual([working]);
  });

  test.each<Principal>([
    principalOf("user", "bob", "one", { credential: ada.credential }),
    principalOf("user", "ada", "two", { credential: ada.credential }),
    principalOf("service", "ada", "one", { credential: ada.credential }),
    principalOf("user", "ada", "one", { home: "two", credential: ada.credential }),
    principalOf("user", "ada", "one"),
    principalOf("user", "ada", "one", { credential: { kind: "grant", id: "g2" } }),
    principalOf("user", "ada", "one", { credential: { kind: "token", id: "g1" } }),
    principalOf("user", "ada", "one", { credential: { kind: "jwt", id: "g1" } }),
  ])("another caller finds nothing: $kind $id of $home in $tenant by $credential", (other) => {
    const { sessions, open } = table();
    const { id } = open();
    expect(sessions.find(id, other)).toBeUndefined();
    expect(sessions.find(id, ada)).toBeDefined();
  });

  test("one caller has no more than its share: its own longest unused idle one makes room", () => {
    const sessions = new ClientSessions({ ...defaultLimits, sessionsPerPrincipal: 2 }, () => 0);
    const open = (owner: Principal) => sessions.open({ ...terms, owner });
    const bob = principalOf("user", "bob", "one");
    const [others, first, second] = [open(bob), open(ada), open(ada)];
    first?.calls.set(1, () => {});
    const third = open(ada);
    expect([...sessions]).toEqual([others, first, third]);
    expect(second).not.toBe(third);
    third?.calls.set(1, () => {});
    expect(open(ada)).toBeUndefined();
    expect(open(bob)).toBeDefined();
  });

  test("callers without a name are all one, and have no share", () => {
    const sessions = new ClientSessions({ ...defaultLimits, sessionsPerPrincipal: 2 }, () => 0);
    const owner = principalOf("anonymous");
    for (let count = 0; count < 5; count++) sessions.open({ ...terms, owner });
    expect([...sessions]).toHaveLength(5);
  });

  test("closing cancels what runs", () => {
    const { sessions, open } = table();
    const session = open();
    const cancelled: number[] = [];
    session.calls.set(1, () => cancelled.push(1));
    sessions.remove(session);
    expect(cancelled).toEqual([1]);
  });
});
