import { setTimeout as delay } from "node:timers/promises";
import { isJsonObject } from "../../json-object.ts";
import { readSessionCapabilities } from "../../mcp/askable.ts";
import {
  type Message,
  type NotificationMessage,
  type RequestMessage,
  rpcCodes,
  writeMessage,
  writeResultText,
} from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import { isLegacyVersion, legacyVersions, newestLegacyVersion } from "../../mcp/versions.ts";
import type { Principal } from "../../model/principal.ts";
import { type EventReply, type FaceParts, type Incoming, type Reply, sendsEvents } from "./face.ts";
import { roomOfSessions, roomOfStreams } from "./limits.ts";
import { refuseForRoom } from "./no-room.ts";
import { HttpRefusal, refuse } from "./refusal.ts";
import { createLegacyCalls } from "./run-legacy-call.ts";
import { createAuthorityKeys, sharerOf } from "./same-principal.ts";
import { createSameValue } from "./same-value.ts";
import { createSessionMethods } from "./session-methods.ts";
import { ClientSession, ClientSessions, type SessionTerms } from "./sessions.ts";
import { listChanged } from "./watch-lists.ts";

/** Serves the versions with sessions, 2024-11-05 to 2025-11-25. */
export interface LegacyFace {
  post(incoming: Incoming): Promise<void>;
  /** Opens the session's own stream, or takes up one that broke. */
  get(incoming: Omit<Incoming, "message">): Promise<void>;
  delete(incoming: Omit<Incoming, "message">): void;
}

/**
 * A session belongs to the principal that opened it, but what is seen and called in it is decided by what each request presents:
 * that may be another token of the same user, or the user's roles may have changed.
 */
export function createLegacyFace(parts: FaceParts): LegacyFace {
  const { limits, server, view, lists, now, streams } = parts;
  const sessions = new ClientSessions(limits, now);
  const keyOfAuthority = createAuthorityKeys();
  const sameTerms = createSameValue<SessionTerms>();
  const call = createLegacyCalls(parts, createSessionMethods(parts), keyOfAuthority);

  const find = (
    { origin, principal }: Pick<Incoming, "origin" | "principal">,
    to?: Message,
  ): ClientSession => {
    const id = origin.header("mcp-session-id");
    if (id === undefined) {
      const missing =
        origin.transport === "http" ? "Mcp-Session-Id header is required" : "there is no session";
      throw refuse(400, `Bad Request: ${missing}. Begin with initialize.`, to);
    }
    const session = sessions.find(id, principal);
    if (session === undefined) {
      const error = new RpcError(rpcCodes.sessionNotFound, "Session not found. Begin again with initialize.");
      throw new HttpRefusal(404, error, { to });
    }
    const version = origin.header("mcp-protocol-version");
    if (version !== undefined && !isLegacyVersion(version)) {
      throw refuse(
        400,
        `Bad Request: Unsupported protocol version: ${version.slice(0, 100)} (supported versions: ${legacyVersions.join(", ")})`,
        to,
      );
    }
    // Without a stream of its own, the session's client is reached on those of its calls.
    if (session.hasSubscribed && !session.isListening) session.hearer = principal;
    return session;
  };

  /** Throws `HttpRefusal` where there are too many streams already; the one that this takes the place of does not count. */
  const checkRoom = (principal: Principal, session: ClientSession): void => {
    const lack = session.isListening ? undefined : streams.lack(sharerOf(principal));
    if (lack !== undefined) throw refuseForRoom(lack, roomOfStreams(limits));
  };

  const initialize = ({ principal, reply }: Incoming, request: RequestMessage): void => {
    const { protocolVersion, capabilities = {} } = request.params;
    if (typeof protocolVersion !== "string" || !isJsonObject(capabilities)) {
      const error = new RpcError(
        rpcCodes.invalidParams,
        "initialize needs `protocolVersion`, a string, and `capabilities`, an object.",
      );
      throw new HttpRefusal(200, error, { to: request });
    }
    const version = isLegacyVersion(protocolVersion) ? protocolVersion : newestLegacyVersion;
    const declared = readSessionCapabilities(capabilities);
    const { kind, id, tenant, home, credential } = principal;
    // Not all of the principal: sessions are kept for long, and who it is by then is seen with each request.
    const owner = { kind, id, tenant, home, credential };
    const terms = { owner, version, capabilities: declared, digests: lists.digests(principal) };
    // There are many sessions, and few that differ in this.
    const session = sessions.open(sameTerms(terms));
    if (!(session instanceof ClientSession)) throw refuseForRoom(session, roomOfSessions(limits), request);
    const result = {
      protocolVersion: version,
      capabilities: server.capabilities,
      serverInfo: server.serverInfo,
      instructions: server.instructions(view(principal)),
    };
    const answer = writeResultText(request.id, JSON.stringify(result));
    reply().answer(answer, 200, { "mcp-session-id": session.id });
  };

  const notified = (session: ClientSession, { method, params }: NotificationMessage): void => {
    if (method === "notifications/roots/list_changed") session.home.rootsChanged();
    if (method !== "notifications/cancelled") return;
    const { requestId, reason } = params;
    if (typeof requestId !== "string" && typeof requestId !== "number") return;
    session.calls.get(requestId)?.(typeof reason === "string" ? reason : undefined);
    session.rest();
  };

  /** Tells of changed lists on the session's own stream, for as long as it goes over this connection. */
  const tellOfLists = (incoming: Omit<Incoming, "message">, session: ClientSession, way: Reply): void => {
    session.hearer = incoming.principal;
    const sharer = sharerOf(incoming.principal);
    streams.take(sharer);
    const unfollow = lists.follow({
      origin: incoming.origin,
      principal: incoming.principal,
      // What changed while there was no stream was told to nobody.
      digests: session.digests,
      tell: (changed, digests) => {
        const isSent = changed.every((kind) =>
          session.streams.standing.send(
            writeMessage({ kind: "notification", method: listChanged(kind), params: {} }),
          ),
        );
        if (isSent) session.digests = digests;
        else way.destroy();
      },
      recognized: (principal) => {
        session.hearer = principal;
      },
      ...(incoming.origin.transport === "http" && { rest: () => session.streams.standing.rest() }),
      end: () => {
        // Else every client would be back at the same moment, and maybe before there is somebody else.
        if (sendsEvents(way)) way.sendRetry(limits.retryMilliseconds * (1 + Math.round(Math.random() * 4)));
        way.close();
      },
    });
    way.onClose(() => {
      unfollow();
      streams.giveBack(sharer);
      session.lastUsed = now();
    });
  };

  const resume = (incoming: Omit<Incoming, "message">, session: ClientSession, lastId: string): void => {
    let standing: Reply | undefined;
    const isKnown = session.streams.resume(lastId, keyOfAuthority(incoming.principal), (isStanding) => {
      if (isStanding) checkRoom(incoming.principal, session);
      const way = asEvents(incoming.reply());
      if (isStanding) standing = way;
      return way;
    });
    if (standing !== undefined) tellOfLists(incoming, session, standing);
    if (isKnown) return;
    throw refuse(
      400,
      "Bad Request: no stream of this session has the event of Last-Event-ID, or not any more. Open a new one without it.",
    );
  };

  return {
    post: async (incoming) => {
      const { message } = incoming;
      if (message.kind === "request" && message.method === "initialize") return initialize(incoming, message);
      if (isEarlyPing(incoming)) return incoming.reply().answer(writeResultText(incoming.message.id, "{}"));
      const session = find(incoming, message);
      if (message.kind === "request") return call(incoming, message, session);
      if (message.kind === "notification") notified(session, message);
      else session.home.requests.answer(message);
      incoming.accept();
    },
    get: async (incoming) => {
      const session = find(incoming);
      const lastId = incoming.origin.header("last-event-id") ?? "";
      if (lastId !== "") return resume(incoming, session, lastId);
      // A client that has just lost its stream may be back before that is noticed here.
      if (session.isListening) await delay(limits.conflictMilliseconds);
      if (session.isListening) throw refuse(409, "Conflict: this session has a GET stream already.");
      checkRoom(incoming.principal, session);
      const way = incoming.reply();
      session.streams.connect(way, keyOfAuthority(incoming.principal));
      tellOfLists(incoming, session, way);
    },
    delete: (incoming) => {
      sessions.remove(find(incoming));
      incoming.accept(200);
    },
  };
}

/** The only request that may come before a session has begun (MCP 2025-11-25, lifecycle); over HTTP each names its session. */
function isEarlyPing(incoming: Incoming): incoming is Incoming & { readonly message: RequestMessage } {
  const { origin, message } = incoming;
  if (origin.transport !== "stdio" || origin.header("mcp-session-id") !== undefined) return false;
  return message.kind === "request" && message.method === "ping";
}

/** The way back of an HTTP request, which alone has a `Last-Event-ID`. */
function asEvents(reply: Reply): EventReply {
  if (sendsEvents(reply)) return reply;
  throw new Error("Only event streams are taken up again.");
}
