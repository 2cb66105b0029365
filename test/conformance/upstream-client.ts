// The client that the official client suites start, with the URL of an MCP server as its last argument: a gateway with that server as
// an upstream, a person who connects to it whenever the gateway says so, and a caller of its one tool.
//
// `MCP_CONFORMANCE_CONTEXT` may hold a client that is registered beforehand. Ends with 0 once the tool has answered.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { asObject } from "../../src/json-object.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { type RunningGateway, startGateway } from "../e2e/start-gateway.ts";
import { modernRequest, post } from "../server/mcp/wire.ts";

/** What people put up with before they give up: so many authorizations, and so long. */
const mostAuthorizations = 2;
const patienceMilliseconds = 15_000;
const pauseMilliseconds = 250;

/** The suites expect this one of clients that have a metadata document. */
const clientMetadataUrl = "https://conformance-test.local/client-metadata.json";
const tool = "test-tool";

const server = process.argv.at(-1) ?? "";
const given = asObject(JSON.parse(process.env["MCP_CONFORMANCE_CONTEXT"] ?? "{}"));
const { client_id: clientId, client_secret: clientSecret } = given ?? {};

const config = {
  server: { port: 0, encryption_key: "${GATEWAY_KEY}" },
  egress: { allowed_hosts: [new URL(server).hostname] },
  providers: {
    upstream: {
      mcp: { tool_prefix: "" },
      surfaces: { mcp: { url: server, connection: "account" } },
      connections: {
        account: {
          mode: "user",
          auth: {
            type: "mcp_oauth",
            client_metadata_url: clientMetadataUrl,
            ...(clientId !== undefined && { client_id: clientId }),
            ...(clientSecret !== undefined && { client_secret: "${CLIENT_SECRET}" }),
          },
        },
      },
    },
  },
};

const folder = await mkdtemp(join(tmpdir(), "gateway-conformance-"));
try {
  const file = join(folder, "gestalt.yaml");
  await writeFile(file, JSON.stringify(config));
  const gateway = await startGateway({
    config: file,
    environment: { GATEWAY_KEY: randomBytes(32).toString("base64"), CLIENT_SECRET: String(clientSecret) },
  });
  try {
    process.exitCode = (await usesTool(gateway)) ? 0 : 1;
  } finally {
    await gateway.stop();
    tell(gateway.told());
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Calls until the tool answers; connects first, and whenever the gateway asks for it again. */
async function usesTool(gateway: RunningGateway): Promise<boolean> {
  const end = performance.now() + patienceMilliseconds;
  let authorizations = 0;
  while (performance.now() < end) {
    if (await wantsAuthorization(gateway)) {
      if (authorizations === mostAuthorizations) return false;
      authorizations += 1;
      if (!(await connect(gateway))) return false;
    }
    if (await callsTool(gateway)) return true;
    await wait(pauseMilliseconds);
  }
  return false;
}

async function callsTool({ url }: RunningGateway): Promise<boolean> {
  const { message, headers } = modernRequest("tools/call", { name: tool, arguments: {} });
  const answer = await post(`${url}/mcp`, message, headers);
  tell(`${tool}: ${answer.text}`);
  const result = asObject(answer.message["result"]);
  return result !== undefined && result["isError"] !== true;
}

/** Goes through an authorization like a browser, whose person agrees to everything. */
async function connect(gateway: RunningGateway): Promise<boolean> {
  const started = await ask(gateway, "POST", "/api/v1/auth/start-oauth", { provider: "upstream" });
  tell(`authorization: ${JSON.stringify(started)}`);
  const url = started["authorization_url"];
  if (typeof url !== "string") return false;
  const page = await fetch(url, { redirect: "manual" });
  const callback = page.headers.get("location");
  await page.body?.cancel();
  if (callback === null) return false;
  const back = await fetch(callback, { redirect: "manual" });
  tell(`callback: ${back.status} ${await back.text()}`);
  return back.status === 303;
}

/** Also where only some calls want more than was authorized. */
async function wantsAuthorization(gateway: RunningGateway): Promise<boolean> {
  const { connections } = await ask(gateway, "GET", "/api/v1/integrations/upstream");
  const first = Array.isArray(connections) ? asObject(connections[0]) : undefined;
  tell(`connection: ${JSON.stringify(first)}`);
  return asObject(first?.["next_action"])?.["kind"] === "authorize";
}

async function ask(
  { url }: RunningGateway,
  method: string,
  path: string,
  body?: JsonObject,
): Promise<JsonObject> {
  const response = await fetch(`${url}${path}`, {
    method,
    ...(body !== undefined && {
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  });
  return asObject(JSON.parse(await response.text())) ?? {};
}

/** The suites keep it beside their results. */
function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}
