import { isJsonObject } from "../../json-object.ts";
import { parseExactJson } from "../../mcp/exact-json.ts";
import { isNestedDeeperThan } from "../../mcp/nesting.ts";
import type { ResponseMapping } from "../../model/config.ts";
import type { JsonValue } from "../../model/json.ts";
import type { HttpResult } from "../../model/result.ts";
import { essence, isJsonMediaType } from "./media-type.ts";

/** Writing JSON recurses; answers that nest deeper pass as they came. */
const deepestAnswer = 1000;

/**
 * Replaces a successful JSON answer by the part of it that the mapping names, with all digits of its numbers. Any other
 * answer, and one without that part, stays as it came.
 */
export function mapResponse(result: HttpResult, mapping: ResponseMapping | undefined): HttpResult {
  if (mapping === undefined || result.status < 200 || result.status > 299) return result;
  const { "content-length": _, "content-type": contentType = "", ...headers } = result.headers;
  if (!isJsonMediaType(contentType)) return result;
  const answer = parseBody(result.body);
  const part = answer === undefined ? undefined : partAt(answer, mapping.data);
  if (part === undefined) return result;
  return {
    ...result,
    // What is written anew is UTF-8, whatever parameters said of the answer.
    headers: { ...headers, "content-type": essence(contentType) },
    body: new TextEncoder().encode(JSON.stringify(part)),
  };
}

function parseBody(body: Uint8Array): JsonValue | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    return isNestedDeeperThan(text, deepestAnswer) ? undefined : parseExactJson(text);
  } catch {
    // What calls itself JSON and is none is the caller's to see.
    return undefined;
  }
}

function partAt(answer: JsonValue, path: readonly string[]): JsonValue | undefined {
  let part: JsonValue | undefined = answer;
  for (const name of path) {
    part = isJsonObject(part) && Object.hasOwn(part, name) ? part[name] : undefined;
  }
  return part;
}
