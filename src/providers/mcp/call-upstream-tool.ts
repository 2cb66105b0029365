import { GatewayError } from "../../errors.ts";
import { asObject, isJsonObject } from "../../json-object.ts";
import { isAskable, readAskableCapabilities } from "../../mcp/askable.ts";
import type { ClientPeer } from "../../model/invocation.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { CallDeadline, type CallLimits } from "./call-deadline.ts";
import type { RequestObserver, UpstreamSession } from "./upstream-session.ts";

/** How often one call may come back with questions. */
const maxRounds = 8;
/** Most questions that one answer may hold. */
const maxInputRequests = 64;

/** One call of an upstream's tool. */
export interface ToolCall {
  /** The name that the upstream gave it. */
  readonly name: string;
  readonly arguments: JsonObject;
  /** The `Mcp-Param-*` headers, only on the wire in the modern era. */
  readonly parameterHeaders: Readonly<Record<string, string>>;
  readonly peer: ClientPeer;
  readonly signal: AbortSignal;
}

/**
 * Calls a tool. Progress and log messages go to the caller's client while the call runs. Where the upstream answers with a
 * result that wants input (modern), the client is asked, and the call repeated with its answers.
 */
export async function callUpstreamTool(
  session: UpstreamSession,
  call: ToolCall,
  limits: CallLimits,
): Promise<JsonObject> {
  using deadline = new CallDeadline(call.signal, limits, "Whether it carried the call out is not known.");
  const { peer } = call;
  const ask = (method: string, params: JsonObject): Promise<JsonValue> =>
    deadline.hold(() => peer.ask(method, params));
  const observer: RequestObserver = {
    progress: (params) => {
      deadline.touch();
      peer.notify("notifications/progress", params);
    },
    log: (params) => {
      deadline.touch();
      peer.notify("notifications/message", params);
    },
  };
  const modern = session.agreement.era === "modern";
  const params: JsonObject = { name: call.name, arguments: call.arguments };
  let answers: JsonObject = {};
  for (let round = 0; round <= maxRounds; round++) {
    const result = await session.request(
      "tools/call",
      { ...params, ...answers },
      {
        signal: deadline.signal,
        observer,
        ...(modern
          ? { headers: call.parameterHeaders, capabilities: readAskableCapabilities(peer.capabilities) }
          : {}),
      },
    );
    const type = result["resultType"] ?? "complete";
    if (type === "complete") return result;
    if (type !== "input_required") {
      throw new GatewayError(
        "upstream_failed",
        "The upstream MCP server answered with a kind of result that was not asked for.",
      );
    }
    deadline.touch();
    answers = await answerInputRequests(result, ask, deadline.signal);
  }
  throw new GatewayError(
    "upstream_failed",
    `The upstream MCP server asked for input more than ${maxRounds} times for one call.`,
  );
}

/** MCP 2026-07-28, multi round-trip requests: the answers by the keys of the questions, and the state as it came. */
async function answerInputRequests(
  result: JsonObject,
  ask: (method: string, params: JsonObject) => Promise<JsonValue>,
  signal: AbortSignal,
): Promise<JsonObject> {
  const requests = Object.entries(asObject(result["inputRequests"]) ?? {});
  const state = result["requestState"];
  if (requests.length > maxInputRequests || (requests.length === 0 && state === undefined)) {
    throw new GatewayError(
      "upstream_failed",
      "The upstream MCP server asked for input in a way that can't be answered.",
    );
  }
  const answering = Promise.all(
    requests.map(async ([key, request]) => {
      const method = isJsonObject(request) ? request["method"] : undefined;
      if (!isJsonObject(request) || typeof method !== "string" || !isAskable(method)) {
        throw new GatewayError(
          "unsupported",
          "The upstream MCP server asked the client for something that clients don't do.",
        );
      }
      return [key, await ask(method, asObject(request["params"]) ?? {})] as const;
    }),
  );
  const responses = await unlessAborted(signal, answering);
  return {
    ...(requests.length === 0 ? {} : { inputResponses: Object.fromEntries(responses) }),
    ...(state === undefined ? {} : { requestState: state }),
  };
}

/** Waits for `work`, but no longer than until `signal` aborts: what goes on with others does not hold up the end of a call. */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
