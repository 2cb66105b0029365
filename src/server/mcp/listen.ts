import type { Subscription } from "../../broker/executor.ts";
import { asObject } from "../../json-object.ts";
import { readAskableCapabilities } from "../../mcp/askable.ts";
import { type RequestId, type RequestMessage, writeMessage } from "../../mcp/messages.ts";
import { metaKeys } from "../../mcp/meta.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Principal } from "../../model/principal.ts";
import { readInstance } from "./call-feature.ts";
import { cannotAsk } from "./call-peer.ts";
import type { Envelope } from "./envelope.ts";
import type { FaceParts, Incoming } from "./face.ts";
import { roomOfStreams } from "./limits.ts";
import { createModernHome } from "./modern-home.ts";
import { noRoom } from "./no-room.ts";
import { type ListenFilter, readListenFilter } from "./read-filter.ts";
import { sharerOf } from "./same-principal.ts";
import { subscribeAll } from "./subscribe-all.ts";
import type { Subscriber } from "./subscriptions.ts";
import { listChanged } from "./watch-lists.ts";

/** So many changes are kept until the stream stands. */
const mostEarly = 1_000;

/** The open `subscriptions/listen` streams of an endpoint (MCP 2026-07-28). */
export interface Listeners {
  /** Throws `RpcError` for a filter that can't be read, and when there are too many streams. */
  open(incoming: Incoming, request: RequestMessage, envelope: Envelope): Promise<void>;
}

/** @param shape what a result of this era has around it. */
export function createListeners(
  { lists, limits, streams, subscriptions, log }: FaceParts,
  shape: (result: JsonObject) => JsonObject,
): Listeners {
  /** Subscribes to the resources of a filter; those that are unknown, refused or late are left out. */
  const subscribe = async (
    { origin, principal }: Incoming,
    { version, capabilities }: Envelope,
    uris: readonly string[],
    hearing: Pick<Subscriber, "instance" | "hearer" | "updated">,
  ): Promise<ReadonlyMap<string, Subscription>> => {
    const askable = readAskableCapabilities(capabilities);
    const subscriber: Omit<Subscriber, "signal"> = {
      principal,
      version,
      header: origin.passedHeader,
      peer: {
        capabilities: {},
        home: createModernHome(principal, askable),
        logLevel: "none",
        ask: async (method) => {
          throw cannotAsk(method);
        },
        notify: () => {},
      },
      ...hearing,
    };
    const wanted = uris.slice(0, limits.subscriptionsPerListener);
    return subscribeAll(wanted, origin.signal, limits.subscribeMilliseconds, async (uri, signal) => {
      try {
        return await subscriptions.subscribe(uri, { ...subscriber, signal });
      } catch (error) {
        if (!(error instanceof RpcError) && !signal.aborted) log("A client could not subscribe.", error);
        return undefined;
      }
    });
  };

  return {
    open: async (incoming, { id, params }, envelope) => {
      const { origin, principal } = incoming;
      const wanted = readListenFilter(params["notifications"]);
      const instance = readInstance(params);
      const sharer = sharerOf(principal);
      const lack = streams.lack(sharer);
      if (lack !== undefined) throw noRoom(lack, roomOfStreams(limits));
      const stream = incoming.reply();
      streams.take(sharer);
      let isOver = false;
      let subscribed: ReadonlyMap<string, Subscription> = new Map();
      let unfollow = (): void => {};
      const close = (): void => {
        if (!isOver) streams.giveBack(sharer);
        isOver = true;
        unfollow();
        for (const subscription of subscribed.values()) subscription.end();
        subscribed = new Map();
      };
      stream.onClose(close);
      // Over stdio the client cancels where the way to it stays open.
      origin.signal.addEventListener("abort", () => stream.close(), { once: true });

      const send = (method: string, told: JsonObject = {}): void => {
        // A client that missed a change must learn that it did: it will open another stream and look again.
        if (!isOver && !stream.send(tagged(method, id, told))) stream.destroy();
      };
      const early = new Map<string, JsonObject>();
      let isAcknowledged = false;
      const uris = wanted.resourceSubscriptions;
      let hearer: Principal | undefined = principal;
      subscribed = await subscribe(incoming, envelope, uris, {
        instance,
        hearer: () => hearer,
        updated: (told) => {
          if (isAcknowledged) send("notifications/resources/updated", told);
          else if (early.size < mostEarly) early.set(JSON.stringify(told["uri"]), told);
        },
      });
      // It may have left meanwhile.
      if (isOver) return close();
      const granted = grantedOf(wanted, subscribed);
      send("notifications/subscriptions/acknowledged", { notifications: granted });
      isAcknowledged = true;
      for (const told of early.values()) send("notifications/resources/updated", told);

      const end = (): void => {
        if (origin.transport === "stdio") {
          send("notifications/cancelled", { requestId: id });
          stream.close();
        } else {
          // The result tells the client that the end was meant.
          const result = shape({ _meta: { [metaKeys.subscriptionId]: id } });
          stream.answer(writeMessage({ kind: "result", id, result }));
        }
      };
      if (Object.keys(granted).length === 0) return end();
      unfollow = lists.follow({
        ...{ origin, principal, end },
        digests: lists.digests(principal),
        recognized: (recognized) => {
          hearer = recognized;
        },
        tell: (changed) => {
          for (const kind of wanted.lists) if (changed.includes(kind)) send(listChanged(kind));
        },
      });
      if (isOver) unfollow();
    },
  };
}

/** The part of a filter that is granted, in its own shape; nothing of what was not asked for. */
function grantedOf(
  { lists, resourceSubscriptions }: ListenFilter,
  subscribed: ReadonlyMap<string, Subscription>,
): JsonObject {
  const uris = resourceSubscriptions.filter((uri) => subscribed.has(uri));
  return {
    ...Object.fromEntries(lists.map((kind) => [`${kind}ListChanged`, true])),
    ...(uris.length === 0 ? {} : { resourceSubscriptions: uris }),
  };
}

/** A message of the stream, which says so. */
function tagged(method: string, id: RequestId, { _meta, ...params }: JsonObject): string {
  return writeMessage({
    kind: "notification",
    method,
    params: { ...params, _meta: { ...asObject(_meta), [metaKeys.subscriptionId]: id } },
  });
}
