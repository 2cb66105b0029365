import { describe, expect, test } from "vitest";
import { exposeSurface } from "../../../src/catalog/expose.ts";
import { createRetryBudget } from "../../../src/limits/retry-budget.ts";
import { retryAfter } from "../../../src/providers/http/retry.ts";
import { makeOperation, makeProvider, restSurface } from "../../catalog/fixtures.ts";
import { binding, memberBody, parameter } from "./make-binding.ts";
import { type Call, type Reply, runCall } from "./run-call.ts";

const away: Reply = { status: 503, body: { error: "away" } };
const fine: Reply = { body: { ok: true } };
const hangUp: Reply = (request) => request.socket.destroy();
const key = parameter({ in: "header", name: "Idempotency-Key", argument: "key" });

function run(method: string, replies: readonly Reply[], changes: Partial<Call> = {}) {
  const body = ["POST", "PUT", "PATCH", "QUERY"].includes(method) ? memberBody(["a"]) : undefined;
  return runCall({
    binding: { ...binding("/c", [], body), method },
    arguments: { a: 1 },
    replies,
    provider: { retries: { attempts: 2, budget: 1 } },
    ...changes,
  });
}

describe("what is tried again", () => {
  test.each([
    ["GET", 429, 2],
    ["GET", 503, 2],
    ["GET", 502, 2],
    ["QUERY", 504, 2],
    ["HEAD", 503, 2],
    ["OPTIONS", 503, 2],
    ["PUT", 503, 2],
    ["DELETE", 429, 2],
    ["PUT", 502, 1],
    ["DELETE", 504, 1],
    ["GET", 500, 1],
    ["GET", 404, 1],
    ["POST", 503, 1],
    ["PATCH", 429, 1],
  ])("%s after %i: %i requests", async (method, status, expected) => {
    const { requests, result } = await run(method, [{ status, body: { a: 1 } }, fine]);
    expect(requests).toHaveLength(expected);
    expect(result.status).toBe(expected === 2 ? 200 : status);
    expect(result.attempts).toBe(expected === 2 ? 2 : undefined);
  });

  test("as often as the file says, then the refusal is the answer", async () => {
    const { requests, result } = await run("GET", [away], {
      provider: { retries: { attempts: 3, budget: 1 } },
    });
    expect(requests).toHaveLength(4);
    expect(result).toMatchObject({ status: 503, isError: true, attempts: 4 });
    const never = await run("GET", [away], { provider: { retries: { attempts: 0, budget: 1 } } });
    expect(never.requests).toHaveLength(1);
  });

  test("a body is sent again as it was", async () => {
    const { requests } = await run("PUT", [away, fine]);
    expect(requests.map(({ body }) => body)).toEqual(['{"a":1}', '{"a":1}']);
  });

  test("a connection that breaks before the answer", async () => {
    // The way out repeats such requests once by itself, in case a kept connection was closed.
    const { result } = await run("GET", [hangUp, hangUp, fine]);
    expect(result).toMatchObject({ status: 200, attempts: 2 });
    await expect(run("POST", [hangUp, fine])).rejects.toMatchObject({
      code: "upstream_failed",
      requests: { length: 1 },
    });
  });

  test("an answer that breaks off is not: it had begun", async () => {
    const breaks: Reply = (request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("x", () => request.socket.destroy());
    };
    await expect(run("GET", [breaks, fine])).rejects.toMatchObject({
      code: "upstream_failed",
      requests: { length: 1 },
    });
  });
});

describe("the budget of a provider", () => {
  test("when it is used up, the refusal is the answer", async () => {
    const taken: boolean[] = [];
    let left = 1;
    const budget = {
      called: () => void taken.push(false),
      take: () => {
        taken.push(true);
        left -= 1;
        return left >= 0;
      },
    };
    const options = { budget };
    const { requests, result } = await run("GET", [away], { options });
    expect(requests).toHaveLength(2);
    expect(result).toMatchObject({ status: 503, attempts: 2 });
    expect(taken).toEqual([false, true, true]);
    await expect(run("GET", [hangUp], { options })).rejects.toMatchObject({ code: "upstream_failed" });
  });

  test("is not drawn from for what is not repeated anyway", async () => {
    const budget = {
      called: () => {},
      take: () => {
        throw new Error("It was.");
      },
    };
    const options = { budget };
    const refused = { status: 429, headers: { "retry-after": "3600" }, body: {} };
    for (const [method, reply] of [
      ["GET", fine],
      ["GET", { status: 404 }],
      ["GET", refused],
      ["POST", away],
    ] as const)
      expect((await run(method, [reply], { options })).requests).toHaveLength(1);
  });

  test("is shared by its calls: ten in ten seconds, and after that its part of them", async () => {
    const budget = createRetryBudget(0, () => 0);
    let requests = 0;
    for (let call = 0; call < 8; call += 1)
      requests += (await run("GET", [away], { options: { budget } })).requests.length;
    expect(requests).toBe(8 + 10);
  });
});

describe("pauses", () => {
  test("grow, somewhere between nothing and a ceiling", async () => {
    const { pauses } = await run("GET", [away], { provider: { retries: { attempts: 5, budget: 1 } } });
    expect(pauses).toEqual([250, 500, 1000, 2000, 4000]);
    const least = await run("GET", [away], { clock: { random: () => 0 } });
    expect(least.pauses).toEqual([0, 0]);
  });

  test.each([
    ["2", 2000],
    ["0", 250],
    ["Fri, 20 Nov 2026 08:00:07 GMT", 7000],
    ["Fri, 20 Nov 2026 07:00:00 GMT", 250],
    ["soon", 250],
  ])("are what Retry-After asks for: %s", async (value, pause) => {
    const reply = { status: 429, headers: { "retry-after": value }, body: {} };
    const { pauses, requests } = await run("GET", [reply, fine]);
    expect(requests).toHaveLength(2);
    expect(pauses).toEqual([pause]);
  });

  test.each([
    ["3600", undefined],
    ["31", undefined],
    ["5", 5500],
  ])("of %s s are not waited for when the call ends at %s ms: the answer says so", async (value, endsAt) => {
    const { requests, result, pauses } = await run(
      "GET",
      [{ status: 429, headers: { "retry-after": value }, body: { wait: true } }, fine],
      endsAt === undefined ? {} : { endsAt },
    );
    expect(requests).toHaveLength(1);
    expect(pauses).toEqual([]);
    expect(result).toMatchObject({ status: 429, isError: true, headers: { "retry-after": value } });
  });

  test("end when the caller leaves, and nothing is sent any more", async () => {
    const leaving = new AbortController();
    const run429 = run("GET", [away, fine], {
      signal: leaving.signal,
      clock: {
        wait: async () => {
          leaving.abort();
          return false;
        },
      },
    });
    await expect(run429).rejects.toMatchObject({ code: "cancelled", requests: { length: 1 } });
  });

  test("read dates only where they are dates", () => {
    expect(retryAfter("Friday, 20-Nov-26 08:00:01 GMT", Date.parse("2026-11-20T08:00:00Z"))).toBe(1000);
    expect(retryAfter(undefined, 0)).toBeUndefined();
    expect(retryAfter("-5", 0)).toBeUndefined();
  });
});

describe("POST with an idempotency key", () => {
  const withKey = { ...binding("/c", [key], memberBody(["a"])), method: "POST" };

  test("is tried again with the same key, made once per call", async () => {
    const first = await run("POST", [away, hangUp, fine], { binding: withKey });
    const keys = first.requests.map(({ headers }) => headers["idempotency-key"]);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    const second = await run("POST", [fine], { binding: withKey });
    expect(second.requests[0]?.headers["idempotency-key"]).not.toBe(keys[0]);
  });

  test("asks no caller for a key that the gateway makes, where the API requires one", async () => {
    const inputSchema = { type: "object", properties: { key: {} }, required: ["a", "Idempotency-Key"] };
    const tool = (attempts: number) => {
      const provider = makeProvider("acme", { retries: { attempts, budget: 1 } });
      const operations = [makeOperation("call", { method: "POST", inputSchema })];
      return exposeSurface(provider, { surface: restSurface, operations, origin: "declared" })[0];
    };
    expect(tool(2)?.inputSchema["required"]).toEqual(["a"]);
    expect(tool(0)?.inputSchema["required"]).toEqual(["a", "Idempotency-Key"]);
  });

  test("keeps the caller's", async () => {
    const { requests } = await run("POST", [away, fine], {
      binding: withKey,
      arguments: { a: 1, key: "mine" },
    });
    expect(requests.map(({ headers }) => headers["idempotency-key"])).toEqual(["mine", "mine"]);
  });

  test("is sent once, without a key of ours, where nothing is repeated", async () => {
    const { requests } = await run("POST", [away], {
      binding: withKey,
      provider: { retries: { attempts: 0, budget: 1 } },
    });
    expect(requests.map(({ headers }) => headers["idempotency-key"])).toEqual([undefined]);
  });

  test("is not what gets one without being declared", async () => {
    const { requests } = await run("POST", [fine]);
    expect(requests[0]?.headers["idempotency-key"]).toBeUndefined();
  });
});
