import fc from "fast-check";
import { expect, test } from "vitest";
import { openKeeping } from "./keeping.ts";
import { accessTokenOf, referenceOf } from "./refreshing.ts";
import type { Behaviour } from "./rotating-issuer.ts";

const users = ["ada", "bob", "cy"];
/** After the first two the server has rotated and nobody knows of it. */
const behaviours: readonly Behaviour[] = [
  { kind: "answer_lost" },
  { kind: "garbage" },
  { kind: "reset" },
  { kind: "status", status: 503 },
  { kind: "error", status: 401, code: "invalid_client" },
  { kind: "late", milliseconds: 30 },
  { kind: "keep" },
  { kind: "no_expiry" },
];
const expected = ["reconnect_required", "upstream_failed", "store_unavailable"];

const user = fc.constantFrom(...users);
const keeper = fc.constantFrom(0, 1);
const action = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant("obtain" as const), user, keeper }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("renew" as const), user, keeper }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("connect" as const), user }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("disconnect" as const), user }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("touch" as const), user }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("fault" as const), keeper }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("behave" as const), behaviour: fc.constantFrom(...behaviours) }),
  },
);
/** What happens at once, and how much time passes after it. */
const rounds = fc.array(
  fc.record({
    actions: fc.array(action, { minLength: 1, maxLength: 12 }),
    passed: fc.constantFrom(0, 1_000, 60_000, 3_590_000, 3_600_000),
  }),
  { minLength: 5, maxLength: 15 },
);

test("whatever comes together: nobody gets another's token, and only lost answers cost grants", {
  timeout: 240_000,
}, async () => {
  const total = { tokens: 0, refreshes: 0, lost: 0, reuses: 0 };
  await fc.assert(
    fc.asyncProperty(rounds, fc.boolean(), async (script, isLossy) => {
      const keeping = await openKeeping({ lease: 4_000, patience: 20_000 });
      try {
        const other = await keeping.another();
        const keepers = [keeping, other];
        const lost = { answers: 0 };
        for (const name of users) await keeping.connect(name);

        const use = async (name: string, index: number, isRefused: boolean): Promise<void> => {
          const each = keepers[index]?.keeper ?? keeping.keeper;
          const signal = AbortSignal.timeout(30_000);
          try {
            let credential = await each.obtain(referenceOf(name), signal);
            if (isRefused && credential !== undefined) {
              const refusal = { status: 401, challenge: undefined } as const;
              credential = await each.renew(referenceOf(name), credential.version, refusal, signal);
            }
            if (credential === undefined) return;
            total.tokens += 1;
            expect(keeping.issuer.userOf(accessTokenOf(credential))).toBe(name);
            each.accepted(referenceOf(name));
          } catch (error) {
            expect(expected, String(error)).toContain(codeOf(error));
          }
        };
        const write = async (what: () => Promise<unknown>): Promise<void> => {
          try {
            await what();
          } catch (error) {
            expect(["conflict", "store_unavailable"], String(error)).toContain(codeOf(error));
          }
        };

        for (const { actions, passed } of script) {
          const happening = actions.map(async (each) => {
            switch (each.kind) {
              case "obtain":
              case "renew":
                return use(each.user, each.keeper, each.kind === "renew");
              case "connect":
                return write(() => keeping.connect(each.user));
              case "disconnect":
                return write(async () => {
                  const stored = await keeping.stored(each.user);
                  if (stored !== undefined) await keeping.credentials.remove(stored);
                });
              case "touch":
                return write(async () => {
                  const stored = await keeping.stored(each.user);
                  if (stored === undefined) return;
                  const facts = { ...stored, params: { n: String(Math.random()) } };
                  await keeping.credentials.put(referenceOf(each.user), facts, stored, false);
                });
              case "fault": {
                const { fault } = keepers[each.keeper] ?? keeping;
                fault.fails = "writes";
                await new Promise((resolve) => setTimeout(resolve, 20));
                fault.fails = "nothing";
                return;
              }
              case "behave":
                if (["answer_lost", "garbage"].includes(each.behaviour.kind)) {
                  if (!isLossy) return;
                  lost.answers += 1;
                }
                keeping.issuer.next(each.behaviour);
            }
          });
          await Promise.all(happening);
          keeping.now += passed;
        }

        await Promise.all(keepers.map((each) => each.keeper.close()));
        const { counts } = keeping.issuer;
        total.refreshes += counts.refreshes;
        total.reuses += counts.reuses;
        total.lost += lost.answers;
        expect(counts.reuses).toBeLessThanOrEqual(lost.answers);
        for (const name of users) {
          const stored = await keeping.stored(name);
          if (stored === undefined) continue;
          expect(keeping.issuer.userOf(accessTokenOf(stored))).toBe(name);
          if (lost.answers > 0) continue;
          // The refusals of upstreams are made up, and may hit a token that is new.
          const { state } = stored;
          if (state.kind === "reconnect_required") expect(state.reason).toContain("The upstream refused");
          expect(keeping.issuer.isCurrent(stored.secrets["refresh_token"]?.reveal() ?? ""), name).toBe(true);
        }
      } finally {
        await keeping.close();
      }
    }),
    { numRuns: 20, endOnFailure: true },
  );
  process.stdout.write(`${JSON.stringify(total)}\n`);
});

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : error;
}
