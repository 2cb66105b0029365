import { expect, test } from "vitest";
import { parseAnswer } from "../../../src/providers/graphql/parse-answer.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("an answer is data or errors; nothing else is one", () => {
  expect(parseAnswer(bytes('{"data":{"a":1}}'))).toEqual({ data: { a: 1 } });
  expect(parseAnswer(bytes('{"errors":[]}'))).toEqual({ errors: [] });
  for (const text of ["", "[]", "{}", `{"data":${"[".repeat(1_000)}${"]".repeat(1_000)}}`])
    expect(parseAnswer(bytes(text))).toBeUndefined();
});

test("one that takes too long to read is refused, in words for the caller", () => {
  const members = Array.from({ length: 120_000 }, (_none, index) => `"n${index}":1`).join();
  expect(() => parseAnswer(bytes(`{"data":{${members}}}`))).toThrow(
    "The upstream's answer holds more values, or more different names, than the gateway reads at once. Ask for less, such as a smaller page or fewer fields.",
  );
});
