import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { openStage, token } from "./stage.ts";

const management = { host: "127.0.0.1", port: 0 };

test("health is served at a port of its own, and nothing else is", async () => {
  await using stage = await openStage({ management });
  const url = stage.server.managementUrl ?? "";
  expect(url).not.toBe(stage.server.url);
  for (const path of ["/livez", "/readyz", "/startupz", "/health", "/ready"]) {
    for (const base of [url, stage.server.url]) {
      expect((await fetch(`${base}${path}`)).status).toBe(200);
      const head = await fetch(`${base}${path}`, { method: "HEAD" });
      expect([head.status, await head.text()]).toEqual([200, ""]);
      expect((await fetch(`${base}${path}`, { method: "POST" })).status).toBe(405);
    }
  }
  for (const path of ["/mcp", "/api/v1/integrations", "/openapi.json", "/", "/login", "/metrics"]) {
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token("ada")}` } });
    expect([path, answer.status]).toEqual([path, 404]);
  }
});

test("who may know of the providers is told of them there as well, under a host of this gateway", async () => {
  await using stage = await openStage({ management });
  const ask = async (headers: Readonly<Record<string, string>>): Promise<unknown> =>
    (await fetch(`${stage.server.managementUrl}/readyz`, { headers })).json();
  expect(await ask({})).toEqual({ status: "ready" });
  expect(await ask({ authorization: `Bearer ${token("ada")}` })).toHaveProperty("providers");
  expect(await ask({ authorization: `Bearer ${token("ada")}`, origin: "http://evil.example" })).toEqual({
    status: "ready",
  });
});

test("/startupz says 503 until every provider was tried once, and then 200 for ever", async () => {
  const stage = await openStage({ management, isStarted: false });
  const status = async (path: string): Promise<number> =>
    (await fetch(`${stage.server.managementUrl}${path}`)).status;
  expect([await status("/livez"), await status("/startupz"), await status("/readyz")]).toEqual([
    200, 503, 503,
  ]);
  stage.server.markStarted();
  expect([await status("/startupz"), await status("/readyz")]).toEqual([200, 200]);
  await stage.server.leave();
  expect([await status("/startupz"), await status("/readyz")]).toEqual([200, 503]);
  await stage[Symbol.asyncDispose]();
  await expect(status("/livez")).rejects.toThrow();
});

test("a port that is taken is a mistake that says which key to change, and leaves nothing open", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as AddressInfo;
  await expect(openStage({ management: { host: "127.0.0.1", port } })).rejects.toThrow(
    /server\.management\.port/,
  );
  await new Promise((resolve) => other.close(resolve));
});
