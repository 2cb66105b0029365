import { isJsonObject } from "../../json-object.ts";
import type { JsonObject } from "../../model/json.ts";
import { hasHiddenKey, stripTexts } from "./clean-entry.ts";

/**
 * What an upstream asks a client, as a person or a model may be shown it: without characters that nobody sees, so that who looks at a
 * question sees all of it. `undefined` for what is not passed on: names with such characters, and pages that are none of the web, such as
 * scripts and files, or whose address looks like that of another.
 */
export function cleanQuestion(method: string, params: JsonObject): JsonObject | undefined {
  if (hasHiddenKey(params)) return undefined;
  // For a client, the context of "this server" is that of all providers of the gateway (sampling; deprecated since 2025-11-25).
  const { includeContext: _ofAll, ...cleaned } = stripTexts(params);
  const isPage = method === "elicitation/create" && cleaned["mode"] === "url";
  return isPage && !isWebPage(cleaned["url"]) ? undefined : cleaned;
}

/** Whether all pages that an error wants opened are such as may be asked for (MCP 2025-11-25, -32042). */
export function wantsWebPages(data: JsonObject[string] | undefined): boolean {
  const elicitations = isJsonObject(data) ? data["elicitations"] : undefined;
  if (!Array.isArray(elicitations)) return true;
  return elicitations.every((elicitation) => isJsonObject(elicitation) && isWebPage(elicitation["url"]));
}

function isWebPage(url: JsonObject[string] | undefined): url is string {
  const page = typeof url === "string" ? URL.parse(url) : null;
  if (page === null || !/^https?:$/.test(page.protocol)) return false;
  // What stands in front of an `@` is taken for the host by people.
  return page.username === "" && page.password === "";
}
