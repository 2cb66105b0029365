import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Change, RecordKind, Store, StoredRecord, TenantStore } from "../../src/store/store.ts";
import { ModelStore } from "./model-store.ts";

/** An empty place for records that any number of stores can be opened on. */
export interface StorePlace {
  open(now?: () => number): Promise<Store>;
  remove(): Promise<void>;
}

/** What every implementation of the port has to do; a place is made for each test. */
export function describeStore(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(name, () => {
    let place: StorePlace;
    let opened: Store[];
    let time: number;
    let store: Store;
    const open = async (): Promise<Store> => {
      const another = await place.open(() => time);
      opened.push(another);
      return another;
    };
    beforeEach(async () => {
      place = await makePlace();
      opened = [];
      time = 1_000_000;
      store = await open();
    });
    afterEach(async () => {
      await Promise.all(opened.map((each) => each.close()));
      await place.remove();
    });

    describe("records", () => {
      test("come back as they were written, and are gone once deleted", async () => {
        const tenant = store.tenant("acme");
        await tenant.write([
          put(
            "user",
            "1",
            { name: "Ada", tags: [1, null, { deep: true }] },
            { lookup: "ada", expiresAt: time + 5 },
          ),
        ]);
        expect(await tenant.get("user", "1")).toEqual({
          kind: "user",
          id: "1",
          version: expect.any(Number),
          value: { name: "Ada", tags: [1, null, { deep: true }] },
          lookup: "ada",
          expiresAt: time + 5,
        });
        await tenant.write([{ action: "delete", kind: "user", id: "1", expected: "any" }]);
        expect(await tenant.get("user", "1")).toBeUndefined();
        expect(await tenant.list("user")).toEqual([]);
        expect(await store.find("user", "ada")).toBeUndefined();
      });

      test("any JSON object, under any id", async () => {
        const tenant = store.tenant("acme");
        await fc.assert(
          fc.asyncProperty(
            text,
            fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()),
            async (id, object) => {
              const value = JSON.parse(JSON.stringify(object));
              await tenant.write([put("user", id, value, { lookup: id })]);
              const record = await tenant.get("user", id);
              expect(record?.value).toEqual(value);
              expect(record?.id).toBe(id);
              expect((await store.find("user", id))?.record).toEqual(record);
            },
          ),
          { numRuns: 200 },
        );
      });

      test("different ids are different records, and listed by code unit", async () => {
        await fc.assert(
          fc.asyncProperty(fc.uniqueArray(text, { minLength: 2, maxLength: 12 }), async (ids) => {
            const tenant = store.tenant("order");
            await tenant.clear();
            await tenant.write(ids.map((id, index) => put("user", id, { index })));
            const sorted = ids.toSorted((first, second) => (first < second ? -1 : 1));
            expect(idsOf(await tenant.list("user"))).toEqual(sorted);
            expect(idsOf(await tenant.list("user", { limit: 1 }))).toEqual(sorted.slice(0, 1));
            for (const [index, after] of sorted.entries()) {
              expect(idsOf(await tenant.list("user", { after }))).toEqual(sorted.slice(index + 1));
            }
          }),
          { numRuns: 100 },
        );
      });

      test("a list has 1,000 of them unless told otherwise", async () => {
        const tenant = store.tenant("acme");
        const id = (index: number) => String(index).padStart(5, "0");
        await tenant.write(Array.from({ length: 1_203 }, (_, index) => put("token", id(index), {})));
        const first = await tenant.list("token");
        expect(first).toHaveLength(1_000);
        expect(await tenant.list("token", { after: id(999) })).toHaveLength(203);
        expect(await tenant.list("token", { limit: 2_000 })).toHaveLength(1_203);
        expect(await tenant.list("token", { limit: 0 })).toEqual([]);
        expect(await tenant.list("token", { limit: -1 })).toEqual([]);
      });

      test("what is done to a value after it was handed over is of no effect", async () => {
        const value = { list: [1] };
        const written = store.gateway.write([put("tenant", "a", value)]);
        value.list.push(2);
        await written;
        expect((await store.gateway.get("tenant", "a"))?.value).toEqual({ list: [1] });
      });

      test("kinds are apart", async () => {
        const tenant = store.tenant("acme");
        await tenant.write([put("user", "1", { of: "user" }), put("token", "1", { of: "token" })]);
        await tenant.write([
          put("session", "2", {}, { lookup: "x" }),
          put("token", "2", {}, { lookup: "x" }),
        ]);
        expect((await tenant.get("user", "1"))?.value).toEqual({ of: "user" });
        expect((await tenant.get("token", "1"))?.value).toEqual({ of: "token" });
        expect(await tenant.get("session", "1")).toBeUndefined();
        expect((await store.find("session", "x"))?.record.kind).toBe("session");
      });
    });

    describe("tenants", () => {
      test("see and change nothing of each other and of the gateway", async () => {
        const [first, second] = [store.tenant("a"), store.tenant("b")];
        await first.write([put("user", "1", { of: "a" })]);
        await second.write([put("user", "1", { of: "b" })]);
        await store.gateway.write([put("user", "1", { of: "gateway" })]);
        expect(await values(first)).toEqual([{ of: "a" }]);
        expect(await values(second)).toEqual([{ of: "b" }]);
        expect(await values(store.gateway)).toEqual([{ of: "gateway" }]);
        const version = (await first.get("user", "1"))?.version ?? 0;
        await expect(
          second.write([{ action: "delete", kind: "user", id: "1", expected: version }]),
        ).rejects.toMatchObject({ code: "conflict" });
        await second.write([{ action: "delete", kind: "user", id: "1", expected: "any" }]);
        expect(await values(first)).toEqual([{ of: "a" }]);
        await first.clear();
        expect(await values(first)).toEqual([]);
        expect(await values(store.gateway)).toEqual([{ of: "gateway" }]);
      });

      test("the gateway is none of them", () => {
        expect(() => store.tenant(store.gateway.tenant)).toThrow();
        expect(store.tenant("acme").tenant).toBe("acme");
      });

      test("similar ids are different tenants", async () => {
        const ids = [
          "a",
          "A",
          "a ",
          "á",
          "a\u0301",
          "a\0",
          "a\0b",
          "a%",
          "_",
          "%",
          "*",
          "\ud800",
          "\ud801",
          "'",
          "a'--",
        ];
        for (const id of ids) {
          await store.tenant(id).write([put("user", "1", { of: id }, { lookup: id })]);
        }
        for (const id of ids) {
          expect(await values(store.tenant(id))).toEqual([{ of: id }]);
          expect((await store.find("user", id))?.tenant).toBe(id);
        }
      });
    });

    describe("tenants with a kind", () => {
      test("are those that have records of it, the gateway's own too", async () => {
        expect(await store.tenantsWith("credential")).toEqual([]);
        await store.tenant("b").write([put("credential", "1", {}), put("credential", "2", {})]);
        await store.tenant("a").write([put("credential", "1", {}), put("user", "1", {})]);
        await store.tenant("c").write([put("user", "1", {})]);
        await store.tenant("gone").write([put("credential", "1", {})]);
        await store.tenant("gone").clear();
        expect(await store.tenantsWith("credential")).toEqual(["a", "b"]);
        await store.gateway.write([put("credential", "1", {})]);
        expect(await store.tenantsWith("credential")).toEqual(["", "a", "b"]);
        expect(await store.tenantsWith("user")).toEqual(["a", "c"]);
        expect(await store.tenantsWith("vault")).toEqual([]);
      });

      test("what has expired is not counted", async () => {
        await store.tenant("a").write([put("flow", "1", {}, { expiresAt: time + 5 })]);
        await store.tenant("b").write([put("flow", "1", {}, { expiresAt: time + 9 })]);
        time += 5;
        expect(await store.tenantsWith("flow")).toEqual(["b"]);
      });

      test("whatever their ids are, in the order of code units", async () => {
        await fc.assert(
          fc.asyncProperty(
            fc.uniqueArray(
              text.filter((id) => id !== ""),
              { minLength: 1, maxLength: 12 },
            ),
            async (ids) => {
              for (const id of await store.tenantsWith("client")) await store.tenant(id).clear();
              for (const id of ids) await store.tenant(id).write([put("client", "1", {})]);
              const sorted = ids.toSorted((first, second) => (first < second ? -1 : 1));
              expect(await store.tenantsWith("client")).toEqual(sorted);
            },
          ),
          { numRuns: 50 },
        );
      });
    });

    describe("expectations", () => {
      test("`absent` creates once", async () => {
        const tenant = store.tenant("acme");
        await tenant.write([put("user", "1", { by: "first" }, { expected: "absent" })]);
        await expect(
          tenant.write([put("user", "1", { by: "second" }, { expected: "absent" })]),
        ).rejects.toMatchObject({
          name: "StoreError",
          code: "conflict",
        });
        expect(await values(tenant)).toEqual([{ by: "first" }]);
      });

      test("a version fits once, and never again", async () => {
        const tenant = store.tenant("acme");
        await tenant.write([put("user", "1", { n: 1 })]);
        const version = await versionOf(tenant, "1");
        await tenant.write([put("user", "1", { n: 2 }, { expected: version })]);
        expect(await versionOf(tenant, "1")).toBeGreaterThan(version);
        for (const expected of [version, version + 1_000, 0, -1]) {
          await expect(tenant.write([put("user", "1", { n: 3 }, { expected })])).rejects.toMatchObject({
            code: "conflict",
          });
          await expect(
            tenant.write([{ action: "delete", kind: "user", id: "1", expected }]),
          ).rejects.toMatchObject({ code: "conflict" });
        }
        expect(await values(tenant)).toEqual([{ n: 2 }]);
      });

      test("a version does not fit the record that is put in place of a deleted one", async () => {
        const tenant = store.tenant("acme");
        for (const removal of ["delete", "clear"]) {
          await tenant.write([put("user", "1", {})]);
          const version = await versionOf(tenant, "1");
          await (removal === "delete"
            ? tenant.write([{ action: "delete", kind: "user", id: "1", expected: version }])
            : tenant.clear());
          await expect(tenant.write([put("user", "1", {}, { expected: version })])).rejects.toMatchObject({
            code: "conflict",
          });
          await tenant.write([put("user", "1", {}, { expected: "absent" })]);
          expect(await versionOf(tenant, "1")).toBeGreaterThan(version);
        }
      });

      test("deleting what is not there: nothing to do, unless a version was expected", async () => {
        const tenant = store.tenant("acme");
        await tenant.write([{ action: "delete", kind: "user", id: "1", expected: "any" }]);
        await expect(
          tenant.write([{ action: "delete", kind: "user", id: "1", expected: 1 }]),
        ).rejects.toMatchObject({
          code: "conflict",
        });
      });

      test("a list of changes happens whole or not at all, and in its order", async () => {
        const tenant = store.tenant("acme");
        await tenant.write([put("user", "1", { n: 1 }, { lookup: "a" }), put("user", "2", {})]);
        await expect(
          tenant.write([
            put("user", "1", { n: 2 }),
            { action: "delete", kind: "user", id: "2", expected: "any" },
            put("user", "3", {}),
            put("user", "1", {}, { expected: "absent" }),
          ]),
        ).rejects.toMatchObject({ code: "conflict" });
        expect(idsOf(await tenant.list("user"))).toEqual(["1", "2"]);
        expect((await store.find("user", "a"))?.record.value).toEqual({ n: 1 });
        await tenant.write([
          { action: "delete", kind: "user", id: "1", expected: "any" },
          put("user", "4", {}, { lookup: "a", expected: "absent" }),
        ]);
        expect((await store.find("user", "a"))?.record.id).toBe("4");
        await tenant.write([]);
      });

      test("of writes at the same time, the one that conflicts fails alone", async () => {
        const tenant = store.tenant("acme");
        const results = await Promise.allSettled([
          tenant.write([put("user", "1", { n: 1 }, { expected: "absent" })]),
          tenant.write([put("user", "2", {}), put("user", "1", { n: 2 }, { expected: "absent" })]),
          tenant.write([put("user", "3", {}, { expected: "absent" })]),
        ]);
        expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
        expect(idsOf(await tenant.list("user"))).toEqual(["1", "3"]);
      });

      test("many increments at the same time by two stores lose none", async () => {
        const other = await open();
        await store.tenant("acme").write([put("user", "counter", { n: 0 })]);
        await Promise.all(
          [store, other, store, other].map(async (each) => {
            for (let done = 0; done < 25; ) {
              const record = await each.tenant("acme").get("user", "counter");
              try {
                await each
                  .tenant("acme")
                  .write([
                    put(
                      "user",
                      "counter",
                      { n: Number(record?.value["n"]) + 1 },
                      { expected: record?.version ?? 0 },
                    ),
                  ]);
                done += 1;
              } catch (error) {
                expect(error).toMatchObject({ code: "conflict" });
              }
            }
          }),
        );
        expect((await store.tenant("acme").get("user", "counter"))?.value).toEqual({ n: 100 });
      });
    });

    describe("lookups", () => {
      test("find a record of whichever tenant, and belong to one at a time", async () => {
        await store.tenant("a").write([put("token", "1", {}, { lookup: "hash" })]);
        expect(await store.find("token", "hash")).toMatchObject({
          tenant: "a",
          record: { id: "1", lookup: "hash" },
        });
        expect(await store.find("token", "HASH")).toBeUndefined();
        expect(await store.find("token", "")).toBeUndefined();
        expect(await store.find("session", "hash")).toBeUndefined();
        await expect(
          store.tenant("b").write([put("token", "2", {}, { lookup: "hash" })]),
        ).rejects.toMatchObject({
          code: "conflict",
        });
        expect(await store.tenant("b").get("token", "2")).toBeUndefined();
        await store.tenant("a").write([put("token", "1", { again: true }, { lookup: "hash" })]);
        await store.tenant("a").write([put("token", "1", {}, { lookup: "other" })]);
        expect(await store.find("token", "hash")).toBeUndefined();
        await store.tenant("b").write([put("token", "2", {}, { lookup: "hash" })]);
        expect((await store.find("token", "hash"))?.tenant).toBe("b");
        await store.tenant("b").write([put("token", "2", {})]);
        expect(await store.find("token", "hash")).toBeUndefined();
      });

      test("the gateway's own are found too", async () => {
        await store.gateway.write([put("tenant", "acme", {}, { lookup: "acme" })]);
        expect((await store.find("tenant", "acme"))?.tenant).toBe(store.gateway.tenant);
      });
    });

    describe("expiry", () => {
      test("what has expired is not there, by no way of asking", async () => {
        const tenant = store.tenant("acme");
        await tenant.write([
          put("session", "1", {}, { lookup: "x", expiresAt: time + 10 }),
          put("session", "2", {}),
        ]);
        const version = (await tenant.get("session", "1"))?.version ?? 0;
        time += 9;
        expect(idsOf(await tenant.list("session"))).toEqual(["1", "2"]);
        time += 1;
        expect(await tenant.get("session", "1")).toBeUndefined();
        expect(idsOf(await tenant.list("session"))).toEqual(["2"]);
        expect(idsOf(await tenant.list("session", { after: "0" }))).toEqual(["2"]);
        expect(await store.find("session", "x")).toBeUndefined();
        // In one turn, so that neither profits from what the other has cleared away.
        const late = (["delete", "put"] as const).map((action) =>
          tenant.write([{ action, kind: "session", id: "1", value: {}, expected: version }]),
        );
        for (const result of await Promise.allSettled(late)) {
          expect(result).toMatchObject({ reason: { code: "conflict" } });
        }
      });

      test("its id and its lookup are free", async () => {
        await store
          .tenant("a")
          .write([
            put("session", "1", {}, { lookup: "x", expiresAt: time + 10 }),
            put("session", "2", {}, { lookup: "y", expiresAt: time + 10 }),
          ]);
        time += 10;
        await Promise.all([
          store.tenant("a").write([put("session", "1", { n: 2 }, { expected: "absent" })]),
          store.tenant("b").write([put("session", "9", {}, { lookup: "y", expected: "absent" })]),
        ]);
        expect((await store.tenant("a").get("session", "1"))?.value).toEqual({ n: 2 });
        expect((await store.find("session", "y"))?.tenant).toBe("b");
      });

      test("can be put off and taken away", async () => {
        const tenant = store.tenant("acme");
        await tenant.write([
          put("session", "1", {}, { expiresAt: time + 10 }),
          put("session", "2", {}, { expiresAt: time + 10 }),
        ]);
        await tenant.write([put("session", "1", {}, { expiresAt: time + 20 }), put("session", "2", {})]);
        time += 10;
        expect(idsOf(await tenant.list("session"))).toEqual(["1", "2"]);
        time += 10;
        expect(idsOf(await tenant.list("session"))).toEqual(["2"]);
      });

      test.each([Number.NaN, Number.POSITIVE_INFINITY, 0.5])("%s is no time", async (expiresAt) => {
        const tenant = store.tenant("acme");
        await expect(tenant.write([put("session", "1", {}, { expiresAt })])).rejects.toMatchObject({
          name: "StoreError",
        });
        expect(await tenant.get("session", "1")).toBeUndefined();
      });
    });

    describe("epoch", () => {
      const everyKind: readonly RecordKind[] = ["user", "token", "session", "tenant", "use"];

      test("differs after each change of its kinds, by whichever store, and only then", async () => {
        const other = await open();
        const seen = new Set([store.epoch(["user", "token"])]);
        const uses = store.epoch(["use"]);
        let version = 0;
        const changes: (() => Promise<void>)[] = [store, other, store, other].flatMap((each) => [
          () => each.tenant("a").write([put("user", "1", {})]),
          () => each.tenant("b").write([put("user", "2", {}), put("token", "2", {})]),
          async () => {
            version = await versionOf(store.tenant("a"), "1");
          },
          () => each.tenant("a").write([put("user", "1", {}, { expected: version })]),
          () => each.tenant("a").write([{ action: "delete", kind: "user", id: "1", expected: "any" }]),
          () => each.tenant("b").clear(),
        ]);
        for (const change of changes) {
          const before = store.epoch(["user", "token"]);
          await change();
          const after = store.epoch(["user", "token"]);
          if (before !== after) {
            expect(seen).not.toContain(after);
          }
          seen.add(after);
        }
        expect(seen.size).toBe(1 + changes.length - 4);
        expect(store.epoch(["user", "token"])).toBe(store.epoch(["user", "token"]));
        expect(store.epoch(["use"])).toBe(uses);
      });

      test("a foreign change is seen when the own ones hide it, and when it was asked for in between", async () => {
        const other = await open();
        for (let round = 0; round < 20; round += 1) {
          const before = store.epoch(["token"]);
          await other.tenant("a").write([put("token", "1", { round })]);
          if (round % 2 === 0) {
            store.epoch(["user"]);
          }
          await store.tenant("a").write([put("user", "1", { round })]);
          expect(store.epoch(["token"])).not.toBe(before);
        }
      });

      test("is the same for a store that is opened anew", async () => {
        await store.tenant("a").write(everyKind.map((kind) => put(kind, "1", {})));
        const other = await open();
        expect(other.epoch(everyKind)).toBe(store.epoch(everyKind));
      });
    });

    describe("leases", () => {
      test("one holder at a time, over all stores", async () => {
        const [mine, theirs] = [store.tenant("a"), (await open()).tenant("a")];
        const taken = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            (index % 2 === 0 ? mine : theirs).acquireLease("l", `holder-${index}`, 100),
          ),
        );
        const held = taken.filter((lease) => lease !== undefined);
        expect(held).toHaveLength(1);
        expect(held[0]).toMatchObject({ name: "l", endsAt: time + 100 });
        expect(await store.tenant("b").acquireLease("l", "x", 100)).toBeDefined();
        expect(await mine.acquireLease("other", "x", 100)).toBeDefined();
      });

      test("is free from its end on, and the fence grows when it changes hands", async () => {
        const tenant = store.tenant("a");
        const first = await tenant.acquireLease("l", "x", 100);
        time += 99;
        expect(await tenant.acquireLease("l", "y", 100)).toBeUndefined();
        time += 1;
        const second = await tenant.acquireLease("l", "y", 100);
        expect(second?.fence).toBeGreaterThan(first?.fence ?? Number.NaN);
        expect(await tenant.acquireLease("l", "x", 100)).toBeUndefined();
      });

      test("the same holder gets it anew", async () => {
        const tenant = store.tenant("a");
        const first = await tenant.acquireLease("l", "x", 100);
        time += 50;
        expect(await tenant.acquireLease("l", "x", 100)).toEqual({ ...first, endsAt: time + 100 });
      });

      test("is renewed while it is held, by its fence", async () => {
        const tenant = store.tenant("a");
        const first = await acquired(tenant, "l", "x", 100);
        time += 99;
        const renewed = await tenant.renewLease(first, 100);
        expect(renewed).toEqual({ ...first, endsAt: time + 100 });
        time += 99;
        expect(await tenant.acquireLease("l", "y", 100)).toBeUndefined();
        expect(await tenant.renewLease({ ...first, fence: first.fence + 1 }, 100)).toBeUndefined();
        expect(await tenant.renewLease({ ...first, holder: "y" }, 100)).toBeUndefined();
        expect(await store.tenant("b").renewLease(first, 100)).toBeUndefined();
        time += 1;
        expect(await tenant.renewLease(first, 100)).toBeUndefined();
      });

      test("is released by who holds it, and by no late one", async () => {
        const tenant = store.tenant("a");
        const first = await acquired(tenant, "l", "x", 100);
        await store.tenant("b").releaseLease(first);
        await tenant.releaseLease({ ...first, holder: "y" });
        expect(await tenant.acquireLease("l", "y", 100)).toBeUndefined();
        await tenant.releaseLease(first);
        const second = await acquired(tenant, "l", "y", 100);
        expect(second.fence).toBeGreaterThan(first.fence);
        await tenant.releaseLease(first);
        expect(await tenant.renewLease(first, 100)).toBeUndefined();
        expect(await tenant.acquireLease("l", "z", 100)).toBeUndefined();
      });

      test("fences never come again", async () => {
        const tenant = store.tenant("a");
        let last = 0;
        for (const end of ["release", "expire", "clear", "release", "clear", "expire"]) {
          const lease = await acquired(tenant, "l", "x", 100);
          expect(lease.fence).toBeGreaterThan(last);
          last = lease.fence;
          if (end === "release") {
            await tenant.releaseLease(lease);
          } else if (end === "clear") {
            await tenant.clear();
          } else {
            time += 100;
            // Others write meanwhile, which clears away what has expired.
            await store.tenant("b").write([put("use", "1", {})]);
          }
        }
      });
    });

    describe("closing", () => {
      test("finishes what was begun; the rest is refused", async () => {
        const tenant = store.tenant("acme");
        const writes = Array.from({ length: 50 }, (_, index) =>
          tenant.write([put("user", String(index), {})]),
        );
        const closing = store.close();
        await expect(tenant.write([put("user", "late", {})])).rejects.toMatchObject({ code: "unavailable" });
        await closing;
        await Promise.all(writes);
        const refused = { name: "StoreError", code: "unavailable" };
        await expect(tenant.get("user", "1")).rejects.toMatchObject(refused);
        await expect(tenant.list("user")).rejects.toMatchObject(refused);
        await expect(store.find("user", "1")).rejects.toMatchObject(refused);
        await expect(store.tenantsWith("user")).rejects.toMatchObject(refused);
        await expect(tenant.write([put("user", "1", {})])).rejects.toMatchObject(refused);
        await expect(tenant.acquireLease("l", "x", 1)).rejects.toMatchObject(refused);
        await expect(tenant.clear()).rejects.toMatchObject(refused);
        expect(() => store.epoch(["user"])).toThrow(expect.objectContaining(refused));
        await store.close();
        expect(await (await open()).tenant("acme").list("user")).toHaveLength(50);
      });
    });

    test("does what the model does, whatever comes", async () => {
      const id = fc.constantFrom("1", "2", "\uffff", "\u{1f600}");
      const tenantId = fc.constantFrom("a", "b");
      const kind = fc.constantFrom<RecordKind>("user", "token");
      const expected = fc.constantFrom(
        "absent" as const,
        "any" as const,
        "current" as const,
        "late" as const,
      );
      const change = fc.record({
        remove: fc.boolean(),
        kind,
        id,
        n: fc.nat(9),
        lookup: fc.option(fc.constantFrom("x", "y", "z"), { nil: undefined }),
        lifetime: fc.option(fc.nat(20), { nil: undefined }),
        expected,
      });
      const step = fc.oneof(
        {
          weight: 6,
          arbitrary: fc.record({
            tenantId,
            writes: fc.array(fc.array(change, { maxLength: 3 }), { maxLength: 3 }),
            other: fc.boolean(),
          }),
        },
        { weight: 2, arbitrary: fc.record({ advance: fc.nat(15) }) },
        { weight: 1, arbitrary: fc.record({ clear: tenantId }) },
      );
      const other = await open();
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          await Promise.all(["a", "b"].map((each) => store.tenant(each).clear()));
          const model = new ModelStore();
          model.now = time;
          /** The versions that stand for the model's numbers of writes. */
          const versions = new Map<number, number>();
          for (const current of steps) {
            if ("advance" in current) {
              time += current.advance;
              model.now = time;
            } else if ("clear" in current) {
              await store.tenant(current.clear).clear();
              model.clear(current.clear);
            } else {
              const tenant = (current.other ? other : store).tenant(current.tenantId);
              // Expectations by what is there before; writes of one turn are done in their order.
              const writes = current.writes.map((changes) =>
                changes.map((each) => toChanges(each, current.tenantId)),
              );
              const done = await Promise.allSettled(
                writes.map((pairs) => tenant.write(pairs.map(([change]) => change))),
              );
              const expectedDone = writes.map((pairs) =>
                model.write(
                  current.tenantId,
                  pairs.map(([, change]) => change),
                ),
              );
              expect(done.map(({ status }) => status === "fulfilled")).toEqual(expectedDone);
            }
            await compare();
          }

          function toChanges(
            {
              remove,
              kind,
              id,
              n,
              lookup,
              lifetime,
              expected,
            }: typeof change extends fc.Arbitrary<infer Value> ? Value : never,
            of: string,
          ): readonly [Change, Change] {
            const written = model.get(of, kind, id)?.written ?? -1;
            const pick = (number: number, late: number) =>
              expected === "current" ? number : expected === "late" ? late : "any";
            const versionNow = versions.get(written) ?? -1;
            if (remove) {
              return [
                { action: "delete", kind, id, expected: pick(versionNow, versionNow - 1) },
                { action: "delete", kind, id, expected: pick(written, written - 0.5) },
              ];
            }
            const both = {
              action: "put",
              kind,
              id,
              value: { n },
              lookup,
              expiresAt: lifetime === undefined ? undefined : time + lifetime,
            } as const;
            const absent = expected === "absent" ? expected : undefined;
            return [
              { ...both, expected: absent ?? pick(versionNow, versionNow - 1) },
              { ...both, expected: absent ?? pick(written, written - 0.5) },
            ];
          }

          async function compare(): Promise<void> {
            for (const tenant of ["a", "b"]) {
              for (const kind of ["user", "token"] as const) {
                const records = await other.tenant(tenant).list(kind);
                const modelled = model.list(tenant, kind);
                expect(records.map(({ version: _, ...rest }) => rest)).toEqual(
                  modelled.map(
                    ({
                      written: _,
                      tenant: __,
                      ...rest
                    }: ReturnType<ModelStore["list"]>[number] & { tenant?: string }) => rest,
                  ),
                );
                for (const [index, { written }] of modelled.entries()) {
                  const version = records[index]?.version ?? Number.NaN;
                  expect(versions.get(written) ?? version).toBe(version);
                  versions.set(written, version);
                }
              }
            }
            for (const lookup of ["x", "y", "z"]) {
              const found = await store.find("user", lookup);
              const modelled = model.find("user", lookup);
              expect(found === undefined ? undefined : [found.tenant, found.record.id]).toEqual(
                modelled === undefined ? undefined : [modelled.tenant, modelled.id],
              );
            }
          }
        }),
        { numRuns: 150 },
      );
    });
  });
}

/** Texts that databases are known to mix up: NUL, lone surrogates, what comes after them, combining characters. */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.string({
    unit: fc.constantFrom(
      "a",
      "A",
      "\0",
      "\ud800",
      "\udfff",
      "\ue000",
      "\uffff",
      "\u{10000}",
      "\u{10ffff}",
      "é",
      "e\u0301",
      "%",
      "'",
    ),
    maxLength: 5,
  }),
);

function put(
  kind: RecordKind,
  id: string,
  value: StoredRecord["value"],
  more: { lookup?: string; expiresAt?: number; expected?: number | "absent" | "any" } = {},
): Change {
  return { action: "put", kind, id, value, expected: "any", ...more };
}

function idsOf(records: readonly StoredRecord[]): readonly string[] {
  return records.map(({ id }) => id);
}

async function values(tenant: TenantStore): Promise<readonly StoredRecord["value"][]> {
  return (await tenant.list("user")).map(({ value }) => value);
}

async function versionOf(tenant: TenantStore, id: string): Promise<number> {
  return (await tenant.get("user", id))?.version ?? Number.NaN;
}

async function acquired(tenant: TenantStore, name: string, holder: string, milliseconds: number) {
  const lease = await tenant.acquireLease(name, holder, milliseconds);
  if (lease === undefined) {
    throw new Error(`${holder} did not get ${name}`);
  }
  return lease;
}
