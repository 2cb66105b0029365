import { describe, expect, test } from "vitest";
import { canonicalHost, classifyAddress, mayBePublic } from "../../src/upstream/classify-address.ts";
import { hosts } from "./hosts.ts";

const cases = Object.entries(hosts).flatMap(([kind, list]) => list.map((host) => [host, kind] as const));

describe("classifyAddress", () => {
  test.each(cases)("%j is %s", (host, kind) => {
    expect(classifyAddress(host)).toBe(kind);
    expect(mayBePublic(host)).toBe(kind === "public" || kind === "name");
  });
});

test.each([
  ["API.Example.com.", "api.example.com"],
  ["0x7f.1", "127.0.0.1"],
  ["::FFFF:10.0.0.1", "[::ffff:a00:1]"],
  ["[::1]", "[::1]"],
  ["fe80::1%eth0", "[fe80::1]"],
  ["example.com:80", undefined],
])("the one spelling of %j is %j", (host, canonical) => {
  expect(canonicalHost(host)).toBe(canonical);
});
