import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GatewayError } from "../src/errors.ts";
import { fillBaseUrl, fillUrl, hostOf } from "../src/fill-url.ts";

describe("a value takes its place", () => {
  test.each([
    ["https://{team}.example.com/api", "https://blue.example.com/api"],
    ["https://api-{team}.example.com", "https://api-blue.example.com"],
    ["https://example.com/{team}/v1", "https://example.com/blue/v1"],
    [
      "https://example.com:8443/x-{team}-{space}?a=b#c",
      "https://example.com:8443/x-blue-a%20b%21%C3%BC?a=b#c",
    ],
    ["https://{team}.münchen.example/", "https://blue.münchen.example/"],
    ["https://{team}.example.com/ü/{team}", "https://blue.example.com/ü/blue"],
    ["http://127.0.0.1:8080/{team}", "http://127.0.0.1:8080/blue"],
    ["http://[::1]:8080/{team}", "http://[::1]:8080/blue"],
    ["http://[::1]:8080/plain", "http://[::1]:8080/plain"],
    ["https://example.com/{Team}/{}/x", "https://example.com/{Team}/{}/x"],
    ["https://example.com/{Team}/{team}", "https://example.com/{Team}/blue"],
  ])("%s", (template, filled) => {
    expect(fillUrl(template, { team: "blue", space: "a b!ü" })).toBe(filled);
  });

  test("what has no braces is the same, whatever it is", () => {
    for (const url of ["https://user:pass@example.com/a/../b", "https://crm.example/a?b=c#d", "no URL"])
      expect(fillUrl(url, undefined)).toBe(url);
    const target = { baseUrl: "https://example.com" };
    expect(fillBaseUrl(target, { a: "b" })).toBe(target);
  });

  test("also in what holds an address among other things", () => {
    const target = { baseUrl: "https://{team}.example.com", method: "GET" };
    expect(fillBaseUrl(target, { team: "blue" })).toEqual({
      baseUrl: "https://blue.example.com",
      method: "GET",
    });
  });

  test("the host of an address can be told before", () => {
    expect(hostOf("https://{team}.example.com:8443/mcp")).toBe("{team}.example.com:8443");
    expect(hostOf("https://example.com/mcp")).toBe("example.com");
  });
});

describe("nothing is sent where a value", () => {
  test.each([
    ["is not there", "https://{team}.example.com", {}],
    ["is empty", "https://example.com/{team}", { team: "" }],
    ["is inherited", "https://example.com/{constructor}", {}],
    ["is called otherwise", "https://example.com/{team}", { Team: "blue" }],
    ["is more than a label", "https://{team}.example.com", { team: "a.b" }],
    ["is another host", "https://{team}.example.com", { team: "evil.example/" }],
    ["brings a port", "https://{team}.example.com", { team: "a:80" }],
    ["brings a user", "https://{team}.example.com", { team: "a@b" }],
    ["is encoded", "https://{team}.example.com", { team: "%61" }],
    ["is not ASCII", "https://{team}.example.com", { team: "ünder" }],
    ["has a hyphen at the end", "https://{team}.example.com", { team: "a-" }],
    ["has a hyphen at the start", "https://{team}.example.com", { team: "-a" }],
    ["has one at the end of the whole label", "https://a{team}.example.com", { team: "-" }],
    ["is too long for a label", "https://{team}.example.com", { team: "a".repeat(64) }],
    ["is too long with what is written", "https://api-{team}.example.com", { team: "a".repeat(60) }],
    ["is a number that is read as an address", "http://{team}/", { team: "2130706433" }],
    ["is a hexadecimal address", "http://{team}/", { team: "0x7f000001" }],
    ["makes a number of the host", "http://127.0.0.{team}/", { team: "01" }],
    ["is a dot segment", "https://example.com/a/{team}/b", { team: ".." }],
    ["is a single dot", "https://example.com/a/{team}/b", { team: "." }],
    ["is one with its surroundings", "https://example.com/.{team}/b", { team: "." }],
    ["is one with encoded surroundings", "https://example.com/%2e{team}/b", { team: "." }],
    ["hides one", "https://example.com/{team}", { team: "..%2f..%2fadmin" }],
    ["hides one twice", "https://example.com/{team}", { team: "%252e%252e" }],
    ["holds one", "https://example.com/{team}", { team: "x/../admin" }],
    ["is more than a segment", "https://example.com/{team}", { team: "a/b" }],
    ["hides one by backslashes", "https://example.com/{team}", { team: "..\\admin" }],
    ["is half a character", "https://example.com/{team}", { team: "\ud800" }],
    ["is very long", "https://example.com/{team}", { team: "a".repeat(501) }],
  ])("%s", (_name, template, params) => {
    expect(() => fillUrl(template, params)).toThrow(expect.objectContaining({ code: "bad_request" }));
  });

  test.each([
    "{scheme}://example.com",
    "https://example.com:{port}/",
    "https://{user}@example.com/",
    "https://{user}:x@example.com/",
    "http://[::{port}]/",
    "https://example.com/?team={user}",
    "https://example.com/#{user}",
    "{all}",
  ])("may not stand: %s", (template) => {
    const params = { scheme: "https", port: "80", user: "a", all: "https://example.com" };
    expect(() => fillUrl(template, params)).toThrow(expect.objectContaining({ code: "internal" }));
  });

  test("is refused, it is not quoted", () => {
    for (const template of ["https://{team}.example.com", "https://example.com/{team}"])
      expect(() => fillUrl(template, { team: "canary/.." })).toThrow(/^(?!.*canary).*Connect it again/);
  });
});

test("whatever the values are, everything that is written stays", () => {
  const value = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(..."./\\%2eEfF:@?#[]{}\u0000 \tab1-"), maxLength: 12 }),
    fc.constantFrom("..", "localhost", "127", "0x7f", "a", "xn--a", "x".repeat(63)),
  );
  const outcomes = { filled: 0, refused: 0 };
  fc.assert(
    fc.property(value, value, (host, segment) => {
      const template = "https://api-{host}.example.com:8443/v1/{segment}/x?fixed=1&q=2#end";
      let filled: string;
      try {
        filled = fillUrl(template, { host, segment });
      } catch (error) {
        expect(error).toBeInstanceOf(GatewayError);
        expect(error).toMatchObject({ code: "bad_request" });
        outcomes.refused += 1;
        return;
      }
      outcomes.filled += 1;
      const url = new URL(filled);
      expect([url.protocol, url.port, url.username, url.password, url.search, url.hash]).toEqual([
        "https:",
        "8443",
        "",
        "",
        "?fixed=1&q=2",
        "#end",
      ]);
      expect(url.hostname).toBe(`api-${host.toLowerCase()}.example.com`);
      const [, first, second, third, ...others] = url.pathname.split("/");
      expect([first, third, others]).toEqual(["v1", "x", []]);
      expect(decodeURIComponent(second ?? "")).toBe(segment);
    }),
    { numRuns: 2_000 },
  );
  expect(outcomes.refused).toBeGreaterThan(0);
  expect(outcomes.filled).toBeGreaterThan(0);
});

test("suitable values are not refused", () => {
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/);
  const segment = fc.string({ minLength: 1, maxLength: 40 }).filter((text) => !/^\.+$|[/\\%]/.test(text));
  fc.assert(
    fc.property(label, segment, (host, path) => {
      const url = new URL(fillUrl("https://x{host}.example.com/{path}", { host, path }));
      expect(url.hostname).toBe(`x${host}.example.com`);
      expect(decodeURIComponent(url.pathname.slice(1))).toBe(path);
    }),
  );
});
