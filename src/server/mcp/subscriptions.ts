import { setTimeout as sleep } from "node:timers/promises";
import type { Broker } from "../../broker/broker.ts";
import type { Subscription } from "../../broker/executor.ts";
import type { CatalogView } from "../../catalog/view.ts";
import { GatewayError } from "../../errors.ts";
import { Shares } from "../../limits/shares.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Principal } from "../../model/principal.ts";
import type { ConnectionParts } from "../connection-parts.ts";
import { chooseInstance } from "./call-feature.ts";
import { adaptResourceError, resourceNotFound, toClientError } from "./feature-error.ts";
import { findResourceTarget } from "./find-resource.ts";
import type { McpLimits } from "./limits.ts";
import type { Caller } from "./methods.ts";
import { describeNoRoom } from "./no-room.ts";
import { sharerOf } from "./same-principal.ts";
import { createTeller } from "./tell-changes.ts";

/** Who hears of changes of a resource. */
export interface Subscriber extends Pick<Caller, "principal" | "version" | "peer" | "header" | "signal"> {
  /** The instance of the provider's connection that it names; absent: none. */
  readonly instance?: string | undefined;
  /** Who would hear of a change now, with what that one may see now: the same principal; `undefined` while that can't be said. */
  readonly hearer: () => Principal | undefined;
  /** Hears that a resource may have changed: params of `notifications/resources/updated`, `uri` is the one that clients know. */
  readonly updated: (params: JsonObject) => void;
}

/** Subscriptions to resources, for clients of either era. */
export interface ResourceSubscriptions {
  /**
   * Subscribes a client to a resource by the URI that it knows; the subscriber's `signal` bounds the wait for that alone. Throws
   * `RpcError`: unknown resource, no subscriptions there, too many.
   */
  subscribe(uri: string, subscriber: Subscriber): Promise<Subscription>;
  /** Throws `RpcError` where a caller may not see the resource, as `subscribe` does. */
  check(uri: string, caller: Pick<Subscriber, "principal" | "version">): void;
}

/** What they stand on. */
export interface SubscriptionParts extends Pick<ConnectionParts, "prepare"> {
  readonly broker: Broker;
  readonly view: (principal: Principal) => CatalogView;
  readonly limits: Pick<McpLimits, "subscriptions" | "subscriptionsPerPrincipal">;
  readonly log: (message: string, cause?: unknown) => void;
}

/** Pauses before a subscription that is over is made anew, in ms: each is twice the one before. */
const renewal = { first: 500, longest: 30_000 };

/**
 * A subscriber is authorized when it subscribes, and whoever would hear is looked at again whenever there is something to hear: who may
 * not see a resource any more, or not by this token, hears nothing of it. That the principal is still who it was is for those to see to
 * whose stream it is.
 */
export function createSubscriptions(parts: SubscriptionParts): ResourceSubscriptions {
  const { broker, view, limits } = parts;
  const shares = new Shares(() => ({
    total: limits.subscriptions,
    perCaller: limits.subscriptionsPerPrincipal,
  }));

  /** Takes a place; what it returns gives it back. */
  const takePlace = (principal: Principal): (() => void) => {
    const sharer = sharerOf(principal);
    const lack = shares.lack(sharer);
    if (lack !== undefined) {
      const { subscriptions: total, subscriptionsPerPrincipal: perCaller } = limits;
      const message = describeNoRoom(lack, { things: "subscriptions to resources", total, perCaller });
      throw new GatewayError("overloaded", message, { retryable: true });
    }
    shares.take(sharer);
    return () => shares.giveBack(sharer);
  };

  const maySee = async (
    principal: Principal,
    provider: string,
    uris: readonly string[],
  ): Promise<boolean> => {
    await parts.prepare(principal);
    const seen = view(principal);
    return uris.every((uri) => seen.findResource(uri)?.provider === provider);
  };

  const subscribe = async (uri: string, subscriber: Subscriber): Promise<Subscription> => {
    const { principal, peer, header, instance, signal } = subscriber;
    const target = findResourceTarget(view(principal), uri);
    if (target === undefined) throw new GatewayError("not_found", "There is no such resource.");
    const leave = takePlace(principal);
    const ending = new AbortController();
    const tell = createTeller({
      hearer: subscriber.hearer,
      mayHear: (hearer, changed) => maySee(hearer, target.provider, [uri, changed]),
      tell: subscriber.updated,
      failed: (error) => parts.log("A client could not be told that a resource has changed.", error),
      over: ending.signal,
    });
    const request = {
      principal,
      via: "mcp",
      target: {
        kind: "feature",
        provider: target.provider,
        feature: "resources",
        method: "resources/subscribe",
      },
      arguments: target.arguments,
      instance: chooseInstance(instance, target),
      ...{ header, peer },
    } as const;
    const updated = (params: JsonObject): void => {
      // An upstream may tell of a part of what was subscribed to.
      tell(typeof params["uri"] === "string" ? params["uri"] : uri, params);
    };
    let current: Subscription;
    try {
      current = await broker.subscribe({ ...request, signal }, updated);
    } catch (error) {
      leave();
      throw error;
    }
    /** Subscribes anew whenever what it was made with is closed, as by a reload. */
    const follow = ({ over }: Subscription): void => {
      over?.addEventListener("abort", () => void renew(), { once: true, signal: ending.signal });
      if (over?.aborted) void renew();
    };
    const renew = async (): Promise<void> => {
      const { signal: over } = ending;
      for (let pause = renewal.first; !over.aborted; pause = Math.min(pause * 2, renewal.longest)) {
        await sleep(pause, undefined, { signal: over, ref: false }).catch(() => {});
        const hearer = subscriber.hearer();
        if (over.aborted || hearer === undefined) continue;
        // Why it fails is for the next call to say: nobody waits for this one.
        const renewed = await broker
          .subscribe({ ...request, principal: hearer, signal: over }, updated)
          .catch(() => undefined);
        if (renewed === undefined) continue;
        if (over.aborted) return renewed.end();
        current = renewed;
        follow(renewed);
        // What has changed meanwhile was told to nobody.
        return updated({ uri });
      }
    };
    follow(current);
    return {
      end: () => {
        if (ending.signal.aborted) return;
        leave();
        ending.abort();
        current.end();
      },
    };
  };

  const unknown = (
    uri: string,
    { principal, version }: Pick<Subscriber, "principal" | "version">,
  ): RpcError => resourceNotFound(uri, version, view(principal).notice);

  return {
    subscribe: async (uri, subscriber) => {
      try {
        return await subscribe(uri, subscriber);
      } catch (error) {
        const told = toClientError(error, subscriber.signal, () => unknown(uri, subscriber));
        throw told instanceof RpcError ? adaptResourceError(told, uri, subscriber.version) : told;
      }
    },
    check: (uri, caller) => {
      if (findResourceTarget(view(caller.principal), uri) === undefined) throw unknown(uri, caller);
    },
  };
}
