import { isJsonObject } from "../../json-object.ts";
import { canAsk, readAskableCapabilities } from "../../mcp/askable.ts";
import {
  type Message,
  type RequestMessage,
  rpcCodes,
  writeMessage,
  writeResultText,
} from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import { isAtLeast, isLegacyVersion, legacyVersions, newestLegacyVersion } from "../../mcp/versions.ts";
import type { JsonObject } from "../../model/json.ts";
import { checkAskable, createNotifier } from "./call-peer.ts";
import { confirmPrincipal, type FaceParts, type Incoming } from "./face.ts";
import type { Method, Visit } from "./methods.ts";
import { HttpRefusal, refuse } from "./refusal.ts";
import { createResultWriter } from "./result-writer.ts";
import { runMethod } from "./run-method.ts";
import { type ClientSession, ClientSessions } from "./sessions.ts";
import { listChanged } from "./watch-lists.ts";

/** Serves the versions with sessions, 2024-11-05 to 2025-11-25. */
export interface LegacyFace {
  post(incoming: Incoming): Promise<void>;
  get(incoming: Omit<Incoming, "message">): void;
  delete(incoming: Omit<Incoming, "message">): void;
}

/**
 * A session belongs to the principal that opened it, but what is seen and called in it is decided by what each request presents:
 * that may be another token of the same user, or the user's roles may have changed.
 */
export function createLegacyFace(parts: FaceParts): LegacyFace {
  const { limits, server, view, lists, now, log } = parts;
  const sessions = new ClientSessions(limits, now);
  const write = createResultWriter(({ result }) => result);
  const methods = new Map<string, Method>([...parts.methods, ["ping", () => ({ kind: "once", result: {} })]]);

  const find = (
    { origin, principal }: Pick<Incoming, "origin" | "principal">,
    to?: Message,
  ): ClientSession => {
    const id = origin.header("mcp-session-id");
    if (id === undefined)
      throw refuse(400, "Bad Request: Mcp-Session-Id header is required. Begin with initialize.", to);
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
    return session;
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
    const askable = readAskableCapabilities(capabilities);
    const terms = { owner: principal, version, capabilities: askable, digests: lists.digests(principal) };
    const session = sessions.open(terms);
    if (session === undefined)
      throw refuse(503, "The gateway has no room for another session. Try again later.", request);
    const result = {
      protocolVersion: version,
      capabilities: server.capabilities,
      serverInfo: server.serverInfo,
      instructions: server.instructions(view(principal)),
    };
    const answer = writeResultText(request.id, JSON.stringify(result));
    reply().answer(answer, 200, { "mcp-session-id": session.id });
  };

  const answer = async (
    { origin, principal, reply }: Incoming,
    request: RequestMessage,
    session: ClientSession,
  ): Promise<void> => {
    const { id, method, params } = request;
    const stream = reply();
    if (session.calls.has(id)) {
      const error = { code: rpcCodes.invalidRequest, message: "A request with this id is still running." };
      return stream.answer(writeMessage({ kind: "error", id, error }));
    }
    const call = new AbortController();
    const { signal } = call;
    // A client that only lost its connection has not cancelled: its call goes on (MCP 2025-11-25, Streamable HTTP).
    session.calls.set(id, () => {
      call.abort();
      stream.close();
    });
    const { version, capabilities } = session.terms;
    const ask = async (asked: string, given: JsonObject) => {
      checkAskable(capabilities, asked, given);
      return session.clientRequests.ask(stream, asked, given, signal);
    };
    const peer = { capabilities, ask, notify: createNotifier(params, stream) };
    const visit: Visit | undefined =
      isAtLeast(version, "2025-11-25") && canAsk(capabilities, "elicitation/create", { mode: "url" })
        ? {
            kind: "ask",
            // The answer of a lost connection reaches nobody: it is not worth anybody's while then.
            signal: AbortSignal.any([signal, origin.signal]),
            ask: (given, until) => session.clientRequests.ask(stream, "elicitation/create", given, until),
            tell: (told, given) =>
              void stream.send(writeMessage({ kind: "notification", method: told, params: given })),
          }
        : undefined;
    const caller = {
      ...{ principal, version, peer, signal, visit },
      header: origin.passedHeader,
      confirm: () => confirmPrincipal(origin, principal),
    };
    const outcome = await runMethod(method, methods.get(method), params, caller, write, log);
    session.calls.delete(id);
    session.lastUsed = now();
    // What is still asked for this call is withdrawn: nobody waits for it.
    call.abort();
    if (outcome.kind === "result") stream.answer(writeResultText(id, outcome.text));
    else if (outcome.kind === "error")
      stream.answer(writeMessage({ kind: "error", id, error: outcome.error.toObject() }));
    else stream.close();
  };

  const cancel = (session: ClientSession, params: JsonObject): void => {
    const { requestId } = params;
    if (typeof requestId === "string" || typeof requestId === "number") session.calls.get(requestId)?.();
  };

  return {
    post: async (incoming) => {
      const { message } = incoming;
      if (message.kind === "request" && message.method === "initialize") return initialize(incoming, message);
      const session = find(incoming, message);
      if (message.kind === "request") return answer(incoming, message, session);
      if (message.kind !== "notification") session.clientRequests.answer(message);
      else if (message.method === "notifications/cancelled") cancel(session, message.params);
      incoming.accept();
    },
    get: (incoming) => {
      const session = find(incoming);
      if (session.stream !== undefined) throw refuse(409, "Conflict: this session has a GET stream already.");
      const stream = incoming.reply();
      session.stream = stream;
      stream.open();
      const unfollow = lists.follow({
        origin: incoming.origin,
        principal: incoming.principal,
        // What changed between `initialize` and now was told to nobody.
        digests: session.digests,
        tell: (changed, digests) => {
          const isSent = changed.every((kind) =>
            stream.send(writeMessage({ kind: "notification", method: listChanged(kind), params: {} })),
          );
          if (isSent) session.digests = digests;
          else stream.destroy();
        },
        end: () => stream.close(),
      });
      stream.onClose(() => {
        unfollow();
        session.stream = undefined;
        session.lastUsed = now();
      });
    },
    delete: (incoming) => {
      sessions.remove(find(incoming));
      incoming.accept(200);
    },
  };
}
