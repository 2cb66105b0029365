import { expect, test } from "vitest";
import type { JsonObject } from "../../../src/model/json.ts";
import { type Answer, listsFrom, startFeatures } from "./feature-upstream.ts";
import { createPeer, openProvider, textOf, until } from "./open-provider.ts";

const peerOf = (key: string) => createPeer(undefined, {}, { key }).peer;

async function start(call: (session: string | undefined, params: JsonObject) => Answer) {
  const lists = listsFrom({ tools: [{ name: "go" }] });
  const upstream = await startFeatures({
    era: "legacy",
    capabilities: { tools: {} },
    answer: (got) => (got.method === "tools/call" ? call(got.session, got.params) : lists(got)),
  });
  return { upstream, provider: await openProvider(upstream.url) };
}

const session = (id: string | undefined): Answer => ({
  result: { content: [{ type: "text", text: String(id) }] },
});

test("each client has a session of its own, in which nothing is listed", async () => {
  const { upstream, provider } = await start(session);
  const clients = Array.from({ length: 20 }, (_none, index) => peerOf(`c${index}`));
  const call = async () =>
    Promise.all(clients.map(async (peer) => textOf(await provider.call("go", {}, { peer }))));
  const used = await call();
  expect(new Set(used).size).toBe(20);
  expect(used).not.toContain("s1");
  expect(await call()).toEqual(used);
  expect(upstream.got.filter(({ method }) => method.endsWith("/list")).map((got) => got.session)).toEqual([
    "s1",
  ]);
});

test("callers that are no clients share one, as the principal that they are", async () => {
  const { provider } = await start(session);
  expect(textOf(await provider.call("go"))).toBe("s2");
  expect(textOf(await provider.call("go"))).toBe("s2");
});

test("a session that was forgotten is replaced, and the call made once more", async () => {
  const { upstream, provider } = await start(session);
  const peer = peerOf("a");
  const before = textOf(await provider.call("go", {}, { peer }));
  upstream.forget();
  const after = textOf(await provider.call("go", {}, { peer }));
  expect(after).not.toBe(before);
  expect(upstream.got.filter((got) => got.method === "tools/call")).toHaveLength(3);
});

test("a server that says in its own way that it does not know a session any more is given a new one", async () => {
  const unknown = new Set<string | undefined>();
  const { upstream, provider } = await start((id) => (unknown.has(id) ? { status: 400 } : session(id)));
  const peer = peerOf("a");
  expect(textOf(await provider.call("go", {}, { peer }))).toBe("s2");
  unknown.add("s2");
  // It still answers pings, so the refusal may be for the call.
  await expect(provider.call("go", {}, { peer })).rejects.toMatchObject({ code: "upstream_failed" });
  await until(() => upstream.got.some((got) => got.method === "ping" && got.session === "s2"));
  await expect(provider.call("go", {}, { peer })).rejects.toMatchObject({ code: "upstream_failed" });
  expect(upstream.count("initialize")).toBe(2);
});

test("an error for the call itself makes nobody doubt, whatever status it comes with", async () => {
  const lists = listsFrom({ prompts: [] });
  const upstream = await startFeatures({
    era: "modern",
    capabilities: { prompts: {} },
    answer: (got) => (got.method === "acme/do" ? undefined : lists(got)),
  });
  const provider = await openProvider(upstream.url);
  await expect(provider.ask("acme/do")).rejects.toMatchObject({ code: -32601 });
  await expect(provider.ask("acme/do")).rejects.toMatchObject({ code: -32601 });
  expect(upstream.count("server/discover")).toBe(1);
  expect(upstream.count("prompts/list")).toBe(1);
});

test("a list that changes in the session of a caller is listed again", async () => {
  const lists: { [name: string]: JsonObject[] } = { tools: [{ name: "go" }] };
  const upstream = await startFeatures({
    era: "legacy",
    capabilities: { tools: { listChanged: true } },
    answer: (got) => (got.method === "tools/call" ? session(got.session) : listsFrom(lists)(got)),
  });
  const provider = await openProvider(upstream.url);
  await provider.call("go", {}, { peer: peerOf("a") });
  await until(() => upstream.streams() === 2);
  lists["tools"] = [{ name: "go" }, { name: "later" }];
  upstream.push("notifications/tools/list_changed");
  await until(() => provider.names().includes("later"));
});
