import { asObject } from "../../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";

/** An HTTP answer of the endpoint, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** All JSON-RPC messages of the body, one for plain JSON. */
  readonly messages: readonly JsonObject[];
  /** The last message. */
  readonly message: JsonObject;
}

/** What every client sends. */
export const baseHeaders = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
} as const;

/** POSTs a body as it is. */
export async function postText(
  url: string,
  body: Exclude<RequestInit["body"], null | undefined>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...baseHeaders, ...headers },
    body,
    duplex: "half",
  });
  return readAnswer(response);
}

/** POSTs a message. */
export function post(
  url: string,
  message: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return postText(url, JSON.stringify(message), headers);
}

/** Reads an answer, plain JSON or an event stream. */
export async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  const isStream = response.headers.get("content-type") === "text/event-stream";
  const parts = isStream ? dataOf(text) : text === "" ? [] : [text];
  const messages = parts.map((part) => asObject(JSON.parse(part) as JsonValue) ?? {});
  return {
    status: response.status,
    headers: response.headers,
    text,
    messages,
    message: messages.at(-1) ?? {},
  };
}

/** Reads the messages of an event stream as they come. */
export async function* streamMessages(response: Response): AsyncGenerator<JsonObject> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    rest += decoder.decode(chunk, { stream: true });
    const frames = rest.split("\n\n");
    rest = frames.pop() ?? "";
    for (const frame of frames) {
      for (const data of dataOf(`${frame}\n\n`)) yield asObject(JSON.parse(data) as JsonValue) ?? {};
    }
  }
}

function dataOf(text: string): readonly string[] {
  return text.split("\n\n").flatMap((frame) => {
    const lines = frame.split("\n").filter((line) => line.startsWith("data: "));
    const data = lines.map((line) => line.slice("data: ".length)).join("\n");
    // The first event of a stream gives an id and says nothing.
    return data === "" ? [] : [data];
  });
}

/** A request of 2026-07-28 with its envelope and headers. */
export function modernRequest(
  method: string,
  params: JsonObject = {},
  id: string | number = 1,
): { readonly message: JsonObject; readonly headers: Record<string, string> } {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    ...asObject(params["_meta"]),
  };
  const named: Readonly<Record<string, JsonValue | undefined>> = {
    "tools/call": params["name"],
    "prompts/get": params["name"],
    "resources/read": params["uri"],
  };
  const name = named[method];
  return {
    message: { jsonrpc: "2.0", id, method, params: { ...params, _meta } },
    headers: {
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...(typeof name === "string" ? { "mcp-name": name } : {}),
    },
  };
}

/** Sends a complete request of 2026-07-28. */
export function modern(
  url: string,
  method: string,
  params: JsonObject = {},
  id: string | number = 1,
): Promise<Answer> {
  const { message, headers } = modernRequest(method, params, id);
  return post(url, message, headers);
}

/** A session of a version up to 2025-11-25. */
export interface WireSession {
  readonly headers: Readonly<Record<string, string>>;
  readonly initialized: Answer;
  request(method: string, params?: JsonObject, id?: string | number): Promise<Answer>;
  notify(method: string, params?: JsonObject): Promise<Answer>;
}

/** Opens a session. */
export async function openSession(
  url: string,
  version = "2025-11-25",
  capabilities: JsonObject = {},
  further: Readonly<Record<string, string>> = {},
): Promise<WireSession> {
  const params = { protocolVersion: version, capabilities, clientInfo: { name: "wire", version: "1" } };
  const initialized = await post(url, { jsonrpc: "2.0", id: 0, method: "initialize", params }, further);
  const headers = { ...further, "mcp-session-id": initialized.headers.get("mcp-session-id") ?? "" };
  const session: WireSession = {
    headers,
    initialized,
    request: (method, given = {}, id = 1) =>
      post(url, { jsonrpc: "2.0", id, method, params: given }, headers),
    notify: (method, given = {}) => post(url, { jsonrpc: "2.0", method, params: given }, headers),
  };
  await session.notify("notifications/initialized");
  return session;
}
