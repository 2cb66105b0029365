import { asObject } from "../../json-object.ts";
import { canAsk, neededCapability, readAskableCapabilities } from "../../mcp/askable.ts";
import { rpcCodes } from "../../mcp/messages.ts";
import { metaKeys, readPassedMeta } from "../../mcp/meta.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Leg, Turn } from "./asking-call.ts";
import { createNotifier } from "./call-peer.ts";
import type { Envelope } from "./envelope.ts";
import { confirmPrincipal, type FaceParts, type Incoming, type Reply } from "./face.ts";
import type { Caller, Method, Question } from "./methods.ts";
import { createModernHome } from "./modern-home.ts";
import { createParkedCalls } from "./parked-calls.ts";
import { readResponses } from "./read-responses.ts";
import { type HeldState, type RequestStates, refused, type StatefulRequest } from "./request-state.ts";
import type { ResultWriter } from "./result-writer.ts";
import { type Outcome, runMethod } from "./run-method.ts";

/** One request of a client without sessions, once it is checked. */
export interface ModernRequest extends Pick<Incoming, "origin" | "principal"> {
  readonly envelope: Envelope;
  readonly name: string;
  readonly method: Method;
  readonly params: JsonObject;
  readonly stream: Reply;
}

/** Carries requests out, over as many rounds as their questions take. */
export interface ModernCalls {
  /** Gives the request's own outcome: the end of its call, or questions to the client as a result. */
  run(request: ModernRequest): Promise<Outcome>;
  /** Ends the calls that wait for a client to come back. */
  close(): void;
}

/** The requests that may be answered with questions (MCP 2026-07-28, multi round-trip requests). */
const asking: ReadonlySet<string> = new Set(["tools/call", "prompts/get", "resources/read"]);

/** @param write the results that are no questions. */
export function createModernCalls(
  { view, limits, log, server }: Pick<FaceParts, "view" | "limits" | "log" | "server">,
  states: RequestStates,
  write: ResultWriter,
): ModernCalls {
  const parked = createParkedCalls(limits);

  const providerOf = ({ principal, name, params }: ModernRequest): string | undefined => {
    const text = (member: string): string => {
      const value = params[member];
      return typeof value === "string" ? value : "";
    };
    const seen = view(principal);
    if (name === "tools/call") return seen.findTool(text("name"))?.provider;
    return name === "prompts/get"
      ? seen.findPrompt(text("name"))?.provider
      : seen.findResource(text("uri"))?.provider;
  };

  const writeQuestion = (
    requests: JsonObject,
    held: HeldState | undefined,
    { principal, name, params }: ModernRequest,
  ): string => {
    const state = held && states.seal(held, { principal, method: name, params });
    return JSON.stringify({
      resultType: "input_required",
      ...(Object.keys(requests).length === 0 ? {} : { inputRequests: requests }),
      ...(state === undefined ? {} : { requestState: state }),
      _meta: { [metaKeys.serverInfo]: server.serverInfo },
    });
  };
  const question = (
    { requests, state, own }: Question,
    { capabilities }: Leg,
    request: ModernRequest,
  ): string => {
    checkDeclared(capabilities, requests);
    if (own !== undefined) return writeQuestion(requests, { kind: "own", own }, request);
    if (state === undefined) return writeQuestion(requests, undefined, request);
    const provider = providerOf(request) ?? "";
    return writeQuestion(requests, { kind: "upstream", provider, state }, request);
  };

  /** Begins the call of a request, or goes on with the one that waits for it. Throws `RpcError` for a state that does not count. */
  const proceed = (
    request: ModernRequest,
  ): { readonly call: { readonly id: string }; readonly turn: Promise<Turn> } => {
    const { origin, principal, envelope, name, params, stream } = request;
    const askable = readAskableCapabilities(envelope.capabilities);
    const canReturn = asking.has(name);
    const leg: Leg = {
      origin,
      capabilities: canReturn ? askable : {},
      notify: createNotifier(params, stream, () => envelope.logLevel),
    };
    const responses = canReturn ? readResponses(params) : undefined;
    const about: StatefulRequest = { principal, method: name, params };
    const given = canReturn ? params["requestState"] : undefined;
    const opened = given === undefined ? undefined : states.open(given, about);
    const held = opened?.held;
    if (held?.kind === "upstream" && held.provider !== (providerOf(request) ?? ""))
      throw refused("is of another upstream than the one that is called now");
    if (held?.kind === "parked") {
      const call = parked.find(held.call, principal);
      if (call === undefined) throw refused("is of a call that has ended");
      if (providerOf(request) !== undefined) {
        call.check(responses ?? {});
        opened?.use();
        return { call, turn: call.take(leg, responses) };
      }
      // Who may not make the call any more gets no more of it, and reads what anybody does who may not.
      call.cancel();
    }
    opened?.use();

    const call = parked.begin(principal, leg);
    const turn = call.take(leg);
    const own = held?.kind === "own" ? { own: held.own, responses: responses ?? {} } : undefined;
    const isAnswer = held?.kind === "upstream" || held === undefined;
    const caller: Caller = {
      principal,
      version: envelope.version,
      peer: {
        capabilities: leg.capabilities,
        home: createModernHome(principal, askable),
        retry: canReturn
          ? {
              responses: isAnswer ? responses : undefined,
              state: held?.kind === "upstream" ? held.state : undefined,
            }
          : undefined,
        logLevel: envelope.logLevel,
        ask: (method, asked, wanted) => call.ask(method, asked, wanted),
        notify: (method, told) => call.notify(method, told),
      },
      meta: readPassedMeta(params),
      signal: call.signal,
      header: origin.passedHeader,
      confirm: () => confirmPrincipal(call.origin, principal),
      visit:
        canReturn && canAsk(askable, "elicitation/create", { mode: "url" })
          ? { kind: "return", signal: call.signal, held: own }
          : undefined,
    };
    const writeAny: ResultWriter = (result) =>
      result.kind === "input_required" ? question(result, leg, request) : write(result);
    void runMethod(name, request.method, params, caller, writeAny, log).then((outcome) =>
      call.finish(outcome),
    );
    return { call, turn };
  };

  return {
    run: async (request) => {
      try {
        const { call, turn } = proceed(request);
        const ended = await turn;
        if (ended.kind === "ended") return ended.outcome;
        return {
          kind: "result",
          text: writeQuestion(ended.requests, { kind: "parked", call: call.id }, request),
        };
      } catch (error) {
        if (error instanceof RpcError) return { kind: "error", error };
        throw error;
      }
    },
    close: () => parked.close(),
  };
}

/** Throws `RpcError` (-32021) where an upstream asks for what the client has not declared: it must not be sent that. */
function checkDeclared(capabilities: JsonObject, requests: JsonObject): void {
  for (const request of Object.values(requests)) {
    const { method, params } = asObject(request) ?? {};
    const name = typeof method === "string" ? method : "";
    const asked = asObject(params) ?? {};
    if (canAsk(capabilities, name, asked)) continue;
    const requiredCapabilities = neededCapability(name, asked);
    if (requiredCapabilities === undefined) {
      throw new RpcError(
        rpcCodes.internalError,
        "The upstream MCP server asked the client for something that clients don't do.",
      );
    }
    throw new RpcError(
      rpcCodes.missingRequiredClientCapability,
      `The upstream asks for \`${name}\`, which this client has not declared. Make the request with a client that does.`,
      { requiredCapabilities },
    );
  }
}
