import { GatewayError } from "../../errors.ts";
import type { LogLevel } from "../../model/invocation.ts";
import type { JsonObject } from "../../model/json.ts";
import type { RequestObserver } from "./session-events.ts";

/** How a request is made. */
export interface RequestOptions {
  readonly signal: AbortSignal;
  /** Client capabilities that this request declares; only on the wire in the modern era. */
  readonly capabilities?: JsonObject;
  /** Least severity of log messages that are wanted while it runs, without one none; only on the wire in the modern era. */
  readonly logLevel?: LogLevel | undefined;
  /** Further HTTP headers. Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Without one no progress is asked for. */
  readonly observer?: RequestObserver;
  /** Hears what a subscription was granted. */
  readonly acknowledged?: (params: JsonObject) => void;
  /** Hears of the resources that a subscription is about; absent: the session's owner does. */
  readonly updated?: (params: JsonObject) => void;
}

/** What a request fails with that was sent before the session ended, for a reason that may be the end of the server. */
export function failureOf({ observer }: RequestOptions, reason: GatewayError): GatewayError {
  // What nobody observes is no call, but a handshake or a list.
  const doubt = observer === undefined ? "" : " Whether the call was carried out is not known.";
  return new GatewayError("upstream_failed", `${reason.message}${doubt}`, { cause: reason });
}
