import type { Freshness } from "../../model/features.ts";
import type { ClientPeer } from "../../model/invocation.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import type { Principal } from "../../model/principal.ts";
import type { InputRequired } from "../../model/result.ts";

/** Who asks, and how to reach them while the request runs. The same for all versions of the protocol. */
export interface Caller {
  readonly principal: Principal;
  /** The version that the client speaks: negotiated or claimed. */
  readonly version: string;
  readonly peer: ClientPeer;
  /** What of the request's `_meta` goes on to an upstream: without what concerns this hop alone. */
  readonly meta?: JsonObject | undefined;
  readonly signal: AbortSignal;
  /** A header of the request, for connections that pass one on. */
  readonly header: (name: string) => string | undefined;
  /** Who calls as of now, for requests that have waited long. Throws `GatewayError` for who may not any more. */
  readonly confirm: () => Promise<Principal>;
  /** How the client is asked to open a page of the gateway's own; `undefined`: it can't be asked. */
  readonly visit: Visit | undefined;
}

/** `ask`: by a request while its own runs, answered by the client's result; `return`: by the result of its request. */
export type Visit = {
  /** Aborts when nobody is there any more who could be asked, or told what came of it. */
  readonly signal: AbortSignal;
} & (
  | {
      readonly kind: "ask";
      readonly ask: (params: JsonObject, signal: AbortSignal) => Promise<JsonValue>;
      readonly tell: (method: string, params: JsonObject) => void;
    }
  | {
      readonly kind: "return";
      /** What the gateway has asked for before, and what the client answers to that; `undefined`: it has not. */
      readonly held: HeldQuestion | undefined;
    }
);

/** A question of the gateway's own that comes back with its answer. */
export interface HeldQuestion {
  /** See {@link Question.own}. */
  readonly own: JsonObject;
  /** The client's answers by the keys of the questions; whatever the client sent. */
  readonly responses: JsonObject;
}

/**
 * What a method came to: the members of its JSON-RPC result, without those that belong to one version of the protocol.
 * `input_required` only for callers whose peer has `retry`. What is `cacheable` is the same for all requests until something changes; the same object is written as text only once.
 */
export type MethodResult = FinishedResult | Question;

/** A question to a client that answers it by making its call again. */
export interface Question extends InputRequired {
  /** Of the gateway's own questions, in the place of an upstream's state: what it has to know again. The client can't read it. */
  readonly own?: JsonObject | undefined;
}

/** What a request came to in the end. */
export type FinishedResult =
  | { readonly kind: "once"; readonly result: JsonObject }
  | {
      readonly kind: "cacheable";
      readonly result: JsonObject;
      /** How long it keeps; absent: it may change at any time, and is the caller's own. */
      readonly freshness?: Freshness;
    };

/**
 * One method of the protocol. Throws `RpcError` for what the client gets as a JSON-RPC error; what it throws after the caller's
 * signal has aborted reaches nobody.
 */
export type Method = (params: JsonObject, caller: Caller) => MethodResult | Promise<MethodResult>;

/** Methods that mean the same in all versions, by name. */
export type Methods = ReadonlyMap<string, Method>;
