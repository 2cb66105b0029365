import { GatewayError } from "../../errors.ts";
import { asObject } from "../../json-object.ts";
import { canAsk } from "../../mcp/askable.ts";
import { isWanted } from "../../mcp/log-level.ts";
import { writeMessage } from "../../mcp/messages.ts";
import type { ClientPeer, LogLevel } from "../../model/invocation.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Reply } from "./face.ts";

/** Least by which progress grows, for clients that insist on it. */
const leastStep = 1e-6;

/**
 * Sends what an upstream tells of a call on the stream of its request: progress, if the client gave a token for it, and log messages.
 * Nothing else is passed on: of changed lists and resources the gateway tells by itself. Progress only grows, whatever signs of life
 * the gateway mixes with that of the upstream.
 *
 * @param level the least severe log messages that the client wants now; `undefined`: it has not said, so that it gets all.
 */
export function createNotifier(
  params: JsonObject,
  stream: Pick<Reply, "send">,
  level: () => LogLevel | "none" | undefined = () => undefined,
): ClientPeer["notify"] {
  const progressToken = asObject(params["_meta"])?.["progressToken"];
  const wantsProgress = typeof progressToken === "string" || typeof progressToken === "number";
  let last = Number.NEGATIVE_INFINITY;
  const send = (method: string, given: JsonObject): void => {
    stream.send(writeMessage({ kind: "notification", method, params: given }));
  };
  return (method, given) => {
    if (method === "notifications/message") {
      if (isWanted(given["level"], level())) send(method, given);
      return;
    }
    const { progress } = given;
    if (method !== "notifications/progress" || !wantsProgress || typeof progress !== "number") return;
    last = progress > last ? progress : last + Math.max(leastStep, Math.abs(last) * Number.EPSILON * 2);
    send(method, { ...given, progress: last, progressToken });
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
