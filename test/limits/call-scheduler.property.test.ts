import fc from "fast-check";
import { expect, test } from "vitest";
import { type CallPlace, createCallScheduler } from "../../src/limits/call-scheduler.ts";
import type { CallLimits } from "../../src/model/limits.ts";

type Step =
  | { readonly kind: "enter"; readonly tenant: number; readonly provider: number }
  | { readonly kind: "leave" | "pause" | "resume"; readonly which: number }
  | { readonly kind: "change"; readonly limits: CallLimits };

const limitsOf = (least: number): fc.Arbitrary<CallLimits> =>
  fc.record({
    total: fc.integer({ min: least, max: 12 }),
    perTenant: fc.integer({ min: least, max: 7 }),
    queue: fc.integer({ min: 0, max: 4 }),
    queueMilliseconds: fc.constant(1_000),
  });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("enter" as const),
      tenant: fc.nat(3),
      provider: fc.nat(2),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("leave" as const), which: fc.nat(30) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom("pause" as const, "resume" as const), which: fc.nat(30) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("change" as const), limits: limitsOf(1) }) },
);

interface Call {
  readonly place: CallPlace;
  readonly tenant: number;
  readonly provider: number;
  readonly arrival: number;
}

/** The same rules, without any cleverness: everything is counted anew each time. */
class Model {
  readonly calls = new Set<Call>();
  /** When it was last a tenant's turn, or when it began to wait. */
  readonly turns = new Map<number, number>();
  readonly concurrency: readonly number[];
  limits: CallLimits;
  time = 0;

  constructor(limits: CallLimits, concurrency: readonly number[]) {
    this.limits = limits;
    this.concurrency = concurrency;
  }

  count(state: CallPlace["state"], of: Partial<Pick<Call, "tenant" | "provider">> = {}): number {
    return [...this.calls].filter(
      ({ place, tenant, provider }) =>
        place.state === state && (of.tenant ?? tenant) === tenant && (of.provider ?? provider) === provider,
    ).length;
  }

  hasRoom({ tenant, provider }: Pick<Call, "tenant" | "provider">, besides = 0): boolean {
    const concurrency = this.concurrency[provider] ?? 1;
    return (
      this.count("running") - besides < this.limits.total &&
      this.count("running", { tenant }) - besides < this.limits.perTenant &&
      this.count("running", { tenant, provider }) - besides <=
        2 * (this.limits.perTenant - this.count("running", { tenant }) + besides) &&
      this.count("running", { provider }) - besides < concurrency &&
      this.count("running", { tenant, provider }) - besides < Math.max(1, Math.ceil(concurrency * 0.75))
    );
  }
}

test("never more than any limit, nobody waits who could run, in order and in turn", () => {
  fc.assert(
    fc.property(
      limitsOf(1),
      fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 3, maxLength: 3 }),
      fc.array(step, { maxLength: 80 }),
      (first, concurrency, steps) => {
        const model = new Model(first, concurrency);
        const scheduler = createCallScheduler(() => model.limits);
        let fromQueue: Call[] = [];

        const enter = (tenant: number, provider: number): void => {
          const before = model.count("waiting", { tenant });
          const place = scheduler.enter(`t${tenant}`, `p${provider}`, concurrency[provider] ?? 1);
          if (typeof place === "string") {
            // A queue that was full for it: nobody of another provider waited for more than one call more.
            expect(before).toBeGreaterThanOrEqual(model.limits.queue);
            const own = model.count("waiting", { tenant, provider });
            for (const other of [0, 1, 2])
              expect(model.count("waiting", { tenant, provider: other })).toBeLessThanOrEqual(own + 1);
            return;
          }
          model.time += 1;
          const call = { place, tenant, provider, arrival: model.time };
          model.calls.add(call);
          // Of those who came before it for the same, nobody waits.
          if (place.state === "running") {
            expect(model.hasRoom(call, 1)).toBe(true);
            expect(model.count("waiting", { tenant, provider })).toBe(0);
          } else {
            expect(model.count("waiting", { tenant })).toBeLessThanOrEqual(
              Math.max(model.limits.queue, before),
            );
            if (before === 0) model.turns.set(tenant, model.time);
          }
          place.settled = (shortage) => {
            if (shortage === undefined) fromQueue.push(call);
            else {
              // Pushed out: it was the last of the longest.
              for (const other of model.calls)
                if (other.place.state === "waiting" && other.tenant === tenant && other.provider === provider)
                  expect(other.arrival).toBeLessThan(call.arrival);
            }
          };
        };

        /** Looks at what was granted, last first: what came later was not running when the one before was chosen. */
        const checkGrants = (): void => {
          for (const [position, call] of fromQueue.entries()) {
            const later = fromQueue.slice(position + 1);
            const waitsThen = (other: Call): boolean =>
              other.place.state === "waiting" || later.includes(other);
            for (const other of model.calls) {
              if (!waitsThen(other)) continue;
              if (other.tenant === call.tenant && other.provider === call.provider)
                expect(call.arrival).toBeLessThan(other.arrival);
            }
            // With one place at a time nothing else can have been free for whoever's turn it was.
            if (fromQueue.length === 1) {
              const waiting = [...model.calls].filter((other) => other.place.state === "waiting");
              for (const other of waiting) {
                const isTurnBefore =
                  (model.turns.get(other.tenant) ?? 0) < (model.turns.get(call.tenant) ?? 0);
                if (other.tenant !== call.tenant && isTurnBefore && other.provider === call.provider)
                  expect(couldHaveRun(other, call)).toBe(false);
              }
            }
            model.time += 1;
            model.turns.set(call.tenant, model.time);
          }
          fromQueue = [];
        };
        /** Whether `other` could have had the place that `call` got: as if that were not running. */
        const couldHaveRun = (other: Call, call: Call): boolean => {
          const { total, perTenant } = model.limits;
          const limit = concurrency[other.provider] ?? 1;
          const same = (of: Partial<Pick<Call, "tenant" | "provider">>): number =>
            model.count("running", of) -
            ((of.tenant ?? call.tenant) === call.tenant && (of.provider ?? call.provider) === call.provider
              ? 1
              : 0);
          const { tenant, provider } = other;
          return (
            same({}) < total &&
            same({ tenant }) < perTenant &&
            same({ tenant, provider }) <= 2 * (perTenant - same({ tenant })) &&
            same({ provider }) < limit &&
            same({ tenant, provider }) < Math.max(1, Math.ceil(limit * 0.75))
          );
        };

        for (const taken of steps) {
          if (taken.kind === "enter") enter(taken.tenant, taken.provider);
          else if (taken.kind === "change") {
            model.limits = taken.limits;
            // Seen by the next one that comes: this one goes at once.
            const next = scheduler.enter("nobody", "nothing", 1);
            if (typeof next !== "string") next.leave();
          } else {
            const call = [...model.calls][taken.which % Math.max(1, model.calls.size)];
            call?.place[taken.kind]();
          }
          checkGrants();
          for (const call of model.calls) {
            if (call.place.state === "over") model.calls.delete(call);
            else if (call.place.state === "waiting") expect(model.hasRoom(call)).toBe(false);
          }
        }
        // Nothing is left of those who have gone.
        for (const { place } of model.calls) place.leave();
        model.calls.clear();
        fromQueue = [];
        model.limits = { ...first, queue: 0 };
        const running = [0, 1, 2, 3].map((tenant) => scheduler.enter(`t${tenant}`, `own${tenant}`, 1));
        const entered = running.filter((place) => typeof place !== "string").length;
        expect(entered).toBe(Math.min(4, first.total));
      },
    ),
    { numRuns: 2_000 },
  );
});
