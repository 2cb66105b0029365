import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import { parseExactJson } from "../../mcp/exact-json.ts";
import { isNestedDeeperThan } from "../../mcp/nesting.ts";
import { isAtLeast } from "../../mcp/versions.ts";
import type { JsonObject, JsonSchema, JsonValue } from "../../model/json.ts";
import type { HttpResult } from "../../model/result.ts";
import { gatewayMetaKeys } from "./gateway-meta.ts";
import { structuredContent } from "./structured-content.ts";

/** Characters of a text block; more than any model reads. */
const longestText = 1_000_000;
/** Characters of an upstream's refusal: enough for its message, too little to drown it. */
const longestErrorText = 64 * 1024;
/** Bytes of an image, a sound or a file. */
const largestBlob = 8 * 1024 * 1024;
/** Beyond it a value is passed as text only: writing it would exhaust the stack. */
const deepestStructure = 500;

/** Headers that a client can act on; the rest belongs to the connection between gateway and upstream. */
const passedHeader =
  /^(?:etag|last-modified|link|location|content-disposition|content-language|retry-after|x-request-id|(?:x-)?ratelimit(?:-[a-z-]+)?)$/;

/**
 * Turns an upstream's HTTP answer into content blocks: JSON as its exact text and as `structuredContent`, text as text, images
 * and sounds as such, other bytes as an embedded resource. What is too large is cut or left out with a note that says so.
 */
export function describeHttpResult(
  result: HttpResult,
  outputSchema: JsonSchema | undefined,
  version: string,
): JsonObject {
  const headers = Object.fromEntries(
    Object.entries(result.headers).filter(([name]) => passedHeader.test(name)),
  );
  const _meta = { [gatewayMetaKeys.http]: { status: result.status, headers } };
  if (result.isError) return { content: [{ type: "text", text: errorText(result) }], isError: true, _meta };
  return { ...successContent(result, outputSchema, version), isError: false, _meta };
}

function successContent(
  result: HttpResult,
  outputSchema: JsonSchema | undefined,
  version: string,
): JsonObject & { readonly content: JsonValue } {
  const { body } = result;
  const type = mediaType(result);
  if (body.length === 0) return { content: [{ type: "text", text: emptyText(result) }] };
  if (isTextual(type) || type === "") {
    const text = decodeText(result);
    if (text !== undefined) {
      const value = isJson(type) ? parseStructure(text) : undefined;
      if (value === undefined)
        return { content: [textBlock(text, "Ask for less, such as a smaller page or a filter.")] };
      return {
        content: [textBlock(text, "`structuredContent` holds all of it.")],
        ...structuredContent(value, text.trimStart().startsWith("{"), outputSchema, version),
      };
    }
  }
  return { content: [binaryBlock(body, type === "" ? "application/octet-stream" : type, version)] };
}

function binaryBlock(body: Uint8Array, mimeType: string, version: string): JsonObject {
  if (body.length > largestBlob) {
    return {
      type: "text",
      text: `[The response is ${body.length} bytes of ${mimeType}, more than the ${largestBlob} that the gateway passes on. It is left out.]`,
    };
  }
  const data = Buffer.from(body).toString("base64");
  if (mimeType.startsWith("image/")) return { type: "image", data, mimeType };
  // Audio blocks came with 2025-03-26.
  if (mimeType.startsWith("audio/") && isAtLeast(version, "2025-03-26"))
    return { type: "audio", data, mimeType };
  return { type: "resource", resource: { uri: `gateway://results/${randomUUID()}`, mimeType, blob: data } };
}

function errorText(result: HttpResult): string {
  const { status, body } = result;
  const line = `The upstream answered HTTP ${statusLine(status)}${status < 400 ? " with errors" : ""}.`;
  if (body.length === 0) return line;
  const text = decodeText(result);
  if (text === undefined)
    return `${line} The body is ${body.length} bytes of ${mediaType(result) || "unknown type"}.`;
  return `${line}\n\n${cut(text, longestErrorText, "The rest is left out.")}`;
}

function emptyText({ status, headers }: HttpResult): string {
  const location = headers["location"];
  return `HTTP ${statusLine(status)}, without a body.${location === undefined ? "" : ` Location: ${location}`}`;
}

function textBlock(text: string, remedy: string): JsonObject {
  return { type: "text", text: cut(text, longestText, remedy) };
}

function cut(text: string, length: number, remedy: string): string {
  if (text.length <= length) return text;
  const whole = text.slice(0, length).replace(/[\uD800-\uDBFF]$/, "");
  return `${whole}\n[Cut by the gateway: ${whole.length} of ${text.length} characters are shown. ${remedy}]`;
}

/** `undefined` for what is not JSON after all, and for what is nested too deep. */
function parseStructure(text: string): JsonValue | undefined {
  if (isNestedDeeperThan(text, deepestStructure)) return undefined;
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

/** `undefined` for bytes that are no text. */
function decodeText(result: HttpResult): string | undefined {
  const charset = /;\s*charset="?([^";\s]+)/i.exec(result.headers["content-type"] ?? "")?.[1];
  const text = decodeAs(charset ?? "utf-8", result.body) ?? decodeAs("utf-8", result.body);
  return text?.includes("\0") === true && mediaType(result) === "" ? undefined : text;
}

/** `undefined` for an encoding that is unknown or not that of the bytes. */
function decodeAs(charset: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function mediaType({ headers }: HttpResult): string {
  return headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

function isJson(type: string): boolean {
  return type === "application/json" || type === "text/json" || type.endsWith("+json");
}

function isTextual(type: string): boolean {
  return (
    isJson(type) ||
    type.startsWith("text/") ||
    type.endsWith("+xml") ||
    type.endsWith("+yaml") ||
    /^application\/(?:xml|yaml|x-yaml|x-ndjson|jsonl|jsonlines|json-seq|javascript|graphql|sql|toml|x-www-form-urlencoded)$/.test(
      type,
    )
  );
}

function statusLine(status: number): string {
  const reason = STATUS_CODES[status];
  return reason === undefined ? String(status) : `${status} ${reason}`;
}
