import { expect, onTestFinished, test } from "vitest";
import { createPeer, openProvider, textOf, until } from "./open-provider.ts";
import { startModern } from "./peers.ts";

async function start() {
  const peer = await startModern();
  onTestFinished(() => peer.close());
  return peer;
}

/** What is listened to is asked for beside the calls, before or after them. */
function lastCall<Seen extends { readonly headers: Readonly<Record<string, unknown>> }>(
  requests: readonly Seen[],
): Seen | undefined {
  return requests.findLast(({ headers }) => headers["mcp-method"] === "tools/call");
}

test("a server of 2026-07-28 is listed and called without a handshake", async () => {
  const peer = await start();
  const provider = await openProvider(peer.url);
  expect(provider.names()).toEqual(["echo", "routed", "steps", "ask", "wait"]);
  const { result } = await provider.call("echo", { text: "hello" });
  expect(result).toEqual({ content: [{ type: "text", text: "hello" }] });
  const methods = peer.requests
    .map(({ headers }) => headers["mcp-method"])
    .filter((method) => method !== "subscriptions/listen");
  expect(methods).toEqual(["server/discover", "tools/list", "tools/call"]);
  expect(lastCall(peer.requests)?.headers).toMatchObject({
    "mcp-protocol-version": "2026-07-28",
    "mcp-name": "echo",
  });
  expect(peer.requests.every(({ headers }) => headers["mcp-session-id"] === undefined)).toBe(true);
});

test("annotated parameters travel as headers too", async () => {
  const peer = await start();
  const provider = await openProvider(peer.url);
  const args = { region: "Zürich ", size: 3 };
  expect(textOf(await provider.call("routed", args))).toBe(JSON.stringify(args));
  expect(lastCall(peer.requests)?.headers).toMatchObject({
    "mcp-param-region": `=?base64?${Buffer.from("Zürich ").toString("base64")}?=`,
    "mcp-param-size": "3",
  });
});

test("progress reaches the caller", async () => {
  const provider = await openProvider((await start()).url);
  const client = createPeer();
  await provider.call("steps", {}, { peer: client.peer });
  expect(client.notified).toEqual([
    { method: "notifications/progress", params: expect.objectContaining({ progress: 1, total: 2 }) },
    { method: "notifications/progress", params: expect.objectContaining({ progress: 2, total: 2 }) },
  ]);
  expect(JSON.stringify(client.notified)).not.toContain("progressToken");
});

test("a result that wants input is answered by the caller's client, round by round", async () => {
  const provider = await openProvider((await start()).url);
  let round = 0;
  const client = createPeer(
    () => {
      round += 1;
      return { action: "accept", content: { name: `Ada${round}` } };
    },
    { elicitation: { form: {} } },
  );
  expect(textOf(await provider.call("ask", {}, { peer: client.peer }))).toBe("Hello é:Ada1 Ada2");
  expect(client.asked).toHaveLength(2);
  expect(client.asked[0]).toMatchObject({ method: "elicitation/create", params: { message: "Name?" } });
});

test("a caller that can't be asked is told so", async () => {
  const provider = await openProvider((await start()).url);
  await expect(provider.call("ask")).rejects.toMatchObject({ code: "unsupported" });
});

test("cancelling a call closes its stream", async () => {
  const peer = await start();
  const provider = await openProvider(peer.url);
  const caller = new AbortController();
  const call = provider.call("wait", {}, { signal: caller.signal });
  await until(() => peer.events.includes("wait began"));
  caller.abort();
  await expect(call).rejects.toMatchObject({ code: "cancelled" });
  await until(() => peer.events.includes("wait cancelled"));
});

test("a changed list of tools is listed again", async () => {
  const peer = await start();
  const provider = await openProvider(peer.url);
  await until(() => peer.requests.some(({ headers }) => headers["mcp-method"] === "subscriptions/listen"));
  while (!provider.names().includes("later")) {
    peer.addTool("later");
    await Promise.race([
      provider.change(({ kind }) => kind === "operations"),
      new Promise((resolve) => setTimeout(resolve, 50)),
    ]);
  }
  expect(provider.names().filter((name) => name === "later")).toEqual(["later"]);
});

test("an upstream that goes away is found out by the next call", async () => {
  const peer = await start();
  const provider = await openProvider(peer.url);
  await peer.close();
  await expect(provider.call("echo", { text: "a" })).rejects.toMatchObject({ name: "GatewayError" });
  await provider.change(({ kind }) => kind === "lost");
  await expect(provider.call("echo", { text: "a" })).rejects.toMatchObject({ code: "provider_unavailable" });
});
