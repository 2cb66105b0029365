import { describe, expect, test } from "vitest";
import type { HttpBinding } from "../../../src/model/catalog.ts";
import type { Pagination } from "../../../src/model/config.ts";
import { Secret } from "../../../src/secret.ts";
import { binding, memberBody, parameter, wholeBody } from "./make-binding.ts";
import { answerOf, type Reply, runCall } from "./run-call.ts";

const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };

function pagination(next: Pagination["next"], changes: Partial<Pagination> = {}): Pagination {
  return {
    next,
    more: undefined,
    items: undefined,
    limitParameter: undefined,
    pageSize: undefined,
    maxPages: 10,
    place,
    ...changes,
  };
}

const inQuery = (name: string) => ({ name, in: "query" }) as const;
const cursor = pagination(
  { style: "cursor", parameter: inQuery("cursor"), cursor: ["next"] },
  { items: ["data"] },
);
const offset = pagination({ style: "offset", parameter: inQuery("offset") });
const page = pagination({ style: "page", parameter: inQuery("page"), firstPage: 1 });
const link = pagination({ style: "link", url: undefined });
const nextUrl = pagination({ style: "link", url: ["next"] }, { items: ["results"] });

function listing(...names: readonly string[]): HttpBinding {
  return binding(
    "/things",
    names.map((name) => parameter({ in: "query", name, argument: name })),
  );
}

function run(
  own: Pagination,
  replies: readonly Reply[],
  given: Readonly<Record<string, string | number>>,
  target = listing("cursor", "offset", "limit", "page", "q"),
) {
  return runCall({ binding: target, arguments: given, replies, provider: { pagination: own } });
}

test("an answer without a list says so, if several pages were asked for", async () => {
  const reply = { headers: { "content-type": "application/json" }, body: '{"items":[1]}' };
  const { result } = await run(cursor, [reply], { _max_pages: 3 });
  expect(result.notes).toEqual([
    "The answer has no list at `data`, so no further pages were asked for. Where the items are, `pagination.items` of the configuration says.",
  ]);
  expect((await run(cursor, [reply], {})).result.notes).toBeUndefined();
});

describe("one page", () => {
  const twoItems = '{"data":[{"id":12345678901234567890},2],"next":"c2"}';
  const json = { "content-type": "application/json" };

  test("passes byte for byte, with the way to the next", async () => {
    const { result } = await run(cursor, [{ headers: json, body: twoItems }], { q: "a" });
    expect(Buffer.from(result.body).toString()).toBe(twoItems);
    expect(result.pages).toEqual({
      pages: 1,
      items: 2,
      more: true,
      next: { cursor: "c2" },
      stopped: undefined,
    });
    expect(result.notes).toEqual([
      'The answer holds 2 items of 1 page. There is more. Call again with {"cursor":"c2"} for what follows, or with `_max_pages` (at most 10) for several pages at once.',
    ]);
  });

  test.each<[string, Pagination, Reply, object | undefined, boolean | undefined]>([
    ["the last cursor", cursor, { body: { data: [1], next: null } }, undefined, false],
    ["an empty cursor", cursor, { body: { data: [1], next: "" } }, undefined, false],
    ["a number as cursor", cursor, { body: { data: [1], next: 7 } }, { cursor: 7 }, true],
    [
      "no more",
      { ...cursor, more: ["has_more"] },
      { body: { data: [1], next: "c", has_more: false } },
      undefined,
      false,
    ],
    [
      "the last item's id",
      { ...cursor, next: { style: "cursor", parameter: inQuery("cursor"), cursor: ["data", "-1", "id"] } },
      { body: { data: [{ id: "a" }, { id: "b" }] } },
      { cursor: "b" },
      true,
    ],
    ["an offset", offset, { body: [1, 2] }, { offset: 2 }, undefined],
    ["an offset and no item", offset, { body: [] }, undefined, false],
    ["an offset and a short page", { ...offset, pageSize: 3 }, { body: [1, 2] }, undefined, false],
    ["a page", page, { body: [1, 2] }, { page: 2 }, undefined],
    [
      "pages from 0",
      { ...page, next: { style: "page", parameter: inQuery("page"), firstPage: 0 } },
      { body: [1] },
      { page: 1 },
      undefined,
    ],
    [
      "a link",
      link,
      { headers: { link: '<$BASE/v1/things?page=2&sort=%3E>; rel="next"' }, body: [1] },
      { page: "2" },
      true,
    ],
    ["no link", link, { headers: { link: '</v1/things?page=1>; rel="prev"' }, body: [1] }, undefined, false],
    ["a URL", nextUrl, { body: { results: [1], next: "/v1/things?cursor=x" } }, { cursor: "x" }, true],
    ["no list", cursor, { body: { error: "none" } }, undefined, undefined],
  ])("with %s", async (_what, own, reply, next, more) => {
    const { result } = await run(own, [reply], {});
    expect(result.pages?.next).toEqual(next);
    expect(result.pages?.more).toBe(more);
  });

  test("what cannot be followed is told", async () => {
    const { result } = await run(
      nextUrl,
      [{ body: { results: [1], next: "https://evil.example/v1/things" } }],
      {},
    );
    expect(result.pages).toMatchObject({ more: true, next: undefined });
    expect(result.notes?.[0]).toMatch(/its address \(https:\/\/evil\.example\) leads away from http:/);
  });

  test("a page size is sent where the caller gives none", async () => {
    const own = { ...offset, limitParameter: inQuery("limit"), pageSize: 50 };
    const first = await run(own, [{ body: [1] }], {});
    expect(first.requests[0]?.line).toBe("GET /v1/things?limit=50");
    const second = await run(own, [{ body: [1] }], { limit: 1 });
    expect(second.requests[0]?.line).toBe("GET /v1/things?limit=1");
    expect(second.result.pages?.next).toEqual({ offset: 1 });
  });
});

describe("several pages", () => {
  test("by cursor, with every digit, as the last page with all items", async () => {
    const json = { "content-type": "application/json" };
    const { result, requests } = await run(
      cursor,
      [
        { headers: json, body: '{"data":[12345678901234567890],"next":"a&b=c","total":3}' },
        { headers: json, body: '{"data":[2.50],"next":12345678901234567890,"total":3}' },
        { headers: json, body: '{"data":[3],"next":null,"total":3}' },
      ],
      { q: "x", _max_pages: 5 },
    );
    expect(requests.map(({ line }) => line)).toEqual([
      "GET /v1/things?q=x",
      "GET /v1/things?cursor=a%26b%3Dc&q=x",
      "GET /v1/things?cursor=12345678901234567890&q=x",
    ]);
    expect(Buffer.from(result.body).toString()).toBe(
      '{"data":[12345678901234567890,2.5,3],"next":null,"total":3}',
    );
    expect(result.pages).toMatchObject({ pages: 3, items: 3, more: false });
    expect(result.notes).toBeUndefined();
  });

  test("by offset, until a page is empty", async () => {
    const { result, requests } = await run(offset, [{ body: [1, 2] }, { body: [3] }, { body: [] }], {
      offset: 4,
      _max_pages: 9,
    });
    expect(requests.map(({ line }) => line)).toEqual([
      "GET /v1/things?offset=4",
      "GET /v1/things?offset=6",
      "GET /v1/things?offset=7",
    ]);
    expect(answerOf(result)).toEqual([1, 2, 3]);
    expect(result.pages).toMatchObject({ pages: 3, items: 3, more: false, stopped: undefined });
  });

  test("by page, until one is short", async () => {
    const own = { ...page, limitParameter: inQuery("limit"), pageSize: 2 };
    const { result, requests } = await run(own, [{ body: [1, 2] }, { body: [3] }], { _max_pages: 9 });
    expect(requests.map(({ line }) => line)).toEqual([
      "GET /v1/things?limit=2",
      "GET /v1/things?limit=2&page=2",
    ]);
    expect(answerOf(result)).toEqual([1, 2, 3]);
  });

  test("by link, with the credential and the same headers", async () => {
    const target = listing("page");
    const { result, requests } = await runCall({
      binding: { ...target, parameters: [...target.parameters, parameter({ in: "header", name: "x-a" })] },
      arguments: { "x-a": "1", _max_pages: 2 },
      replies: [
        { headers: { link: '<$BASE/v1/things?page=2&key=leaked>; rel="last next"' }, body: [1] },
        { headers: { link: "<$BASE/v1/things?page=3>; rel=next" }, body: [2] },
      ],
      provider: { pagination: link },
      credential: { headers: { authorization: new Secret("Bearer t") }, query: { key: new Secret("k") } },
    });
    expect(requests.map(({ line }) => line)).toEqual(["GET /v1/things?key=k", "GET /v1/things?page=2&key=k"]);
    expect(requests[1]?.headers).toMatchObject({ authorization: "Bearer t", "x-a": "1" });
    expect(answerOf(result)).toEqual([1, 2]);
    expect(result.pages).toMatchObject({ pages: 2, more: true, next: { page: "3" } });
  });

  test("by a member of the body, of a POST that only reads", async () => {
    const own = {
      ...cursor,
      next: { style: "cursor", parameter: { name: "after", in: "body" }, cursor: ["next"] },
    } as const;
    for (const body of [memberBody(["after", "q"]), wholeBody()]) {
      const given = body.source.kind === "members" ? { q: "x" } : { body: { q: "x" } };
      const { requests } = await runCall({
        binding: binding("/search", [], body),
        arguments: { ...given, _max_pages: 2 },
        replies: [{ body: { data: [1], next: ["k", 2] } }, { body: { data: [2] } }],
        provider: { pagination: own },
        readOnly: true,
      });
      expect(requests.map((request) => JSON.parse(request.body))).toEqual([
        { q: "x" },
        { q: "x", after: ["k", 2] },
      ]);
    }
  });

  test("take out what the response mapping names", async () => {
    const { result } = await runCall({
      binding: listing("cursor"),
      arguments: { _max_pages: 2 },
      replies: [{ body: { data: [1], next: "b" } }, { body: { data: [2] } }],
      provider: { pagination: { ...cursor, items: undefined }, responseMapping: { data: ["data"] } },
    });
    expect(answerOf(result)).toEqual([1, 2]);
  });

  test("are no more than the file allows", async () => {
    const { requests } = await run({ ...page, maxPages: 2 }, [{ body: [1] }], { _max_pages: 50 });
    expect(requests).toHaveLength(2);
  });
});

describe("what stands in the way of several pages is told, and what came is kept", () => {
  const first = { body: { data: [1], next: "b" } };

  test.each<[string, Reply, RegExp, object | undefined]>([
    ["a refusal", { status: 500, body: { a: 1 } }, /the upstream answered HTTP 500/, { cursor: "b" }],
    [
      "a refusal for a while",
      { status: 429, headers: { "retry-after": "900" }, body: {} },
      /HTTP 429 \(Retry-After: 900\)/,
      { cursor: "b" },
    ],
    ["another kind of answer", { body: "<html>" }, /has no list where the items/, { cursor: "b" }],
    ["an object", { body: { message: "x" } }, /has no list where the items/, { cursor: "b" }],
    [
      "the same cursor",
      { body: { data: [2], next: "b" } },
      /names the same page as the next one again/,
      undefined,
    ],
    ["an empty page", { body: { data: [], next: "c" } }, /the last page had no items/, { cursor: "c" }],
    ["a lost connection", (request) => request.socket.destroy(), /closed the connection/, { cursor: "b" }],
    ["an answer that is too large", { body: { data: ["x".repeat(3000)] } }, /more than/, { cursor: "b" }],
  ])("%s", async (_what, second, reason, next) => {
    const { result } = await runCall({
      binding: listing("cursor"),
      arguments: { _max_pages: 5 },
      replies: [first, second],
      provider: { pagination: cursor },
      options: { limits: { bytes: 2000, eventBytes: 2000, items: 100, sequenceMilliseconds: 1000 } },
    });
    expect(result.isError).toBe(false);
    expect(result.pages?.stopped).toMatch(reason);
    expect(result.pages?.next).toEqual(next);
    expect(result.notes?.[0]).toMatch(/What follows is missing\./);
    expect(JSON.stringify(answerOf(result))).toMatch(/^\{"data":\[1/);
  });

  test("as many items as one call takes", async () => {
    const { result, requests } = await runCall({
      binding: listing("page"),
      arguments: { _max_pages: 9 },
      replies: [{ body: [1, 2, 3] }],
      provider: { pagination: page },
      options: { limits: { bytes: 2000, eventBytes: 2000, items: 5, sequenceMilliseconds: 1000 } },
    });
    expect(requests).toHaveLength(2);
    expect(result.pages).toMatchObject({
      items: 6,
      next: { page: 3 },
      stopped: expect.stringMatching(/6 items|5 items/),
    });
  });

  test("the end of the call's time", async () => {
    const { result } = await runCall({
      binding: listing("cursor"),
      arguments: { _max_pages: 9 },
      replies: [first, () => {}],
      provider: { pagination: cursor },
      endsAt: 10_000,
    });
    expect(answerOf(result)).toEqual({ data: [1], next: "b" });
    expect(result.pages).toMatchObject({ stopped: "the time of the call is over", next: { cursor: "b" } });
  });

  test("a caller who leaves gets nothing", async () => {
    const leaving = new AbortController();
    const run = runCall({
      binding: listing("cursor"),
      arguments: { _max_pages: 9 },
      replies: [first, () => leaving.abort()],
      provider: { pagination: cursor },
      signal: leaving.signal,
    });
    await expect(run).rejects.toMatchObject({ code: "cancelled" });
  });
});

test("what may change something is not paginated", async () => {
  const { requests, result } = await runCall({
    binding: { ...listing("page"), method: "POST" },
    arguments: { _max_pages: 5 },
    replies: [{ body: [1] }],
    provider: { pagination: page },
  });
  expect(requests).toHaveLength(1);
  expect(result.pages).toBeUndefined();
});
