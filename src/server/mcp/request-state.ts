import { randomUUID } from "node:crypto";
import { asObject } from "../../json-object.ts";
import { rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { gatewayMetaKeys } from "./gateway-meta.ts";
import { type CallerIdentity, keyOfCaller } from "./same-caller.ts";
import { keyOfPrincipal } from "./same-principal.ts";
import { createSealedState, digestOfValue } from "./sealed-state.ts";
import { createUsedOnce } from "./used-once.ts";

/** What a client keeps for us between two rounds of a request (MCP 2026-07-28, multi round-trip requests). */
export type HeldState =
  /** A question of the gateway's own. */
  | { readonly kind: "own"; readonly own: JsonObject }
  /** The state of an upstream that keeps nothing itself, and whose it is. */
  | { readonly kind: "upstream"; readonly provider: string; readonly state: string }
  /** A call that goes on in this process. */
  | { readonly kind: "parked"; readonly call: string };

/** The request that a state belongs to: it counts for the same caller, method and params only. */
export interface StatefulRequest {
  readonly principal: CallerIdentity;
  readonly method: string;
  readonly params: JsonObject;
}

/** A state that has come back and may be used. */
export interface OpenedState {
  readonly held: HeldState;
  /** Uses it up. Throws `RpcError` where it has been used before. */
  use(): void;
}

/** Gives states to clients, and takes them back once, within their time. */
export interface RequestStates {
  /** The `requestState` for a client. Throws `RpcError` for an upstream's state that is too long. */
  seal(held: HeldState, request: StatefulRequest): string;
  /** Reads what a client brings back, which is as good as any other text. Throws `RpcError` (-32602), which says what to do. */
  open(text: JsonValue, request: StatefulRequest): OpenedState;
}

/** How they are kept. */
export interface RequestStateParts {
  /** See {@link createSealedState}. */
  readonly keys?: (() => readonly Uint8Array[]) | undefined;
  /** How long a state counts. */
  readonly milliseconds: number;
  /** ms since 1970; the system's by default. */
  readonly now?: () => number;
}

/** Longest state of an upstream, in bytes of UTF-8. */
const longestUpstreamState = 65_536;
/** So many are remembered as used, of one principal, and so many principals; they are forgotten when their time is over. */
const usedPerPrincipal = 1_000;
const usingPrincipals = 10_000;

/** Makes the one codec for states of all kinds. */
export function createRequestStates({
  keys,
  milliseconds,
  now = Date.now,
}: RequestStateParts): RequestStates {
  const sealed = createSealedState(keys);
  const used = createUsedOnce(usedPerPrincipal, usingPrincipals, now);
  /** Tells this process from all others that have the same keys. */
  const process = randomUUID();
  return {
    seal: (held, request) => {
      if (held.kind === "upstream" && Buffer.byteLength(held.state, "utf8") > longestUpstreamState) {
        throw new RpcError(
          rpcCodes.internalError,
          "The upstream MCP server asked for input, with a state that is too long to be passed on.",
        );
      }
      return sealed.seal({
        held: { ...held },
        process: held.kind === "parked" ? process : null,
        caller: keyOfCaller(request.principal),
        request: digestOfRequest(request),
        since: now(),
        nonce: randomUUID(),
      });
    },
    open: (text, request) => {
      const opened = typeof text === "string" ? sealed.open(text) : undefined;
      const held = readHeld(opened?.["held"]);
      const { since, nonce } = opened ?? {};
      if (
        held === undefined ||
        typeof since !== "number" ||
        typeof nonce !== "string" ||
        opened?.["caller"] !== keyOfCaller(request.principal)
      ) {
        // One text for what is nobody's and what is somebody else's.
        throw refused(
          "is not known here: it was changed, is not yours, or comes from another process of the gateway",
        );
      }
      if (opened["request"] !== digestOfRequest(request)) {
        throw refused("belongs to another request: method, name and arguments have to stay the same");
      }
      const until = since + milliseconds;
      if (now() > until) throw refused(`is over: it counts for ${Math.round(milliseconds / 60_000)} minutes`);
      if (held.kind === "parked" && opened["process"] !== process) {
        throw refused(
          "is of a call that waits in another process of the gateway, or has waited in one that has ended",
        );
      }
      return {
        held,
        use: () => {
          if (!used.use(nonce, keyOfPrincipal(request.principal), since, until))
            throw refused("was used already: each counts once");
        },
      };
    },
  };
}

/** The error for a state that does not count, as a sentence about it. */
export function refused(problem: string): RpcError {
  return new RpcError(
    rpcCodes.invalidParams,
    `\`requestState\` ${problem}. Make the request anew, without \`requestState\` and \`inputResponses\`.`,
  );
}

/** Everything that a request is about: its params but for what changes from round to round, and what concerns its hop. */
function digestOfRequest({ method, params }: StatefulRequest): string {
  const { inputResponses: _responses, requestState: _state, _meta, ...members } = params;
  const instance = asObject(_meta)?.[gatewayMetaKeys.instance] ?? null;
  // No arguments are the same as none given.
  const given = members["arguments"] ?? {};
  return digestOfValue([method, { ...members, arguments: given }, instance]);
}

function readHeld(value: JsonValue | undefined): HeldState | undefined {
  const { kind, own, provider, state, call } = asObject(value) ?? {};
  const question = asObject(own);
  if (kind === "own" && question !== undefined) return { kind, own: question };
  if (kind === "upstream" && typeof provider === "string" && typeof state === "string")
    return { kind, provider, state };
  return kind === "parked" && typeof call === "string" ? { kind, call } : undefined;
}
