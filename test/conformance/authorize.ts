import { setTimeout as wait } from "node:timers/promises";
import { asObject } from "../../src/json-object.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { RunningGateway } from "../e2e/start-gateway.ts";
import { modernRequest, post } from "../server/mcp/wire.ts";

/** What people put up with before they give up: so many authorizations, and so long. */
const mostAuthorizations = 2;
const patienceMilliseconds = 15_000;
const pauseMilliseconds = 250;

const tool = "test-tool";

/**
 * Does what the scenarios about authorization want: calls the one tool until it answers; connects first, and whenever the gateway
 * asks for it again. False where it never answers. @param tell gets what happens, line by line.
 */
export async function usesTool(gateway: RunningGateway, tell: (line: string) => void): Promise<boolean> {
  const end = performance.now() + patienceMilliseconds;
  let authorizations = 0;
  while (performance.now() < end) {
    if (await wantsAuthorization(gateway, tell)) {
      if (authorizations === mostAuthorizations) return false;
      authorizations += 1;
      if (!(await connect(gateway, tell))) return false;
    }
    if (await callsTool(gateway, tell)) return true;
    await wait(pauseMilliseconds);
  }
  return false;
}

async function callsTool({ url }: RunningGateway, tell: (line: string) => void): Promise<boolean> {
  const { message, headers } = modernRequest("tools/call", { name: tool, arguments: {} });
  const answer = await post(`${url}/mcp`, message, headers);
  tell(`${tool}: ${answer.text}`);
  const result = asObject(answer.message["result"]);
  return result !== undefined && result["isError"] !== true;
}

/** Goes through an authorization like a browser, whose person agrees to everything. */
async function connect(gateway: RunningGateway, tell: (line: string) => void): Promise<boolean> {
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
async function wantsAuthorization(gateway: RunningGateway, tell: (line: string) => void): Promise<boolean> {
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
