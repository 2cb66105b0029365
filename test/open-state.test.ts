import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadConfig } from "../src/config/load-config.ts";
import type { GatewayConfig } from "../src/model/config.ts";
import { openState } from "../src/open-state.ts";

async function configure(folder: string, server: object, auth: object): Promise<GatewayConfig> {
  const surfaces = { rest: { base_url: "http://127.0.0.1:1", operations: [] } };
  const datastore = { provider: "sqlite", config: { path: "./gateway.db" } };
  const { config, diagnostics } = await loadConfig("gestalt.yaml", {
    environment: {},
    references: "resolve",
    workingDirectory: folder,
    readFile: async () =>
      Buffer.from(JSON.stringify({ server, auth, datastore, providers: { shop: { surfaces } } })),
  });
  if (config === undefined) throw new Error(JSON.stringify(diagnostics));
  return config;
}

test("a reload turns the authorization server on and off, and moves nothing before the next start", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gateway-state-"));
  const before = { base_url: "https://old.example", allowed_hosts: ["old.example"] };
  const after = { base_url: "https://new.example", allowed_hosts: ["new.example"] };
  const off = { provider: "local" };
  const on = { provider: "local", authorization_server: {} };
  const state = await openState(await configure(folder, before, off), { log: () => {} });
  onTestFinished(async () => {
    await state.close();
    await rm(folder, { recursive: true, force: true });
  });
  const { address, authorizationServer } = state;
  expect(authorizationServer.owns("/oauth/token")).toBe(false);
  (await state.reconfigure(await configure(folder, after, on)))();
  expect(authorizationServer.owns("/oauth/token")).toBe(true);
  // Whom the gateway answers is settled by the start, so it is called by that name for as long.
  expect(address.baseUrls()).toEqual(["https://old.example"]);
  (await state.reconfigure(await configure(folder, before, off)))();
  expect(authorizationServer.owns("/oauth/token")).toBe(false);
});
