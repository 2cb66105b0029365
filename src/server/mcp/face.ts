import type { CatalogView } from "../../catalog/view.ts";
import { GatewayError } from "../../errors.ts";
import type { Message } from "../../mcp/messages.ts";
import type { Principal } from "../../model/principal.ts";
import type { Exchange } from "../exchange.ts";
import type { ServerDescription } from "./describe-server.ts";
import type { McpLimits } from "./limits.ts";
import type { Methods } from "./methods.ts";
import { isSamePrincipal } from "./same-principal.ts";
import type { ToolWatch } from "./watch-tools.ts";

/** What both eras stand on: they frame, the methods mean. */
export interface FaceParts {
  readonly methods: Methods;
  /** What a principal may see and call. */
  readonly view: (principal: Principal) => CatalogView;
  /** Who sent a request, asked anew where it has run long. */
  readonly authenticate: (exchange: Exchange) => Promise<Principal>;
  readonly server: ServerDescription;
  readonly tools: ToolWatch;
  readonly limits: McpLimits;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly log: (message: string, cause?: unknown) => void;
}

/** One POSTed message, read and checked as far as both eras agree. */
export interface Incoming {
  readonly exchange: Exchange;
  readonly message: Message;
  readonly principal: Principal;
}

/** Who sent a request, once more; throws `GatewayError` where that is somebody else by now, or nobody. */
export async function confirmPrincipal(
  authenticate: FaceParts["authenticate"],
  exchange: Exchange,
  before: Principal,
): Promise<Principal> {
  const principal = await authenticate(exchange);
  if (isSamePrincipal(principal, before)) return principal;
  throw new GatewayError("unauthenticated", "Who made this call has changed meanwhile.");
}

/** A single header; repeated ones are joined and then fit nothing. */
export function header(exchange: Exchange, name: string): string | undefined {
  const value = exchange.request.headers[name];
  return typeof value === "string" ? value : undefined;
}

/** Answers that a notification or response was taken. */
export function accept(exchange: Exchange): void {
  exchange.response.writeHead(202);
  exchange.response.end();
}

/** The notification that the tool list has changed. */
export const toolsChanged = { kind: "notification", method: "notifications/tools/list_changed" } as const;
