import { GatewayError } from "../../errors.ts";
import { canAsk } from "../../mcp/askable.ts";
import { type RequestMessage, rpcCodes, writeMessage, writeResultText } from "../../mcp/messages.ts";
import { readPassedMeta } from "../../mcp/meta.ts";
import { isAtLeast } from "../../mcp/versions.ts";
import type { ClientPeer } from "../../model/invocation.ts";
import type { Principal } from "../../model/principal.ts";
import { prefersEvents } from "./accept.ts";
import { checkAskable, createNotifier } from "./call-peer.ts";
import { confirmPrincipal, type FaceParts, type Incoming } from "./face.ts";
import type { Caller, Method, Visit } from "./methods.ts";
import { createResultWriter } from "./result-writer.ts";
import { runMethod } from "./run-method.ts";
import type { SessionMethod } from "./session-methods.ts";
import type { SessionStream } from "./session-stream.ts";
import type { ClientSession } from "./sessions.ts";

/** So many characters of a reason to cancel go on to an upstream. */
const mostOfReason = 500;

/** Runs the requests of sessions. */
export type RunLegacyCall = (
  incoming: Incoming,
  request: RequestMessage,
  session: ClientSession,
) => Promise<void>;

/**
 * @param sessionMethods those that only versions with sessions have.
 * @param keyOfAuthority stands for who makes a call, with all that it may do.
 */
export function createLegacyCalls(
  { methods, fallback, limits, now, log }: FaceParts,
  sessionMethods: ReadonlyMap<string, SessionMethod>,
  keyOfAuthority: (principal: Principal) => string,
): RunLegacyCall {
  const write = createResultWriter(({ result }) => result);
  const methodOf = (name: string, session: ClientSession): Method | undefined => {
    const own = sessionMethods.get(name);
    if (own !== undefined) return (params, caller) => own(session, params, caller);
    return methods.get(name) ?? fallback(name);
  };

  return async (incoming, request, session) => {
    const { origin, principal, reply } = incoming;
    const { id, method, params } = request;
    const refuse = (message: string): void => {
      const error = { code: rpcCodes.invalidRequest, message };
      reply().answer(writeMessage({ kind: "error", id, error }));
    };
    if (session.calls.has(id)) return refuse("A request with this id is still running.");
    if (session.calls.size >= limits.callsPerSession)
      return refuse(
        `This session has ${session.calls.size} requests that run, which is as many as one may have.`,
      );
    const claimed = origin.header("mcp-protocol-version") ?? session.terms.version;
    const stream = session.streams.begin(
      reply(),
      keyOfAuthority(principal),
      isAtLeast(claimed, "2025-11-25"),
    );
    const call = new AbortController();
    // A client that only lost its connection has not cancelled: its call goes on (MCP 2025-11-25, Streamable HTTP).
    session.calls.set(id, (reason) => {
      call.abort(reason ? new GatewayError("cancelled", reason.slice(0, mostOfReason)) : undefined);
      stream.close();
    });
    if (prefersEvents(origin.header("accept"))) stream.open();
    const { version } = session.terms;
    const caller: Caller = {
      ...{ principal, version },
      peer: createPeer(incoming, request, session, stream, call.signal),
      meta: readPassedMeta(params),
      signal: call.signal,
      header: origin.passedHeader,
      confirm: () => confirmPrincipal(origin, principal),
      visit: createVisit(session, stream, call.signal),
    };
    const outcome = await runMethod(method, methodOf(method, session), params, caller, write, log);
    session.calls.delete(id);
    session.lastUsed = now();
    // What is still asked for this call is withdrawn: nobody waits for it.
    call.abort();
    if (outcome.kind === "result") stream.answer(writeResultText(id, outcome.text));
    else if (outcome.kind === "error")
      stream.answer(writeMessage({ kind: "error", id, error: outcome.error.toObject() }));
    else stream.close();
    session.rest();
  };
}

function createPeer(
  { origin }: Incoming,
  { params }: RequestMessage,
  { terms, home }: ClientSession,
  stream: SessionStream,
  signal: AbortSignal,
): ClientPeer {
  const { capabilities, version } = terms;
  // Only these clients come back for the rest of a stream that ends before its answer.
  const canPause = origin.transport === "http" && isAtLeast(version, "2025-11-25");
  return {
    capabilities,
    home,
    ask: async (method, given, wanted) => {
      checkAskable(capabilities, method, given);
      // Roots are the client's, whatever call they are asked for in: a server that asks at its start may wait longer than the first call.
      const end = method === "roots/list" && wanted !== undefined ? home.gone : signal;
      const until = wanted === undefined ? end : AbortSignal.any([end, wanted]);
      const isReachable = stream.isConnected || stream.isResumable;
      return isReachable ? home.requests.ask(stream, method, given, until) : home.ask(method, given, until);
    },
    notify: createNotifier(params, stream, () => home.logLevel()),
    ...(canPause && { pause: (milliseconds) => stream.pause(milliseconds) }),
  };
}

/** How a client is asked to open a page of ours; `undefined`: it can't be. */
function createVisit(
  { terms: { version, capabilities }, home }: ClientSession,
  stream: SessionStream,
  signal: AbortSignal,
): Visit | undefined {
  if (!isAtLeast(version, "2025-11-25")) return undefined;
  if (!canAsk(capabilities, "elicitation/create", { mode: "url" })) return undefined;
  return {
    kind: "ask",
    // An answer that its client does not come for reaches nobody: it is not worth anybody's while then.
    get signal() {
      return AbortSignal.any([signal, stream.lost]);
    },
    ask: (params, until) => home.requests.ask(stream, "elicitation/create", params, until),
    tell: (method, params) => void stream.send(writeMessage({ kind: "notification", method, params })),
  };
}
