import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type RunningGateway, startGateway } from "./start-gateway.ts";

/** A local server of few lines: `ask` asks its client, `slow` takes a second, `pid` says who it is. */
const server = `
const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\\n");
const text = (id, value) => send({ id, result: { content: [{ type: "text", text: String(value) }] } });
let asking;
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params, result } = JSON.parse(line);
  if (method === undefined) return text(asking, result.content.name);
  if (method === "initialize")
    send({ id, result: { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "s", version: "1" } } });
  else if (method === "tools/list")
    send({ id, result: { tools: ["ask", "slow", "pid"].map((name) => ({ name, inputSchema: { type: "object" } })) } });
  else if (method !== "tools/call") return;
  else if (params.name === "pid") text(id, process.pid);
  else if (params.name === "slow") setTimeout(text, 1_000, id, "slowly");
  else {
    asking = id;
    send({ id: "q", method: "elicitation/create", params: { message: "Name?", requestedSchema: { type: "object", properties: { name: { type: "string" } } } } });
  }
});
`;
const meta = (capabilities: object): object => ({
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": capabilities,
});

let folder: string;
let gateway: RunningGateway;
let client: Client;
let asked: PromiseWithResolvers<void>;
let answer: PromiseWithResolvers<string>;

beforeEach(async () => {
  asked = Promise.withResolvers();
  answer = Promise.withResolvers();
  folder = await mkdtemp(join(tmpdir(), "gestalt-"));
  await writeFile(join(folder, "server.cjs"), server);
  gateway = await startGateway({ config: await configure("{}") });
  client = new Client({ name: "c", version: "1" }, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, async () => {
    asked.resolve();
    return { action: "accept", content: { name: await answer.promise } };
  });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`)));
});
afterEach(async () => {
  await client.close();
  gateway.process.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

/** @param environment of the server `local`; `other` is always the same. */
async function configure(environment: string): Promise<string> {
  const config = join(folder, "gestalt.yaml");
  const command = `["${process.execPath}", "${join(folder, "server.cjs")}"]`;
  await writeFile(
    config,
    `server: {port: 0}
providers:
  local: {surfaces: {mcp: {command: ${command}, env: ${environment}}}}
  other: {surfaces: {mcp: {command: ${command}}}}
`,
  );
  return config;
}

async function pidOf(provider: string): Promise<number> {
  return Number(textOf(await client.callTool({ name: `${provider}_pid` })));
}

/** True while there is such a process. */
function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function textOf(result: object): unknown {
  return "content" in result && Array.isArray(result.content) ? result.content[0]?.text : undefined;
}

function postModern(method: string, name: string, params: object): Promise<Response> {
  return fetch(`${gateway.url}/mcp`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      "mcp-name": name,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
}

// Each of these ends long before the 30 s that calls which run may take.
test("a gateway that stops ends the streams on which clients wait, and its local servers", async () => {
  const pid = await pidOf("local");
  const listening = await postModern("subscriptions/listen", "", {
    _meta: meta({}),
    notifications: { toolsListChanged: true },
  });
  const heard = listening.text();
  expect(await gateway.stop()).toBe(0);
  expect(await heard).toMatch(/"result":\{.*subscriptionId/);
  expect(isThere(pid)).toBe(false);
  expect(gateway.told()).not.toMatch(/\n\s+at /);
}, 25_000);

test("a call that runs has its answer first", async () => {
  const slow = client.callTool({ name: "local_slow" });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const stopped = gateway.stop();
  expect(textOf(await slow)).toBe("slowly");
  expect(await stopped).toBe(0);
}, 25_000);

test("a call whose client is being asked takes the answer", async () => {
  const asking = client.callTool({ name: "local_ask" });
  asking.catch(() => {});
  await asked.promise;
  const stopped = gateway.stop();
  await gateway.tells(/SIGTERM: stopping/);
  // Connections that rest are closed first.
  const refusal = (): Promise<string> => client.listTools().then(() => "none", String);
  await expect.poll(refusal, { timeout: 10_000 }).toMatch(/shutting down/);
  answer.resolve("Ada");
  expect(textOf(await asking)).toBe("Ada");
  expect(await stopped).toBe(0);
}, 25_000);

test("a call that is parked is given up: its client can't come back", async () => {
  const parked = await postModern("tools/call", "local_ask", {
    name: "local_ask",
    _meta: meta({ elicitation: { form: {} } }),
  });
  expect(await parked.json()).toMatchObject({ result: { resultType: "input_required" } });
  expect(await gateway.stop()).toBe(0);
}, 25_000);

test("a second signal ends it at once", async () => {
  const asking = client.callTool({ name: "local_ask" });
  asking.catch(() => {});
  await asked.promise;
  const pid = await pidOf("local");
  const stopped = gateway.stop();
  await gateway.tells(/SIGTERM: stopping/);
  gateway.process.kill("SIGTERM");
  expect(await stopped).toBe(1);
  await expect.poll(() => isThere(pid), { timeout: 10_000 }).toBe(false);
  answer.resolve("");
}, 25_000);

test("a reload leaves sessions of what is as it was, and lets calls of what has changed finish", async () => {
  const [local, other] = [await pidOf("local"), await pidOf("other")];
  const parked = await postModern("tools/call", "other_ask", {
    name: "other_ask",
    _meta: meta({ elicitation: { form: {} } }),
  });
  const { requestState, inputRequests } = Object(await parked.json()).result;
  const slow = client.callTool({ name: "local_slow" });
  const asking = client.callTool({ name: "local_ask" });
  await asked.promise;
  await configure("{CHANGED: yes}");
  gateway.process.kill("SIGHUP");
  await gateway.tells(/Reloaded/);
  expect(textOf(await slow)).toBe("slowly");
  expect(await pidOf("other")).toBe(other);
  expect(await pidOf("local")).not.toBe(local);
  answer.resolve("Ada");
  expect(textOf(await asking)).toBe("Ada");
  await expect.poll(() => isThere(local), { timeout: 20_000 }).toBe(false);
  const [question = ""] = Object.keys(inputRequests);
  const retried = await postModern("tools/call", "other_ask", {
    name: "other_ask",
    inputResponses: { [question]: { action: "accept", content: { name: "Grace" } } },
    requestState,
    _meta: meta({ elicitation: { form: {} } }),
  });
  expect(await retried.text()).toContain("Grace");
  expect(await gateway.stop()).toBe(0);
}, 60_000);
