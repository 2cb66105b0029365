import type { Subscription } from "../../broker/executor.ts";
import { isLogLevel } from "../../mcp/log-level.ts";
import { rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { JsonObject } from "../../model/json.ts";
import { readInstance } from "./call-feature.ts";
import type { Caller, MethodResult } from "./methods.ts";
import { type ClientSession, endSubscription } from "./sessions.ts";
import type { ResourceSubscriptions } from "./subscriptions.ts";

/** A method that works on the session of the client that asks. Throws like `Method`. */
export type SessionMethod = (
  session: ClientSession,
  params: JsonObject,
  caller: Caller,
) => MethodResult | Promise<MethodResult>;

/** What these methods stand on. */
export interface SessionMethodParts {
  readonly subscriptions: ResourceSubscriptions;
  readonly limits: { readonly subscriptionsPerSession: number };
}

const done: MethodResult = { kind: "once", result: {} };

/** The methods that only versions with sessions have (MCP 2025-11-25: ping, logging, subscriptions). */
export function createSessionMethods(parts: SessionMethodParts): ReadonlyMap<string, SessionMethod> {
  const subscribe: SessionMethod = async (session, params, caller) => {
    const uri = readUri(params);
    const { subscriptions } = session;
    const known = subscriptions.get(uri);
    if (known !== undefined) {
      // It may be another token that asks, which sees less.
      parts.subscriptions.check(uri, caller);
      await known;
      return done;
    }
    if (subscriptions.size >= parts.limits.subscriptionsPerSession) {
      throw new RpcError(
        rpcCodes.internalError,
        `This session has ${subscriptions.size} subscriptions, which is as many as one may have. End some by resources/unsubscribe.`,
      );
    }
    session.hearer ??= caller.principal;
    const subscribed: Promise<Subscription> = parts.subscriptions.subscribe(uri, {
      ...caller,
      instance: readInstance(params),
      hearer: () => session.hearer,
      updated: (given) => {
        if (subscriptions.get(uri) === subscribed)
          session.home.notify("notifications/resources/updated", given);
      },
    });
    subscriptions.set(uri, subscribed);
    try {
      await subscribed;
    } catch (error) {
      if (subscriptions.get(uri) === subscribed) subscriptions.delete(uri);
      throw error;
    }
    return done;
  };

  const unsubscribe: SessionMethod = ({ subscriptions }, params) => {
    const uri = readUri(params);
    const subscribed = subscriptions.get(uri);
    subscriptions.delete(uri);
    if (subscribed !== undefined) endSubscription(subscribed);
    return done;
  };

  const setLevel: SessionMethod = ({ home }, { level }) => {
    if (!isLogLevel(level)) {
      throw new RpcError(
        rpcCodes.invalidParams,
        "`level` must be one of debug, info, notice, warning, error, critical, alert and emergency.",
      );
    }
    home.setLogLevel(level);
    return done;
  };

  return new Map([
    ["ping", () => done],
    ["logging/setLevel", setLevel],
    ["resources/subscribe", subscribe],
    ["resources/unsubscribe", unsubscribe],
  ]);
}

function readUri({ uri }: JsonObject): string {
  if (typeof uri === "string") return uri;
  throw new RpcError(rpcCodes.invalidParams, "`uri` must be the URI of a resource.");
}
