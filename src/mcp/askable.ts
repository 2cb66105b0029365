import { asObject } from "../json-object.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";

/** What an upstream may ask a client, by the capability with which the client says that it can be asked. */
const capabilityOf: ReadonlyMap<string, string> = new Map([
  ["elicitation/create", "elicitation"],
  ["sampling/createMessage", "sampling"],
  ["roots/list", "roots"],
]);

/** The members of such a capability that say more; what else stands there concerns the client's own hop. */
const membersOf: ReadonlyMap<string, readonly string[]> = new Map([
  ["elicitation", ["form", "url"]],
  // Not `context`: what a client knows from other providers is not for this one.
  ["sampling", ["tools"]],
  ["roots", []],
]);

/** True for what an upstream may ask a client at all. */
export function isAskable(method: string): boolean {
  return capabilityOf.has(method);
}

/** The part of a client's capabilities that says what it can be asked: small, whatever the client sent. */
export function readAskableCapabilities(capabilities: JsonObject): JsonObject {
  const read: Record<string, JsonValue> = {};
  for (const [name, members] of membersOf) {
    const declared = asObject(capabilities[name]);
    if (declared === undefined) continue;
    read[name] = Object.fromEntries(
      members.filter((member) => asObject(declared[member]) !== undefined).map((member) => [member, {}]),
    );
  }
  return read;
}

/** The same of a client that says it once, for as long as its session lives: also whether it tells when its roots change. */
export function readSessionCapabilities(capabilities: JsonObject): JsonObject {
  const askable = readAskableCapabilities(capabilities);
  const { listChanged } = asObject(capabilities["roots"]) ?? {};
  return listChanged === true ? { ...askable, roots: { listChanged } } : askable;
}

/** True when a client with these capabilities answers such a request. One that names no mode of elicitation does forms. */
export function canAsk(capabilities: JsonObject, method: string, params: JsonObject): boolean {
  const need = needOf(method, params);
  const capability = asObject(capabilities[need?.capability ?? ""]);
  if (need === undefined || capability === undefined) return false;
  if (need.member === undefined || capability[need.member] !== undefined) return true;
  return need.member === "form" && capability["url"] === undefined;
}

/** The capability that a client needs to answer such a request, as it would declare it; `undefined`: nobody answers it. */
export function neededCapability(method: string, params: JsonObject): JsonObject | undefined {
  const need = needOf(method, params);
  return need && { [need.capability]: need.member === undefined ? {} : { [need.member]: {} } };
}

/** What a client has to declare for a request: a capability, and the member of it that the request is about. */
function needOf(
  method: string,
  params: JsonObject,
): { readonly capability: string; readonly member: string | undefined } | undefined {
  const capability = capabilityOf.get(method);
  if (capability === undefined) return undefined;
  if (capability === "elicitation") return { capability, member: params["mode"] === "url" ? "url" : "form" };
  const usesTools = params["tools"] !== undefined || params["toolChoice"] !== undefined;
  return { capability, member: capability === "sampling" && usesTools ? "tools" : undefined };
}
