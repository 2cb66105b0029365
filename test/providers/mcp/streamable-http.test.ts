import { expect, onTestFinished, test } from "vitest";
import { Secret } from "../../../src/secret.ts";
import { createPeer, openProvider, textOf, until } from "./open-provider.ts";
import { startStreamableV1 } from "./peers.ts";

async function start(options: Parameters<typeof startStreamableV1>[0] = {}) {
  const peer = await startStreamableV1(options);
  onTestFinished(() => peer.close());
  return peer;
}

test.each([{ jsonResponses: false }, { jsonResponses: true }])(
  "lists and calls ($jsonResponses)",
  async (options) => {
    const peer = await start(options);
    const provider = await openProvider(peer.url);
    expect(provider.names()).toEqual(["echo", "fail", "steps", "ask", "wait"]);
    const echoed = await provider.call("echo", { text: "hello" });
    expect(textOf(echoed)).toBe("hello");
    expect(echoed.isError).toBe(false);
    const failed = await provider.call("fail");
    expect(failed.isError).toBe(true);
    expect(textOf(failed)).toBe("it broke");
  },
);

test("sends version and session id, waits for the stream of server messages, and ends the session", async () => {
  const peer = await start();
  const provider = await openProvider(peer.url, { isBrief: true });
  await provider.call("echo", { text: "a" });
  const order = peer.requests.map(
    ({ method, headers }) => `${method} ${headers["mcp-protocol-version"] ?? "-"}`,
  );
  expect(order).toEqual([
    "POST 2026-07-28",
    "POST -",
    "POST 2025-11-25",
    "GET 2025-11-25",
    "POST 2025-11-25",
    "POST 2025-11-25",
  ]);
  await provider.surface.close();
  expect(peer.events).toContain("session closed");
  expect(peer.requests.at(-1)?.method).toBe("DELETE");
});

test("sends provider headers and the credential with every request, the credential last", async () => {
  const peer = await start();
  const credential = {
    reference: {
      tenant: "",
      owner: { kind: "gateway", id: "gateway" },
      provider: "peer",
      connection: "main",
      instance: "default",
    },
    headers: { authorization: new Secret("Bearer s3cret") },
    query: { key: new Secret("k&y") },
  } as const;
  const provider = await openProvider(peer.url, {
    credential,
    connection: "main",
    headers: { "X-Team": "blue", Authorization: "Bearer other" },
  });
  await provider.call("echo", { text: "a" }, { credential });
  await provider.surface.close();
  for (const { headers } of peer.requests) {
    expect(headers["authorization"]).toBe("Bearer s3cret");
    expect(headers["x-team"]).toBe("blue");
  }
  expect(JSON.stringify(provider.logged)).not.toContain("s3cret");
});

test("progress and log messages reach the caller without the upstream's token", async () => {
  const provider = await openProvider((await start()).url);
  const client = createPeer();
  await provider.call("steps", {}, { peer: client.peer });
  expect(client.notified).toEqual([
    { method: "notifications/progress", params: { progress: 1, total: 2 } },
    { method: "notifications/progress", params: { progress: 2, total: 2 } },
    { method: "notifications/message", params: { level: "info", data: "done" } },
  ]);
});

test("what the upstream asks on the session of all callers is refused, and nobody is asked", async () => {
  const provider = await openProvider((await start()).url);
  const client = createPeer(() => ({ action: "accept", content: { name: "Ada" } }), { elicitation: {} });
  const result = await provider.call("ask", {}, { peer: client.peer });
  expect(textOf(result)).toContain("-32601");
  expect(client.asked).toEqual([]);
});

test("cancelling a call tells the upstream", async () => {
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
  peer.addTool("later");
  await provider.change((change) => change.kind === "operations");
  expect(provider.names()).toContain("later");
});

test("a forgotten session is opened again, and the calls are made once each", async () => {
  const peer = await start();
  const provider = await openProvider(peer.url);
  peer.forget();
  const results = await Promise.all(["a", "b", "c"].map((text) => provider.call("echo", { text })));
  expect(results.map(textOf)).toEqual(["a", "b", "c"]);
  expect(peer.events.filter((event) => event.startsWith("echo")).sort()).toEqual([
    "echo a",
    "echo b",
    "echo c",
  ]);
  expect(peer.events.filter((event) => event === "session opened")).toHaveLength(2);
  expect(provider.changes.filter(({ kind }) => kind === "lost")).toEqual([]);
});

test("an upstream that goes away is reported, fails calls at once, and comes back by itself", async () => {
  const peer = await start();
  const provider = await openProvider(peer.url);
  await peer.close();
  const lost = await provider.change(({ kind }) => kind === "lost");
  expect(lost).toMatchObject({ reason: expect.stringContaining("127.0.0.1") });
  await expect(provider.call("echo", { text: "a" })).rejects.toMatchObject({
    code: "provider_unavailable",
    message: expect.stringContaining("`peer`"),
  });
  expect(provider.names()).toContain("echo");
  await start({ port: peer.port });
  await provider.change(({ kind }) => kind === "operations");
  expect(textOf(await provider.call("echo", { text: "back" }))).toBe("back");
});

test("an unknown tool is the upstream's refusal, not a crash", async () => {
  const peer = await start();
  const provider = await openProvider(peer.url);
  await expect(provider.call("echo", { text: 5 })).resolves.toMatchObject({ isError: true });
});

test("a thousand calls at a time: every answer reaches its caller", async () => {
  const provider = await openProvider((await start()).url);
  const texts = Array.from({ length: 1_000 }, (_none, index) => `canary-${index}`);
  const results = await Promise.all(texts.map((text) => provider.call("echo", { text })));
  expect(results.map(textOf)).toEqual(texts);
});

test("a user's credential is never used in the gateway's own session", async () => {
  const peer = await start();
  const provider = await openProvider(peer.url);
  const credential = {
    reference: {
      tenant: "default",
      owner: { kind: "user", id: "ada" },
      provider: "peer",
      connection: "main",
      instance: "default",
    },
    headers: {},
    query: {},
  } as const;
  await expect(provider.call("echo", { text: "a" }, { credential })).rejects.toMatchObject({
    code: "unsupported",
  });
  expect(peer.events).not.toContain("echo a");
});
