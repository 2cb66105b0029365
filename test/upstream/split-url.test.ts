import { describe, expect, test } from "vitest";
import { UrlSplitter } from "../../src/upstream/split-url.ts";

describe("UrlSplitter", () => {
  const splitter = new UrlSplitter();

  test.each([
    ["http://127.0.0.1./x", "127.0.0.1"],
    ["http://[::FFFF:127.0.0.1]:80/x", "[::ffff:7f00:1]"],
    ["http://A.Example.:80/x", "a.example"],
  ])("%s has the host %s, in its one spelling", (url, host) => {
    expect(splitter.split(url).canonicalHost).toBe(host);
  });

  test.each([
    ["http://a.example/x", "http://a.example", "a.example:80", "/x"],
    ["HTTPS://A.Example:8443/X?y#z", "https://a.example:8443", "a.example:8443", "/X?y"],
    ["http://[::1]:80/..;/%00", "http://[::1]", "[::1]:80", "/..;/%00"],
    ["http://127.1/", "http://127.0.0.1", "127.0.0.1:80", "/"],
    ["https://a.example?x=http://b.example/", "https://a.example", "a.example:443", "/?x=http://b.example/"],
    ["https://a.example#/x", "https://a.example", "a.example:443", "/"],
    ["http://a.example/\\b.example", "http://a.example", "a.example:80", "/\\b.example"],
  ])("%s", (url, origin, host, path) => {
    expect(splitter.split(url)).toMatchObject({ origin, host, path });
    // The second time comes from the cache.
    expect(splitter.split(url)).toMatchObject({ origin, host, path });
  });

  test.each([
    "",
    "/relative",
    "a.example/x",
    "ftp://a.example/",
    "file:///etc/passwd",
    "http:///x",
    "http://",
    "http://user:password@a.example/",
    "http://a.example\\@b.example/",
    "http://a.example\\.b.example/",
    "javascript://a.example/",
    "http://a b/",
  ])("%j is refused", (url) => {
    expect(() => splitter.split(url)).toThrow(expect.objectContaining({ code: "bad_request" }));
  });

  test("a password never shows in the message", () => {
    expect(() => splitter.split("http://user:hunter2@a.example/")).toThrow(
      "The URL of a.example holds a user name or password. Put them into a connection instead.",
    );
  });
});
