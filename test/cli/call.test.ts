import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type OutgoingHttpHeaders, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { call } from "../../src/cli/call.ts";
import { recordingConsole } from "./recording-console.ts";

let folder: string;
let upstream: Server;
let answer: { readonly status: number; readonly headers: OutgoingHttpHeaders; readonly body: string };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gestalt-call-"));
  upstream = createServer((_request, response) => {
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
});
afterEach(async () => {
  upstream.close();
  await rm(folder, { recursive: true });
});

async function run(): Promise<{
  readonly status: number;
  readonly printed: readonly string[];
  readonly told: readonly string[];
}> {
  const address = upstream.address();
  if (address === null || typeof address === "string") throw new Error("The upstream has no port.");
  const config = join(folder, "gestalt.yaml");
  await writeFile(
    config,
    `providers: {shop: {surfaces: {rest: {base_url: "http://127.0.0.1:${address.port}", operations: [{name: list, description: All., method: GET, path: /list}]}}}}`,
  );
  const console = recordingConsole();
  const options = { json: undefined, connection: undefined, instance: undefined, dryRun: false };
  const status = await call({ config, tool: "shop_list", texts: [], ...options }, console);
  return { status, printed: console.printed(), told: console.told() };
}

describe("a refusal is told with what its body does not say", () => {
  test.each([
    [
      "where a redirect leads",
      { status: 302, headers: { location: "https://other.example/list" }, body: "" },
      "The upstream answered with status 302 and redirects to https://other.example/list, which the gateway does not follow.",
    ],
    [
      "when to try again",
      { status: 429, headers: { "retry-after": "3600" }, body: "Slow down." },
      "The upstream answered with status 429. It asks to wait: `Retry-After: 3600`.",
    ],
    [
      "how often it was tried",
      { status: 503, headers: { "retry-after": "0" }, body: "Busy." },
      "The upstream answered with status 503. It was tried 3 times. It asks to wait: `Retry-After: 0`.",
    ],
    ["nothing else", { status: 404, headers: {}, body: "No." }, "The upstream answered with status 404."],
  ])("%s", async (_what, refusal, message) => {
    answer = refusal;
    const { status, told, printed } = await run();
    expect(status).toBe(1);
    expect(told).toEqual([message]);
    expect(printed).toEqual(refusal.body === "" ? [] : [refusal.body]);
  });
});
