import { describe, expect, test } from "vitest";
import { didYouMean } from "../src/did-you-mean.ts";

const keys = ["connection", "connections", "document", "base_url", "url", "in", "name", "mode"];

describe("did you mean", () => {
  test.each([
    ["conection", "connection"],
    ["conections", "connections"],
    ["baseUrl", "base_url"],
    ["base-url", "base_url"],
    ["BASE_URL", "base_url"],
    ["documnet", "document"],
    ["docment", "document"],
    ["nmae", "name"],
    ["ulr", "url"],
  ])("%s → %s", (word, expected) => {
    expect(didYouMean(word, keys)).toBe(expected);
  });

  test.each(["id", "on", "mad", "totally", "", "con", "x".repeat(100)])("nothing is sure for %s", (word) => {
    expect(didYouMean(word, keys)).toBeUndefined();
  });

  test("two candidates that are as near are none", () => {
    expect(didYouMean("mame", ["name", "mode", "game"])).toBeUndefined();
  });
});
