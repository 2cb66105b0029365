import { GatewayError } from "../../errors.ts";
import { asObject } from "../../json-object.ts";
import { canAsk } from "../../mcp/askable.ts";
import { writeMessage } from "../../mcp/messages.ts";
import type { ClientPeer } from "../../model/invocation.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Reply } from "./face.ts";

/**
 * Sends progress on the stream of its request, if the client gave a token for it. Nothing else is passed on: the gateway declares
 * no logging, and of changed lists it tells by itself.
 */
export function createNotifier(params: JsonObject, stream: Reply): ClientPeer["notify"] {
  const progressToken = asObject(params["_meta"])?.["progressToken"];
  if (typeof progressToken !== "string" && typeof progressToken !== "number") return () => {};
  return (method, given) => {
    if (method !== "notifications/progress") return;
    stream.send(writeMessage({ kind: "notification", method, params: { ...given, progressToken } }));
  };
}

/** Throws `unsupported` unless the client declared that it answers such a request. */
export function checkAskable(capabilities: JsonObject, method: string, params: JsonObject): void {
  if (!canAsk(capabilities, method, params)) throw cannotAsk(method);
}

/** The error for an upstream that asks for what the client does not do. */
export function cannotAsk(method: string): GatewayError {
  return new GatewayError(
    "unsupported",
    `The upstream asked for \`${method.slice(0, 200)}\`, which this client does not support. Call the tool from a client that does.`,
  );
}
