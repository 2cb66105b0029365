import { asObject } from "../../json-object.ts";
import { type RequestMessage, rpcCodes, writeMessage, writeResultText } from "../../mcp/messages.ts";
import { metaKeys } from "../../mcp/meta.ts";
import { createParameterHeaderReader } from "../../mcp/parameter-headers.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import { modernVersions } from "../../mcp/versions.ts";
import type { JsonObject } from "../../model/json.ts";
import { checkClaims, checkParameterHeaders, checkRequiredHeaders } from "./check-headers.ts";
import { type Envelope, readEnvelope } from "./envelope.ts";
import type { FaceParts, Incoming } from "./face.ts";
import { createListeners } from "./listen.ts";
import type { FinishedResult, Method } from "./methods.ts";
import { createModernCalls } from "./modern-calls.ts";
import { HttpRefusal } from "./refusal.ts";
import type { RequestStates } from "./request-state.ts";
import { createResultWriter } from "./result-writer.ts";
import { methodNotFound } from "./run-method.ts";

/** Serves the versions without sessions, 2026-07-28. */
export interface ModernFace {
  post(incoming: Incoming): Promise<void>;
  /** Ends the calls that wait for a client to come back; others go on. */
  close(): void;
}

/**
 * The checks of a request, in the order in which the specification and the official SDK answer what fails several: envelope,
 * header against body, version, required headers, method, parameter headers, then the method's own.
 */
export function createModernFace(parts: FaceParts, states: RequestStates): ModernFace {
  const { server, view } = parts;
  const shape = (outcome: FinishedResult): JsonObject => ({
    resultType: "complete",
    ...outcome.result,
    ...(outcome.kind === "cacheable"
      ? { ttlMs: outcome.freshness?.ttlMs ?? 0, cacheScope: outcome.freshness?.scope ?? "private" }
      : {}),
    _meta: { ...asObject(outcome.result["_meta"]), [metaKeys.serverInfo]: server.serverInfo },
  });
  const calls = createModernCalls(parts, states, createResultWriter(shape));
  const parameterHeaders = createParameterHeaderReader();
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
    const envelope = readEnvelope(request);
    checkClaims(origin, request, envelope.version);
    if (origin.transport === "http") checkRequiredHeaders(origin, request);
    const { id, method: name, params } = request;
    if (name === "subscriptions/listen") return listen(incoming, request, envelope);
    const known = methods.get(name);
    const method = known ?? parts.fallback(name);
    if (method === undefined) throw new HttpRefusal(404, methodNotFound(name), { to: request });
    const tool =
      name === "tools/call" && typeof params["name"] === "string"
        ? view(principal).findTool(params["name"])
        : undefined;
    if (tool !== undefined && origin.transport === "http")
      checkParameterHeaders(origin, request, parameterHeaders(tool.inputSchema));

    const stream = incoming.reply();
    const outcome = await calls.run({ origin, principal, envelope, name, method, params, stream });
    if (outcome.kind === "result") return stream.answer(writeResultText(id, outcome.text));
    if (outcome.kind === "cancelled") return stream.close();
    const { error } = outcome;
    const isUnknown = known === undefined && error.code === rpcCodes.methodNotFound;
    const isLacking = error.code === rpcCodes.missingRequiredClientCapability;
    stream.answer(
      writeMessage({ kind: "error", id, error: error.toObject() }),
      isUnknown ? 404 : isLacking ? 400 : 200,
    );
  };

  const listen = async (incoming: Incoming, request: RequestMessage, envelope: Envelope): Promise<void> => {
    try {
      await listeners.open(incoming, request, envelope);
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
    close: () => calls.close(),
  };
}
