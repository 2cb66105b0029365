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
import type { Principal } from "../../model/principal.ts";
import { type Exchange, sendJson } from "../exchange.ts";
import { headersOf } from "../request-header.ts";
import { checkAskable, createNotifier } from "./call-peer.ts";
import { accept, confirmPrincipal, type FaceParts, header, type Incoming, toolsChanged } from "./face.ts";
import type { Method, Visit } from "./methods.ts";
import { HttpRefusal, refuse } from "./refusal.ts";
import { ResponseStream } from "./response-stream.ts";
import { createResultWriter } from "./result-writer.ts";
import { runMethod } from "./run-method.ts";
import { type ClientSession, ClientSessions } from "./sessions.ts";

/** Serves the versions with sessions, 2024-11-05 to 2025-11-25. */
export interface LegacyFace {
  post(incoming: Incoming): Promise<void>;
  get(exchange: Exchange, principal: Principal): void;
  delete(exchange: Exchange, principal: Principal): void;
}

/**
 * A session belongs to the principal that opened it, but what is seen and called in it is decided by what each request presents:
 * that may be another token of the same user, or the user's roles may have changed.
 */
export function createLegacyFace(parts: FaceParts): LegacyFace {
  const { limits, server, view, tools, now, log } = parts;
  const sessions = new ClientSessions(limits, now);
  const write = createResultWriter(({ result }) => result);
  const methods = new Map<string, Method>([...parts.methods, ["ping", () => ({ kind: "once", result: {} })]]);

  const find = (exchange: Exchange, principal: Principal, to?: Message): ClientSession => {
    const id = header(exchange, "mcp-session-id");
    if (id === undefined)
      throw refuse(400, "Bad Request: Mcp-Session-Id header is required. Begin with initialize.", to);
    const session = sessions.find(id, principal);
    if (session === undefined) {
      const error = new RpcError(rpcCodes.sessionNotFound, "Session not found. Begin again with initialize.");
      throw new HttpRefusal(404, error, { to });
    }
    const version = header(exchange, "mcp-protocol-version");
    if (version !== undefined && !isLegacyVersion(version)) {
      throw refuse(
        400,
        `Bad Request: Unsupported protocol version: ${version.slice(0, 100)} (supported versions: ${legacyVersions.join(", ")})`,
        to,
      );
    }
    return session;
  };

  const initialize = (exchange: Exchange, request: RequestMessage, principal: Principal): void => {
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
    const terms = { owner: principal, version, capabilities: askable, toolDigest: tools.digest(principal) };
    const session = sessions.open(terms);
    if (session === undefined)
      throw refuse(503, "The gateway has no room for another session. Try again later.", request);
    const result = {
      protocolVersion: version,
      capabilities: server.capabilities,
      serverInfo: server.serverInfo,
      instructions: server.instructions(view(principal)),
    };
    sendJson(exchange, 200, { jsonrpc: "2.0", id: request.id, result }, { "mcp-session-id": session.id });
  };

  const answer = async (
    exchange: Exchange,
    request: RequestMessage,
    session: ClientSession,
    principal: Principal,
  ): Promise<void> => {
    const { id, method, params } = request;
    const stream = new ResponseStream(exchange.response, limits);
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
            signal: AbortSignal.any([signal, exchange.signal]),
            ask: (given, until) => session.clientRequests.ask(stream, "elicitation/create", given, until),
            tell: (told, given) =>
              void stream.send(writeMessage({ kind: "notification", method: told, params: given })),
          }
        : undefined;
    const caller = {
      ...{ principal, version, peer, signal, visit },
      header: headersOf(exchange.request),
      confirm: () => confirmPrincipal(parts.authenticate, exchange, principal),
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
    post: async ({ exchange, message, principal }) => {
      if (message.kind === "request" && message.method === "initialize")
        return initialize(exchange, message, principal);
      const session = find(exchange, principal, message);
      if (message.kind === "request") return answer(exchange, message, session, principal);
      if (message.kind !== "notification") session.clientRequests.answer(message);
      else if (message.method === "notifications/cancelled") cancel(session, message.params);
      accept(exchange);
    },
    get: (exchange, principal) => {
      const session = find(exchange, principal);
      if (session.stream !== undefined) throw refuse(409, "Conflict: this session has a GET stream already.");
      const stream = new ResponseStream(exchange.response, limits);
      session.stream = stream;
      stream.open();
      const unfollow = tools.follow({
        exchange,
        principal,
        // What changed between `initialize` and now was told to nobody.
        digest: session.toolDigest,
        tell: (digest) => {
          if (stream.send(writeMessage({ ...toolsChanged, params: {} }))) session.toolDigest = digest;
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
    delete: (exchange, principal) => {
      sessions.remove(find(exchange, principal));
      exchange.response.writeHead(200, { "content-length": 0 });
      exchange.response.end();
    },
  };
}
