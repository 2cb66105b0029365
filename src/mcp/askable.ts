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
  ["sampling", ["context", "tools"]],
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

/** True when a client with these capabilities answers such a request. */
export function canAsk(capabilities: JsonObject, method: string, params: JsonObject): boolean {
  const capability = asObject(capabilities[capabilityOf.get(method) ?? ""]);
  if (capability === undefined) return false;
  return method !== "elicitation/create" || params["mode"] !== "url" || capability["url"] !== undefined;
}
