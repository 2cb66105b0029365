import { GatewayError } from "../../errors.ts";
import type { NotificationMessage, RequestId } from "../../mcp/messages.ts";

/** Tells an upstream that nobody waits for a request any more, with the reason that the client has given, if it has. */
export function cancellationOf(requestId: RequestId, why: unknown): NotificationMessage {
  const isTold = why instanceof GatewayError && why.code === "cancelled";
  const reason = isTold ? why.message : "The caller left or the time was over.";
  return { kind: "notification", method: "notifications/cancelled", params: { requestId, reason } };
}
