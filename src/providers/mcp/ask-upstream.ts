import { GatewayError } from "../../errors.ts";
import { readAskableCapabilities } from "../../mcp/askable.ts";
import type { ClientPeer } from "../../model/invocation.ts";
import type { JsonObject } from "../../model/json.ts";
import type { InputRequired } from "../../model/result.ts";
import { CallDeadline, type CallLimits } from "./call-deadline.ts";
import { askForInput, passOnInput, readInputRequired } from "./input-required.ts";
import { createObserver, logLevelOf } from "./observe-call.ts";
import type { UpstreamSession } from "./upstream-session.ts";

/** How often one call may come back with questions. */
const maxRounds = 8;

/** Methods whose results have known types; of others, all of a result goes to the client. */
const known: ReadonlySet<string> = new Set([
  "tools/call",
  "prompts/get",
  "resources/read",
  "completion/complete",
]);

/** One call of an upstream's method. */
export interface UpstreamCall {
  readonly method: string;
  /** As the upstream knows them. */
  readonly params: JsonObject;
  /** The `Mcp-Param-*` headers, only on the wire in the modern era. */
  readonly parameterHeaders: Readonly<Record<string, string>>;
  readonly peer: ClientPeer;
  readonly signal: AbortSignal;
}

/** What a call came to. */
export type UpstreamAnswer = { readonly kind: "result"; readonly result: JsonObject } | InputRequired;

/**
 * Calls a method. Progress and log messages go to the caller's client while the call runs, and so do questions of upstreams with a
 * handshake. Where an upstream answers with a result that wants input (MCP 2026-07-28), clients that can take that get it; others are
 * asked, and the call is repeated with their answers.
 */
export async function askUpstream(
  session: UpstreamSession,
  call: UpstreamCall,
  limits: CallLimits,
): Promise<UpstreamAnswer> {
  using deadline = new CallDeadline(call.signal, limits, "Whether it carried the call out is not known.");
  const { peer, method } = call;
  const observer = createObserver(peer, deadline);
  const isModern = session.agreement.era === "modern";
  const logLevel = isModern ? logLevelOf(peer) : undefined;
  const perRequest = isModern && {
    headers: call.parameterHeaders,
    capabilities: readAskableCapabilities(peer.capabilities),
    ...(logLevel !== undefined && { logLevel }),
  };
  let answers = isModern ? givenAnswers(peer) : {};
  for (let round = 0; round <= maxRounds; round++) {
    const result = await session.request(
      method,
      { ...call.params, ...answers },
      { signal: deadline.signal, observer, ...perRequest },
    );
    const type = result["resultType"] ?? "complete";
    if (type === "complete" || !known.has(method)) return { kind: "result", result };
    if (type !== "input_required") {
      throw new GatewayError(
        "upstream_failed",
        "The upstream MCP server answered with a kind of result that was not asked for.",
      );
    }
    deadline.touch();
    const input = readInputRequired(result);
    if (peer.retry !== undefined) return passOnInput(input, peer);
    answers = await askForInput(
      input,
      (asked, params) => deadline.hold(() => peer.ask(asked, params)),
      deadline.signal,
    );
  }
  throw new GatewayError(
    "upstream_failed",
    `The upstream MCP server asked for input more than ${maxRounds} times for one call.`,
  );
}

/** What a client that makes a call again has brought for the upstream. */
function givenAnswers({ retry }: ClientPeer): JsonObject {
  return {
    ...(retry?.responses !== undefined && { inputResponses: retry.responses }),
    ...(retry?.state !== undefined && { requestState: retry.state }),
  };
}
