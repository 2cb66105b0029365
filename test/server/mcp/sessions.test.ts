import { describe, expect, test } from "vitest";
import type { Principal } from "../../../src/model/principal.ts";
import { defaultLimits, type McpLimits } from "../../../src/server/mcp/limits.ts";
import { ClientSession, ClientSessions } from "../../../src/server/mcp/sessions.ts";
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
    if (!(session instanceof ClientSession)) throw new Error(`no room for ${session}`);
    return session;
  };
  return { sessions, clock, open };
}

/** Opens sessions under these limits, as they are then. */
function openers(limits: Partial<McpLimits>) {
  const sessions = new ClientSessions(
    Object.create(defaultLimits, Object.getOwnPropertyDescriptors(limits)),
    () => 0,
  );
  const open = (owner: Principal) => sessions.open({ ...terms, owner });
  const opened = (owner: Principal): ClientSession => {
    const session = open(owner);
    if (!(session instanceof ClientSession)) throw new Error(`no room for ${session}`);
    return session;
  };
  return { sessions, open, opened };
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
    expect(sessions.open(terms)).toBe("tenant");
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
    const { sessions, open, opened } = openers({ sessionsPerPrincipal: 2 });
    const bob = principalOf("user", "bob", "one");
    const [others, first] = [opened(bob), opened(ada)];
    opened(ada);
    first.calls.set(1, () => {});
    const third = opened(ada);
    expect([...sessions]).toEqual([others, first, third]);
    third.calls.set(1, () => {});
    expect(open(ada)).toBe("caller");
    opened(bob);
  });

  test.each([
    [3, 0],
    [4, 0],
    [5, 1],
  ])("of %i sessions of one caller that may have 4, %i make room", (count, gone) => {
    const { sessions, opened } = openers({ sessionsPerPrincipal: 4 });
    const made = Array.from({ length: count }, () => opened(ada));
    expect([...sessions]).toEqual(made.slice(gone));
  });

  test.each([
    [7, 0],
    [8, 0],
    [9, 1],
  ])("of %i sessions of as many tenants that may have 8 together, %i make room", (count, gone) => {
    const { sessions, opened } = openers({ sessions: 8 });
    const made = Array.from({ length: count }, (_none, at) => opened(principalOf("user", "ada", `t${at}`)));
    expect([...sessions]).toEqual(made.slice(gone));
  });

  test.each([
    [5, 0],
    [6, 0],
    [7, 1],
  ])("of %i sessions of one tenant where there are 8, %i make room", (count, gone) => {
    const { sessions, opened } = openers({ sessions: 8 });
    // The other tenant's is the longest unused of all, and stays.
    const other = opened(principalOf("user", "zoe", "two"));
    const made = Array.from({ length: count }, (_none, at) => opened(principalOf("user", `u${at}`, "one")));
    expect([...sessions]).toEqual([other, ...made.slice(gone)]);
  });

  test("where all is taken, a tenant makes room itself before others do", () => {
    const { sessions, opened } = openers({ sessions: 4 });
    const ones = ["a", "b", "c"].map((name) => opened(principalOf("user", name, "one")));
    opened(principalOf("user", "zoe", "two"));
    const again = opened(principalOf("user", "zoe", "two"));
    expect([...sessions]).toEqual([...ones, again]);
    // One that has none takes that of whoever was away for longest.
    const third = opened(principalOf("user", "tim", "three"));
    expect([...sessions]).toEqual([...ones.slice(1), again, third]);
  });

  test("a tenant that is full of sessions at work leaves room for others", () => {
    const { open, opened } = openers({ sessions: 4 });
    const work = (name: string, tenant: string) =>
      opened(principalOf("user", name, tenant)).calls.set(1, () => {});
    for (const name of ["a", "b", "c"]) work(name, "one");
    expect(open(principalOf("user", "d", "one"))).toBe("tenant");
    work("d", "two");
    expect(open(principalOf("user", "d", "three"))).toBe("all");
  });

  test.each([
    [99, true],
    [100, true],
    [101, false],
  ])("one that has rested for %i of 100 ms is there: %s", (rested, isThere) => {
    const { sessions, clock, open } = table();
    const { id } = open();
    clock.now = rested;
    expect(sessions.find(id, ada) !== undefined).toBe(isThere);
  });

  test("limits that a reload lowers count for who comes next", () => {
    const limits = { sessionsPerPrincipal: 3 };
    const { sessions, opened } = openers({
      get sessionsPerPrincipal() {
        return limits.sessionsPerPrincipal;
      },
    });
    const made = [opened(ada), opened(ada), opened(ada)];
    limits.sessionsPerPrincipal = 1;
    expect([...sessions]).toEqual(made);
    const next = opened(ada);
    expect([...sessions]).toEqual([next]);
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
