import fc from "fast-check";
import { expect, test } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import type { HttpBinding } from "../../../src/model/catalog.ts";
import type { Pagination } from "../../../src/model/config.ts";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import { bindRequest } from "../../../src/providers/http/bind-request.ts";
import { findNextPage } from "../../../src/providers/http/next-page.ts";
import { binding, memberBody, parameter } from "./make-binding.ts";

fc.configureGlobal({ seed: 20_261_120, numRuns: 1000 });

/** What an upstream that wants the credential, or another endpoint, might say. */
const hostile = fc.oneof(
  fc.constantFrom(
    "https://evil.example/v1/c",
    "//evil.example/v1/c",
    "\\\\evil.example\\v1\\c",
    "https://api.example.com@evil.example/v1/c",
    "https://user:pass@api.example.com/v1/c",
    "https://api.example.com:8443/v1/c",
    "http://api.example.com/v1/c",
    "https://api.example.com/v10/c",
    "https://api.example.com/admin",
    "/v1/../admin",
    "/v1/%2e%2e/admin",
    "/v1/%252e%252e%252fadmin",
    "/v1/..%2fadmin",
    "/v1/..\\admin",
    "../../admin",
    "?page=2\r\nX-Evil: 1",
    "a\r\nX-Evil: 1",
    "a&admin=true",
    "a#b",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "\0",
    "\ud800",
    "__proto__",
    "",
    " ",
    "?page=2",
    "/v1/c?page=3",
    "https://api.example.com/v1/c?page=4",
    "x".repeat(10_000),
  ),
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc.string({ unit: "binary" }),
);
const anything = fc.oneof(
  hostile,
  // fast-check's JSON values are JSON values.
  fc.jsonValue().map((value) => value as JsonValue),
);

function paginated(next: Pagination["next"], target: HttpBinding) {
  const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };
  const pagination: Pagination = {
    next,
    more: ["more"],
    items: ["items"],
    limitParameter: undefined,
    pageSize: undefined,
    maxPages: 10,
    place,
  };
  return { binding: target, pagination, inputSchema: { type: "object", properties: {} } };
}

const query = binding("/c", [
  parameter({ in: "query", name: "page", argument: "page" }),
  parameter({ in: "query", name: "list", argument: "list", style: "deepObject" }),
]);
const start = bindRequest(query, { page: "1" }).url;
const own = { items: [1], arguments: { page: "1" }, url: start };

test.each([
  ["the query", query, "query"],
  ["the body", binding("/c", [], memberBody(["page"])), "body"],
] as const)("a cursor from the upstream stays a value in %s", (_where, target, location) => {
  const operation = paginated(
    { style: "cursor", parameter: { name: "page", in: location }, cursor: ["next"] },
    target,
  );
  fc.assert(
    fc.property(anything, fc.option(anything), (cursor, more) => {
      const next = findNextPage(operation, { ...own, answer: { next: cursor, more }, headers: {} });
      if (next.kind !== "arguments") return;
      expect(Object.keys(next.changed)).toEqual(["page"]);
      const bound = bindRequest(target, { ...own.arguments, ...next.changed });
      const url = new URL(bound.url);
      expect(`${url.origin}${url.pathname}`).toBe("https://api.example.com/v1/c");
      expect(bound.url).not.toMatch(/[\r\n\0#\\ ]/);
      if (location === "query") expect([...url.searchParams.keys()]).toEqual(["page"]);
      else expect(url.search).toBe("");
      expect(Object.keys(bound.headers)).toEqual(
        location === "query" ? ["accept"] : ["accept", "content-type"],
      );
    }),
  );
});

test.each(["header", "body"] as const)("an address in the %s of an answer leads nowhere else", (where) => {
  const operation = paginated({ style: "link", url: where === "body" ? ["next"] : undefined }, query);
  fc.assert(
    fc.property(hostile, (written) => {
      const answer: JsonObject = where === "body" ? { next: written } : {};
      const headers: Record<string, string> = where === "header" ? { link: `<${written}>; rel="next"` } : {};
      let next: ReturnType<typeof findNextPage>;
      try {
        next = findNextPage(operation, { ...own, answer, headers });
      } catch (error) {
        expect(error).toBeInstanceOf(GatewayError);
        return;
      }
      if (next.kind !== "address") return;
      const url = new URL(next.url);
      expect(url.origin).toBe("https://api.example.com");
      expect(`${url.pathname}/`).toMatch(/^\/v1\//);
      expect(
        decodeURIComponent(url.pathname.replace(/%(?![0-9a-f]{2})/gi, "%25")).split(/[/\\]/),
      ).not.toContain("..");
      expect([url.username, url.password, url.hash]).toEqual(["", "", ""]);
      expect(next.url).not.toMatch(/[\r\n\0#\\ ]/);
      for (const name of Object.keys(next.changed)) expect(["page", "list"]).toContain(name);
    }),
  );
});

test("the addresses of the API itself are followed", () => {
  const operation = paginated({ style: "link", url: ["next"] }, query);
  const follow = (next: string) => findNextPage(operation, { ...own, answer: { next }, headers: {} });
  for (const written of ["?page=2", "/v1/c?page=2", "c?page=2", "https://api.example.com/v1/c?page=2#top"]) {
    expect(follow(written)).toEqual({
      kind: "address",
      url: "https://api.example.com/v1/c?page=2",
      changed: { page: "2" },
    });
  }
});
