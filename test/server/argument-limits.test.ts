import { afterAll, beforeAll, expect, test } from "vitest";
import { callApi, callModern, type System, startSystem } from "../attack/system.ts";
import { startUpstream, type Upstream } from "../attack/upstream.ts";

const most = 1_000;
let upstream: Upstream;
let system: System;
beforeAll(async () => {
  upstream = await startUpstream();
  const add = { name: "add", method: "POST", path: "/add", parameters: [{ name: "text", in: "body" }] };
  system = await startSystem(
    { shop: { surfaces: { rest: { base_url: upstream.url, operations: [add] } } } },
    { settings: { limits: { requests: { arguments_size: most } } } },
  );
});
afterAll(async () => {
  await system.close();
  await upstream[Symbol.asyncDispose]();
});

test.each([-1, 0, 1])(
  "the arguments of a call may be so large over either surface (%i)",
  async (difference) => {
    const text = "a".repeat(most + difference - '{"text":""}'.length);
    const before = upstream.seen.length;
    const outcomes = [
      await callApi(system.url, "shop/add", { text }),
      await callModern(system.url, "shop_add", { text }),
    ];
    const isTaken = difference <= 0;
    expect(upstream.seen.length - before).toBe(isTaken ? 2 : 0);
    if (isTaken) return;
    for (const outcome of outcomes)
      expect(JSON.stringify(outcome)).toContain("limits.requests.arguments_size");
  },
);
