import { afterAll, beforeAll, expect, test } from "vitest";
import { openSession } from "../server/mcp/wire.ts";
import { type JsonCase, jsonCases } from "./json-cases.ts";
import { type System, startSystem } from "./system.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

let upstream: Upstream;
let system: System;
let session: Readonly<Record<string, string>>;
beforeAll(async () => {
  upstream = await startUpstream();
  const add = {
    name: "add",
    method: "POST",
    path: "/add",
    parameters: [{ name: "value", in: "body", schema: {} }],
  };
  system = await startSystem({ shop: { surfaces: { rest: { base_url: upstream.url, operations: [add] } } } });
  ({ headers: session } = await openSession(`${system.url}/mcp`));
});
afterAll(async () => {
  await system.close();
  await upstream[Symbol.asyncDispose]();
});

const ways = {
  "HTTP API": {
    path: "/api/v1/shop/add",
    around: ['{"value":[', ',"end"]}'],
    headers: () => ({}),
  },
  MCP: {
    path: "/mcp",
    around: [
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"shop_add","arguments":{"value":[',
      ',"end"]}}}',
    ],
    headers: () => ({ ...session, accept: "application/json, text/event-stream" }),
  },
} as const;

const label = ({ text }: JsonCase): string =>
  JSON.stringify(typeof text === "string" ? text : text.toString("latin1")).slice(0, 60);

test.each(
  Object.keys(ways).flatMap((way) =>
    jsonCases.map((one, index) => ({
      way: way as keyof typeof ways,
      one,
      index,
      kind: one.kind,
      name: label(one),
    })),
  ),
)("$way, $kind #$index: $name", async ({ way, one }) => {
  const { path, around, headers } = ways[way];
  const before = upstream.seen.length;
  const [opening, closing] = around;
  const body = Buffer.concat([Buffer.from(opening), Buffer.from(one.text), Buffer.from(closing)]);
  const answer = await fetch(system.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers() },
    body,
  });
  const text = await answer.text();
  if (one.taken) {
    expect([answer.status, upstream.seen.length - before], text).toEqual([200, 1]);
    const sent: unknown = JSON.parse(one.text.toString());
    // What JSON can't say, as that zero has a sign, is not there.
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? "")).toEqual({
      value: JSON.parse(JSON.stringify([sent, "end"])),
    });
  } else {
    expect([answer.status, upstream.seen.length - before], text).toEqual([400, 0]);
    expect(JSON.parse(text)).toHaveProperty("error.message");
    expect(text.length).toBeLessThan(1_000);
  }
});

test("the suite is as large as it should be, without repetitions", () => {
  const count = (kind: JsonCase["kind"]): number =>
    new Set(jsonCases.filter((one) => one.kind === kind).map(label)).size;
  expect(count("valid")).toBeGreaterThanOrEqual(95);
  expect(count("invalid")).toBeGreaterThanOrEqual(188);
  expect(count("open")).toBeGreaterThanOrEqual(35);
  expect(Object.hasOwn(Object.prototype, "a")).toBe(false);
});
