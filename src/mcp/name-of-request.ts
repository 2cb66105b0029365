import type { JsonObject } from "../model/json.ts";

/** Which member of the params `Mcp-Name` repeats, by method (MCP 2026-07-28, Streamable HTTP, standard headers). */
const namedBy: ReadonlyMap<string, string> = new Map([
  ["tools/call", "name"],
  ["prompts/get", "name"],
  ["resources/read", "uri"],
  ["tasks/get", "taskId"],
  ["tasks/update", "taskId"],
  ["tasks/cancel", "taskId"],
]);

/** What `Mcp-Name` repeats of a request, and under which member it stands there; `undefined` where there is no such header. */
export function nameOfRequest(
  method: string,
  params: JsonObject,
): { readonly member: string; readonly name: string } | undefined {
  const member = namedBy.get(method);
  const name = member === undefined ? undefined : params[member];
  return member !== undefined && typeof name === "string" ? { member, name } : undefined;
}
