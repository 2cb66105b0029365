import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { faults } from "./all-faults.ts";
import type { Expected, Fault, Outcome } from "./fault.ts";
import { type FaultStage, secret, startFaultStage } from "./fault-stage.ts";
import type { Memory } from "./gateway-process.ts";
import type { Kind } from "./wire.ts";

const mostMemory = 32 * 1024 * 1024;
/** Longer than the longest limit of these providers by far, for a machine that is busy. */
const mostMilliseconds = 40_000;
const atLeast = 40;

interface Cell {
  readonly name: string;
  readonly fault: Fault;
  readonly expected: Expected;
}

/** Shows every fault to a gateway whose upstream is of this kind, and then that it goes on as if nothing had been. */
export function testFaults(kind: Kind): void {
  const cells = faults.flatMap((fault): readonly Cell[] => {
    const expected = fault.expected[kind];
    return expected.kind === "absent" ? [] : [{ name: fault.name, fault, expected }];
  });
  const atOnce = cells.filter(({ fault }) => !fault.waits);
  const waiting = cells.filter(({ fault }) => fault.waits);
  // Tokens and keys are not asked for again in the moment after a failure.
  const healsLater = kind === "token endpoint" || kind === "JWKS";
  let stage: FaultStage;

  beforeAll(async () => {
    stage = await startFaultStage(kind, faults);
    // What comes with the first calls is not of the first fault.
    for (let count = 0; count < 20; count++) await stage.callOther();
  }, 120_000);
  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
  }, 120_000);

  const meet = async ({ fault }: Cell): Promise<Outcome> => {
    await stage.disturb(fault, false);
    return stage.call(fault);
  };
  /** Broken sessions with MCP servers are opened anew first. */
  const expectRecovery = async ({ fault }: Cell): Promise<void> => {
    await stage.disturb(fault, true);
    const isError = async (): Promise<boolean> => (await stage.call(fault, true)).isError;
    await expect.poll(isError, { timeout: mostMilliseconds, interval: 100 }).toBe(false);
  };

  test(`at least ${atLeast} behaviours are shown`, () => {
    expect(cells.length).toBeGreaterThanOrEqual(atLeast);
  });

  describe("an upstream that", () => {
    test.each(atOnce)("$name", async (cell) => {
      const begun = performance.now();
      const { result, memory } = await stage.gateway.watch(() => meet(cell));
      expect(performance.now() - begun).toBeLessThan(mostMilliseconds);
      check(result, cell.expected, kind);
      // When garbage is collected is for the machine to decide, what is needed is not: the least of a few runs tells.
      let most = tookOf(memory);
      for (let repeated = 0; most >= mostMemory && repeated < 3 && !healsLater; repeated++)
        most = Math.min(most, tookOf((await stage.gateway.watch(() => meet(cell))).memory));
      expect(most).toBeLessThan(mostMemory);
      expect((await stage.callOther()).text).toContain("ok");
      if (!healsLater) await expectRecovery(cell);
    });
  });

  describe("an upstream that keeps a call waiting and", () => {
    const outcomes = new Map<string, Outcome>();
    let memory: Memory;
    beforeAll(async () => {
      // All at once, as they do nothing but wait; each would take so much longer by itself.
      const watched = await stage.gateway.watch(() =>
        Promise.all(
          waiting.map(async (cell) => {
            const begun = performance.now();
            outcomes.set(cell.name, await meet(cell));
            expect(performance.now() - begun, cell.name).toBeLessThan(mostMilliseconds);
          }),
        ),
      );
      memory = watched.memory;
    });

    test.each(waiting)("$name", async (cell) => {
      const outcome = outcomes.get(cell.name);
      if (outcome === undefined) throw new Error("The call was not made.");
      check(outcome, cell.expected, kind);
      expect(tookOf(memory)).toBeLessThan(mostMemory);
      expect((await stage.callOther()).text).toContain("ok");
      if (!healsLater) await expectRecovery(cell);
    });
  });

  test.runIf(healsLater)("whatever went wrong, all is well once the upstreams are", async () => {
    stage.heal();
    for (const { fault } of cells) await stage.disturb(fault, true);
    // What asked to wait for thousands of years is asked again after five minutes.
    const patient = cells.filter(({ name }) => !/asks? to wait/.test(name));
    const calls = patient.map(async ({ fault, name }) => {
      const isError = async (): Promise<boolean> => (await stage.call(fault, true)).isError;
      await expect.poll(isError, { timeout: mostMilliseconds, interval: 500, message: name }).toBe(false);
    });
    await Promise.all(calls);
  });

  test("no line of the log holds a secret, or calls any of that a fault of the gateway", async () => {
    const log = await stage.gateway.log();
    expect(log.filter((line) => line.includes(secret) || /\b(?:RangeError|TypeError): /.test(line))).toEqual(
      [],
    );
  });
}

/** Bytes of resident memory, at the most. */
function tookOf({ before, most }: Memory): number {
  return most - before;
}

function check(outcome: Outcome, expected: Expected, kind: Kind): void {
  const { code, isError, text } = outcome;
  const shown = text.slice(0, 1_500);
  expect(["internal", "-32603"], shown).not.toContain(code);
  expect(text).not.toContain(secret);
  expect(shown).not.toMatch(/\b(?:src|node_modules)\/\S+\.(?:ts|js):\d+|RangeError|Maximum call/);
  if (expected.kind === "error") {
    expect({ isError, code }, shown).toEqual({ isError: true, code: codeFor(kind, expected.code, code) });
    expect(shown, shown).toMatch(expected.says);
    // Whoever reads it knows where to look.
    expect(shown).toMatch(/127\.0\.0\.1:\d+|[Pp]rovider|upstream|MCP server|`limits\./);
    return;
  }
  expect({ isError, code }, shown).toEqual({ isError: expected.kind === "refusal", code: "" });
  if (expected.kind === "harmless") expect(text).toContain(kind === "JWKS" ? "other" : "ok");
  else expect(text, shown).toMatch(expected.says);
}

/** Tokens and keys are no calls: what went wrong with them is said in the words of those who wanted them. */
function codeFor(kind: Kind, code: string, actual: string): string {
  if (kind === "token endpoint") return "upstream_failed";
  if (kind === "JWKS") return "store_unavailable";
  // A session with the server may be known to be gone already.
  return kind.startsWith("MCP") && actual === "provider_unavailable" ? actual : code;
}
