import { call } from "../../src/cli/call.ts";
import { GatewayError } from "../../src/errors.ts";
import { asObject } from "../../src/json-object.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { gatewayMetaKeys } from "../../src/server/mcp/gateway-meta.ts";
import { callModern, openLegacy, recordingConsole } from "../attack/system.ts";
import { operationName, passedHeader, type SelectionRow } from "../credentials/selection-rows.ts";
import type { Answer } from "../server/mcp/wire.ts";
import type { RowCaller, SelectionStage } from "./selection-stage.ts";

/** The ways into the gateway. */
export const ways = ["MCP", "HTTP API", "command line"] as const;
export type Way = (typeof ways)[number];

/** What a caller is told, the same by whatever way it came. */
export type Outcome =
  | { readonly kind: "token"; readonly token: string | undefined }
  | {
      readonly kind: "error";
      readonly code: string;
      readonly instances: unknown;
      /** What is to be connected, as the details name it and as the connect URL does. */
      readonly place: readonly unknown[];
      readonly connect: string | undefined;
      readonly text: string;
    };

/** Makes the call of a row. Eras of MCP, and methods of the HTTP API, take turns with `index`. */
export function callThrough(
  way: Way,
  stage: SelectionStage,
  row: SelectionRow,
  caller: RowCaller,
  index: number,
): Promise<Outcome> {
  // Surfaces take turns too, by fours.
  const isEven = (index + Math.floor(index / 4)) % 2 === 0;
  const named = {
    ...(row.instance !== undefined && { _instance: row.instance }),
    ...(row.connection !== undefined && { _connection: row.connection }),
  };
  const headers = { ...caller.headers, ...(row.header !== undefined && { [passedHeader]: row.header }) };
  const tool = `${row.provider.name}_${operationName}`;
  switch (way) {
    case "MCP": {
      if (isEven) return callModern(stage.url, tool, named, 1, headers).then(readMcp);
      return callLegacy(stage.url, index % 3 === 0 ? "2025-06-18" : "2025-11-25", tool, named, headers);
    }
    case "HTTP API": {
      const url = `${stage.url}/api/v1/${row.provider.name}/${operationName}`;
      return isEven ? getApi(url, named, headers) : postApi(url, named, headers);
    }
    case "command line":
      return callCommand(stage.commandFile(row.provider.name), tool, row, caller.as);
  }
}

type Headers = Readonly<Record<string, string>>;

async function callLegacy(
  url: string,
  version: string,
  name: string,
  given: JsonObject,
  headers: Headers,
): Promise<Outcome> {
  const session = await openLegacy(url, version, headers);
  return readMcp(await session.request("tools/call", { name, arguments: given }));
}

function readMcp({ message, text }: Answer): Outcome {
  const error = asObject(message["error"]);
  if (error !== undefined) {
    const isUnknown = error["code"] === -32602 && String(error["message"]).startsWith("Unknown tool");
    return errorIn(isUnknown ? "not_found" : String(error["code"]), {}, text);
  }
  const result = asObject(message["result"]);
  if (result?.["isError"] !== true) return tokenIn(JSON.stringify(result));
  const told = asObject(asObject(result["_meta"])?.[gatewayMetaKeys.error]) ?? {};
  return errorIn(String(told["code"]), told, text);
}

async function getApi(
  url: string,
  given: Readonly<Record<string, string>>,
  headers: Headers,
): Promise<Outcome> {
  return readApi(await fetch(`${url}?${new URLSearchParams(given)}`, { headers }));
}

async function postApi(url: string, given: JsonObject, headers: Headers): Promise<Outcome> {
  const sent = { ...headers, "content-type": "application/json" };
  return readApi(await fetch(url, { method: "POST", headers: sent, body: JSON.stringify(given) }));
}

async function readApi(response: Response): Promise<Outcome> {
  const text = await response.text();
  const code = response.headers.get("gateway-error");
  if (code === null) return tokenIn(text);
  return errorIn(code, asObject(asObject(JSON.parse(text))?.["error"]) ?? {}, text);
}

async function callCommand(
  config: string,
  tool: string,
  { connection, instance }: SelectionRow,
  as: string,
): Promise<Outcome> {
  const console = recordingConsole();
  const options = { config, tool, texts: [], json: undefined, connection, instance, as, dryRun: false };
  try {
    const status = await call(options, console);
    const text = console.text();
    if (status === 0) return tokenIn(text);
    return errorIn(text.includes("there is no tool") ? "not_found" : `status ${status}`, {}, text);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return errorIn(error.code, { ...error.details }, `${console.text()}${error.message}`);
  }
}

/** What the upstreams of the stage say, in whatever that was wrapped. */
function tokenIn(text: string): Outcome {
  const [seen, ...others] = new Set([...text.matchAll(/saw:([^;]*);/g)].map(([, token]) => token));
  if (seen === undefined || others.length > 0) throw new Error(`Not the answer of an upstream: ${text}`);
  return { kind: "token", token: seen === "" ? undefined : seen };
}

function errorIn(code: string, details: JsonObject, text: string): Outcome {
  const { instances, provider, connection, connect_url: url } = details;
  const connect = typeof url === "string" ? new URL(url).search : undefined;
  return { kind: "error", code, instances, place: [provider, connection], connect, text };
}
