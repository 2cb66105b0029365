import { isNestedDeeperThan } from "../../json/nesting.ts";
import { isJsonObject } from "../../json-object.ts";
import { canAsk } from "../../mcp/askable.ts";
import { rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { ClientPeer } from "../../model/invocation.ts";
import type { JsonValue } from "../../model/json.ts";
import { quoteUpstream } from "../strip-hidden.ts";
import { stripTexts } from "./clean-entry.ts";
import { wantsWebPages } from "./clean-question.ts";
import { type UriOwner, withClientUri } from "./rewrite-uris.ts";
import { UpstreamRefusal } from "./transport.ts";

/** An elicitation by URL has to come before the call (MCP 2025-11-25); later versions have no such code. */
export const urlElicitationRequired = -32042;
/** A resource that is not there, up to 2025-11-25; later it is `invalidParams`. */
const resourceNotFound = -32002;

const maxDataCharacters = 16 * 1024;
const maxDataDepth = 20;
/** Codes that tell how two hops misunderstood each other, which is no business of a client's. */
const ofTheHop: ReadonlySet<number> = new Set([
  rpcCodes.parseError,
  rpcCodes.invalidRequest,
  rpcCodes.headerMismatch,
  rpcCodes.unsupportedProtocolVersion,
  rpcCodes.sessionNotFound,
]);
/** Statuses that speak of the credential, or of too many requests, whatever the body says. */
const ofTheCredential: ReadonlySet<number | undefined> = new Set([401, 403, 429]);

/** What an error is passed on with. */
export interface ErrorContext {
  readonly method: string;
  readonly peer: ClientPeer;
  readonly owner: UriOwner;
  /** Takes secrets out of an upstream's words. */
  readonly conceal: (text: string) => string;
}

/**
 * The JSON-RPC error of an upstream as the caller's client gets it; `undefined` where it gets none, but an error of the gateway's or
 * a result. Errors of tools are for models to read, but for those that a client of the same era acts on by itself.
 */
export function passOnError(error: unknown, context: ErrorContext): RpcError | undefined {
  if (!(error instanceof UpstreamRefusal) || error.rpc === undefined) return undefined;
  if (ofTheCredential.has(error.status)) return undefined;
  const { code, message, data } = error.rpc;
  if (!isFor(code, context)) return undefined;
  const { conceal, owner } = context;
  // Clients offer these pages to people.
  if (code === urlElicitationRequired && !wantsWebPages(data)) return undefined;
  const located = isJsonObject(data) ? withClientUri(stripTexts(data), owner) : data;
  return new RpcError(
    translate(code, data, context),
    quoteUpstream(conceal(message)) || "The upstream MCP server gives no reason.",
    isHarmless(located, conceal) ? located : undefined,
  );
}

function isFor(code: number, { method, peer }: ErrorContext): boolean {
  if (code === rpcCodes.missingRequiredClientCapability) return peer.retry !== undefined;
  // MCP 2025-11-25, elicitation: never to a client that has not said that it opens pages.
  if (code === urlElicitationRequired)
    return peer.retry === undefined && canAsk(peer.capabilities, "elicitation/create", { mode: "url" });
  return method !== "tools/call" && Number.isSafeInteger(code) && !ofTheHop.has(code);
}

/** What both eras say of a resource that is not there differs by the code alone. */
function translate(code: number, data: JsonValue | undefined, { method, peer }: ErrorContext): number {
  if (!method.startsWith("resources/")) return code;
  if (peer.retry !== undefined) return code === resourceNotFound ? rpcCodes.invalidParams : code;
  const namesResource = isJsonObject(data) && typeof data["uri"] === "string";
  return code === rpcCodes.invalidParams && namesResource ? resourceNotFound : code;
}

function isHarmless(data: JsonValue | undefined, conceal: (text: string) => string): boolean {
  if (data === undefined) return false;
  const text = JSON.stringify(data);
  if (text.length > maxDataCharacters || isNestedDeeperThan(text, maxDataDepth)) return false;
  return textsIn(data).every((told) => conceal(told) === told);
}

/** Every name and text in a value, as they are: written as JSON, a secret may look otherwise. */
function textsIn(value: JsonValue): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (!isJsonObject(value)) return [String(value)];
  return Object.entries(value).flatMap(([name, member]) => [name, ...textsIn(member)]);
}
