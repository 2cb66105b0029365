import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/model/json.ts";
import { startFeatures } from "./feature-upstream.ts";
import { createPeer, openProvider, until } from "./open-provider.ts";

const eras = ["legacy", "modern"] as const;
const peerOf = (key: string, gone?: AbortSignal) =>
  createPeer(undefined, {}, { key, ...(gone && { gone }) }).peer;

describe.each(eras)("an upstream of the %s era", (era) => {
  const begun = era === "legacy" ? "resources/subscribe" : "subscriptions/listen";

  test("tells each subscriber of its resource, by the URI that clients know", async () => {
    const upstream = await startFeatures({ era });
    const provider = await openProvider(upstream.url);
    const heard: JsonObject[] = [];
    const subscription = await provider.subscribe("x:1", (params) => heard.push(params), {
      peer: peerOf("a"),
    });
    upstream.push("notifications/resources/updated", { uri: "x:1", title: "T" });
    await until(() => heard.length > 0);
    expect(heard).toEqual([{ uri: "gw-peer+x:1", title: "T" }]);
    subscription.end();
    subscription.end();
  });

  test("is asked once for each caller and resource, and let go with the last listener", async () => {
    const upstream = await startFeatures({ era });
    const provider = await openProvider(upstream.url);
    const heard: string[] = [];
    const subscribe = async (key: string, uri: string, name: string) =>
      provider.subscribe(uri, () => heard.push(name), { peer: peerOf(key) });
    const one = await subscribe("a", "x:1", "one");
    const [two, other] = await Promise.all([subscribe("a", "x:1", "two"), subscribe("b", "x:1", "other")]);
    expect(upstream.count(begun)).toBe(2);
    one.end();
    const before = upstream.streams();
    two.end();
    if (era === "legacy") {
      await until(() => upstream.count("resources/unsubscribe") === 1);
      const ended = upstream.got.filter(({ method }) => /subscribe$/.test(method));
      expect(ended.at(-1)?.session).toBe(ended.at(0)?.session);
    } else await until(() => upstream.streams() === before - 1);
    upstream.push("notifications/resources/updated", { uri: "x:1" });
    await until(() => heard.length > 0);
    expect(heard).toEqual(["other"]);
    await (await subscribe("a", "x:1", "one")).end();
    expect(upstream.count(begun)).toBe(3);
    other.end();
  });

  test("that breaks is asked again, and the subscriber told once", async () => {
    const upstream = await startFeatures({ era });
    const provider = await openProvider(upstream.url);
    const heard: JsonObject[] = [];
    await provider.subscribe("x:1", (params) => heard.push(params), { peer: peerOf("a") });
    upstream.forget();
    upstream.breakStreams();
    await until(() => upstream.count(begun) === 2 && heard.length > 0);
    await until(() => upstream.streams() > 0);
    expect(heard).toEqual([{ uri: "gw-peer+x:1" }]);
    await until(() => {
      upstream.push("notifications/resources/updated", { uri: "x:1", n: 1 });
      return heard.length > 1;
    });
  });

  test("that has no subscriptions is not asked on and on", async () => {
    const upstream = await startFeatures({ era, capabilities: { resources: {} }, grant: () => ({}) });
    const provider = await openProvider(upstream.url);
    await expect(provider.subscribe("x:1", () => {}, { peer: peerOf("a") })).rejects.toMatchObject({
      code: "unsupported",
    });
    const asked = upstream.count(begun);
    await provider.ask("acme/do").catch(() => {});
    expect(upstream.count(begun)).toBe(asked);
  });

  test("keeps nothing of a client that is gone", async () => {
    const upstream = await startFeatures({ era });
    const provider = await openProvider(upstream.url);
    const gone = new AbortController();
    await provider.subscribe("x:1", () => {}, { peer: peerOf("a", gone.signal) });
    const streams = upstream.streams();
    gone.abort();
    await until(() => upstream.streams() === streams - 1);
    await provider.surface.close();
  });

  test("has at most 200 subscriptions of one caller", async () => {
    const upstream = await startFeatures({ era });
    const provider = await openProvider(upstream.url);
    const subscribe = (uri: string, key: string) => provider.subscribe(uri, () => {}, { peer: peerOf(key) });
    await Promise.all(Array.from({ length: 200 }, (_none, index) => subscribe(`x:${index}`, "a")));
    await expect(subscribe("x:more", "a")).rejects.toMatchObject({ code: "overloaded", retryable: false });
    const [subscription] = [await subscribe("x:more", "b")];
    subscription?.end();
  });

  test("whose caller leaves before it answers is let go", async () => {
    const upstream = await startFeatures({ era, grant: (wanted) => wanted });
    const provider = await openProvider(upstream.url);
    const caller = new AbortController();
    const subscribing = provider.subscribe("x:1", () => {}, { peer: peerOf("a"), signal: caller.signal });
    caller.abort();
    await expect(subscribing).rejects.toBeDefined();
    await provider.surface.close();
  });
});

test("a part of a resource is told of to who subscribed to the whole", async () => {
  const upstream = await startFeatures({ era: "legacy" });
  const provider = await openProvider(upstream.url);
  const heard: unknown[] = [];
  await provider.subscribe("x:/a", ({ uri }) => heard.push(uri), { peer: peerOf("a") });
  for (const uri of ["x:/ab", "x:/b", "x:/a/b", "x:/a#c", "x:/a"]) {
    upstream.push("notifications/resources/updated", { uri });
  }
  await until(() => heard.length === 3);
  expect(heard).toEqual(["gw-peer+x:/a/b", "gw-peer+x:/a#c", "gw-peer+x:/a"]);
});

test("a refused subscription says why", async () => {
  const upstream = await startFeatures({
    era: "legacy",
    answer: ({ method }) =>
      method === "resources/subscribe"
        ? { error: { code: -32002, message: "no such thing", data: { uri: "x:1" } } }
        : undefined,
  });
  const provider = await openProvider(upstream.url);
  await expect(provider.subscribe("x:1", () => {}, { peer: peerOf("a") })).rejects.toMatchObject({
    name: "RpcError",
    code: -32002,
    data: { uri: "gw-peer+x:1" },
  });
});
