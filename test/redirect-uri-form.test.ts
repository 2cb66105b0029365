import { describe, expect, test } from "vitest";
import {
  longestRedirectUri,
  problemOfRedirectScheme,
  problemOfRedirectUri,
} from "../src/redirect-uri-form.ts";

const schemes = ["cursor", "vscode", "com.raycast"];
const problemOf = (uri: string) => problemOfRedirectUri(uri, schemes);

describe("a redirect URI", () => {
  test.each([
    "https://claude.ai/api/mcp/auth_callback",
    "https://vscode.dev/redirect",
    "https://app.example.com",
    "https://app.example.com:8443/callback?from=gateway&next=%2Fhome",
    "https://xn--bcher-kva.example/callback",
    "https://203.0.113.9/callback",
    "https://intranet/callback",
    "http://127.0.0.1",
    "http://127.0.0.1/",
    "http://127.0.0.1:33418/",
    "http://localhost:8787/callback",
    "http://[::1]:49152/callback",
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "vscode://saoudrizwan.claude-dev/mcp-auth/callback/123",
    "com.raycast:/oauth?package_name=Extension",
    `https://app.example.com/${"x".repeat(longestRedirectUri - 24)}`,
  ])("may be %s", (uri) => {
    expect(problemOf(uri)).toBeUndefined();
  });

  test.each([
    ["empty", ""],
    ["longer than anybody needs", `https://app.example.com/${"x".repeat(longestRedirectUri)}`],
    ["relative", "/callback"],
    ["without a scheme", "//app.example.com/callback"],
    ["without a host", "https:///callback"],
    ["without slashes", "https:app.example.com"],
    ["with one slash", "https:/app.example.com"],
    ["with a third slash", "https:///app.example.com/"],
    ["with a fragment", "https://app.example.com/#callback"],
    ["with an empty fragment", "https://app.example.com/#"],
    ["with a user", "https://app.example.com@evil.example/"],
    ["with a user and a password", "https://a:b@app.example.com/"],
    ["with an encoded user", "https://app.example.com%40evil.example/"],
    ["with a backslash for a slash", "https://app.example.com\\@evil.example/"],
    ["with a wildcard host", "https://*.example.com/"],
    ["with a wildcard path", "https://app.example.com/*"],
    ["with two dots", "https://app.example.com/callback/../other"],
    ["with a dot", "https://app.example.com/./callback"],
    ["with encoded dots", "https://app.example.com/%2e%2E/other"],
    ["with an encoded slash", "https://app.example.com/a%2Fb"],
    ["with an encoded backslash", "https://app.example.com/a%5cb"],
    ["with two slashes in a row", "https://app.example.com//evil.example"],
    ["with a space", "https://app.example.com/call back"],
    ["with a line end", "https://app.example.com/\r\nx"],
    ["with a tab that parsers drop", "java\tscript:alert(1)"],
    ["with an encoded line end", "https://app.example.com/%0d%0aSet-Cookie"],
    ["with an encoded NUL", "https://app.example.com/%00"],
    ["with half an encoding", "https://app.example.com/%2"],
    ["with a brace", "https://app.example.com/{path}"],
    ["with letters beyond ASCII", "https://аpp.example.com/"],
    ["with a full-width digit", "http://１27.0.0.1/"],
    ["with capital letters in its host", "https://App.example.com/"],
    ["with a capital scheme", "HTTPS://app.example.com/"],
    ["with a dot behind its host", "https://app.example.com./"],
    ["with an empty label", "https://app..example.com/"],
    ["with a comma in its host", "https://app.example.com,evil.example/"],
    ["with a semicolon in its host", "https://app.example.com;evil.example/"],
    ["with an empty port", "https://app.example.com:/"],
    ["with port 0", "https://app.example.com:0/"],
    ["with a port beyond 65535", "https://app.example.com:65536/"],
    ["over http to another machine", "http://app.example.com/callback"],
    ["over http to a name that begins like loopback", "http://localhost.example.com/callback"],
    ["over http to a name that begins like its address", "http://127.0.0.1.example.com/callback"],
    ["over http to a subdomain of localhost", "http://app.localhost/callback"],
    ["over http to all interfaces", "http://0.0.0.0/callback"],
    ["over http to another loopback address", "http://127.0.0.2/callback"],
    ["over http to a short form of it", "http://127.1/callback"],
    ["over http to a hexadecimal form of it", "http://0x7f.0.0.1/callback"],
    ["over http to a number", "http://2130706433/callback"],
    ["over http to an IPv4 address in IPv6", "http://[::ffff:127.0.0.1]/callback"],
    ["over http to a long form of ::1", "http://[0:0:0:0:0:0:0:1]/callback"],
    ["of a scheme that nobody allowed", "zed://callback"],
    ["of a scheme that only begins like an allowed one", "cursor-evil://callback"],
    ["of an allowed scheme in capital letters", "Cursor://callback/x"],
    ["of an allowed scheme that names nothing", "cursor://"],
    ["a command of a program", "vscode:mcp/install"],
    ["an allowed scheme with a user", "cursor://user@callback/x"],
    ["javascript", "javascript:alert(1)"],
    ["javascript that looks like a URL", "javascript://app.example.com/%0aalert(1)"],
    ["data", "data:text/html,x"],
    ["a file", "file:///etc/passwd"],
    ["a blob", "blob:https://app.example.com/x"],
    ["a page out of band", "urn:ietf:wg:oauth:2.0:oob"],
  ])("may not be %s", (_name, uri) => {
    const problem = problemOf(uri);
    expect(problem).toMatch(/\.$/);
    // What RFC 6749, section 5.2 allows in an error_description.
    expect(problem).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
    expect(problem?.length).toBeLessThan(300);
  });

  test("a scheme is refused by what an operator would have to do, unless nobody may have it", () => {
    expect(problemOf("zed://callback")).toContain("auth.authorization_server.redirect_schemes");
    expect(problemOfRedirectUri("javascript:alert(1)", ["javascript"])).toContain("can't have the scheme");
  });
});

describe("a scheme of redirect URIs", () => {
  test.each(["cursor", "vscode-insiders", "com.example.app", "x+y"])("may be %s", (scheme) => {
    expect(problemOfRedirectScheme(scheme)).toBeUndefined();
  });

  test.each([
    "",
    "Cursor",
    "cursor:",
    "cursor://",
    "1x",
    "a b",
    "http",
    "https",
    "javascript",
    "data",
    "file",
    "ws",
  ])("may not be `%s`", (scheme) => {
    expect(problemOfRedirectScheme(scheme)).toMatch(/\.$/);
  });
});
