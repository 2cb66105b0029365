import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sendJson, startUpstream, type Upstream } from "../attack/upstream.ts";
import { gatewayCommand } from "./start-gateway.ts";

let documents: Upstream;
/** Requests for the document, which comes when the test lets it. */
let waiting: ServerResponse[];
let folder: string;
let child: ChildProcess;

beforeEach(async () => {
  waiting = [];
  documents = await startUpstream((_seen, response) => void waiting.push(response));
  folder = await mkdtemp(join(tmpdir(), "gateway-life-"));
});
afterEach(async () => {
  child.kill("SIGKILL");
  await documents[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test("a gateway starts, is ready as far as its providers are, and leaves: /livez, /readyz and /startupz", {
  timeout: 60_000,
}, async () => {
  const config = join(folder, "gestalt.yaml");
  await writeFile(
    config,
    `
server: {port: 0, shutdown: {delay: 1h}}
providers:
  shop: {surfaces: {rest: {base_url: "${documents.url}", operations: [{name: find, method: GET, path: /b, description: F.}]}}}
  late: {surfaces: {openapi: {document: "${documents.url}/openapi.json", base_url: "${documents.url}"}}}
`,
  );
  const line = gatewayCommand(["serve", "-c", config]);
  const started = spawn(line.command, line.args, { stdio: ["ignore", "ignore", "pipe"] });
  child = started;
  const url = await new Promise<string>((resolve, reject) => {
    started.once("exit", (code) => reject(new Error(`ended with ${code}`)));
    createInterface({ input: started.stderr }).on("line", (text) => {
      const found = /listens on (http:\S+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  const health = async (): Promise<readonly string[]> => {
    const answers = ["livez", "readyz", "startupz"].map(async (path) => {
      const response = await fetch(`${url}/${path}`);
      const { status } = JSON.parse(await response.text());
      return `${path} ${response.status} ${status}`;
    });
    return Promise.all(answers);
  };
  const poll = (): ReturnType<typeof expect.poll<readonly string[]>> =>
    expect.poll(health, { timeout: 20_000 });

  await poll().toEqual(["livez 200 alive", "readyz 503 starting", "startupz 503 starting"]);
  await expect.poll(() => waiting.length, { timeout: 20_000 }).toBeGreaterThan(0);
  for (const response of waiting) sendJson(response, { no: "document" });
  await poll().toEqual(["livez 200 alive", "readyz 200 degraded", "startupz 200 started"]);
  child.kill("SIGTERM");
  await poll().toEqual(["livez 200 alive", "readyz 503 draining", "startupz 200 started"]);
});
