import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Keeping, openKeeping } from "./keeping.ts";
import { accessTokenOf, referenceOf } from "./refreshing.ts";

const hour = 3_600_000;
let keeping: Keeping;
beforeEach(async () => {
  keeping = await openKeeping();
});
afterEach(() => keeping.close());

describe("a token that is good", () => {
  test("is given as it is, and nobody is asked", async () => {
    const stored = await keeping.connect("ada");
    keeping.now += hour / 2;
    expect(await keeping.obtain("ada")).toEqual(stored);
    expect(keeping.issuer.counts.requests).toBe(0);
  });

  test("without an end is never refreshed", async () => {
    await keeping.connect("ada", { expiresAt: undefined });
    keeping.now += 1_000 * hour;
    expect(keeping.issuer.userOf(accessTokenOf(await keeping.obtain("ada")))).toBe("ada");
    expect(keeping.issuer.counts.requests).toBe(0);
  });

  test("near its end is given on, and refreshed meanwhile", async () => {
    const stored = await keeping.connect("ada");
    keeping.now += hour - 60_000;
    expect(accessTokenOf(await keeping.obtain("ada"))).toBe(accessTokenOf(stored));
    await eventually(async () => {
      const refreshed = await keeping.obtain("ada");
      expect(refreshed?.version).toBe(stored.version + 1);
      expect(refreshed?.expiresAt).toBe(keeping.now + hour);
      expect(keeping.issuer.userOf(accessTokenOf(refreshed))).toBe("ada");
    });
    expect(keeping.issuer.counts).toMatchObject({ requests: 1, refreshes: 1 });
    expect(keeping.changes).toEqual([{ kind: "refreshed", reference: referenceOf("ada") }]);
  });

  test("that nobody has stored is none", async () => {
    expect(await keeping.obtain("nobody")).toBeUndefined();
  });
});

describe("a token that is over", () => {
  test("is refreshed once for all who wait, by one piece of work", async () => {
    await keeping.connect("ada");
    keeping.now += hour;
    const { lease } = keeping.credentials;
    const leases = vi.fn(lease);
    Object.assign(keeping.credentials, { lease: leases });
    const all = await Promise.all(Array.from({ length: 100 }, () => keeping.obtain("ada")));
    expect(new Set(all.map(accessTokenOf)).size).toBe(1);
    expect(keeping.issuer.userOf(accessTokenOf(all[0]))).toBe("ada");
    expect(keeping.issuer.counts).toMatchObject({ requests: 1, refreshes: 1, reuses: 0 });
    expect(leases).toHaveBeenCalledTimes(1);
    expect((await keeping.stored("ada"))?.refreshing).toBeUndefined();
  });

  test("is refreshed once by two processes", async () => {
    const { keeper } = await keeping.another();
    for (const user of ["ada", "bob", "cy"]) await keeping.connect(user);
    keeping.now += hour;
    await Promise.all(
      ["ada", "bob", "cy"].flatMap((user) =>
        [keeping.keeper, keeper].map(async (each) => {
          const credential = await each.obtain(referenceOf(user), AbortSignal.timeout(20_000));
          expect(keeping.issuer.userOf(accessTokenOf(credential))).toBe(user);
        }),
      ),
    );
    expect(keeping.issuer.counts).toMatchObject({ requests: 3, refreshes: 3, reuses: 0 });
  });

  test("has to be connected again where it has no refresh token", async () => {
    const { secrets } = await keeping.connect("ada");
    const [access] = Object.values(secrets);
    if (access === undefined) throw new Error("There is no token.");
    await keeping.connect("ada", { secrets: { access_token: access } });
    keeping.now += hour - 1;
    expect(accessTokenOf(await keeping.obtain("ada"))).toBe(access.reveal());
    keeping.now += 1;
    const all = Array.from({ length: 20 }, async () =>
      expect(keeping.obtain("ada")).rejects.toMatchObject({
        code: "reconnect_required",
        details: { provider: "tracker", connection: "main", instance: "default" },
      }),
    );
    await Promise.all(all);
    expect((await keeping.stored("ada"))?.state).toMatchObject({ kind: "reconnect_required", wanted: [] });
    expect(keeping.changes).toEqual([{ kind: "reconnect_required", reference: referenceOf("ada") }]);
  });

  test("keeps its refresh token when no other one comes", async () => {
    const stored = await keeping.connect("ada");
    keeping.issuer.next({ kind: "keep" });
    keeping.now += hour;
    const refreshed = await keeping.obtain("ada");
    expect(refreshed?.secrets["refresh_token"]?.reveal()).toBe(stored.secrets["refresh_token"]?.reveal());
    expect(accessTokenOf(refreshed)).not.toBe(accessTokenOf(stored));
    keeping.now += hour;
    expect(keeping.issuer.userOf(accessTokenOf(await keeping.obtain("ada")))).toBe("ada");
  });

  test("is refreshed although its caller has left, who does not wait for that", async () => {
    const stored = await keeping.connect("ada");
    keeping.now += hour;
    const leaving = new AbortController();
    const left = Promise.withResolvers<void>();
    keeping.around.before = async () => {
      leaving.abort(new Error("I have left."));
      await left.promise;
    };
    await expect(keeping.keeper.obtain(referenceOf("ada"), leaving.signal)).rejects.toThrow("I have left.");
    left.resolve();
    await eventually(async () => expect((await keeping.stored("ada"))?.version).toBe(stored.version + 1));
  });

  test("of which the server does not say the end is used until it is refused", async () => {
    await keeping.connect("ada");
    keeping.issuer.next({ kind: "no_expiry" });
    keeping.now += hour;
    expect((await keeping.obtain("ada"))?.expiresAt).toBeUndefined();
    keeping.now += 1_000 * hour;
    await keeping.obtain("ada");
    expect(keeping.issuer.counts.requests).toBe(1);
  });
});

describe("a token endpoint that fails", () => {
  test.each([
    { kind: "status", status: 500 },
    { kind: "status", status: 429 },
    { kind: "reset" },
    { kind: "error", status: 400, code: "temporarily_unavailable" },
  ] as const)("with %j takes nothing away while the token is good", async (behaviour) => {
    const stored = await keeping.connect("ada");
    keeping.issuer.next(behaviour);
    keeping.now += hour - 60_000;
    for (let count = 0; count < 20; count += 1) {
      expect(accessTokenOf(await keeping.obtain("ada"))).toBe(accessTokenOf(stored));
    }
    await eventually(async () => {
      expect(keeping.log.join()).toContain("could not be refreshed");
      const { state, refreshing, version } = (await keeping.stored("ada")) ?? stored;
      expect({ state, refreshing, version }).toEqual({
        state: { kind: "ready" },
        refreshing: undefined,
        version: stored.version,
      });
    });
    await keeping.obtain("ada");
    expect(keeping.issuer.counts.requests).toBe(1);
    keeping.now += 5_000;
    // One that comes before the end of the first attempt begins no other one.
    await eventually(async () => expect((await keeping.obtain("ada"))?.version).toBe(stored.version + 1));
    expect(keeping.issuer.counts).toMatchObject({ requests: 2, refreshes: 1, reuses: 0 });
  });

  test("makes callers without a good token try again later, and is left alone meanwhile", async () => {
    await keeping.connect("ada");
    keeping.issuer.next({ kind: "status", status: 500 }, { kind: "status", status: 500 });
    keeping.now += hour;
    for (const requests of [1, 1, 1]) {
      await expect(keeping.obtain("ada")).rejects.toMatchObject({ code: "upstream_failed", retryable: true });
      expect(keeping.issuer.counts.requests).toBe(requests);
    }
    keeping.now += 1_000;
    await expect(keeping.obtain("ada")).rejects.toMatchObject({ code: "upstream_failed" });
    // The second pause is twice as long.
    keeping.now += 1_000;
    await expect(keeping.obtain("ada")).rejects.toMatchObject({ code: "upstream_failed" });
    expect(keeping.issuer.counts.requests).toBe(2);
    keeping.now += 1_000;
    expect(keeping.issuer.userOf(accessTokenOf(await keeping.obtain("ada")))).toBe("ada");
  });

  test("is left alone as long as it asks for, within bounds", async () => {
    await keeping.connect("ada");
    keeping.issuer.next(
      { kind: "status", status: 429, retryAfter: "120" },
      { kind: "status", status: 429, retryAfter: "86400" },
    );
    keeping.now += hour;
    await expect(keeping.obtain("ada")).rejects.toMatchObject({ code: "upstream_failed" });
    keeping.now += 119_000;
    await expect(keeping.obtain("ada")).rejects.toMatchObject({ code: "upstream_failed" });
    expect(keeping.issuer.counts.requests).toBe(1);
    keeping.now += 1_000;
    await expect(keeping.obtain("ada")).rejects.toMatchObject({ code: "upstream_failed" });
    expect(keeping.issuer.counts.requests).toBe(2);
    keeping.now += 300_000;
    expect(await keeping.obtain("ada")).toBeDefined();
  });

  test("is told once for all whom it concerns, and again after a while", async () => {
    const users = Array.from({ length: 20 }, (_, index) => `user${index}`);
    for (const user of users) await keeping.connect(user);
    keeping.now += hour;
    const fail = async (): Promise<void> => {
      keeping.issuer.next(...users.map(() => ({ kind: "status", status: 500 }) as const));
      for (const user of users) await expect(keeping.obtain(user)).rejects.toThrow();
    };
    const told = () => keeping.log.filter((line) => line.includes("could not be refreshed"));
    await fail();
    expect(told()).toHaveLength(1);
    keeping.now += 300_000;
    await fail();
    expect(told()).toHaveLength(2);
  });

  test("is not left alone for as long as the clock was set back", async () => {
    await keeping.connect("ada");
    keeping.issuer.next({ kind: "status", status: 500 });
    keeping.now += 3 * hour;
    await expect(keeping.obtain("ada")).rejects.toMatchObject({ code: "upstream_failed" });
    keeping.now -= hour;
    expect(keeping.issuer.userOf(accessTokenOf(await keeping.obtain("ada")))).toBe("ada");
  });

  test.each([{ kind: "answer_lost" }, { kind: "garbage" }] as const)(
    "with %j after it has rotated costs the grant, and says why",
    async (behaviour) => {
      const stored = await keeping.connect("ada");
      keeping.issuer.next(behaviour);
      keeping.now += hour;
      await expect(keeping.obtain("ada")).rejects.toMatchObject({ code: "upstream_failed", retryable: true });
      keeping.now += 60_000;
      await expect(keeping.obtain("ada")).rejects.toMatchObject({ code: "reconnect_required" });
      expect(keeping.issuer.counts).toMatchObject({ requests: 2, reuses: 1 });
      const left = await keeping.stored("ada");
      expect(left?.version).toBe(stored.version);
      expect(left?.state).toMatchObject({ reason: expect.stringContaining("got no answer") });
    },
  );

  test("because the gateway is set up wrongly is the operator's matter, and costs no grant", async () => {
    await keeping.connect("ada");
    keeping.issuer.next({ kind: "error", status: 401, code: "invalid_client" });
    keeping.now += hour;
    const failure = await keeping.obtain("ada").catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "upstream_failed", retryable: false });
    expect(String(failure)).not.toContain("canary");
    expect(keeping.log.join()).toContain("invalid_client");
    expect(keeping.log.join()).not.toContain("canary");
    expect((await keeping.stored("ada"))?.state).toEqual({ kind: "ready" });
    keeping.now += 60_000;
    expect(await keeping.obtain("ada")).toBeDefined();
  });
});

describe("a refresh token that is refused", () => {
  test("has to be connected again, and is not tried any more", async () => {
    await keeping.connect("ada");
    keeping.issuer.withdraw("ada");
    keeping.now += hour;
    for (let count = 0; count < 3; count += 1) {
      await expect(keeping.obtain("ada")).rejects.toMatchObject({ code: "reconnect_required" });
    }
    expect(keeping.issuer.counts.requests).toBe(1);
    const left = await keeping.stored("ada");
    expect(left?.state).toMatchObject({ reason: expect.stringContaining("invalid_grant"), wanted: [] });
    expect(left?.refreshing).toBeUndefined();
    expect(keeping.changes).toEqual([{ kind: "reconnect_required", reference: referenceOf("ada") }]);
  });

  test("takes nothing away from who has connected again meanwhile", async () => {
    await keeping.connect("ada");
    keeping.issuer.withdraw("ada");
    keeping.now += hour;
    keeping.around.after = async () => {
      await keeping.connect("ada");
    };
    const credential = await keeping.obtain("ada");
    expect((await keeping.stored("ada"))?.state).toEqual({ kind: "ready" });
    expect(accessTokenOf(credential)).toBe(accessTokenOf(await keeping.stored("ada")));
    expect(keeping.changes).toEqual([]);
  });

  test("tells of the process that has died with its successor", async () => {
    const stored = await keeping.connect("ada");
    await keeping.credentials.put(
      referenceOf("ada"),
      { ...stored, refreshing: { since: keeping.now, holder: "dead" } },
      stored,
      false,
    );
    const form = {
      grant_type: "refresh_token",
      refresh_token: stored.secrets["refresh_token"]?.reveal() ?? "",
    };
    await fetch(`${keeping.issuer.url}/token`, { method: "POST", body: new URLSearchParams(form) });
    keeping.now += hour;
    await expect(keeping.obtain("ada")).rejects.toMatchObject({ code: "reconnect_required" });
    expect((await keeping.stored("ada"))?.state).toMatchObject({
      reason: expect.stringContaining("a process ended while the token was being refreshed"),
    });
    expect(keeping.issuer.counts).toMatchObject({ refreshes: 1, reuses: 1 });
  });
});

describe("what happens meanwhile", () => {
  test("a journal whose process has died before its request is taken up", async () => {
    const stored = await keeping.connect("ada");
    const refreshing = { since: keeping.now, holder: "dead" };
    await keeping.credentials.put(referenceOf("ada"), { ...stored, refreshing }, stored, false);
    keeping.now += hour;
    expect(keeping.issuer.userOf(accessTokenOf(await keeping.obtain("ada")))).toBe("ada");
    expect((await keeping.stored("ada"))?.refreshing).toBeUndefined();
  });

  test("the journal is there before the request", async () => {
    await keeping.connect("ada");
    keeping.now += hour;
    const seen: unknown[] = [];
    keeping.around.before = async () => {
      seen.push((await keeping.stored("ada"))?.refreshing?.since);
    };
    await keeping.obtain("ada");
    expect(seen).toEqual([keeping.now]);
  });

  test("a lease that nobody gives back is waited for", async () => {
    await keeping.connect("ada");
    keeping.now += hour;
    await keeping.credentials.lease(referenceOf("ada"), "dead", 400);
    expect(keeping.issuer.userOf(accessTokenOf(await keeping.obtain("ada")))).toBe("ada");
  });

  test("a lease that is held for ever is waited for within patience", async () => {
    await keeping.connect("ada");
    keeping.now += hour;
    await keeping.credentials.lease(referenceOf("ada"), "busy", 60_000);
    const { keeper } = await keeping.another({ patience: 200 });
    await expect(keeper.obtain(referenceOf("ada"), AbortSignal.timeout(20_000))).rejects.toMatchObject({
      code: "upstream_failed",
      retryable: true,
    });
  });

  test("the lease outlives its first length while the server takes its time", async () => {
    await keeping.connect("ada");
    keeping.now += hour;
    keeping.issuer.next({ kind: "late", milliseconds: 1_500 });
    const [first, second] = await Promise.all(
      [
        keeping.another({ lease: 700, leaseRenewal: 100 }),
        keeping.another({ lease: 700, leaseRenewal: 100 }),
      ].map(async (other) => (await other).keeper.obtain(referenceOf("ada"), AbortSignal.timeout(20_000))),
    );
    expect(accessTokenOf(first)).toBe(accessTokenOf(second));
    expect(keeping.issuer.counts).toMatchObject({ requests: 1, reuses: 0 });
  });

  test("who connects again keeps the new grant", async () => {
    await keeping.connect("ada");
    keeping.now += hour;
    const anew: string[] = [];
    keeping.around.after = async () => {
      anew.push(accessTokenOf(await keeping.connect("ada")));
    };
    expect([accessTokenOf(await keeping.obtain("ada"))]).toEqual(anew);
    expect([accessTokenOf(await keeping.stored("ada"))]).toEqual(anew);
  });

  test("what another process made between the look and the lease is used", async () => {
    await keeping.connect("ada");
    keeping.now += hour;
    const { keeper } = await keeping.another();
    const { lease } = keeping.credentials;
    Object.assign(keeping.credentials, {
      lease: async (...parts: Parameters<typeof lease>) => {
        await keeper.obtain(referenceOf("ada"), AbortSignal.timeout(20_000));
        return lease(...parts);
      },
    });
    expect(keeping.issuer.userOf(accessTokenOf(await keeping.obtain("ada")))).toBe("ada");
    expect(keeping.issuer.counts).toMatchObject({ requests: 1, reuses: 0 });
  });

  test("who disconnects is disconnected", async () => {
    await keeping.connect("ada");
    keeping.now += hour;
    keeping.around.after = async () => {
      const stored = await keeping.stored("ada");
      if (stored !== undefined) await keeping.credentials.remove(stored);
    };
    expect(await keeping.obtain("ada")).toBeUndefined();
    expect(await keeping.stored("ada")).toBeUndefined();
  });

  test("a write that leaves the secrets as they are costs no grant", async () => {
    await keeping.connect("ada");
    keeping.now += hour;
    keeping.around.after = async () => {
      const stored = await keeping.stored("ada");
      if (stored === undefined) throw new Error("It is gone.");
      await keeping.credentials.put(referenceOf("ada"), { ...stored, connectedBy: "eve" }, stored, false);
    };
    const credential = await keeping.obtain("ada");
    expect(credential?.connectedBy).toBe("eve");
    expect(accessTokenOf(await keeping.stored("ada"))).toBe(accessTokenOf(credential));
    expect(keeping.issuer.isCurrent(credential?.secrets["refresh_token"]?.reveal() ?? "")).toBe(true);
  });

  test("nobody gets another one's credential, whatever the store says", async () => {
    const stored = await keeping.connect("ada");
    const { get, reread } = keeping.credentials;
    Object.assign(keeping.credentials, { get: async () => stored, reread: async () => stored });
    await expect(keeping.obtain("bob")).rejects.toMatchObject({ code: "internal" });
    Object.assign(keeping.credentials, { get, reread });
  });
});

describe("a store that fails", () => {
  test("before the request: nothing is asked for, nothing is lost", async () => {
    await keeping.connect("ada");
    keeping.now += hour;
    keeping.fault.fails = "writes";
    await expect(keeping.obtain("ada")).rejects.toMatchObject({ code: "store_unavailable" });
    expect(keeping.issuer.counts.requests).toBe(0);
    keeping.fault.fails = "nothing";
    expect(keeping.issuer.userOf(accessTokenOf(await keeping.obtain("ada")))).toBe("ada");
  });

  test.each(["writes", "all"] as const)(
    "in %s after the answer: the new tokens serve, and are written",
    async (fails) => {
      const stored = await keeping.connect("ada");
      keeping.now += hour;
      keeping.around.after = async () => {
        keeping.fault.fails = fails;
      };
      const credential = await keeping.obtain("ada");
      expect(credential?.version).toBe(stored.version + 1);
      expect(accessTokenOf(await keeping.obtain("ada"))).toBe(accessTokenOf(credential));
      keeping.fault.fails = "nothing";
      await eventually(async () =>
        expect(accessTokenOf(await keeping.stored("ada"))).toBe(accessTokenOf(credential)),
      );
      expect(await keeping.obtain("ada")).toMatchObject({
        version: stored.version + 1,
        refreshing: undefined,
      });
      expect(keeping.issuer.counts).toMatchObject({ requests: 1, reuses: 0 });
    },
  );

  test("until the gateway goes down: it is waited for", async () => {
    const stored = await keeping.connect("ada");
    keeping.now += hour;
    keeping.around.after = async () => {
      keeping.fault.fails = "all";
    };
    await keeping.obtain("ada");
    const closed = keeping.keeper.close();
    keeping.fault.fails = "nothing";
    await closed;
    expect((await keeping.stored("ada"))?.version).toBe(stored.version + 1);
  });

  test("for longer than that: the operator is told, and the next process knows why", async () => {
    const { keeper, fault } = await keeping.another({ closing: 100 });
    await keeping.connect("ada");
    keeping.now += hour;
    keeping.around.after = async () => {
      fault.fails = "writes";
    };
    await keeper.obtain(referenceOf("ada"), AbortSignal.timeout(20_000));
    await keeper.close();
    expect(keeping.log.join()).toContain("are lost");
    keeping.around.after = async () => undefined;
    await expect(keeping.obtain("ada")).rejects.toThrow(
      "a process ended while the token was being refreshed",
    );
  });

  test("never makes anybody connect again", async () => {
    await keeping.connect("ada");
    keeping.now += hour;
    for (const fails of ["all", "writes"] as const) {
      keeping.fault.fails = fails;
      await expect(keeping.obtain("ada")).rejects.toMatchObject({ code: "store_unavailable" });
    }
    keeping.fault.fails = "nothing";
    expect((await keeping.stored("ada"))?.state).toEqual({ kind: "ready" });
    expect(keeping.changes).toEqual([]);
  });
});

describe("the end", () => {
  test("waits for a refresh that is under way", async () => {
    const stored = await keeping.connect("ada");
    keeping.now += hour;
    keeping.issuer.next({ kind: "late", milliseconds: 300 });
    const answered = new Promise((resolve) => keeping.issuer.onAnswered(resolve));
    const obtained = keeping.obtain("ada");
    await answered;
    await keeping.keeper.close();
    expect((await keeping.stored("ada"))?.version).toBe(stored.version + 1);
    await obtained;
  });

  test("begins no other one", async () => {
    await keeping.connect("ada");
    keeping.now += hour - 60_000;
    await keeping.keeper.close();
    expect(await keeping.obtain("ada")).toBeDefined();
    keeping.now += 60_000;
    await expect(keeping.obtain("ada")).rejects.toMatchObject({ code: "draining" });
    expect(keeping.issuer.counts.requests).toBe(0);
  });
});

/** Waits until nothing is wrong any more; the limit only catches hangs. */
function eventually(check: () => Promise<void>): Promise<void> {
  return vi.waitFor(check, { timeout: 20_000 });
}
