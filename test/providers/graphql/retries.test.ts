import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Operation, Tool } from "../../../src/model/catalog.ts";
import type { Invocation } from "../../../src/model/invocation.ts";
import type { HttpResult } from "../../../src/model/result.ts";
import { createGraphqlExecutor } from "../../../src/providers/graphql/execute.ts";
import { graphqlKind } from "../../../src/providers/graphql/kind.ts";
import { createHttpClient } from "../../../src/upstream/undici-client.ts";
import { startHttp } from "../../upstream/loopback.ts";
import { pausedClock } from "../http/run-call.ts";
import { contextOf, noCredential, providerOf, surfaceOf, textOf } from "./open-surface.ts";

let folder: string;
let schema: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "graphql-retries-"));
  schema = join(folder, "schema.graphql");
  await writeFile(schema, "type Query { ask: String } type Mutation { change: String }");
});
afterAll(() => rm(folder, { recursive: true }));

const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): RequestListener =>
  (_request, response) =>
    void response.writeHead(code, headers).end();
const fine: RequestListener = (_request, response) =>
  void response
    .writeHead(200, { "content-type": "application/json" })
    .end('{"data":{"ask":"yes","change":"done"}}');
const hangUp: RequestListener = (request) => void request.socket.destroy();

/** Calls an operation of an upstream that answers so, one after the other, the last one again and again. */
async function run(operation: string, replies: readonly RequestListener[], attempts = 2) {
  let requests = 0;
  await using upstream = await startHttp((request, response) => {
    const reply = replies[Math.min(requests, replies.length - 1)];
    requests += 1;
    reply?.(request, response);
  });
  const http = createHttpClient();
  const clock = pausedClock();
  const surface = surfaceOf(upstream.url, schema);
  const provider = { ...providerOf(surface), retries: { attempts, budget: 1 } };
  const opened = await graphqlKind.open(surface, provider, contextOf(http));
  const found = opened.operations.find(({ id }) => id === operation);
  if (found === undefined) throw new Error(`There is no operation ${operation}.`);
  const executor = createGraphqlExecutor(provider, http, () => undefined, { clock });
  // Only what the executor reads.
  const invocation = { arguments: {}, signal: new AbortController().signal } as Partial<Invocation>;
  try {
    const result = await executor.execute(invocation as Invocation, toolOf(found), noCredential);
    return { result: result as HttpResult, requests: () => requests, pauses: clock.pauses };
  } catch (error) {
    return { error, requests: () => requests, pauses: clock.pauses };
  } finally {
    await opened.close();
    await http.close();
  }
}

function toolOf(operation: Operation): Tool {
  return {
    ...operation,
    ...{ name: `shop_${operation.id}`, operation: operation.id, provider: "shop", surface: "graphql" },
    ...{ responseMapping: undefined, origin: "declared" },
    effects: { readOnly: false, destructive: false, idempotent: false, openWorld: true },
  };
}

test.each([429, 502, 503, 504])("a query is asked again after %i", async (code) => {
  const { result, requests } = await run("ask", [status(code), fine]);
  expect(requests()).toBe(2);
  expect(result).toMatchObject({ status: 200, isError: false, attempts: 2 });
  expect(textOf(result as HttpResult)).toContain("yes");
});

test("a query is asked again where the connection breaks before the answer", async () => {
  const { result } = await run("ask", [hangUp, hangUp, fine]);
  expect(result).toMatchObject({ status: 200, attempts: 3 });
});

test("as long as the upstream asks for", async () => {
  const { pauses } = await run("ask", [status(503, { "retry-after": "3" }), fine]);
  expect(pauses).toEqual([3_000]);
});

test("as often as the file says, and an answer is an answer", async () => {
  expect((await run("ask", [status(503)], 1)).requests()).toBe(2);
  expect((await run("ask", [status(503)], 0)).requests()).toBe(1);
  expect((await run("ask", [status(500)])).requests()).toBe(1);
  const once = await run("ask", [fine]);
  expect(once.requests()).toBe(1);
  expect(once.result?.attempts).toBeUndefined();
});

test("a mutation is never made twice", async () => {
  const refused = await run("change", [status(503), fine]);
  expect(refused.requests()).toBe(1);
  expect(refused.result).toMatchObject({ status: 503, isError: true });
  const broken = await run("change", [hangUp, fine]);
  expect(broken.error).toMatchObject({ code: "upstream_failed" });
  expect(broken.requests()).toBe(1);
});
