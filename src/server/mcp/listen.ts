import { isJsonObject } from "../../json-object.ts";
import { type RequestId, type RequestMessage, rpcCodes, writeMessage } from "../../mcp/messages.ts";
import { metaKeys } from "../../mcp/meta.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import type { Principal } from "../../model/principal.ts";
import type { FaceParts, Incoming, Reply } from "./face.ts";
import { isSamePrincipal } from "./same-principal.ts";
import { listChanged } from "./watch-lists.ts";

/** The open `subscriptions/listen` streams of an endpoint (MCP 2026-07-28). */
export interface Listeners {
  /** Throws `RpcError` for a filter that can't be read, and when there are too many streams. */
  open(incoming: Incoming, request: RequestMessage): void;
}

/** @param shape what a result of this era has around it. */
export function createListeners(
  { lists, limits }: FaceParts,
  shape: (result: JsonObject) => JsonObject,
): Listeners {
  const open = new Map<Reply, Principal>();
  const hasShareFor = (principal: Principal): boolean => {
    // Callers without a name are all one and the same, which has no share of its own.
    if (principal.kind === "anonymous") return true;
    const own = [...open.values()].filter((other) => isSamePrincipal(other, principal));
    return own.length < limits.listenersPerPrincipal;
  };
  const notification = (method: string, id: RequestId, params: JsonObject = {}): string =>
    writeMessage({
      kind: "notification",
      method,
      params: { ...params, _meta: { [metaKeys.subscriptionId]: id } },
    });
  return {
    open: ({ origin, principal, reply }, { id, params }) => {
      const wanted = readFilter(params["notifications"]);
      if (open.size >= limits.listeners || !hasShareFor(principal)) {
        throw new RpcError(
          rpcCodes.internalError,
          "The gateway has no room for another subscription. Try again later.",
        );
      }
      const stream = reply();
      const notifications = wanted["toolsListChanged"] === true ? { toolsListChanged: true } : {};
      stream.send(notification("notifications/subscriptions/acknowledged", id, { notifications }));
      // The result tells the client that the end was meant.
      const end = (): void => {
        const result = shape({ _meta: { [metaKeys.subscriptionId]: id } });
        stream.answer(writeMessage({ kind: "result", id, result }));
      };
      if (wanted["toolsListChanged"] !== true) return end();
      open.set(stream, principal);
      const unfollow = lists.follow({
        origin,
        principal,
        digests: lists.digests(principal),
        tell: (changed) => {
          if (!changed.includes("tools")) return;
          // A client that missed a change must learn that it did: it will open another stream and list again.
          if (!stream.send(notification(listChanged("tools"), id))) stream.destroy();
        },
        end,
      });
      stream.onClose(() => {
        unfollow();
        open.delete(stream);
      });
    },
  };
}

function readFilter(filter: JsonValue | undefined): JsonObject {
  if (!isJsonObject(filter)) throw invalidFilter("`notifications` must be an object.");
  for (const name of ["toolsListChanged", "promptsListChanged", "resourcesListChanged"]) {
    const value = filter[name];
    if (value !== undefined && typeof value !== "boolean")
      throw invalidFilter(`\`notifications.${name}\` must be true or false.`);
  }
  const { resourceSubscriptions: uris } = filter;
  if (uris !== undefined && !(Array.isArray(uris) && uris.every((uri) => typeof uri === "string"))) {
    throw invalidFilter("`notifications.resourceSubscriptions` must be a list of URIs.");
  }
  return filter;
}

function invalidFilter(message: string): RpcError {
  return new RpcError(rpcCodes.invalidParams, message);
}
