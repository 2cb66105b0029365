import { describe, expect, test } from "vitest";
import { describeRedirectUri } from "../../src/authorization-server/describe-client.ts";
import { allowsRedirect } from "../../src/authorization-server/redirect-uri.ts";

describe("where codes may go", () => {
  test.each([
    ["https://app.example/cb", "https://app.example/cb"],
    ["http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"],
    ["http://127.0.0.1:1234/cb", "http://127.0.0.1/cb"],
    ["http://127.0.0.1:1234/cb", "http://127.0.0.1:65535/cb"],
    ["http://[::1]/cb", "http://[::1]:1/cb"],
    ["http://localhost:3000/cb?a=1", "http://localhost:4000/cb?a=1"],
    ["http://localhost", "http://localhost:80"],
    ["cursor://anysphere.cursor-mcp/oauth/callback", "cursor://anysphere.cursor-mcp/oauth/callback"],
  ])("%s takes %s", (registered, asked) => {
    expect(allowsRedirect([registered], asked)).toBe(true);
  });

  test.each([
    ["http://localhost/cb", "http://127.0.0.1:1/cb"],
    ["http://127.0.0.1/cb", "http://[::1]:1/cb"],
    ["http://127.0.0.1/cb", "http://127.0.0.1:0/cb"],
    ["http://127.0.0.1/cb", "http://127.0.0.1:65536/cb"],
    ["http://127.0.0.1/cb", "http://127.0.0.1:080/cb"],
    ["http://127.0.0.1/cb", "http://127.0.0.1:/cb"],
    ["http://127.0.0.1/cb", "http://127.0.0.1:1/cb/"],
    ["http://127.0.0.1/cb", "https://127.0.0.1/cb"],
    ["http://127.0.0.1", "http://127.0.0.1:8080/"],
    ["http://127.0.0.1/cb", "http://127.0.0.1:1@evil.example/cb"],
    ["http://127.0.0.1/cb", "http://127.0.0.1.nip.io/cb"],
    ["https://localhost/cb", "https://localhost:8443/cb"],
    ["https://app.example/cb", "https://app.example:443/cb"],
    ["https://app.example/cb", "https://app.example/cb?x"],
  ])("%s does not take %s", (registered, asked) => {
    expect(allowsRedirect([registered], asked)).toBe(false);
  });
});

describe("what is said of one that is not allowed", () => {
  const said = (redirectUris: readonly string[], uri: string, kind: "static" | "registered" = "registered") =>
    describeRedirectUri({ id: "ide", kind, redirectUris }, uri, []);

  test.each([
    ["https://app.example/cb", "https://app.example/cb/", "the request has a slash more at the end"],
    ["https://app.example/cb/", "https://app.example/cb", "the request has a slash less at the end"],
    ["https://app.example/Cb", "https://app.example/cb", "capital and small letters are not the same"],
    ["http://127.0.0.1/cb", "http://localhost:1/cb", "localhost and 127.0.0.1 are two hosts"],
    ["https://app.example/cb", "https://app.example:8443/cb", "they differ in the port"],
    ["https://app.example/cb?a=1&b=2", "https://app.example/cb?b=2&a=1", "they differ in the query"],
    ["https://app.example/cb", "https://evil.example/x", "they differ in the host and the path"],
  ])("%s and %s", (registered, asked, what) => {
    const text = said(["https://elsewhere.example/a/long/way?off", registered], asked);
    expect(text).toContain(what);
    expect(text).toContain(registered);
    expect(text).toContain("Let the client register again");
  });

  test("what the operator has written into the file is not told", () => {
    const text = said(["https://intern.example/cb"], "https://app.example/cb", "static");
    expect(text).not.toContain("intern.example");
    expect(text).toContain("auth.authorization_server.clients.ide.redirect_uris");
  });

  test("nor anything that breaks out of a description", () => {
    const text = said(["https://app.example/cb"], `https://app.example/"\\\r\n<script>${"é".repeat(3_000)}`);
    expect(text).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
    expect(text.length).toBeLessThan(1_000);
  });
});
