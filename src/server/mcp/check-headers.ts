import { asObject } from "../../json-object.ts";
import { decodeHeaderValue } from "../../mcp/header-value.ts";
import { type Message, type RequestMessage, rpcCodes } from "../../mcp/messages.ts";
import { nameOfRequest } from "../../mcp/name-of-request.ts";
import { type ParameterHeaders, writeParameterHeaders } from "../../mcp/parameter-headers.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import { isModernVersion, modernVersions } from "../../mcp/versions.ts";
import type { JsonValue } from "../../model/json.ts";
import type { Origin } from "./face.ts";
import { HttpRefusal } from "./refusal.ts";

const decimal = /^-?\d+(?:\.\d+)?$/;

/**
 * Refuses headers that say something else than the body, and versions that are not spoken here (MCP 2026-07-28, Streamable HTTP,
 * protocol version and standard headers). A header that is absent is no contradiction.
 *
 * @param claimed the version that the body claims; `undefined` where it makes no claim.
 */
export function checkClaims({ header }: Origin, message: Message, claimed: string | undefined): void {
  const version = header("mcp-protocol-version");
  if (claimed !== undefined && version !== undefined && version !== claimed) {
    throw mismatch(
      message,
      version,
      `the body claims protocol version ${claimed}, MCP-Protocol-Version says ${version}`,
    );
  }
  const method = header("mcp-method");
  if ("method" in message && method !== undefined && method !== message.method) {
    throw mismatch(message, method, `the body's method is ${message.method}, Mcp-Method says ${method}`);
  }
  const requested = claimed ?? version;
  if (requested === undefined || isModernVersion(requested)) return;
  const data = { supported: modernVersions, requested: requested.slice(0, 200) };
  const text = `Unsupported protocol version: ${data.requested}`;
  const error = new RpcError(rpcCodes.unsupportedProtocolVersion, text, data);
  throw new HttpRefusal(400, error, { to: message });
}

/** Refuses requests without the headers that repeat their body, and an `Mcp-Name` that names something else. */
export function checkRequiredHeaders({ header }: Origin, request: RequestMessage): void {
  for (const name of ["MCP-Protocol-Version", "Mcp-Method"]) {
    if (header(name.toLowerCase()) === undefined) throw missing(request, name);
  }
  const named = nameOfRequest(request.method, request.params);
  if (named === undefined) return;
  const sent = header("mcp-name");
  if (sent === undefined) throw missing(request, "Mcp-Name");
  const decoded = decodeHeaderValue(sent);
  if (decoded === undefined) throw mismatch(request, sent, "Mcp-Name is not valid base64 of UTF-8");
  if (decoded !== named.name)
    throw mismatch(request, sent, `params.${named.member} is ${named.name}, Mcp-Name says ${decoded}`);
}

/** Refuses a call whose `Mcp-Param-…` headers are not the arguments that the tool's schema repeats in them, by what that declares. */
export function checkParameterHeaders(
  { header }: Origin,
  request: RequestMessage,
  declared: ParameterHeaders,
): void {
  const given = asObject(request.params["arguments"]);
  // Clients leave tools with invalid declarations alone, and so nothing is expected of their headers.
  if (!declared.ok || given === undefined) return;
  const expected = writeParameterHeaders(declared.headers, given);
  for (const { header: name, path } of declared.headers) {
    const text = expected[name];
    if (text === undefined) continue;
    const sent = header(name);
    if (sent === undefined) throw missing(request, name);
    const decoded = decodeHeaderValue(sent);
    if (decoded === undefined) throw mismatch(request, sent, `${name} is not valid base64 of UTF-8`);
    const value = path.reduce<JsonValue | undefined>((node, member) => asObject(node)?.[member], given);
    const isSameNumber = typeof value === "number" && decimal.test(decoded) && Number(decoded) === value;
    if (decoded !== decodeHeaderValue(text) && !isSameNumber) {
      throw mismatch(request, sent, `argument ${path.join(".")} is not what ${name} says`);
    }
  }
}

function missing(request: RequestMessage, name: string): HttpRefusal {
  return mismatch(request, "(missing)", `the request needs the header ${name}`);
}

/** The error for a header that contradicts the body: what the header says, and how that differs. Both are cut to a length. */
export function mismatch(to: Message, sent: string, difference: string): HttpRefusal {
  const body = difference.slice(0, 400);
  const message = `Bad Request: the request headers and body disagree: ${body}`;
  const data = { mismatch: { header: sent.slice(0, 200), body } };
  return new HttpRefusal(400, new RpcError(rpcCodes.headerMismatch, message, data), { to });
}
