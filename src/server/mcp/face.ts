import type { CatalogView } from "../../catalog/view.ts";
import { GatewayError } from "../../errors.ts";
import type { Shares } from "../../limits/shares.ts";
import type { Message } from "../../mcp/messages.ts";
import type { Principal } from "../../model/principal.ts";
import type { ServerDescription } from "./describe-server.ts";
import type { McpLimits } from "./limits.ts";
import type { Method, Methods } from "./methods.ts";
import { isSameCaller } from "./same-caller.ts";
import type { ResourceSubscriptions } from "./subscriptions.ts";
import type { ListWatch } from "./watch-lists.ts";

/** What both eras stand on: they frame, the methods mean. */
export interface FaceParts {
  readonly methods: Methods;
  /** A method that is not of the protocol, for an upstream that may know it; `undefined` for all that nobody can. */
  readonly fallback: (method: string) => Method | undefined;
  readonly subscriptions: ResourceSubscriptions;
  /** What a principal may see and call. */
  readonly view: (principal: Principal) => CatalogView;
  readonly server: ServerDescription;
  readonly lists: ListWatch;
  /** Who has how many of the streams on which clients wait for news. */
  readonly streams: Shares;
  readonly limits: McpLimits;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly log: (message: string, cause?: unknown) => void;
}

/** Where a message came from: an HTTP request, or the one client at the standard input. */
export interface Origin {
  readonly transport: "http" | "stdio";
  /** A header of the request by its name in lower case; `undefined` where there is none. Over stdio there is one only: the id of the pipe's own session. */
  readonly header: (name: string) => string | undefined;
  /** The same for connections that pass one on: without what is meant for the gateway, or came twice. */
  readonly passedHeader: (name: string) => string | undefined;
  /** What it presents, as one text: equal texts are authenticated once. */
  readonly presented: string;
  /** Who sent it, as of now. Throws `GatewayError`. */
  readonly authenticate: () => Promise<Principal>;
  /** Aborts when the client leaves before it has its answer. */
  readonly signal: AbortSignal;
}

/** The way back to the client that one message opens. */
export interface Reply {
  /** Begins to stream now, for streams that may stay silent for long. */
  open(): void;
  /**
   * Sends a message ahead of the answer. False when it was not sent: the way is closed, or the client reads so slowly that what waits
   * for it is too much.
   */
  send(message: string): boolean;
  /** Sends the answer and ends. Status and headers count only over HTTP, and only while nothing was sent ahead of it. */
  answer(message: string, status?: number, headers?: Readonly<Record<string, string>>): void;
  /** Ends without an answer, as a cancelled request does. */
  close(): void;
  /** Breaks off, for a client that has stopped reading. */
  destroy(): void;
  /** Calls back once the way is gone or the answer complete. */
  onClose(listener: () => void): void;
}

/** One event of a stream of them, as a client that takes the stream up again knows it. */
export interface StreamEvent {
  readonly id: string;
  /** A message, or nothing: the event only gives the client an id to begin with. */
  readonly message: string;
  /** Milliseconds after which the client may come again for the rest. */
  readonly retry?: number;
}

/** A way back that can break without the client: as events with ids, by which it takes the stream up again. */
export interface EventReply extends Reply {
  /** Whether it has become an event stream. */
  readonly isStreaming: boolean;
  /** What comes first as soon as it becomes one, whatever makes it so; `begun` hears of that. */
  beginWith(event: StreamEvent, begun: () => void): void;
  /** Like `send`. */
  sendEvent(event: StreamEvent): boolean;
  /** Sends the answer as an event, and ends. */
  answerEvent(event: StreamEvent): void;
  /** Tells, ahead of the next event, after how many ms the client may come again. */
  sendRetry(milliseconds: number): void;
}

/** Whether a way back can be taken up again once it broke. */
export function sendsEvents(reply: Reply): reply is EventReply {
  return "sendEvent" in reply;
}

/** One message, read and checked as far as both eras agree. */
export interface Incoming {
  readonly origin: Origin;
  readonly message: Message;
  readonly principal: Principal;
  /** The way back, for requests and streams. Call once, and no `accept` beside it. */
  readonly reply: () => Reply;
  /** Says that a notification or response was taken; over HTTP by this status, 202 by default. */
  readonly accept: (status?: number) => void;
}

/** Who sent a request, once more; throws `GatewayError` where that is somebody else by now, or nobody. */
export async function confirmPrincipal({ authenticate }: Origin, before: Principal): Promise<Principal> {
  const principal = await authenticate();
  if (isSameCaller(principal, before)) return principal;
  throw new GatewayError("unauthenticated", "Who made this call has changed meanwhile.");
}
