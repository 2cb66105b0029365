import { expect, test } from "vitest";
import { CallDeadline } from "../../../src/providers/mcp/call-deadline.ts";
import { until } from "./open-provider.ts";

const never = new AbortController().signal;

function pass(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

test("a call ends after a silence, and after its time in all", async () => {
  using silent = new CallDeadline(never, { idle: 10, longest: 60_000 }, "What now.");
  using long = new CallDeadline(never, { idle: 60_000, longest: 10 }, "What now.");
  await until(() => silent.signal.aborted && long.signal.aborted);
  expect(silent.signal.reason).toMatchObject({
    code: "timed_out",
    message: expect.stringContaining("What now."),
  });
});

test("while the client is being asked, neither counts", async () => {
  using deadline = new CallDeadline(never, { idle: 100, longest: 100 }, "");
  const answers = await Promise.all([
    deadline.hold(() => pass(300).then(() => "one")),
    deadline.hold(() => pass(400).then(() => "two")),
  ]);
  expect(answers).toEqual(["one", "two"]);
  expect(deadline.signal.aborted).toBe(false);
  await until(() => deadline.signal.aborted);
});

test("the time before a question is not given back", async () => {
  using deadline = new CallDeadline(never, { idle: 60_000, longest: 100 }, "");
  const rounds = async (): Promise<number> => {
    for (let round = 1; ; round++) {
      await pass(30);
      if (deadline.signal.aborted) return round;
      await deadline.hold(() => pass(1));
    }
  };
  expect(await rounds()).toBeLessThan(6);
});

test("a question that nobody answers fails, and the call goes on", async () => {
  using deadline = new CallDeadline(never, { idle: 60_000, longest: 60_000, question: 10 }, "");
  await expect(deadline.hold(() => new Promise(() => {}))).rejects.toMatchObject({
    code: "timed_out",
    message: expect.stringContaining("The client did not answer"),
  });
  expect(deadline.signal.aborted).toBe(false);
});

test("a question that is open when the call is over leaves no watch behind", async () => {
  let answer = (): void => {};
  const deadline = new CallDeadline(never, { idle: 10, longest: 10 }, "");
  const held = deadline.hold(() => new Promise<void>((resolve) => (answer = resolve)));
  deadline[Symbol.dispose]();
  answer();
  await held;
  await pass(50);
  expect(deadline.signal.aborted).toBe(false);
});
