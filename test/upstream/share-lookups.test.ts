import type { LookupAddress } from "node:dns";
import { expect, test } from "vitest";
import { shareLookups } from "../../src/upstream/share-lookups.ts";

const loopback: readonly LookupAddress[] = [{ address: "127.0.0.1", family: 4 }];

function start() {
  const questions: {
    readonly name: string;
    readonly answer: PromiseWithResolvers<readonly LookupAddress[]>;
  }[] = [];
  const clock = { time: 0 };
  const lookup = shareLookups(
    (name) => {
      const answer = Promise.withResolvers<readonly LookupAddress[]>();
      questions.push({ name, answer });
      return answer.promise;
    },
    () => clock.time,
  );
  return { lookup, questions, clock };
}

test("who wants the same name at the same time shares one question", async () => {
  const { lookup, questions } = start();
  const all = [lookup("a.example"), lookup("a.example"), lookup("b.example")];
  expect(questions.map(({ name }) => name)).toEqual(["a.example", "b.example"]);
  for (const { answer } of questions) answer.resolve(loopback);
  expect(await Promise.all(all)).toEqual([loopback, loopback, loopback]);
});

test.each(["an answer", "a failure"])("%s is not kept", async (outcome) => {
  const { lookup, questions } = start();
  const first = lookup("a.example");
  if (outcome === "an answer") questions[0]?.answer.resolve(loopback);
  else questions[0]?.answer.reject(new Error("away"));
  await first.catch(() => undefined);
  void lookup("a.example");
  expect(questions).toHaveLength(2);
});

test.each([
  [4_999, 1],
  [5_000, 2],
])("after %i ms without an answer there are %i questions", async (passed, asked) => {
  const { lookup, questions, clock } = start();
  void lookup("a.example");
  clock.time = passed;
  void lookup("a.example");
  expect(questions).toHaveLength(asked);
});

test("a question that was given up does not take the next one with it when it ends", async () => {
  const { lookup, questions, clock } = start();
  const lost = lookup("a.example");
  clock.time = 5_000;
  const second = lookup("a.example");
  questions[0]?.answer.reject(new Error("late"));
  await lost.catch(() => undefined);
  expect(lookup("a.example")).toBe(second);
});
