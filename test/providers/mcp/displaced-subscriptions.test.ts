import { expect, test } from "vitest";
import { startFeatures } from "./feature-upstream.ts";
import { createPeer, openProvider, until } from "./open-provider.ts";

/** More callers than one upstream may have sessions. */
const subscribers = 205;

test("callers who only wait for changes make room for those who call or subscribe, and hear again once there is room", async () => {
  const upstream = await startFeatures({ era: "legacy" });
  const provider = await openProvider(upstream.url);
  const heard = new Set<number>();
  const gone = Array.from({ length: subscribers }, () => new AbortController());
  for (const [index, { signal }] of gone.entries()) {
    const { peer } = createPeer(undefined, {}, { key: `k${index}`, gone: signal });
    await provider.subscribe(`x:${index}`, () => heard.add(index), { peer });
  }
  const { peer } = createPeer(undefined, {}, { key: "caller" });
  // It gets through to the upstream, which does not know it.
  await expect(provider.ask("acme/do", {}, { peer })).rejects.toThrow("There is no acme/do");

  // Of the first subscribers some have lost their place; it comes back when others go.
  for (const controller of gone.slice(100)) controller.abort();
  await until(() => {
    for (let index = 0; index < 100; index++)
      upstream.push("notifications/resources/updated", { uri: `x:${index}` });
    return heard.size >= 100;
  });
  expect(Math.max(...heard)).toBeLessThan(100);
});
