import { type JsonLimits, parseJsonBytes } from "../json/parse-json-bytes.ts";
import type { JsonValue } from "../model/json.ts";

/** A body read as JSON, or what is wrong with it, as a sentence that goes on after `it` or `the body`. */
export type JsonBody =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly problem: string };

/** What a client says of itself is small and flat. */
const limits: JsonLimits = { jsonDepth: 20, jsonValues: 10_000, jsonStringBytes: 64 * 1024, isFixed: true };

/** Reads a body that has to be JSON in UTF-8, has to say so, and may hold nothing that two parsers read differently. */
export function readJsonBody(body: Uint8Array, contentType: string | undefined): JsonBody {
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type === "") return { ok: false, problem: "has no Content-Type; application/json is needed" };
  if (!/^application\/(?:json|[a-z0-9!#$&^_.+-]+\+json)$/.test(type)) {
    const shown = /^[\w.+/-]{1,60}$/.test(type) ? type : "something else";
    return { ok: false, problem: `has the Content-Type ${shown} in place of application/json` };
  }
  const parsed = parseJsonBytes(body, limits);
  if (parsed.ok) return parsed.lossy === undefined ? parsed : { ok: false, problem: parsed.lossy };
  return { ok: false, problem: parsed.fault === "content" ? parsed.problem : "is not JSON in UTF-8" };
}
