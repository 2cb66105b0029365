import { asObject, isJsonObject } from "../../json-object.ts";
import { isLogLevel } from "../../mcp/log-level.ts";
import { type RequestMessage, rpcCodes } from "../../mcp/messages.ts";
import { metaKeys } from "../../mcp/meta.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import { namesModernEra } from "../../mcp/versions.ts";
import type { LogLevel } from "../../model/invocation.ts";
import type { JsonObject } from "../../model/json.ts";
import { HttpRefusal } from "./refusal.ts";

/** What every request since 2026-07-28 says of its client in `params._meta`. */
export interface Envelope {
  readonly version: string;
  readonly capabilities: JsonObject;
  /** Least severe log messages that it wants of this request: without a word of it, none (MCP 2026-07-28, logging). */
  readonly logLevel: LogLevel | "none";
}

/** Why a `_meta` is no envelope, in the words of the error's data. */
type EnvelopeProblem =
  | { readonly missing: readonly string[] }
  | { readonly key: string; readonly problem: string };

/** True when a message claims a version in its `_meta`, however well: that alone makes it one without a session. */
export function hasEnvelope(params: JsonObject): boolean {
  return Object.hasOwn(asObject(params["_meta"]) ?? {}, metaKeys.protocolVersion);
}

/** True when a message carries a complete envelope of the time without sessions. */
export function hasModernEnvelope(params: JsonObject): boolean {
  const read = parseEnvelope(asObject(params["_meta"]));
  return "version" in read && namesModernEra(read.version);
}

/** Reads the envelope of a request; throws an `HttpRefusal` (400, -32602) that names what is missing or wrong. */
export function readEnvelope(request: RequestMessage): Envelope {
  const read = parseEnvelope(asObject(request.params["_meta"]));
  if ("version" in read) return read;
  const reason = "missing" in read ? `missing ${read.missing.join(", ")}` : `${read.key}: ${read.problem}`;
  const message = `Invalid params: every request carries its protocol version and client capabilities in _meta; ${reason}`;
  throw new HttpRefusal(400, new RpcError(rpcCodes.invalidParams, message, { envelope: read }), {
    to: request,
  });
}

function parseEnvelope(meta: JsonObject | undefined): Envelope | EnvelopeProblem {
  if (meta === undefined) return { missing: ["_meta"] };
  const { protocolVersion, clientCapabilities, clientInfo, logLevel } = metaKeys;
  const missing = [protocolVersion, clientCapabilities].filter((key) => !Object.hasOwn(meta, key));
  if (missing.length > 0) return { missing };
  const version = meta[protocolVersion];
  if (typeof version !== "string") return { key: protocolVersion, problem: "expected a string" };
  const capabilities = meta[clientCapabilities];
  if (!isJsonObject(capabilities)) return { key: clientCapabilities, problem: "expected an object" };
  const info = meta[clientInfo];
  if (info !== undefined && !isJsonObject(info)) return { key: clientInfo, problem: "expected an object" };
  const level = meta[logLevel];
  if (level === undefined) return { version, capabilities, logLevel: "none" };
  if (!isLogLevel(level)) return { key: logLevel, problem: "expected a log level" };
  return { version, capabilities, logLevel: level };
}
