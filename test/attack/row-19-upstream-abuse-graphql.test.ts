import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asObject } from "../../src/json-object.ts";
import { roomForCalls } from "../limits.ts";
import { measureSlices } from "./slices.ts";
import { callApi, callModern, readMcp, type System, startSystem } from "./system.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

const sdl = `
  type Query { go(name: String): Item plain(name: String): String }
  union Item = A | B
  type A { id: ID extent: Int B_extent: String any: Any }
  type B { id: ID extent: String any: Any }
  scalar Any
`;

const json = "application/json";
const graphqlJson = "application/graphql-response+json";
const mebibyte = 1024 * 1024;
const secret = "canary-of-the-server";
const deep = (levels: number, open: string, inner: string, close: string): string =>
  open.repeat(levels) + inner + close.repeat(levels);
const many = (count: number, make: (index: number) => string): string =>
  Array.from({ length: count }, (_none, index) => make(index)).join();
const item = (members: string): string => `{"data":{"go":{"__typename":"A",${members}}}}`;
const failed = (error: string): string => `{"data":{"go":null},"errors":[${error}]}`;
const traced = (members: string): string => failed(`{"message":"m","extensions":{"code":"C",${members}}}`);

/** Answers that give the server away if they are passed on as they are. */
const telling: Readonly<Record<string, string>> = {
  "a stack trace as lines": traced(`"stacktrace":["${secret}"]`),
  "a stack trace as text": traced(`"stackTrace":"${secret}"`),
  "a stack trace in capitals": traced(`"STACKTRACE":"${secret}"`),
  "a trace of objects": traced(`"trace":[{"file":"${secret}"}]`),
  "a debugging message": traced(`"debugMessage":"${secret}"`),
  "an exception with a trace": traced(`"exception":{"name":"E","stack_trace":"${secret}"}`),
  "a statement of the database": traced(`"internal":{"statement":"${secret}","arguments":["${secret}"]}`),
  "a trace beside the extensions": failed(`{"message":"m","stack":"${secret}"}`),
  "a trace eight lists deep": traced(`"more":${deep(8, "[", `{"backtrace":"${secret}"}`, "]")}`),
  "a trace 300 objects deep": traced(`"more":${deep(300, '{"a":', `{"stack":"${secret}"}`, "}")}`),
  "a trace in the message": failed(`{"message":"m\\n    at run (/srv/${secret}.js:1:2)"}`),
  "a trace in the message, with tabs": failed(`{"message":"m\\n\\tat com.example.${secret}(A.java:5)"}`),
  "a trace in the message, of Python": failed(
    `{"message":"m\\nTraceback (most recent call last):\\n  File \\"/${secret}.py\\", line 2, in f\\n    ${secret}()"}`,
  ),
  "a trace beside data": `{"data":{"go":{"__typename":"A","id":"1"}},"errors":[{"message":"m","extensions":{"stack":"${secret}"}}]}`,
  "a trace in the second error": failed(`{"message":"m"},{"message":"n","extensions":{"trace":"${secret}"}}`),
};

const answers: Readonly<Record<string, string>> = {
  "3,000,000 errors": `{"errors":[${many(3_000_000, () => "{}")}]}`,
  "100,000 errors with texts": failed(many(100_000, (index) => `{"message":"${index}","path":["go"]}`)),
  "an error of 9 MB": failed(`{"message":"${"m".repeat(9_000_000)}"}`),
  "an error of a million lines": failed(`{"message":"${"m\\n at ".repeat(1_000_000)}"}`),
  "an error of a million blanks": failed(
    `{"message":"m\\n${" ".repeat(3_000_000)}\\n${"\\t".repeat(500_000)}"}`,
  ),
  "errors that are an object": '{"data":{"go":null},"errors":{"message":"m"}}',
  "errors that are a text": '{"data":{"go":null},"errors":"m"}',
  "errors that are none": '{"data":{"go":null},"errors":[]}',
  "errors of every type": failed('null,1,"x",[],{"message":{}},{"extensions":5},{"path":"x"},[[[]]]'),
  "data that is a list": '{"data":[]}',
  "data that is a number": '{"data":5}',
  "data that is a text": '{"data":"x"}',
  "neither data nor errors": '{"extensions":{"a":1}}',
  "a batch": '[{"data":{"go":null}},{"data":{"go":null}}]',
  "data of other fields": '{"data":{"other":{"secret":1}}}',
  "another type": '{"data":{"go":{"__typename":"Nothing","x":1}}}',
  "a list in place of an object": '{"data":{"go":[[[{"B_extent_":"1"}]]]}}',
  "names of the prototype": item(
    '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"any":{"__proto__":{"polluted":1}}',
  ),
  "an alias and the field that it stands for": item('"B_extent_":"alias","extent":"field","B_extent":"own"'),
  "aliases inside of any": item('"any":{"B_extent_":1,"B_extent":2}'),
  "500,000 members": item(`"any":{${many(500_000, (index) => `"m${index}":1`)}}`),
  "1,000,000 items": item(`"any":[${many(1_000_000, () => "0")}]`),
  "100,000 members of one name": item(many(100_000, (index) => `"id":${index}`)),
  "a number of a million digits": item(`"any":${"9".repeat(1_000_000)}`),
  "100,000 long numbers": item(`"any":[${many(100_000, () => "12345678901234567890")}]`),
  "400 levels": item(`"any":${deep(400, "[", "1", "]")}`),
  "5,000 levels": item(`"any":${deep(5_000, '{"a":', "1", "}")}`),
  "1,000,000 levels": item(`"any":${deep(1_000_000, "[", "1", "]")}`),
  "1,000,000 levels without an end": item(`"any":${"[".repeat(1_000_000)}`),
  "100,000 levels of errors": failed(deep(100_000, "[", "", "]")),
  "lone surrogates": item('"id":"\\ud800"'),
  "control characters": failed('{"message":"\\u0000\\u001b[2J\\u202e"}'),
  "9 MB of blanks": `${" ".repeat(9_000_000)}${item('"id":"1"')}`,
  "more after the end": `${item('"id":"1"')}{"data":{"go":{"id":"2"}}}`,
  "a byte order mark": `\ufeff${item('"id":"1"')}`,
  comments: `/* x */${item('"id":"1"')}`,
  "20 MB": item(`"id":"${"x".repeat(20_000_000)}"`),
  ...telling,
};

const types: Readonly<Record<string, readonly [type: string | undefined, body: string]>> = {
  "no content type": [undefined, item('"id":"1"')],
  "an empty content type": ["", item('"id":"1"')],
  "text/html": ["text/html", item('"id":"1"')],
  "text/plain in another charset": ["text/plain; charset=utf-16", item('"id":"1"')],
  "a page called GraphQL": [graphqlJson, `<html><!-- ${"x".repeat(1_000)} --></html>`],
  "an image called GraphQL": [graphqlJson, "\x89PNG\r\n\x1a\n"],
  "incremental delivery": [
    'multipart/mixed; boundary="-"',
    `\r\n---\r\nContent-Type: application/json\r\n\r\n${item('"id":"1"')}\r\n-----\r\n`,
  ],
  "an event stream": ["text/event-stream", `event: next\ndata: ${item('"id":"1"')}\n\n`],
  CBOR: ["application/cbor", "\xa1"],
  "a content type of 8 KB": [`${json}; a=${"x".repeat(8_000)}`, item('"id":"1"')],
};

const slices = measureSlices();
let upstream: Upstream;
let system: System;
let flooded = 0;

/** Writes without end, until the other side has had enough. */
function flood(response: ServerResponse): void {
  const piece = Buffer.from('{"message":"again and again"},'.repeat(2_000));
  response.writeHead(200, { "content-type": json });
  response.write('{"data":null,"errors":[');
  response.on("error", () => {});
  const more = (): void => {
    while (!response.destroyed && flooded < 64 * mebibyte) {
      flooded += piece.length;
      if (!response.write(piece)) return void response.once("drain", more);
    }
    response.destroy();
  };
  more();
}

beforeAll(async () => {
  upstream = await startUpstream(({ body }, response) => {
    const { variables, extensions } = JSON.parse(body);
    const name = String(variables.name);
    if (extensions !== undefined)
      return void response.end('{"errors":[{"message":"PersistedQueryNotFound"}]}');
    if (name === "plain") return void response.end('{"data":{"plain":"fine"}}');
    if (name === "flood") return flood(response);
    const [type, text] = types[name] ?? [graphqlJson, answers[name] ?? "{}"];
    response.writeHead(200, type === undefined ? {} : { "content-type": type }).end(Buffer.from(text));
  });
  const graphql = {
    url: upstream.url,
    schema: "./schema.graphql",
    operations: [
      { document: "query Hashed($name: String) { plain(name: $name) }", persisted: "sha256" },
      { document: "query Named($name: String) { plain(name: $name) }", document_id: "named" },
    ],
  };
  system = await startSystem(
    { graph: { surfaces: { graphql } } },
    { files: { "schema.graphql": sdl }, settings: { limits: roomForCalls } },
  );
});
afterAll(async () => {
  slices.print("answers of GraphQL servers");
  await system.close();
  await upstream[Symbol.asyncDispose]();
});

/** Calls over MCP and over the HTTP API. */
async function callBoth(operation: string, name: string): Promise<readonly ReturnType<typeof readMcp>[]> {
  const outcomes = [
    readMcp(await callModern(system.url, `graph_${operation}`, { name })),
    await callApi(system.url, `graph/${operation}`, { name }),
  ];
  for (const { code, text } of outcomes) {
    expect(["internal", "-32603"], text.slice(0, 300)).not.toContain(code);
    expect(text).not.toMatch(/RangeError|TypeError|Maximum call stack|\.ts:\d+/);
  }
  return outcomes;
}

test("the document that the server answers has an alias, so that answers are written anew", async () => {
  await callBoth("go", "nothing");
  expect(upstream.seen.at(-1)?.body).toContain("B_extent_: extent");
});

test.each([...Object.keys(answers), ...Object.keys(types)])(
  "an answer with %s is an outcome of its own call, and of nothing else",
  async (name) => {
    await slices.run(name, () => callBoth("go", name));
    expect(asObject({})?.["polluted"]).toBeUndefined();
    const [plain] = await callBoth("plain", "plain");
    expect(plain?.text).toContain("fine");
    expect(system.log.filter((line) => /\bfailed\./.test(line))).toEqual([]);
  },
);

test.each(Object.keys(telling))("%s does not reach the caller", async (name) => {
  for (const { text } of await callBoth("go", name)) {
    expect(text).not.toContain(secret);
    // The message itself does.
    expect(text).toContain("message");
  }
});

test("an answer without an end is ended", async () => {
  await slices.run("without an end", async () => {
    for (const { kind, code } of await callBoth("go", "flood"))
      expect([kind, code]).toEqual(["failed", "answer_too_large"]);
  });
  expect(flooded).toBeLessThan(64 * mebibyte);
});

test("a server that never finds a persisted document is asked twice, and a registered one once", async () => {
  for (const [operation, requests] of [
    ["Hashed", 2],
    ["Named", 1],
  ] as const) {
    const before = upstream.seen.length;
    await callModern(system.url, `graph_${operation}`, { name: "x" });
    expect(upstream.seen.length).toBe(before + requests);
  }
});

test("real fields keep their values where an alias would have the same name", async () => {
  const [outcome] = await callBoth("go", "an alias and the field that it stands for");
  expect(outcome?.text).toContain('\\"B_extent\\":\\"own\\"');
});

test("none of it held the thread up for longer than its own bytes take", () => {
  expect(slices.worst()).toBeLessThan(100);
});
