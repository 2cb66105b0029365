import type { ResponseMapping } from "../../model/config.ts";
import type { HttpResult } from "../../model/result.ts";
import { parseJsonBytes, partAt } from "./json-part.ts";
import { essence, isJsonMediaType } from "./media-type.ts";

/**
 * Replaces a successful JSON answer by the part of it that the mapping names, with all digits of its numbers. Any other
 * answer, and one without that part, stays as it came.
 */
export function mapResponse(result: HttpResult, mapping: ResponseMapping | undefined): HttpResult {
  if (mapping === undefined || result.status < 200 || result.status > 299) return result;
  const { "content-length": _, "content-type": contentType = "", ...headers } = result.headers;
  if (!isJsonMediaType(contentType)) return result;
  const answer = parseJsonBytes(result.body);
  const part = answer === undefined ? undefined : partAt(answer, mapping.data);
  if (part === undefined) return result;
  return {
    ...result,
    // What is written anew is UTF-8, whatever parameters said of the answer.
    headers: { ...headers, "content-type": essence(contentType) },
    body: new TextEncoder().encode(JSON.stringify(part)),
  };
}
