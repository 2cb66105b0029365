import { asObject } from "../../json-object.ts";
import { canAsk, readAskableCapabilities } from "../../mcp/askable.ts";
import { type RequestMessage, rpcCodes, writeMessage, writeResultText } from "../../mcp/messages.ts";
import { metaKeys } from "../../mcp/meta.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import { modernVersions } from "../../mcp/versions.ts";
import type { JsonObject } from "../../model/json.ts";
import { cannotAsk, createNotifier } from "./call-peer.ts";
import { checkClaims, checkParameterHeaders, checkRequiredHeaders } from "./check-headers.ts";
import { readEnvelope } from "./envelope.ts";
import { confirmPrincipal, type FaceParts, type Incoming } from "./face.ts";
import { createListeners } from "./listen.ts";
import type { Caller, FinishedResult, Method } from "./methods.ts";
import { HttpRefusal } from "./refusal.ts";
import { createResultWriter } from "./result-writer.ts";
import { methodNotFound, runMethod } from "./run-method.ts";

/** Serves the versions without sessions, 2026-07-28. */
export interface ModernFace {
  post(incoming: Incoming): Promise<void>;
}

/**
 * The checks of a request, in the order in which the specification and the official SDK answer what fails several: envelope,
 * header against body, version, required headers, method, parameter headers, then the method's own.
 */
export function createModernFace(parts: FaceParts): ModernFace {
  const { server, view, log } = parts;
  const shape = ({ kind, result }: FinishedResult): JsonObject => ({
    resultType: "complete",
    ...result,
    ...(kind === "cacheable" ? { ttlMs: 0, cacheScope: "private" } : {}),
    _meta: { ...asObject(result["_meta"]), [metaKeys.serverInfo]: server.serverInfo },
  });
  const write = createResultWriter(shape);
  const listeners = createListeners(parts, (result) => shape({ kind: "once", result }));
  // A new object each time: its instructions follow the caller's view.
  const discover: Method = (_params, { principal }) => ({
    kind: "cacheable",
    result: {
      supportedVersions: modernVersions,
      capabilities: server.capabilities,
      instructions: server.instructions(view(principal)),
    },
  });
  const methods = new Map<string, Method>([...parts.methods, ["server/discover", discover]]);

  const answer = async (incoming: Incoming, request: RequestMessage): Promise<void> => {
    const { origin, principal } = incoming;
    const { version, capabilities } = readEnvelope(request);
    checkClaims(origin, request, version);
    if (origin.transport === "http") checkRequiredHeaders(origin, request);
    const { id, method, params } = request;
    if (method === "subscriptions/listen") return listen(incoming, request);
    const implementation = methods.get(method);
    if (implementation === undefined) throw new HttpRefusal(404, methodNotFound(method), { to: request });
    const tool =
      method === "tools/call" && typeof params["name"] === "string"
        ? view(principal).findTool(params["name"])
        : undefined;
    if (tool !== undefined && origin.transport === "http")
      checkParameterHeaders(origin, request, tool.inputSchema);

    const stream = incoming.reply();
    const peer = {
      // What the client declares is not passed on while its answers can't be: an upstream would ask in place of going on without.
      capabilities: {},
      ask: async (asked: string) => {
        throw cannotAsk(asked);
      },
      notify: createNotifier(params, stream),
    };
    // Closing the response is how this era cancels.
    const canVisit = canAsk(readAskableCapabilities(capabilities), "elicitation/create", { mode: "url" });
    const caller: Caller = {
      ...{ principal, version, peer, signal: origin.signal },
      header: origin.passedHeader,
      confirm: () => confirmPrincipal(origin, principal),
      // The gateway's own question, which is answered by the same call made again.
      visit: canVisit ? { kind: "return", signal: origin.signal } : undefined,
    };
    const outcome = await runMethod(method, implementation, params, caller, write, log);
    if (outcome.kind === "result") return stream.answer(writeResultText(id, outcome.text));
    if (outcome.kind === "cancelled") return stream.close();
    const status = outcome.error.code === rpcCodes.missingRequiredClientCapability ? 400 : 200;
    stream.answer(writeMessage({ kind: "error", id, error: outcome.error.toObject() }), status);
  };

  const listen = (incoming: Incoming, request: RequestMessage): void => {
    try {
      listeners.open(incoming, request);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      throw new HttpRefusal(200, error, { to: request });
    }
  };

  return {
    post: async (incoming) => {
      const { origin, message } = incoming;
      if (message.kind === "request") return answer(incoming, message);
      if (message.kind === "notification") {
        const claimed = asObject(message.params["_meta"])?.[metaKeys.protocolVersion];
        checkClaims(origin, message, typeof claimed === "string" ? claimed : undefined);
        // `notifications/cancelled` too: over HTTP, closing the response has cancelled already.
        return incoming.accept();
      }
      const error = new RpcError(
        rpcCodes.invalidRequest,
        "Bad Request: no request of the gateway awaits a response.",
      );
      throw new HttpRefusal(400, error);
    },
  };
}
