import type { Socket } from "node:net";
import { type Kind, kinds, type Wire } from "./wire.ts";

/** What a call comes to. */
export interface Outcome {
  /** Empty: an answer of the upstream, be it a result or its own refusal. */
  readonly code: string;
  readonly isError: boolean;
  /** All that the caller was told. */
  readonly text: string;
}

/** What a call has to come to. */
export type Expected =
  /** The correct answer: the fault does no harm. */
  | { readonly kind: "harmless" }
  /** An answer that is passed on as it came, or as far as it can be. */
  | { readonly kind: "answer"; readonly says: RegExp }
  /** The upstream's own refusal, told as such. */
  | { readonly kind: "refusal"; readonly says: RegExp }
  /** An error of the gateway's with this code; what an issuer or a token endpoint did is told to the operator or in the message. */
  | { readonly kind: "error"; readonly code: string; readonly says: RegExp };

/** How one upstream behaves. */
export interface Fault {
  readonly name: string;
  /** What becomes of a request; `undefined` where there never is one. */
  readonly act?: (wire: Wire) => void;
  /** What becomes of a connection, on a port of its own; `refuse` closes the port. */
  readonly connection?: ((socket: Socket) => void) | "refuse";
  /** The port speaks TLS while all is well. */
  readonly tls?: boolean;
  /** It holds the call until a time limit ends it. */
  readonly waits: boolean;
  readonly expected: Readonly<Record<Kind, Expected | Absent>>;
}

/** Why a kind is left out. */
export interface Absent {
  readonly kind: "absent";
  readonly reason: string;
}

export const harmless: Expected = { kind: "harmless" };
export const shown = (says: RegExp): Expected => ({ kind: "answer", says });
export const refused = (says: RegExp): Expected => ({ kind: "refusal", says });
export const failed = (says: RegExp, code = "upstream_failed"): Expected => ({ kind: "error", code, says });
export const late = (says: RegExp): Expected => failed(says, "timed_out");
export const tooMuch = failed(/more than|larger than|too large|more values/, "answer_too_large");
export const absent = (reason: string): Absent => ({ kind: "absent", reason });

/** By kind, or for several kinds in one word. */
export type ByKind = Partial<Record<Kind | "MCP" | "HTTP" | "OAuth" | "all", Expected | Absent>>;

const groups: Readonly<Record<Kind, keyof ByKind>> = {
  REST: "HTTP",
  GraphQL: "HTTP",
  "MCP JSON": "MCP",
  "MCP SSE": "MCP",
  "token endpoint": "OAuth",
  JWKS: "OAuth",
};

/** A kind's own expectation counts before that of its group, and that before the one of all. */
export function expectations(given: ByKind): Fault["expected"] {
  const pick = (kind: Kind): Expected | Absent =>
    given[kind] ?? given[groups[kind]] ?? given.all ?? absent("nothing is said of it");
  const [rest, graphql, json, sse, token, jwks] = kinds.map(pick);
  const none = absent("nothing is said of it");
  return {
    REST: rest ?? none,
    GraphQL: graphql ?? none,
    "MCP JSON": json ?? none,
    "MCP SSE": sse ?? none,
    "token endpoint": token ?? none,
    JWKS: jwks ?? none,
  };
}

/** A fault of the answer to one request. */
export function fault(name: string, act: (wire: Wire) => void, expected: ByKind): Fault {
  return { name, act, waits: false, expected: expectations(expected) };
}

/** The same, where nothing but time ends the call. */
export function waiting(name: string, act: (wire: Wire) => void, expected: ByKind): Fault {
  return { name, act, waits: true, expected: expectations(expected) };
}
