import type { GatewayError } from "../../errors.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import type { SessionLostError } from "./transport.ts";

/** What an upstream can say has changed: with `resources` also the templates. */
export type ChangedList = "tools" | "prompts" | "resources";

/** What a session tells its owner. */
export interface SessionEvents {
  /** The upstream says that a list of its is another. */
  changed(list: ChangedList): void;
  /** A resource has changed (`notifications/resources/updated`), and no request of ours subscribed to it. */
  updated(params: JsonObject): void;
  /**
   * The upstream asks the client something that can't be told to belong to one call. Throws what goes to the upstream: `RpcError` as it
   * is, `GatewayError` `unsupported` as one. `signal` aborts when nobody waits for the answer any more.
   */
  asked(method: string, params: JsonObject, signal: AbortSignal): Promise<JsonValue>;
  /** A log message, or `notifications/elicitation/complete`, that can't be told to belong to one call. */
  told(method: string, params: JsonObject): void;
  /** What the upstream said unasked may have been lost in a break. */
  missed(): void;
  /** The session is over, and not because it was closed from here. */
  closed(reason: GatewayError | SessionLostError): void;
}

/** Who hears what an upstream says while a request is under way. */
export interface RequestObserver {
  /** Progress; `params` hold no token. */
  progress(params: JsonObject): void;
  /** A log message. */
  log(params: JsonObject): void;
  /** A question for the client behind the request; see {@link SessionEvents.asked}. */
  ask(method: string, params: JsonObject, signal: AbortSignal): Promise<JsonValue>;
  /** The upstream has ended the stream of its answer, to be asked for the rest; after so many ms, if it says when. */
  pause?(milliseconds: number | undefined): void;
}
