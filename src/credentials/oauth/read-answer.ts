import { asObject } from "../../json-object.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import type { HttpResponse } from "../../upstream/http-client.ts";

/**
 * What a token endpoint answered: JSON, whatever media type it goes by, or a form, which GitHub and others answer with. `undefined`:
 * neither, such as a page.
 */
export function readAnswer({ headers, body }: HttpResponse): JsonObject | undefined {
  const type = (headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const text = decode(body);
  if (text === undefined) return undefined;
  const json = parseObject(text);
  if (json !== undefined) return json;
  return type === "application/x-www-form-urlencoded" || type === "text/plain" ? parseForm(text) : undefined;
}

/** The value that names of members lead to; `undefined`: there is none. */
export function valueAt(answer: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = answer;
  for (const name of path) {
    const object: JsonObject | undefined = asObject(value);
    value = object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined;
  }
  return value;
}

function decode(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    // Not UTF-8: whatever it is, it is no answer.
    return undefined;
  }
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: JsonValue = JSON.parse(text);
    return asObject(value);
  } catch {
    return undefined;
  }
}

/** Members that come twice could be read in two ways (RFC 6749, section 5.1). */
function parseForm(text: string): JsonObject | undefined {
  const form = new URLSearchParams(text.trim());
  const members = Object.fromEntries(form);
  const count = Object.keys(members).length;
  return count === 0 || count !== form.size ? undefined : members;
}
