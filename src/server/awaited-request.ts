import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Exchange } from "./exchange.ts";

const healthPaths: ReadonlySet<string> = new Set(["/livez", "/health", "/readyz", "/ready", "/startupz"]);

/** What the head of a request says of how it is let in. */
export type Urgency = "always" | "maybe" | "stream" | "usual";

/**
 * Whether a request is let in whatever the load is. `always`: health, and what ends work or calls that run are waiting for; `maybe`: its
 * body decides; `stream`: it becomes a stream that waits for news, and is no work under way.
 */
export function urgencyOf({ path, request }: Exchange): Urgency {
  if (path !== "/mcp" && path !== "/mcp/") return healthPaths.has(path) ? "always" : "usual";
  const { method, headers } = request;
  if (method === "DELETE") return "always";
  if (method === "GET") return headers["last-event-id"] === undefined ? "stream" : "always";
  const named = headers["mcp-method"];
  if (named === "subscriptions/listen") return "stream";
  // From 2026-07-28 answers come with the next request; before, only the body tells an answer from a call.
  return named === undefined && headers["mcp-session-id"] !== undefined ? "maybe" : "usual";
}

/**
 * Whether the body of a request, as far as it is here, is a client's answer or a notification, such as a cancellation. Waits for its
 * beginning for that long, and leaves it to be read by others. What is taken for an answer by mistake is refused later, at more cost.
 */
export async function isAwaited(request: IncomingMessage, milliseconds: number): Promise<boolean> {
  if (request.readableLength === 0 && !request.complete) {
    const late = AbortSignal.timeout(milliseconds);
    await once(request, "readable", { signal: late }).catch(() => undefined);
  }
  const read: unknown = request.read();
  if (!(read instanceof Buffer)) return false;
  request.unshift(read);
  const text = read.toString("latin1");
  return !text.includes('"method"') || /"method"\s*:\s*"notifications\//.test(text);
}
