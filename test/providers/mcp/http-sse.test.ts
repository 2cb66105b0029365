import { expect, onTestFinished, test } from "vitest";
import { createPeer, openProvider, textOf, until } from "./open-provider.ts";
import { listenOn, startSseV1 } from "./peers.ts";

async function start() {
  const peer = await startSseV1();
  onTestFinished(() => peer.close());
  return peer;
}

test("a server of 2024-11-05 is recognized, listed and called", async () => {
  const peer = await start();
  const provider = await openProvider(peer.url);
  expect(provider.names()).toContain("echo");
  expect(textOf(await provider.call("echo", { text: "old" }))).toBe("old");
  expect(peer.requests.map(({ method }) => method).slice(0, 3)).toEqual(["POST", "POST", "GET"]);
});

test("progress, cancellation and changes work over the one stream, and questions are refused", async () => {
  const peer = await start();
  const provider = await openProvider(peer.url);
  const client = createPeer();
  await provider.call("steps", {}, { peer: client.peer });
  expect(client.notified.map(({ method }) => method)).toEqual([
    "notifications/progress",
    "notifications/progress",
    "notifications/message",
  ]);
  expect(textOf(await provider.call("ask", {}, { peer: client.peer }))).toContain("-32601");
  const caller = new AbortController();
  const call = provider.call("wait", {}, { signal: caller.signal });
  await until(() => peer.events.includes("wait began"));
  caller.abort();
  await expect(call).rejects.toMatchObject({ code: "cancelled" });
  await until(() => peer.events.includes("wait cancelled"));
  peer.addTool("later");
  await provider.change(({ kind }) => kind === "operations");
  expect(provider.names()).toContain("later");
});

test("an endpoint on another origin is refused before anything is sent there", async () => {
  let visits = 0;
  const other = await listenOn((_request, response) => {
    visits += 1;
    response.end();
  });
  onTestFinished(() => other.close());
  const peer = await listenOn((request, response) => {
    if (request.method !== "GET") response.writeHead(405).end();
    else {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`event: endpoint\ndata: ${other.url}\n\n`);
    }
  });
  onTestFinished(() => peer.close());
  await expect(openProvider(peer.url)).rejects.toMatchObject({
    code: "provider_unavailable",
    message: expect.stringContaining("another origin"),
  });
  expect(visits).toBe(0);
});

test("when the stream ends, the calls under way fail and the provider comes back", async () => {
  const peer = await start();
  const provider = await openProvider(peer.url);
  const call = provider.call("wait");
  await until(() => peer.events.includes("wait began"));
  await peer.close();
  await expect(call).rejects.toMatchObject({ code: "upstream_failed" });
  await provider.change(({ kind }) => kind === "lost");
});
