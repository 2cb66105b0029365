import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultLimits } from "../../../src/server/mcp/limits.ts";
import { ResponseStream } from "../../../src/server/mcp/response-stream.ts";
import { jsonAnswer, startEndpoint, type TestEndpoint } from "./harness.ts";
import { baseHeaders, modernRequest, openSession } from "./wire.ts";

let endpoint: TestEndpoint;
let closing: AbortController;
beforeEach(async () => {
  closing = new AbortController();
  endpoint = await startEndpoint(
    { echo: { run: () => jsonAnswer({}) } },
    { limits: { streams: 8, streamsPerPrincipal: 4, recheckMilliseconds: 10 } },
  );
});
afterEach(async () => {
  closing.abort();
  await endpoint.close();
  expect(endpoint.logged).toEqual([]);
});

/** Opens a stream of one era, and gives the answer's head. */
async function open(era: string, user: string): Promise<Response> {
  const { signal } = closing;
  if (era === "listen") {
    const { message, headers } = modernRequest("subscriptions/listen", {
      notifications: { toolsListChanged: true },
    });
    const body = JSON.stringify(message);
    return fetch(endpoint.url, {
      method: "POST",
      headers: { ...baseHeaders, ...headers, "x-user": user },
      body,
      signal,
    });
  }
  const session = await openSession(endpoint.url, "2025-11-25", {}, { "x-user": user });
  return fetch(endpoint.url, { headers: { ...session.headers, accept: "text/event-stream" }, signal });
}

const isStream = (response: Response): boolean =>
  response.headers.get("content-type") === "text/event-stream";

describe.each(["listen", "GET"])("streams by %s", (era) => {
  test("of one caller: as many as it may have, then no more, until one ends", async () => {
    const streams = [await open("listen", "ada"), await open("GET", "ada")];
    for (let count = 2; count < 4; count += 1) streams.push(await open(era, "ada"));
    expect(streams.map(isStream)).toEqual([true, true, true, true]);
    const refused = await open(era, "ada");
    expect(await refused.json()).toMatchObject({
      error: {
        message: expect.stringContaining("(4, `limits.streams.per_caller`)"),
        data: { code: "overloaded", retry_after: 10 },
      },
    });
    if (era === "GET") expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "10"]);
    expect(isStream(await open(era, "bob"))).toBe(true);
    await streams[0]?.body?.cancel();
    await expect.poll(async () => isStream(await open(era, "ada")), { timeout: 30_000 }).toBe(true);
  });

  test("of one tenant: three quarters of all, and others have the rest", async () => {
    for (const user of ["a", "a", "a", "b", "b", "b"])
      expect(isStream(await open(era, `${user}@one`))).toBe(true);
    const refused = await (await open(era, "c@one")).text();
    expect(refused).toContain("three quarters of 8, `limits.streams.total`");
    expect(isStream(await open(era, "c@two"))).toBe(true);
    expect(isStream(await open(era, "c@three"))).toBe(true);
    expect(await (await open(era, "c@four")).text()).toContain("(8, `limits.streams.total`)");
  });
});

test("a session's own stream that is taken up again takes the place of the one before", async () => {
  const session = await openSession(endpoint.url, "2025-11-25", {}, { "x-user": "ada" });
  const headers = { ...session.headers, accept: "text/event-stream" };
  const first = await fetch(endpoint.url, { headers, signal: closing.signal });
  const reader = first.body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  const id = /^id: (\S+)$/m.exec(Buffer.from(value ?? []).toString())?.[1] ?? "";
  for (let count = 0; count < 3; count += 1) expect(isStream(await open("listen", "ada"))).toBe(true);
  const again = { ...headers, "last-event-id": id };
  for (let count = 0; count < 3; count += 1)
    expect(isStream(await fetch(endpoint.url, { headers: again, signal: closing.signal }))).toBe(true);
  expect(isStream(await open("listen", "ada"))).toBe(false);
});

test.each([
  [1, true],
  [0, true],
  [-1, false],
])("with %i bytes left of those that may wait for a client, more is sent: %s", (left, isSent) => {
  // Nobody is there to take anything.
  const begin = (bufferedBytes: number): { response: ServerResponse; stream: ResponseStream } => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    response.sendDate = false;
    const stream = new ResponseStream(response, { ...defaultLimits, bufferedBytes });
    for (let count = 0; count < 10; count += 1) stream.send("x".repeat(100));
    return { response, stream };
  };
  const first = begin(1_000_000);
  const waiting = first.response.writableLength;
  expect(waiting).toBeGreaterThan(1_000);
  const second = begin(waiting + left);
  expect(second.response.writableLength).toBe(waiting);
  expect(second.stream.send("more")).toBe(isSent);
  for (const { stream } of [first, second]) stream.close();
});
