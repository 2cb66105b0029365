import type { JsonValue } from "../model/json.ts";

/** A body read as JSON, or what is wrong with it, as a sentence that goes on after `it` or `the body`. */
export type JsonBody =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly problem: string };

/** Reads a body that has to be JSON in UTF-8, and has to say so. */
export function readJsonBody(body: Uint8Array, contentType: string | undefined): JsonBody {
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type === "") return { ok: false, problem: "has no Content-Type; application/json is needed" };
  if (!/^application\/(?:json|[a-z0-9!#$&^_.+-]+\+json)$/.test(type)) {
    const shown = /^[\w.+/-]{1,60}$/.test(type) ? type : "something else";
    return { ok: false, problem: `has the Content-Type ${shown} in place of application/json` };
  }
  try {
    // JSON.parse gives JSON values and nothing else.
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) as JsonValue;
    return { ok: true, value };
  } catch {
    return { ok: false, problem: "is not JSON in UTF-8" };
  }
}
