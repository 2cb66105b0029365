import { STATUS_CODES } from "node:http";
import { parseExactJson } from "../../json/exact-json.ts";
import { isAtLeast } from "../../mcp/versions.ts";
import type { JsonObject, JsonSchema, JsonValue } from "../../model/json.ts";
import type { HttpResult, PageSummary } from "../../model/result.ts";
import { gatewayMetaKeys } from "./gateway-meta.ts";
import { type FitsSchema, replaceMisfit } from "./keep-promise.ts";
import { createResultUri } from "./kept-results.ts";
import { structuredContent } from "./structured-content.ts";

/** Characters of an upstream's refusal: enough for its message, too little to drown it. */
const longestErrorText = 64 * 1024;
/** Characters of the address that a redirect leads to. */
const longestLocation = 2_000;
/** Bytes of an image, a sound or a file. */
const largestBlob = 8 * 1024 * 1024;
/** Beyond it a value is passed as text only: writing it would exhaust the stack. */
const deepestStructure = 500;

/** Headers that a client can act on; the rest belongs to the connection between gateway and upstream. */
const passedHeader =
  /^(?:etag|last-modified|link|location|content-disposition|content-language|content-range|retry-after|deprecation|sunset|x-request-id|x-total-count|(?:x-)?rate-?limit(?:-[a-z-]+)?)$/;

/**
 * Turns an upstream's HTTP answer into content blocks: JSON as its exact text and as `structuredContent`, text as text, images
 * and sounds as such, other bytes as an embedded resource. Of refusals and bytes, what is too large is cut or left out with a note that
 * says so; text and structure are whole.
 */
export function describeHttpResult(
  result: HttpResult,
  outputSchema: JsonSchema | undefined,
  version: string,
  fits: FitsSchema,
): JsonObject {
  const headers = Object.fromEntries(
    Object.entries(result.headers).filter(([name]) => passedHeader.test(name)),
  );
  const { status, attempts, pages, notes = [] } = result;
  const _meta = {
    [gatewayMetaKeys.http]: { status, headers, ...(attempts !== undefined && { attempts }) },
    ...(pages !== undefined && { [gatewayMetaKeys.pages]: describePages(pages) }),
  };
  const remarks = notes.map((note) => ({ type: "text", text: `[${note}]` }));
  if (result.isError) {
    return { content: [{ type: "text", text: errorText(result) }, ...remarks], isError: true, _meta };
  }
  const { content, ...rest } = successContent(result, outputSchema, version);
  const replacement =
    outputSchema === undefined || !isAtLeast(version, "2025-06-18")
      ? undefined
      : replaceMisfit(rest["structuredContent"], outputSchema, version, fits);
  if (replacement === undefined) return { content: [...content, ...remarks], ...rest, isError: false, _meta };
  const { structure, remark } = replacement;
  return {
    content: [...content, ...remarks],
    structuredContent: structure,
    isError: false,
    _meta: { ..._meta, [gatewayMetaKeys.http]: { ..._meta[gatewayMetaKeys.http], note: remark } },
  };
}

/** What is not known is left out. */
function describePages({ pages, items, more, next, stopped }: PageSummary): JsonObject {
  return {
    pages,
    items,
    ...(more !== undefined && { more }),
    ...(next !== undefined && { next }),
    ...(stopped !== undefined && { stopped }),
  };
}

function successContent(
  result: HttpResult,
  outputSchema: JsonSchema | undefined,
  version: string,
): JsonObject & { readonly content: readonly JsonValue[] } {
  const { body, sequence } = result;
  const type = mediaType(result);
  if (body.length === 0) return { content: [{ type: "text", text: emptyText(result) }] };
  if (sequence !== undefined) {
    return {
      content: [textBlock(JSON.stringify(sequence))],
      ...sequenceContent(sequence, outputSchema, version),
    };
  }
  if (isTextual(type) || type === "") {
    const text = decodeText(result);
    if (text !== undefined) {
      const value = isJson(type) ? parseStructure(text) : undefined;
      if (value === undefined) return { content: [textBlock(text)] };
      return {
        content: [textBlock(text)],
        ...structuredContent(value, text.trimStart().startsWith("{"), outputSchema, version),
      };
    }
  }
  return { content: [binaryBlock(body, type === "" ? "application/octet-stream" : type, version)] };
}

/** Where the schema is one of objects, because it describes another form of the answer, the items come inside of one. */
function sequenceContent(
  sequence: readonly JsonValue[],
  outputSchema: JsonSchema | undefined,
  version: string,
): JsonObject {
  return outputSchema?.["type"] === "object"
    ? structuredContent({ result: sequence }, true, outputSchema, version)
    : structuredContent(sequence, false, outputSchema, version);
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
  return { type: "resource", resource: { uri: createResultUri(), mimeType, blob: data } };
}

function errorText(result: HttpResult): string {
  const { status, body } = result;
  if (status >= 300 && status < 400) return redirectText(result);
  const line = [
    `The upstream answered HTTP ${statusLine(status)}${status < 400 ? " with errors" : ""}.`,
    ...retryAdvice(result),
  ].join(" ");
  if (body.length === 0) return line;
  const text = decodeText(result);
  if (text === undefined)
    return `${line} The body is ${body.length} bytes of ${mediaType(result) || "unknown type"}.`;
  return `${line}\n\n${cut(text, longestErrorText, "The rest is left out.")}`;
}

/** What was tried, and when it is worth trying again. */
function retryAdvice({ headers, attempts }: HttpResult): readonly string[] {
  const { "retry-after": after } = headers;
  return [
    ...(attempts === undefined ? [] : [`It was tried ${attempts} times.`]),
    ...(after === undefined || after === "0" || after.length > 40
      ? []
      : [
          `It asks to wait ${/^\d+$/.test(after) ? `${after} s` : `until ${after}`} before the next attempt.`,
        ]),
  ];
}

/** Where it leads is the upstream's word, and the call's credential is not for everybody. */
function redirectText({ status, headers }: HttpResult): string {
  const line = `The upstream answered HTTP ${statusLine(status)}`;
  const { location } = headers;
  if (location === undefined) return `${line}, which is not the answer to the call.`;
  const target = cut(location, longestLocation, "The rest is left out.");
  return `${line} and redirects to ${target}. The gateway does not follow redirects. If that is where the API is, whoever runs the gateway can name it in the configuration.`;
}

function emptyText({ status, headers }: HttpResult): string {
  const location = headers["location"];
  return `HTTP ${statusLine(status)}, without a body.${location === undefined ? "" : ` Location: ${location}`}`;
}

function textBlock(text: string): JsonObject {
  return { type: "text", text };
}

function cut(text: string, length: number, remedy: string): string {
  if (text.length <= length) return text;
  const whole = text.slice(0, length).replace(/[\uD800-\uDBFF]$/, "");
  return `${whole}\n[Cut by the gateway: ${whole.length} of ${text.length} characters are shown. ${remedy}]`;
}

/** `undefined` for what is not JSON after all, and for what is nested too deep. */
function parseStructure(text: string): JsonValue | undefined {
  try {
    return parseExactJson(text, deepestStructure);
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
